// A solution and what may be opened later → what fits is added, nothing of the solution changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Requirer } from '../../src/candidates/problem.ts';
import { asPresent, extendSet } from '../../src/solver/extend-set.ts';
import type { Solution } from '../../src/solver/solution.ts';
import { solve } from '../../src/solver/solve.ts';
import { symbolsOf } from './random-symbols.ts';
import { glibc, problem, provider, requirer } from './small-problem.ts';

const loaders = [glibc('2.40', ['GLIBC_2.0', 'GLIBC_2.40'])];
const old = provider('z-1', 'libz.so.1', { defines: ['Z_1'] });
const offers = {
  'libz.so.1': [old, provider('z-2', 'libz.so.1', { defines: ['Z_1', 'Z_2'] })],
  'libicu.so.9': [provider('icu-9', 'libicu.so.9', { needed: ['libz.so.1', 'libdata.so.9'] })],
  'libdata.so.9': [provider('icu-9', 'libdata.so.9')],
  'libnew.so.1': [provider('new-1', 'libnew.so.1', { versions: { 'libz.so.1': ['Z_2'] } })],
  'liblost.so.1': [provider('lost-1', 'liblost.so.1', { needed: ['libgone.so.1'] })],
};
const stated = problem({
  roots: [requirer('/app/tool', { versions: { 'libz.so.1': ['Z_1'] } })],
  offers,
  loaders,
});

function solution(): Solution {
  const outcome = solve(stated);
  assert.ok(outcome.kind === 'solution');
  // The best has the first; a set of an earlier day may have any.
  return { ...outcome, choices: [{ name: 'libz.so.1', provider: old, neededBy: ['tool'] }] };
}

const opening = (name: string): Requirer => requirer(`dlopen:${name}`, { needed: [name] });
const need = (...alternatives: string[]) => ({ alternatives: alternatives.map((name) => [opening(name)]) });
const outcomes = (...needs: ReturnType<typeof need>[]) => {
  const extended = extendSet(stated, solution(), needs);
  return {
    added: extended.added.map(({ name }) => name),
    kinds: extended.outcomes.map((each) => (each.kind === 'taken' ? each.by[0]?.needed[0] : each.why())),
  };
};

test('a library is added with its closure', () => {
  assert.deepEqual(outcomes(need('libicu.so.9')), {
    added: ['libdata.so.9', 'libicu.so.9'],
    kinds: ['libicu.so.9'],
  });
});

test('of alternatives the first that is to be had is taken', () => {
  assert.deepEqual(outcomes(need('libicu.so.11', 'libicu.so.10', 'libicu.so.9')).kinds, ['libicu.so.9']);
});

test('what would need another version of a chosen library is left out, and the rest is added', () => {
  const { added, kinds } = outcomes(need('libnew.so.1'), need('libicu.so.9'));
  assert.deepEqual(added, ['libdata.so.9', 'libicu.so.9']);
  assert.match(kinds[0] ?? '', /Z_2/);
});

test('the reason is that of the first alternative that is there, whether or not others are', () => {
  const [unfit] = outcomes(need('libnew.so.1')).kinds;
  assert.deepEqual(outcomes(need('libnew.so.1', 'libnew.so.0')).kinds, [unfit]);
  assert.deepEqual(outcomes(need('libnew.so.2', 'libnew.so.1')).kinds, [unfit]);
});

test('what nobody has is left out, with its name; and what would need it', () => {
  const { added, kinds } = outcomes(need('libnobody.so.1'), need('liblost.so.1'));
  assert.deepEqual(added, []);
  assert.equal(kinds[0], 'no library offers libnobody.so.1');
  assert.match(kinds[1] ?? '', /libgone\.so\.1/);
});

test('nothing to open, nothing added; the same question, the same answer', () => {
  assert.deepEqual(extendSet(stated, solution(), []), { added: [], outcomes: [] });
  assert.deepEqual(
    outcomes(need('libicu.so.9'), need('libnew.so.1')),
    outcomes(need('libicu.so.9'), need('libnew.so.1')),
  );
});

const many = [
  need('libnobody.so.1'),
  ...Array.from({ length: 4 }, () => need('libicu.so.9')),
  need('libnew.so.1'),
  need('libicu.so.11', 'libdata.so.9'),
];

type Need = ReturnType<typeof need>;

/** Each need for which there is a set together with those taken before it: one search for each. */
function oneAfterTheOther(needs: readonly Need[]): boolean[] {
  const taken: Need[] = [];
  return needs.map((each) => {
    const { outcomes: found } = extendSet(stated, solution(), [...taken, each]);
    const fits = found.every(({ kind }) => kind === 'taken');
    if (fits) taken.push(each);
    return fits;
  });
}

test('many together: what one after the other gives', () => {
  const { added, outcomes: found } = extendSet(stated, solution(), many);
  assert.deepEqual(
    found.map((each) => each.kind === 'taken' || [each.isOffered, each.why().slice(0, 10)]),
    [[false, 'no library'], true, true, true, true, [true, 'libnew.so.'], true],
  );
  assert.deepEqual(
    added.map(({ name }) => name),
    ['libdata.so.9', 'libicu.so.9'],
  );
  const names = ['libicu.so.9', 'libnew.so.1', 'liblost.so.1', 'libdata.so.9', 'libnobody.so.1'];
  for (let seed = 0; seed < 40; seed += 1) {
    const needs = Array.from({ length: 1 + (seed % 9) }, (_, at) => {
      const [one = '', other = ''] = [7, 3].map((step) => names[(seed * step + at * at) % names.length]);
      return at % 2 === 0 ? need(one) : need(one, other);
    });
    const kinds = extendSet(stated, solution(), needs).outcomes.map(({ kind }) => kind === 'taken');
    assert.deepEqual(kinds, oneAfterTheOther(needs), `seed ${seed}`);
  }
});

test('the earliest first: a later one is served where all before it stay served', () => {
  const versions = ['Y_0', 'Y_1', 'Y_2'];
  const build = (at: number) => provider(`y-${at}`, 'liby.so.1', { defines: versions.slice(at - 1, at + 1) });
  const wanting = (version: string) => ({
    alternatives: [[requirer(`/app/${version}.so`, { versions: { 'liby.so.1': [version] } })]],
  });
  const other = problem({
    roots: stated.roots,
    offers: { ...offers, 'liby.so.1': [build(2), build(1)] },
    loaders,
  });
  const needs = ['Y_1', 'Y_0', 'Y_2', 'Y_9', 'Y_1'].map(wanting);
  const { added, outcomes: found } = extendSet(other, solution(), needs);
  assert.deepEqual(
    found.map(({ kind }) => kind === 'taken'),
    [true, true, false, false, true],
  );
  assert.deepEqual(
    added.map(({ provider: { path } }) => path),
    [build(1).path],
  );
});

test('many together: one that does not fit among many costs few searches', () => {
  const needs = Array.from({ length: 200 }, (_, at) => need(at === 77 ? 'libnew.so.1' : 'libicu.so.9'));
  let asked = 0;
  const { outcomes: found } = extendSet(stated, solution(), needs, () => {
    asked += 1;
    return false;
  });
  assert.deepEqual(
    found.flatMap((each, at) => (each.kind === 'left-out' ? at : [])),
    [77],
  );
  assert.ok(asked < 20, `${asked} searches`);
});

test('many together: when the time is over the rest is left out, and what was taken stays', () => {
  let asked = 0;
  const { added, outcomes: found } = extendSet(stated, solution(), many, () => {
    asked += 1;
    return asked > 2;
  });
  assert.deepEqual(
    found.map((each) => each.kind),
    ['left-out', 'taken', 'taken', 'taken', 'left-out', 'left-out', 'left-out'],
  );
  assert.deepEqual(
    added.map(({ name }) => name),
    ['libdata.so.9', 'libicu.so.9'],
  );
});

test('what was added stays as it is for what is added after it', () => {
  const older = provider('icu-8', 'libicu.so.9', { defines: ['ICU_8'] });
  const newer = provider('icu-9', 'libicu.so.9', { defines: ['ICU_8', 'ICU_9'] });
  const both = problem({
    roots: stated.roots,
    offers: { ...offers, 'libicu.so.9': [older, newer] },
    loaders,
  });
  const present = { problem: both, solution: solution() };
  const after = asPresent(present, extendSet(both, solution(), [need('libicu.so.9')]));
  const wants = [[requirer('plug', { versions: { 'libicu.so.9': ['ICU_9'] } })]];
  const [outcome] = extendSet(after.problem, after.solution, [{ alternatives: wants }]).outcomes;
  assert.equal(outcome?.kind, 'left-out');
  assert.equal(extendSet(both, solution(), [{ alternatives: wants }]).outcomes[0]?.kind, 'taken');
});

/** Plug-ins of another program, whose symbols nobody here has, among those of this one. */
test('what wants symbols that no set defines is left out in one search, however many there are', () => {
  const plugIn = (at: number): Requirer => requirer(`/app/plug-${at}.so`, { needed: ['libicu.so.9'] });
  const isForeign = (at: number) => at % 3 !== 0;
  const plugIns = Array.from({ length: 90 }, (_, at) => plugIn(at));
  const wanted = plugIns.filter((_, at) => isForeign(at)).map(({ path }) => [path, ['of_another']]);
  const symbols = symbolsOf({ wanted: Object.fromEntries(wanted), defined: {} });
  let asked = 0;
  const needs = plugIns.map((each) => ({ alternatives: [[each]] }));
  const { added, outcomes: found } = extendSet({ ...stated, symbols }, solution(), needs, () => {
    asked += 1;
    return false;
  });
  assert.deepEqual(
    found.map(({ kind }) => kind),
    plugIns.map((_, at) => (isForeign(at) ? 'left-out' : 'taken')),
  );
  assert.deepEqual(
    added.map(({ name }) => name),
    ['libdata.so.9', 'libicu.so.9'],
  );
  const why = found.flatMap((each) => (each.kind === 'left-out' ? each.why() : []));
  assert.match(why[0] ?? '', /plug-1\.so needs the symbol of_another/);
  assert.equal(asked, 2);
});

test('the reason is told, also where a later one would bring what was lacking', () => {
  const core = requirer('/app/core.so', { needed: ['libdata.so.9'] });
  const wanting = requirer('/app/wanting.so', { needed: ['libdata.so.9'] });
  const odd = requirer('/app/odd.so', { versions: { 'libz.so.1': ['Z_9'] } });
  const symbols = symbolsOf({
    wanted: { [wanting.path]: ['of_core'] },
    defined: { [core.path]: ['of_core'] },
  });
  const needs = [wanting, odd, core].map((each) => ({ alternatives: [[each]] }));
  const { outcomes: found } = extendSet({ ...stated, symbols }, solution(), needs);
  const [first, second, third] = found.map((each) => (each.kind === 'taken' ? 'taken' : each.why()));
  assert.match(first ?? '', /wanting\.so needs the symbol of_core/);
  assert.match(second ?? '', /Z_9/);
  assert.equal(third, 'taken');
});
