// Every foreign program, of four Debian releases and of npm, fails bare, runs on its first start, is a hit on its second.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureNpmPrograms, type NpmProgram } from '../../rig/npm/programs.ts';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const npm = await ensureNpmPrograms();
/** Every library that any of them needs is in the rig's store, in some compatible version. */
const corpus: readonly NpmProgram[] = [...rig.foreign, ...npm.programs];
/** Each at a machine without an interpreter, or at one with nix-ld there. */
const tried = { none: sampled(corpus, 2), 'nix-ld': sampled(corpus, 2, 1) };
const ran = { none: 0, 'nix-ld': 0 };

function assertRan({ expect }: NpmProgram, outcome: Outcome): void {
  const output = outcome.stdout + outcome.stderr;
  assert.doesNotMatch(output, /^nix-run-foreign: /m);
  assert.equal(outcome.status, 0, outcome.stderr);
  assert.match(output, expect);
}

for (const interpreter of ['none', 'nix-ld'] as const) {
  const root = await openToolRoot(rig, { interpreter, binds: npm.binds, catalogue: 'none' });
  const isServedByNixLd = ({ architecture }: NpmProgram) =>
    interpreter === 'nix-ld' && architecture === 'amd64';

  for (const program of tried[interpreter]) {
    const { suite, name, path, args } = program;
    test(`${suite}'s ${name}, interpreter: ${interpreter}`, async () => {
      const bare = await root.bare(path, args);
      if (isServedByNixLd(program)) assert.notEqual(bare.status, 0);
      else assert.equal(bare.status, 127);
      assertRan(program, await root.start([path, ...args]));
      const second = await root.startHit([path, ...args]);
      // Plug-ins from outside the store that it loaded count at the next start, which so is a miss once.
      const learns = /a file of the plan has changed: .*\/learned$/m.test(second.stderr);
      if (learns) assertRan(program, await root.start([path, ...args]));
      assertRan(program, learns ? await root.startHit([path, ...args]) : second);
      ran[interpreter]++;
    });
  }

  test(`strategies, interpreter: ${interpreter}`, async () => {
    const listed = await root.manage(['list', '--json']);
    const plans = JSON.parse(listed.stdout) as { program: string; strategy: string; state: string }[];
    const files = new Map(tried[interpreter].map((each) => [each.path, each]));
    const expected = [...files.values()].map((each) => ({
      program: each.path,
      strategy: isServedByNixLd(each) ? ['interpreter'] : ['loader', 'view'],
      state: 'ready',
    }));
    const byPath = (a: { program: string }, b: { program: string }) => (a.program < b.program ? -1 : 1);
    const seen = plans.sort(byPath).map(({ program, state }) => ({ program, state }));
    assert.deepEqual(
      seen,
      expected.sort(byPath).map(({ program, state }) => ({ program, state })),
    );
    const allowed = new Map(expected.map(({ program, strategy }) => [program, strategy]));
    assert.deepEqual(
      plans.filter(({ program, strategy }) => !allowed.get(program)?.includes(strategy)),
      [],
    );
  });
}

test('the corpus: forty programs and more, of four releases and npm, all of which ran', (t) => {
  const sources = Map.groupBy(corpus, ({ suite }) => suite);
  for (const [suite, programs] of sources) t.diagnostic(`${suite}: ${programs.length} programs`);
  t.diagnostic(`${ran.none} of ${tried.none.length} ran with nothing at the interpreter's path`);
  t.diagnostic(`${ran['nix-ld']} of ${tried['nix-ld'].length} ran with nix-ld there`);
  assert.deepEqual(ran, { none: tried.none.length, 'nix-ld': tried['nix-ld'].length });
  assert.deepEqual([...sources.keys()].sort(), ['bookworm', 'bullseye', 'npm', 'sid', 'trixie']);
  assert.ok(corpus.length >= 40);
  assert.ok(npm.programs.length >= 5);
  assert.ok(rig.foreign.some(({ libraries }) => libraries >= 30));
});
