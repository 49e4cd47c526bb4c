// The torture's first parts with few inputs → no fault; and a reader that has one is found out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../elf/seeded-random.ts';
import { cReaders } from './fuzz-c.ts';
import { typeScriptReaders } from './fuzz-readers.ts';
import { loaderJudge } from './loader-judge.ts';
import { mutate } from './mutate.ts';
import type { Part } from './results.ts';
import { swaps } from './swapped-directory.ts';

/** All together, without building the fuzzers: a minute. */
const EFFORTS = [
  [cReaders, { seed: 1, seconds: 2, inputs: 3_000 }],
  [typeScriptReaders, { seed: 1, seconds: 1.2, inputs: 400 }],
] as const satisfies readonly (readonly [Part, object])[];

for (const [part, effort] of EFFORTS)
  for (const target of part.targets)
    test(`${part.name}: ${target}`, async () => {
      const { tried, findings } = await part.run(target, effort);
      assert.deepEqual(findings, []);
      assert.ok(tried > 0, 'nothing was tried');
    });

test('sets that the solver takes are loaded by real glibcs, where it takes none no set is', async () => {
  const effort = { seed: 1, seconds: 600, inputs: 120 };
  const { figures, findings } = await loaderJudge.run('sets by each loader', effort);
  assert.deepEqual(findings, []);
  assert.match(figures, /\d\d solution, \d\d conflict/);
});

/** In one test: the tool that they install goes when a test has ended. */
const SWAPS = {
  'hit: directories of XDG': 20,
  "hit: a user's directories of XDG": 3,
  'hit: the place below /tmp': 20,
  'forget: directories of XDG': 5,
  'for everybody: the place for everybody': 5,
  'first start: a fingerprint beside a link to the program': 5,
  'first start: a tree file beside the program': 5,
  'first start: a source of fingerprints': 5,
  'patch: the directory of a program that is patched': 5,
  'unpatch: a link in /tmp that a program is named by': 4,
};

test('a directory that somebody else swaps is never followed', async () => {
  for (const [target, inputs] of Object.entries(SWAPS)) {
    const { tried, findings } = await swaps.run(target, { seed: 1, seconds: 600, inputs });
    assert.deepEqual([tried, findings], [inputs, []], target);
  }
});

test('an input is the same for the same numbers, and most differ from what they are made of', () => {
  const seed = Buffer.from('[Desktop Entry]\nExec=app %U\n');
  const made = (number: number) => mutate('lines', [seed], seededRandom(number)).toString('latin1');
  assert.equal(made(7), made(7));
  const all = Array.from({ length: 200 }, (_, number) => made(2 * number + 1));
  assert.ok(new Set(all).size > 150);
});
