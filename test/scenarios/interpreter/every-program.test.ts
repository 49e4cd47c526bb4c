// Every foreign program of the rig runs with no prefix, on its first start and on its second: each by one of the ways in,
// or by all of them where everything is tried.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const programs = rig.foreign.filter(({ architecture }) => architecture === 'amd64');

const ways = await openWays(rig);

for (const [turn, root] of ways.entries()) {
  const { way } = root;

  for (const { suite, name, path, args, expect } of sampled(programs, 2 * ways.length, turn))
    test(`${suite}'s ${name}, entered by ${way}`, async () => {
      const assertRan = (outcome: Outcome) => {
        assert.doesNotMatch(outcome.stderr, /^nix-run-foreign: /m);
        assert.equal(outcome.status, 0, outcome.stderr);
        assert.match(outcome.stdout + outcome.stderr, expect);
      };
      const without = await root.plain(path, args, {
        env: { NIX_LD: undefined, NIX_RUN_FOREIGN_RESOLVER: '/n' },
      });
      assert.notEqual(without.status, 0);
      assertRan(await root.plain(path, args));
      assertRan(await root.plainHit(path, args));
    });
}
