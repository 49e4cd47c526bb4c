// What a foreign program without a prefix can notice of its process is what a static one notices, hit or miss.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { furnish, report, reportOf, states, still } from '../same-process/states.ts';
import { planFiles } from '../saved-state.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');

for (const [turn, root] of (await openWays(rig)).entries()) {
  furnish(root);
  for (const [name, edits] of sampled(Object.entries(states), 2, turn)) {
    // nix-ld's search of the environment ends there, so it does not come to NIX_LD.
    if (root.way === 'nix-ld' && name === 'an entry without =') continue;
    // nix-ld 2 leaves the file of NIX_LD open where it became one of the first three (2.0.6, src/sys.rs, Drop for File).
    if (root.way === 'nix-ld' && process.env['NIX_LD_UNDER_TEST'] && name.includes('closed')) continue;
    test(`${name}, entered by ${root.way}`, async () => {
      const plain = await reportOf(root, edits, [], still, root.session);
      for (const file of planFiles(root)) rmSync(file);
      assert.equal(await reportOf(root, edits, [], report, root.session), plain, 'miss');
      assert.equal(await reportOf(root, edits, [], report, root.session), plain, 'hit');
    });
  }
}
