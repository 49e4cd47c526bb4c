// What a foreign program can notice of its process is what a static one started without us notices, hit or miss.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { onHost } from '../foreign-files.ts';
import { planFiles } from '../saved-state.ts';
import { launcher, openToolRoot } from '../tool.ts';
import { furnish, output, place, report, reportOf, states, still } from './states.ts';

const rig = await ensureRig('full');

for (const [turn, interpreter] of (['none', 'nix-ld'] as const).entries()) {
  const root = await openToolRoot(rig, { interpreter });
  furnish(root);

  test(`bare it does not start, interpreter: ${interpreter}`, async () => {
    assert.notEqual((await root.bare(report, [output, '23'])).status, 23);
    assert.equal((await root.start([report, output, '23'])).status, 23);
  });

  for (const [name, edits] of sampled(Object.entries(states), 2, turn))
    test(`${name}, interpreter: ${interpreter}`, async () => {
      const plain = await reportOf(root, edits, [], still);
      for (const file of planFiles(root)) rmSync(file);
      assert.equal(await reportOf(root, edits, [launcher], report), plain, 'miss');
      assert.equal(await reportOf(root, edits, [launcher], report), plain, 'hit');
    });

  test(`a name on PATH is argv[0] as typed, interpreter: ${interpreter}`, async () => {
    const settings = { env: { PATH: `/nowhere:${place}` } };
    assert.equal((await root.start(['multi-call', output], settings)).status, 0);
    assert.match(readFileSync(onHost(root, output), 'utf8'), /^argv 0 multi-call\n/m);
  });
}
