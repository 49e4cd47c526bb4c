// The tree of objects: numbers in load order, each below the one that loads it, long lines wrapped and lists cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutList, type TreeObject, treeLines } from '../../src/cli/explain/tree.ts';
import { wrapWords } from '../../src/host/output.ts';

const object = (name: string, neededBy: readonly string[], more: Partial<TreeObject> = {}): TreeObject => ({
  name,
  file: `/nix/store/${name}`,
  found: 'farm',
  how: null,
  match: 'exact',
  neededBy,
  glibc: null,
  runnerUp: null,
  ...more,
});

test('a tree of what loads what', () => {
  const lines = treeLines('prog', [
    object('a', ['prog'], { glibc: 'glibc-2.41', match: 'pinned' }),
    object('b', ['prog', 'a'], { runnerUp: { object: 'b-1', criterion: 'version', detail: 'is older' } }),
    object('c', ['a', 'b', 'prog']),
    object('ld.so', [], { found: 'loader', match: null }),
  ]);
  assert.deepEqual(lines, [
    'prog',
    '├─ a  [1]',
    '│  │  /nix/store/a',
    '│  │  farm, pinned match; built with glibc-2.41',
    '│  └─ c  [3]',
    '│        /nix/store/c',
    '│        farm',
    '│        needed by b, prog too',
    '├─ b  [2]',
    '│     /nix/store/b',
    '│     farm',
    '│     needed by a too',
    '│     taken over b-1: is older',
    '└─ ld.so  [4]',
    '      /nix/store/ld.so',
    '      loader; needed by the kernel',
  ]);
});

test('why it won reads well whatever the clause is about', () => {
  for (const detail of ['is older', 'the run path of x names another', 'another one is preferred']) {
    const lines = treeLines('p', [
      object('a', ['p'], { runnerUp: { object: 'a-1', criterion: 'version', detail } }),
    ]);
    assert.equal(lines.at(-1)?.trim(), `taken over a-1: ${detail}`);
  }
  const path = { object: 'a-1', criterion: 'path', detail: 'its path sorts later' };
  const last = treeLines('p', [object('a', ['p'], { runnerUp: path })]).at(-1);
  assert.equal(last?.trim(), 'taken over a-1: as good, but its path sorts later');
});

test('every object is drawn once, also where two need each other or themselves', () => {
  const lines = treeLines('prog', [object('a', ['prog', 'b']), object('b', ['a']), object('s', ['s'])]);
  for (const name of ['a', 'b', 's'])
    assert.equal(lines.filter((line) => line.includes(`─ ${name}  [`)).length, 1, name);
});

test('lists are cut with a count, lines broken at blanks', () => {
  const many = Array.from({ length: 30 }, (_, i) => `lib${i}.so`);
  assert.equal(cutList(many), 'lib0.so, lib1.so, lib2.so, lib3.so, lib4.so, lib5.so and 24 more');
  assert.equal(cutList(many.slice(0, 7)), many.slice(0, 7).join(', '));
  const wide = many.map((name) => name.repeat(5)).join(' ');
  for (const line of wrapWords(wide, 100, '  ')) assert.ok(line.length <= 100, line);
  assert.equal(
    wrapWords(wide, 100, '  ')
      .map((line) => line.trim())
      .join(' '),
    wide,
  );
  assert.deepEqual(wrapWords('x'.repeat(200), 100, '  '), ['x'.repeat(200)]);
});
