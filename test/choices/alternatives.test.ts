// Names that nobody serves: found with the rest solved, the nearest library first; nothing where no choice would help.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { buildProblem } from '../../src/candidates/build-problem.ts';
import type { ClosestMatches, Provider } from '../../src/candidates/problem.ts';
import { candidatesOf, missingNamesOf } from '../../src/choices/alternatives.ts';
import { solve } from '../../src/solver/solve.ts';
import { elfOf, openCompiledStore } from '../candidates/compiled-store.ts';
import { glibc, type Parts, problem, provider, requirer } from '../solver/small-problem.ts';
import { compileProgram } from '../store/compiled-library.ts';

const loaders = [glibc('2.41', ['GLIBC_2.34'])];
const root = requirer('/opt/ruby', { needed: ['libleft.so.7', 'libright.so.1', 'libz.so.1', 'libc.so.6'] });
const libz = provider('z-1', 'libz.so.1', { needed: ['libdeep.so.1'] });

const near: Record<string, readonly Provider[]> = {
  'libleft.so.7': [provider('left-8', 'libleft.so.8'), provider('left-6', 'libleft.so.6')],
  'libright.so.1': [provider('right-2', 'libright.so.2', { versions: { 'libz.so.1': ['Z_9'] } })],
  'libdeep.so.1': [provider('deep-2', 'libdeep.so.2')],
};
const MISSING: Record<string, readonly string[]> = { 'left-8': ['a', 'b'], 'left-6': ['b'] };
const closest: ClosestMatches = {
  coverage: (_by, _name, { storePath }) => ({
    needed: ['a', 'b', 'c'],
    missing: MISSING[storePath.slice('/nix/store/'.length)] ?? [],
    missingVersions: [],
  }),
  judged: () => [],
};

function seen(more: Partial<Parts> = {}, nearest = near) {
  const stated = problem({ roots: [root], offers: { 'libz.so.1': [libz] }, loaders, ...more });
  const every = (name: string) => nearest[name] ?? stated.providersOf(name);
  return { problem: stated, outcome: solve(stated), closest, every };
}

test('all names that nobody has, also those that only a library needs; most symbols first', () => {
  const { problem: stated, every } = seen();
  const missing = missingNamesOf(stated, closest, every);
  assert.deepEqual(
    missing?.names.map(({ name, neededBy, candidates }) => [
      name,
      neededBy.map(({ object }) => object.label),
      candidates.map(({ provider: { storePath } }) => storePath.slice('/nix/store/'.length)),
    ]),
    [
      ['libdeep.so.1', ['libz.so.1'], ['deep-2']],
      ['libleft.so.7', ['ruby'], ['left-6', 'left-8']],
      ['libright.so.1', ['ruby'], ['right-2']],
    ],
  );
  assert.deepEqual(
    missing?.solution.choices.map(({ name }) => name),
    ['libz.so.1'],
  );
});

test('each is tried with the other names left open: what it forces, or why it cannot be', () => {
  const versioned = { ...libz, hasVerdef: true, verdef: ['Z_1'] };
  const offers = candidatesOf(seen({ offers: { 'libz.so.1': [versioned] } }));
  const facts = offers?.alternatives.map((of) => of.candidates.map((each) => offers.factsOf(of, each)));
  const [, left, right] = facts ?? [];
  assert.deepEqual(left?.[0]?.coverage, { needed: 3, missing: ['b'] });
  assert.deepEqual(left?.[0]?.trial?.kind === 'possible' && left[0].trial.changes.map(({ name }) => name), [
    'libleft.so.7',
  ]);
  assert.equal(right?.[0]?.trial?.kind, 'impossible');
  const [first] = offers?.alternatives ?? [];
  const [candidate] = first?.candidates ?? [];
  assert.ok(offers && first && candidate);
  assert.equal(offers.factsOf(first, candidate), offers.factsOf(first, candidate), 'the answer is kept');
});

test('nothing is offered where a name has nothing near it, or the rest has no set', () => {
  assert.equal(candidatesOf(seen({}, { ...near, 'libright.so.1': [] })), undefined);
  const strict = requirer('/opt/strict', { versions: { 'libz.so.1': ['Z_9'] }, needed: ['libleft.so.7'] });
  const old = provider('z-1', 'libz.so.1', { defines: ['Z_1'] });
  assert.equal(candidatesOf(seen({ roots: [strict], offers: { 'libz.so.1': [old] } })), undefined);
});

test('where there is a set, its alternatives are offered', () => {
  const offers = { 'libz.so.1': [provider('z-2', 'libz.so.1'), provider('z-1', 'libz.so.1')] };
  const set = seen({ roots: [requirer('/opt/plain', { needed: ['libz.so.1'] })], offers }, {});
  assert.deepEqual(
    candidatesOf(set)?.alternatives.map(({ name }) => name),
    ['libz.so.1'],
  );
});

test('symbols that another library of the set has are not wanted of a candidate, whoever is first for that name', () => {
  const store = openCompiledStore();
  const add = (object: string, soname: string, source: string) =>
    store.add(object, `lib/${soname}`, { soname, source });
  add('glibc-2.36', 'ld-linux-x86-64.so.2', '');
  add('glibc-2.36', 'libc.so.6', '');
  add('other-2.0', 'libother.so.1', 'int other(void) { return 1; }');
  const other = add(
    'other-1.0',
    'libother.so.1',
    'int other(void) { return 1; } int engine(void) { return 1; }',
  );
  const plain = add('plain-1.0', 'libplain.so.1', 'int plain(void) { return 1; }');
  add('plain-2.0', 'libplain.so.1', 'int plain(void) { return 1; }');
  const source = 'int plain(void); int engine(void); int main(void) { return plain() + engine(); }';
  const program = compileProgram(path.join(store.scratch, 'program'), { source, needs: [plain, other] });
  const inspected = { path: program, elf: elfOf(program), libc: 'glibc' } as const;
  const stated = buildProblem(inspected, store.catalogue(), new Set(), {
    preference: 'none',
    reach: 'exact',
  });
  const first = stated.providersOf('libother.so.1')[0];
  assert.notEqual(first?.path, other);
  const pinned = { ...stated, pins: new Map([['libother.so.1', other]]) };
  const found = candidatesOf({ problem: pinned, outcome: solve(pinned), every: stated.providersOf });
  const plains = found?.alternatives.find(({ name }) => name === 'libplain.so.1');
  assert.ok(found && plains);
  assert.deepEqual(
    plains.candidates.map((each) => found.factsOf(plains, each).coverage),
    [0, 1].map(() => ({ needed: 1, missing: [] })),
  );
});
