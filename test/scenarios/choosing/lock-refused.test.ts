// choose and explain, one question of which meets a lock that fails → asked again, in the same place.
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { copyHome, foreign } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const program = copyHome(root, foreign(rig, 'bookworm', 'jq'), 'jq');
const NAME = 'lock-refused.cjs';
cpSync(path.join(import.meta.dirname, NAME), path.join(root.homeDir, NAME));

const manageRefused = (...words: string[]) =>
  root.run({
    argv: [rig.node, '--require', `${homeInRoot}/${NAME}`, '/opt/tool/dist/nix-foreign.cjs', ...words],
  });

for (const words of [
  ['choose', '--json'],
  ['choose', '--exclude', 'nothing-like-it'],
  ['explain', '--json'],
  ['explain', '--why', 'libjq.so.1'],
]) {
  test(`${words.join(' ')}: nothing is done once more in another place`, async () => {
    const before = await root.manage(['resolve', program]);
    assert.equal(before.status, 0, before.stderr);
    const expected = await root.manage([...words, program]);
    const { status, stdout, stderr } = await manageRefused(...words, program);
    assert.deepEqual([status, stdout], [0, expected.stdout], stderr);
    assert.match(stderr, /^a lock was refused$/m);
    assert.doesNotMatch(stderr, /locking protocol|\/tmp/);
  });
}
