// Things in their order → the first, and each later one that fits beside those before it, in few questions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asManyAsFit, type Fit } from '../../src/solver/as-many-as-fit.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** A question about things of which some pairs exclude each other, and some never fit. */
function questions(excluding: readonly (readonly [number, number])[], never: readonly number[] = []) {
  let asked = 0;
  const fits = (all: readonly number[]): Fit<number> => {
    asked += 1;
    const isFit =
      !excluding.some(([a, b]) => all.includes(a) && all.includes(b)) &&
      !never.some((each) => all.includes(each));
    return isFit ? { kind: 'fits' } : { kind: 'unfit', never: new Set(never) };
  };
  return { fits, asked: () => asked };
}

function oneAfterTheOther(
  things: readonly number[],
  fits: (all: readonly number[]) => Fit<number>,
): number[] {
  const taken: number[] = [];
  for (const each of things) if (fits([...taken, each]).kind === 'fits') taken.push(each);
  return taken;
}

test('as one after the other, whatever excludes what', () => {
  for (let seed = 1; seed < 200; seed += 1) {
    const things = numbers(seed % 23);
    const pairs = numbers(seed % 11).map((at) => [(seed * at) % 23, (seed + at * 5) % 23] as const);
    const { fits } = questions(pairs.filter(([a, b]) => a !== b));
    assert.deepEqual(asManyAsFit(things, fits), oneAfterTheOther(things, fits), `seed ${seed}`);
  }
});

test('few questions: for some that do not fit among hundreds, for many that never do', () => {
  const all = questions([]);
  assert.equal(asManyAsFit(numbers(300), all.fits).length, 300);
  assert.equal(all.asked(), 1);
  for (const at of [0, 77, 299]) {
    const one = questions([[at, at]]);
    assert.equal(asManyAsFit(numbers(300), one.fits).length, 299);
    assert.ok(one.asked() <= 20, `${at}: ${one.asked()}`);
  }
  const never = questions([], numbers(200));
  assert.deepEqual(asManyAsFit(numbers(300), never.fits), numbers(300).slice(200));
  assert.equal(never.asked(), 2);
});

test('no question is asked twice', () => {
  const seen: string[] = [];
  const { fits } = questions([[5, 60]]);
  asManyAsFit(numbers(64), (all) => {
    seen.push(all.join());
    return fits(all);
  });
  assert.equal(new Set(seen).size, seen.length);
});

test('another is tried in place of what does not fit, in its turn', () => {
  const { fits } = questions([[1, 12]], [2]);
  const instead = (unfit: number) => (unfit < 10 ? unfit + 10 : undefined);
  assert.deepEqual(asManyAsFit([0, 1, 2, 3], fits, instead), [0, 1, 3]);
  assert.deepEqual(asManyAsFit([0, 2, 1, 3], fits, instead), [0, 12, 11, 3]);
});

test('what is not decided is left out, and what was taken stays', () => {
  const { fits } = questions([[6, 6]]);
  let left = 2;
  const taken = asManyAsFit(numbers(8), (all) => {
    left -= 1;
    return left < 0 ? { kind: 'undecided' } : fits(all);
  });
  assert.deepEqual(taken, [0, 1, 2, 3]);
});
