// First starts beside a collector that never rests: none misses a library, with sidecars and without.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import stringify from 'fast-json-stable-stringify';
import type { Fingerprint } from '../../../src/fingerprint/fingerprint.ts';
import { providerOf } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { ALL } from '../../sample.ts';
import { foreign } from '../foreign-files.ts';
import { stateOf } from '../saved-state.ts';
import type { Settings } from '../tool.ts';
import {
  exchangeForTests,
  fetching,
  type Machine,
  openMachine,
  startOver,
  withEnv,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const EACH = ALL ? 100 : 30;
const AT_ONCE = 2;
const rig = await ensureRig('full');
const exchange = exchangeForTests();
const { cache, cacheKey, libraries, sidecar } = await publishJq(await openMachine(rig, exchange), exchange);
const settings = fetching([cache], [cacheKey.publicKey]);
const bytes = readFileSync(foreign(rig, 'bookworm', 'jq').path);
const document = JSON.parse(sidecar) as Fingerprint;

/** A program of its own content, and its document where it gets one. */
function putCopy(
  machine: Machine,
  name: string,
  kind: 'with sidecar' | 'alone',
): { inRoot: string; sha256: string } {
  const content = Buffer.concat([bytes, Buffer.from(name)]);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const file = path.join(machine.homeDir, 'apps', name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content, { mode: 0o755 });
  if (kind === 'with sidecar') {
    const program = { ...document.program, sha256, size: content.length };
    writeFileSync(`${file}.nix-fingerprint.json`, `${stringify({ ...document, program })}\n`);
  }
  return { inRoot: path.join(path.dirname(machine.program), name), sha256 };
}

/** Collects until it is told to end, after each time doing what `next` does; how often libraries were taken. */
async function collectUntil(
  machine: Machine,
  done: () => boolean,
  next: () => Promise<unknown>,
): Promise<number> {
  let taken = 0;
  while (!done()) {
    const { status, stdout, stderr } = await machine.run({ argv: ['nix-store', '--gc'] });
    // It gives up when a start refers to what it is about to take.
    if (status !== 0) assert.match(stderr, /in use by|is busy/);
    if (/^deleting '\/nix\/store\/[^']*lib/m.test(stdout + stderr)) taken += 1;
    await next();
  }
  return taken;
}

/**
 * The collector of Nix 2.8 takes now and then what was rooted a moment ago (src/store/NOTES.md). Where that happens between
 * the resolver's end and the start, the launcher has the plan made once more, within the same start.
 */
async function start(machine: Machine, program: string, settings: Settings): Promise<Outcome> {
  return await machine.start([program, ...words], withEnv(settings, { NIX_RUN_FOREIGN_DEBUG: '1' }));
}

/** Starts copies, each of which is unpinned once it ran, so that the collector has something to take from the next. */
async function startAll(machine: Machine, kind: 'with sidecar' | 'alone', env: Settings): Promise<string[]> {
  const failures: string[] = [];
  const waiting = Array.from({ length: EACH }, (_, index) => `${kind.replaceAll(' ', '-')}-${index}`);
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const { inRoot, sha256 } = putCopy(machine, name, kind);
      const { status, stdout, stderr } = await start(machine, inRoot, env);
      // Nix may tell of what it fetches.
      if (status !== 0 || stdout !== '42\n' || /^nix-run-foreign: (?!debug: )/m.test(stderr)) {
        failures.push(`${name}: ${status}\n${stderr}`);
      }
      rmSync(path.join(stateOf(machine), 'roots', sha256), { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failures;
}

async function assertNoneMisses(
  machine: Machine,
  kind: 'with sidecar' | 'alone',
  env: Settings,
  next: () => Promise<unknown>,
): Promise<string> {
  let finished = false;
  const collecting = collectUntil(machine, () => finished, next);
  const failures = await startAll(machine, kind, env).finally(() => {
    finished = true;
  });
  const taken = await collecting;
  assert.deepEqual(failures, []);
  assert.ok(taken > EACH / 10, `the collector took libraries ${taken} times only`);
  return `the collector took libraries ${taken} times`;
}

test('with sidecars, where every library has to be fetched', async (t) => {
  const machine = await openMachine(rig, exchange);
  await startOver(machine);
  t.diagnostic(await assertNoneMisses(machine, 'with sidecar', settings, async () => {}));
});

test('without, where what is preferred to a working set comes and goes', async (t) => {
  const machine = await openMachine(rig, exchange);
  const held = ['libjq.so.1', 'libonig.so.5'].map((soname) => providerOf(rig, 'trixie', soname).path);
  await startOver(machine, held);
  const fetch = () => machine.run({ argv: ['nix-store', '--realise', ...libraries], ...settings });
  t.diagnostic(await assertNoneMisses(machine, 'alone', fetching([], []), fetch));
});
