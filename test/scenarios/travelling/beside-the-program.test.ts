// A fingerprint that lies beside a program starts it where it was never seen, with no search; explain says so.
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { copyHome, foreign, onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const jq = foreign(rig, 'bookworm', 'jq');
const root = await openToolRoot(rig);
const program = copyHome(root, jq, 'jq');
const sidecar = `${program}.nix-fingerprint.json`;

/** What a machine has on which nothing was ever started. */
function forget(): void {
  for (const saved of ['.cache', '.local'])
    rmSync(path.join(root.homeDir, saved), { recursive: true, force: true });
}

test('without it the store is searched', async () => {
  assert.equal((await root.bare(program, jq.args)).status, 127);
  const { stderr } = await root.start([program, '-n', '6*7'], { env: { NIX_RUN_FOREIGN_DEBUG: '1' } });
  assert.match(stderr, /solved/);
});

test('exported, it is beside the program', async () => {
  const { status, stdout, stderr } = await root.manage(['fingerprint', 'export', program]);
  assert.deepEqual([status, stdout, stderr], [0, `wrote ${sidecar}\n`, '']);
  assert.ok(existsSync(onHost(root, sidecar)));
});

test('with it nothing is searched, and the next start is a hit', async () => {
  forget();
  const first = await root.start([program, '-n', '6*7'], { env: { NIX_RUN_FOREIGN_DEBUG: '1' } });
  assert.equal(first.stdout, '42\n', first.stderr);
  assert.match(first.stderr, new RegExp(`the fingerprint of ${sidecar} is trusted`));
  assert.doesNotMatch(first.stderr, /solved/);
  const { stdout } = await root.manage(['explain', '--json', program]);
  assert.equal(JSON.parse(stdout).origin, sidecar);
  assert.equal((await root.startHit([program, '-n', '6*7'])).stdout, '42\n');
});
