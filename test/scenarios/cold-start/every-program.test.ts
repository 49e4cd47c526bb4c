// Every foreign program of the rig fails bare, runs on its first start, and is a hit on its second.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ForeignProgram } from '../../rig/foreign.ts';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');

function assertRan({ expect }: ForeignProgram, outcome: Outcome): void {
  const output = outcome.stdout + outcome.stderr;
  assert.doesNotMatch(output, /^nix-run-foreign: /m);
  assert.equal(outcome.status, 0, outcome.stderr);
  assert.match(output, expect);
}

for (const interpreter of ['none', 'nix-ld'] as const) {
  const root = await openToolRoot(rig, { interpreter });
  const isServedByNixLd = ({ architecture }: ForeignProgram) =>
    interpreter === 'nix-ld' && architecture === 'amd64';

  for (const program of rig.foreign) {
    const { suite, name, path, args } = program;
    test(`${suite}'s ${name}, interpreter: ${interpreter}`, async () => {
      const bare = await root.bare(path, args);
      if (isServedByNixLd(program)) assert.notEqual(bare.status, 0);
      else assert.equal(bare.status, 127);
      assertRan(program, await root.start([path, ...args]));
      assertRan(program, await root.startHit([path, ...args]));
    });
  }

  test(`strategies, interpreter: ${interpreter}`, async () => {
    const listed = await root.manage(['list', '--json']);
    const plans = JSON.parse(listed.stdout) as { program: string; strategy: string; state: string }[];
    const expected = rig.foreign.map((each) => ({
      program: each.path,
      strategy: isServedByNixLd(each) ? 'interpreter' : 'loader',
      state: 'ready',
    }));
    const byPath = (a: { program: string }, b: { program: string }) => (a.program < b.program ? -1 : 1);
    assert.deepEqual(
      plans.map(({ program, strategy, state }) => ({ program, strategy, state })).sort(byPath),
      expected.sort(byPath),
    );
  });
}

test('the rig is worth the name: twenty programs of three releases', () => {
  assert.ok(rig.foreign.length >= 20);
  assert.ok(new Set(rig.foreign.map(({ suite }) => suite)).size >= 3);
  assert.ok(rig.foreign.some(({ libraries }) => libraries >= 30));
});
