// `doctor PROGRAM` and `explain`: what the children will miss, and that the line they name mends it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { giveHome, openViewRoot, putProgram, USER } from './view-root.ts';

const rig = await ensureRig('full');
const root = await openViewRoot(rig, { interpreter: 'stub-ld', uid: USER });
const alone = putProgram(root, 'alone/alone', 'int main(void) { return 0; }');
giveHome(root, USER);

test('a program by the loader: its children do not start, and --strategy view mends it', async () => {
  const before = await root.manage(['doctor', alone]);
  assert.match(before.stdout, /^ok {4}start {5}strategy loader;/m);
  assert.match(
    before.stdout,
    /^note {2}children {2}foreign programs that it starts do not start \(NixOS' stub-ld is at /m,
  );
  assert.match(
    (await root.manage(['explain', alone])).stdout,
    /^children {2}.*to mend it: nix-run-foreign --strategy view /m,
  );
  const line = /nix-run-foreign (--strategy view \S+)$/m.exec(before.stdout)?.[1] ?? '';
  assert.equal((await root.start(line.split(' '))).status, 0);
  const after = await root.manage(['doctor', alone]);
  assert.match(after.stdout, /^ok {4}children {2}foreign programs that it starts find their own libraries$/m);
});

test('a program of Nix: its children start by themselves', async () => {
  const { stdout } = await root.manage(['doctor', rig.bash]);
  assert.match(stdout, /strategy view;/);
  assert.match(stdout, /^ok {4}children/m);
});
