// An ELF file with random damage: it starts, or there is one cause and one remedy; the resolver never fails itself.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../elf/seeded-random.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { ALL } from '../../sample.ts';
import { assertRefused } from '../expect-failure.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const jq = foreign(rig, 'bookworm', 'jq');
const healthy = readFileSync(jq.path);
const directory = path.join(homeInRoot, 'damaged');
mkdirSync(onHost(root, directory));
const ROUNDS = ALL ? 60 : 20;
/** ELF header, program headers, dynamic strings and versions are there. */
const SENSITIVE = 4096;

for (let seed = 1; seed <= ROUNDS; seed += 1)
  test(`seed ${seed}`, async () => {
    const random = seededRandom(seed);
    const bytes = Buffer.from(healthy);
    const wounds = 1 + random(6);
    for (let i = 0; i < wounds; i += 1) bytes[16 + random(SENSITIVE - 16)] = random(256);
    const program = path.join(directory, String(seed));
    writeFileSync(onHost(root, program), bytes);
    chmodSync(onHost(root, program), 0o755);
    const outcome = await root.start([program, ...jq.args]);
    assert.ok(!outcome.timedOut);
    if (!outcome.stderr.startsWith('nix-run-foreign: ')) return; // started, for better or worse
    assertRefused(outcome, { status: 126, cause: /./ });
  });
