// Every candidate that lost has the first criterion by which it did; what choosing it would force is solved for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Provider, Requirer, SymbolBindings } from '../../src/candidates/problem.ts';
import { RANK_CRITERIA, rankOf } from '../../src/candidates/rank.ts';
import { alternativesOf, chosenSetOf, tryCandidate } from '../../src/choices/alternatives.ts';
import { needersOf, weighCandidates, weighFamily } from '../../src/choices/compare.ts';
import { solve } from '../../src/solver/solve.ts';
import { glibc, type Parts, problem, provider, requirer } from '../solver/small-problem.ts';

const loaders = [glibc('2.41', ['GLIBC_2.34', 'GLIBC_2.38']), glibc('2.31', ['GLIBC_2.2.5'])];
const root = requirer('/opt/ruby', {
  versions: { 'libssl.so.3': ['OPENSSL_3.0.0'], 'libc.so.6': ['GLIBC_2.34'] },
});
/** As rankOf makes it, equal but for version and object. */
function rank(version: number, object: string): (number | string)[] {
  const keys: (number | string)[] = RANK_CRITERIA.map(() => 0);
  keys[RANK_CRITERIA.indexOf('version')] = -version;
  keys[RANK_CRITERIA.indexOf('path')] = object;
  return keys;
}

function ssl(object: string, version: number, more: Parameters<typeof provider>[2] = {}) {
  const defines = ['OPENSSL_3.0.0'];
  return provider(object, 'libssl.so.3', {
    defines,
    builtWith: 'glibc-2.41',
    rank: rank(version, object),
    ...more,
  });
}

function weigh(offers: NonNullable<Parts['offers']>, more: Partial<Parts> = {}) {
  const stated = problem({ roots: [root], offers, loaders, ...more });
  const solution = solve(stated);
  assert.equal(solution.kind, 'solution');
  if (solution.kind !== 'solution') throw new Error();
  const set = chosenSetOf(solution);
  const weighed = weighCandidates(stated, offers['libssl.so.3'] ?? [], set, 'libssl.so.3');
  const losses = weighed.map(({ provider: { storePath }, loss }) => [storePath.slice(11), loss?.criterion]);
  return { stated, solution, set, weighed, losses };
}

test('a rank has a word for each of its keys', () => {
  const library = { storePath: '/nix/store/x-y-1', file: 'lib/z', elf: {} } as Parameters<typeof rankOf>[0];
  assert.equal(rankOf(library).length, RANK_CRITERIA.length);
});

for (const [criterion, loser, more] of [
  ['version', ssl('ssl-3.0', 30), {}],
  ['wrong version', ssl('ssl-9', 90, { defines: ['OPENSSL_2.0.0'] }), {}],
  ['other glibc', ssl('ssl-9', 90, { builtWith: 'glibc-2.31' }), {}],
  ['closest match', ssl('ssl-9', 90, { closest: true }), {}],
  ['path', ssl('zzz', 35), {}],
  ['excluded', ssl('ssl-9', 90), { excluded: ['/nix/store/ssl-9'] }],
  ['pinned', ssl('ssl-9', 90), { pins: { 'libssl.so.3': '/nix/store/ssl-3.5/lib/libssl.so.3' } }],
] as const) {
  test(`lost by: ${criterion}`, () => {
    const { losses, weighed } = weigh({ 'libssl.so.3': [ssl('ssl-3.5', 35), loser] }, more);
    assert.deepEqual(losses, [
      ['ssl-3.5', undefined],
      [loser.storePath.slice(11), criterion],
    ]);
    assert.ok((weighed[1]?.loss?.detail ?? '').length > 3);
  });
}

/** Objects by the end of their path: what each wants without version, and what it defines. */
function symbols(wants: Record<string, string[]>, defines: Record<string, string[]>): SymbolBindings {
  const of = (table: Record<string, string[]>, path: string) =>
    Object.entries(table).find(([object]) => path.includes(object))?.[1] ?? [];
  return {
    wantedBy: (path) => of(wants, path),
    definedBy: (path, symbol) => of(defines, path).includes(symbol),
    boundAt: (_, symbol) => (symbol === 'unused' ? 'never' : 'call'),
  };
}

for (const [what, defines, criterion] of [
  ['that only the winner has', { 'ssl-3.5': ['f', 'g', 'unused'], 'ssl-3.0': ['g'] }, 'lacks symbols'],
  ['that somebody else has too', { 'ssl-3.5': ['f'], 'glibc-2.41': ['f'] }, 'version'],
  ['that are never looked up', { 'ssl-3.5': ['f', 'unused'], 'ssl-3.0': ['f'] }, 'version'],
  ['that it would bring along', { 'ssl-3.5': ['f'], libextra: ['f'] }, 'version'],
] as const) {
  test(`symbols without version ${what}: ${criterion}`, () => {
    const older = ssl('ssl-3.0', 30, { needed: what.includes('bring') ? ['libextra.so'] : [] });
    const { stated, set } = weigh({
      'libssl.so.3': [ssl('ssl-3.5', 35), older],
      'libextra.so': [provider('extra-1', 'libextra.so', { rank: rank(1, 'extra-1') })],
    });
    const table = Object.fromEntries(Object.entries(defines).map(([key, names]) => [key, [...names]]));
    const seen = { ...stated, symbols: symbols({ '/opt/ruby': ['f', 'unused'] }, table) };
    const loss = weighCandidates(seen, stated.providersOf('libssl.so.3'), set, 'libssl.so.3')[1]?.loss;
    assert.equal(loss?.criterion, criterion);
    if (criterion === 'lacks symbols') assert.equal(loss?.detail, 'lacks f, which ruby needs');
  });
}

test('of two closest matches, the one that lacks a symbol is not called older', () => {
  const [good, bad] = [ssl('ssl-3.5', 35, { closest: true }), ssl('ssl-3.0', 30, { closest: true })];
  const { stated, set } = weigh({ 'libssl.so.3': [good, bad] });
  const closest = {
    coverage: (_: Requirer, name: string, offer: Provider) => ({
      needed: [name, 'a', 'b', 'c', 'd'],
      missing: offer === bad ? ['a', 'b', 'c', 'd'] : [],
      missingVersions: [],
    }),
    judged: () => [],
  };
  const [, second] = weighCandidates({ ...stated, closest }, [good, bad], set, 'libssl.so.3');
  assert.deepEqual(second?.loss, {
    criterion: 'lacks symbols',
    detail: 'lacks a, b, c and 1 more, which ruby needs',
  });
});

test('a run path that is overridden speaks before the version', () => {
  const wanted = ssl('ssl-3.5', 35);
  const parent = provider('curl', 'libcurl.so.4', {
    needed: ['libssl.so.3'],
    builtWith: 'glibc-2.41',
    ownChoice: { 'libssl.so.3': wanted.path },
    rank: rank(1, 'curl'),
  });
  const needy = requirer('/opt/ruby', { needed: ['libcurl.so.4', 'libssl.so.3', 'libc.so.6'] });
  const offers = { 'libssl.so.3': [ssl('ssl-9', 90), wanted], 'libcurl.so.4': [parent] };
  const { losses } = weigh(offers, { roots: [needy] });
  assert.deepEqual(losses, [
    ['ssl-3.5', undefined],
    ['ssl-9', 'overrides a run path'],
  ]);
});

test('a name with one store object is no alternative; needers come with their versions', () => {
  const two = { 'libssl.so.3': [ssl('ssl-3.5', 35), ssl('ssl-3.0', 30)] };
  const { stated, solution, set } = weigh(two);
  const found = alternativesOf(stated, (name) => two[name as keyof typeof two] ?? [], solution);
  assert.deepEqual(
    found.map(({ name }) => name),
    ['libssl.so.3'],
  );
  const needers = needersOf(stated, set, 'libssl.so.3');
  assert.deepEqual(
    needers.map(({ object, versions }) => [object.label, versions.map(({ name }) => name)]),
    [['ruby', ['OPENSSL_3.0.0']]],
  );
  const one = weigh({ 'libssl.so.3': [ssl('ssl-3.5', 35)] });
  assert.deepEqual(
    alternativesOf(one.stated, () => [ssl('ssl-3.5', 35)], one.solution),
    [],
  );
});

test('a libc is weighed by the versions needed of it', () => {
  const { stated, set } = weigh({ 'libssl.so.3': [ssl('ssl-3.5', 35)] });
  const family = weighFamily(stated, set, 'libc.so.6');
  assert.deepEqual(
    family.map(({ chosen, loss }) => [chosen, loss?.criterion]),
    [
      [true, undefined],
      [false, 'wrong version'],
    ],
  );
});

test('what a candidate would force is the difference of the sets, or the sentences of the conflict', () => {
  const crypto = (object: string, version: string) =>
    provider(object, 'libcrypto.so.3', {
      defines: [version],
      builtWith: 'glibc-2.41',
      rank: rank(1, object),
    });
  const pair = (object: string, version: string, number: number) =>
    ssl(object, number, { versions: { 'libcrypto.so.3': [version] } });
  const offers = {
    'libssl.so.3': [pair('a', 'C_2', 2), pair('b', 'C_1', 1), pair('c', 'C_0', 0)],
    'libcrypto.so.3': [crypto('x', 'C_2'), crypto('y', 'C_1')],
  };
  const { stated, solution } = weigh(offers);
  const [, second, third] = offers['libssl.so.3'];
  const trial = tryCandidate(stated, solution, 'libssl.so.3', second ?? assert.fail());
  assert.equal(trial.kind, 'possible');
  assert.deepEqual(trial.kind === 'possible' && trial.changes.map(({ name }) => name), [
    'libcrypto.so.3',
    'libssl.so.3',
  ]);
  const refused = tryCandidate(stated, solution, 'libssl.so.3', third ?? assert.fail());
  assert.equal(refused.kind, 'impossible');
  assert.match(refused.kind === 'impossible' ? refused.sentences.join('; ') : '', /C_0.*pinned/);
});
