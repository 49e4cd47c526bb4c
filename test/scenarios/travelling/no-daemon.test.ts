// A user whom no Nix answers: a fingerprint that names a missing path is said to be of no use, and the start goes on.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { canonicalText, type Fingerprint } from '../../../src/fingerprint/fingerprint.ts';
import { ensureRig } from '../../rig/rig.ts';
import { copyHome, foreign, onHost } from '../foreign-files.ts';
import { cacheOf } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const jq = foreign(rig, 'bookworm', 'jq');
const maker = await openToolRoot(rig);
const user = await openToolRoot(rig, { uid: 1000, daemon: 'none' });

interface Listed {
  readonly program: string;
  readonly root: string | null;
  readonly pinned: boolean;
}

const listed = async () => JSON.parse((await user.manage(['list', '--json'])).stdout) as Listed[];

test('a sidecar breaks no start that works without it', async () => {
  const made = copyHome(maker, jq, 'jq');
  assert.equal((await maker.manage(['fingerprint', 'export', made])).status, 0);
  const text = readFileSync(onHost(maker, `${made}.nix-fingerprint.json`), 'utf8');
  const program = copyHome(user, jq, 'jq');
  const without = await user.start([program, '-n', '6*7']);
  assert.deepEqual([without.status, without.stdout], [0, '42\n'], without.stderr);
  await user.manage(['forget', '--all']);
  const missing = text.replace(/\/nix\/store\/[0-9a-z]{32}-libjq1/, `/nix/store/${'a'.repeat(32)}-libjq1`);
  assert.notEqual(missing, text);
  writeFileSync(onHost(user, `${program}.nix-fingerprint.json`), missing);
  const beside = await user.start([program, '-n', '6*7']);
  assert.deepEqual([beside.status, beside.stdout], [0, '42\n'], beside.stderr);
  assert.match(beside.stderr, /the fingerprint of .*jq\.nix-fingerprint\.json is not used: /);
});

test('a document that the loader refuses, or cannot be asked about, leaves the record of an earlier start', async () => {
  const program = copyHome(user, jq, 'other/jq');
  const started = await user.start([program, '-n', '6*7']);
  assert.deepEqual([started.status, started.stdout], [0, '42\n'], started.stderr);
  const row = (await listed()).find((each) => each.program === program);
  assert.ok(row?.root && !row.pinned, JSON.stringify(row));
  const record = onHost(user, row.root);
  const text = readFileSync(record, 'utf8');
  const document = JSON.parse(text) as Fingerprint;
  const libraries = document.libraries.filter(({ soname }) => !soname.startsWith('libjq'));
  assert.notEqual(libraries.length, document.libraries.length);
  const refused = `${program}.json`;
  writeFileSync(onHost(user, refused), canonicalText({ ...document, libraries }));
  const { status, stderr } = await user.manage(['fingerprint', 'import', refused, program]);
  assert.equal(status, 126, stderr);
  assert.match(stderr, /libjq\.so\.1/);
  assert.equal(readFileSync(record, 'utf8'), text);
  writeFileSync(onHost(user, refused), canonicalText({ ...document, libraries: libraries.slice(1) }));
  const farms = path.join(cacheOf(user), 'farms');
  chmodSync(farms, 0o500);
  const elsewhere = await user.manage(['fingerprint', 'import', refused, program]);
  chmodSync(farms, 0o700);
  assert.equal(elsewhere.status, 126, elsewhere.stderr);
  assert.equal(readFileSync(record, 'utf8'), text);
});
