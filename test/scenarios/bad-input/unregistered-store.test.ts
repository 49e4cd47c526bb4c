// A store directory whose database is another's, as with one mounted into a container: programs start, nothing is pinned.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { catalogue: 'none' });
const jq = rig.foreign.find(({ name }) => name === 'jq');
assert.ok(jq);

test('libraries that are there and unknown to Nix start the program, unpinned, and one line says so', async () => {
  assert.equal((await root.bare(jq.path, jq.args)).status, 127);
  const emptied = await root.runOnHost({ argv: ['rm', '-rf', '/nix/var/nix/db', '/nix/var/nix/gcroots'] });
  assert.equal(emptied.status, 0);
  const first = await root.start([jq.path, ...jq.args]);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, jq.expect);
  assert.match(first.stderr, /^nix-run-foreign: [^\n]*not protected from garbage collection: [^\n]*\n$/);
  const second = await root.startHit([jq.path, ...jq.args]);
  assert.deepEqual([second.status, second.stderr], [0, '']);
});
