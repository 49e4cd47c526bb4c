// Symbols without version in the solver: which set is taken, what a conflict says, what is let pass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Requirer } from '../../src/candidates/problem.ts';
import { explainConflict } from '../../src/solver/explain-conflict.ts';
import { bestSet, solve } from '../../src/solver/solve.ts';
import { type Named, symbolsOf } from './random-symbols.ts';
import { glibc, type Parts, problem, provider, requirer } from './small-problem.ts';

const hash = '0123456789abcdfghijklmnpqrsvwxyz';
const [recent, old] = [
  provider(`${hash}-foo-2.0`, 'libfoo.so.1', { rank: [0] }),
  provider(`${hash}-foo-1.0`, 'libfoo.so.1', { rank: [1] }),
];
const tool = requirer('/opt/tool', { needed: ['libfoo.so.1'] });
const parts: Parts = {
  roots: [tool],
  offers: { 'libfoo.so.1': [recent, old] },
  loaders: [glibc('2.36', ['GLIBC_2.2.5'])],
};
const wanted = { [tool.path]: ['foo_gone'] };

const solveWith = (named: Named, other: Partial<Parts> = {}) =>
  solve({ ...problem({ ...parts, ...other }), symbols: symbolsOf(named) });

const taken = (result: ReturnType<typeof solve>) =>
  result.kind === 'solution'
    ? result.choices.map(({ provider: { storePath } }) => storePath.slice(44))
    : result;

const sentences = (result: ReturnType<typeof solve>) =>
  result.kind === 'conflict' ? explainConflict(result) : [result.kind];

const call = { [`${tool.path} foo_gone`]: 'call' } as const;

test('the build that defines it is taken, whenever it is bound', () => {
  const defined = { [old.path]: ['foo_gone'] };
  assert.deepEqual(taken(solveWith({ wanted, defined })), ['foo-1.0']);
  assert.deepEqual(taken(solveWith({ wanted, defined, bound: call })), ['foo-1.0']);
  const never = { [`${tool.path} foo_gone`]: 'never' } as const;
  assert.deepEqual(taken(solveWith({ wanted, defined, bound: never })), ['foo-2.0']);
});

test('where nobody defines it, the start is refused and the call is not', () => {
  assert.deepEqual(sentences(solveWith({ wanted, defined: {} })), [
    'tool needs the symbol foo_gone; no library that could be loaded defines it; libfoo.so.1 from foo-2.0 does not',
  ]);
  const result = solveWith({ wanted, defined: {}, bound: call });
  assert.deepEqual(taken(result), ['foo-2.0']);
  assert.deepEqual(result.kind === 'solution' && result.undefinedSymbols, [
    { symbol: 'foo_gone', neededBy: 'tool', neededByPath: '/opt/tool' },
  ]);
});

test('a pin that lacks it is told of with what has it; a call gives way to the pin', () => {
  const defined = { [old.path]: ['foo_gone'] };
  const pins = { 'libfoo.so.1': recent.path };
  assert.deepEqual(sentences(solveWith({ wanted, defined }, { pins })), [
    `libfoo.so.1 is pinned to ${recent.path}`,
    'tool needs the symbol foo_gone; libfoo.so.1 from foo-2.0 does not define it, only foo-1.0 does',
  ]);
  const result = solveWith({ wanted, defined, bound: call }, { pins });
  assert.deepEqual(taken(result), ['foo-2.0']);
  assert.equal(result.kind === 'solution' && result.undefinedSymbols.length, 1);
});

test('of two calls that cannot both be served one is given up', () => {
  const result = solveWith({
    wanted: { [tool.path]: ['foo_gone', 'foo_new'] },
    defined: { [old.path]: ['foo_gone'], [recent.path]: ['foo_new'] },
    bound: { ...call, [`${tool.path} foo_new`]: 'call' },
  });
  assert.deepEqual(taken(result), ['foo-2.0']);
  assert.deepEqual(result.kind === 'solution' && result.undefinedSymbols.map(({ symbol }) => symbol), [
    'foo_gone',
  ]);
});

test('a library that could be loaded with another choice defines it', () => {
  const bar = provider(`${hash}-bar-1.0`, 'libbar.so.1');
  const through = provider(`${hash}-foo-0.9`, 'libfoo.so.1', { rank: [2], needed: ['libbar.so.1'] });
  const offers = { 'libfoo.so.1': [recent, old, through], 'libbar.so.1': [bar] };
  const result = solveWith({ wanted, defined: { [bar.path]: ['foo_gone'] } }, { offers });
  assert.deepEqual(taken(result), ['bar-1.0', 'foo-0.9']);
});

test('what is known to bind among files of the set is not looked at again', () => {
  const symbols = symbolsOf({ wanted: { [recent.path]: ['x'] }, defined: { [tool.path]: ['x'] } });
  const asked: string[] = [];
  const notes = new Map<string, readonly string[]>();
  const counting = {
    ...symbols,
    wantedBy: (path: string) => {
      asked.push(path);
      return symbols.wantedBy(path);
    },
    boundAmong: (path: string) => notes.get(path),
    noteBound: (path: string, files: readonly string[]) => void notes.set(path, files),
  };
  solve({ ...problem(parts), symbols: counting });
  assert.deepEqual(Object.fromEntries(notes), { [tool.path]: [], [recent.path]: [tool.path] });
  asked.length = 0;
  solve({ ...problem(parts), symbols: counting });
  assert.equal(asked.length, 0);
  notes.set(recent.path, [tool.path, old.path]);
  solve({ ...problem(parts), symbols: counting });
  assert.ok(asked.includes(recent.path));
});

test('unserved is what no set defines, and not what another loader defines itself', () => {
  const newer = glibc('2.42', ['GLIBC_2.2.5']);
  const [wanting, hopeless] = ['/opt/wanting.so', '/opt/hopeless.so'].map((each) => requirer(each, {}));
  assert.ok(wanting && hopeless);
  const symbols = symbolsOf({
    wanted: { [wanting.path]: ['of_loader'], [hopeless.path]: ['of_nobody'] },
    defined: { [newer.path]: ['of_loader'] },
  });
  const stated = problem({ ...parts, roots: [tool, wanting, hopeless], loaders: [...parts.loaders, newer] });
  const outcome = bestSet({ ...stated, symbols });
  assert.deepEqual(outcome.kind === 'none' && [...outcome.unserved], [hopeless.path]);
});

test('a driver that nobody needs binds nothing, and its references are not asked for', () => {
  const file = '/run/opengl-driver/lib/libdriver.so.0';
  const versions = { verdef: [], hasVerdef: false, hasVersym: true };
  const driver = { ...requirer(file, {}), ...versions, isDriver: true } as const;
  const bundled = new Map([['libdriver.so.0', driver]]);
  const solved = (root: Requirer, named: Named) =>
    solve({ ...problem({ ...parts, roots: [root] }), bundled, symbols: symbolsOf(named) });
  const loose = { ...wanted, [file]: ['wl_registry_interface'] };
  const defined = { [recent.path]: ['foo_gone'] };
  const needing = requirer('/opt/tool', { needed: ['libfoo.so.1', 'libdriver.so.0'] });
  for (const root of [tool, needing])
    assert.deepEqual(taken(solved(root, { wanted: loose, defined })), ['foo-2.0']);
  const byDriver = { wanted: loose, defined: { [file]: ['foo_gone'] } };
  assert.deepEqual(taken(solved(needing, byDriver)), ['foo-2.0']);
  assert.deepEqual(sentences(solved(tool, byDriver)), [
    'tool needs the symbol foo_gone; no library that could be loaded defines it; libfoo.so.1 from foo-2.0 does not',
  ]);
});

test('a library is taken whose need has a driver loaded that defines the symbol', () => {
  const through = provider(`${hash}-foo-0.9`, 'libfoo.so.1', { rank: [2], needed: ['libdriver.so.0'] });
  const driver = provider('driver', 'libdriver.so.0');
  const result = solveWith(
    { wanted, defined: { [driver.path.replace('/nix/store/', '/opt/')]: ['foo_gone'] } },
    { offers: { 'libfoo.so.1': [recent, through] }, bundled: { 'libdriver.so.0': driver } },
  );
  assert.deepEqual(taken(result), ['foo-0.9']);
});

test('what a loaded driver brings along binds, through others too, and also where another choice loads it', () => {
  const versions = { verdef: [], hasVerdef: false, hasVersym: true, isDriver: true } as const;
  const driver = (name: string, broughtAlong: readonly string[]) =>
    [name, { ...requirer(`/run/${name}`, {}), ...versions, broughtAlong }] as const;
  const bundled = new Map([
    driver('libdriver.so.0', ['libnear.so.0', 'libabsent.so.0']),
    driver('libnear.so.0', ['libcore.so.0']),
    driver('libcore.so.0', ['libdriver.so.0']),
  ]);
  const through = provider(`${hash}-foo-0.9`, 'libfoo.so.1', { rank: [2], needed: ['libdriver.so.0'] });
  const offers = { 'libfoo.so.1': [recent, through] };
  const symbols = symbolsOf({ wanted, defined: { '/run/libcore.so.0': ['foo_gone'] } });
  const solved = (needed: readonly string[]) =>
    solve({ ...problem({ ...parts, roots: [requirer('/opt/tool', { needed })], offers }), bundled, symbols });
  assert.deepEqual(taken(solved(['libfoo.so.1', 'libdriver.so.0'])), ['foo-2.0']);
  assert.deepEqual(taken(solved(['libfoo.so.1'])), ['foo-0.9']);
});
