// Which libraries become links, and which are reached in their own directory.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { layOut, searchesItsOwnDirectory } from '../../src/farm/layout.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

function touch(...parts: string[]): string {
  const file = path.join(...parts);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}

test('a library becomes a link of the name it is needed by', () => {
  const scratch = scratchDirectory();
  const file = touch(scratch, 'a/lib/liba.so.1.2.3');
  const layout = layOut([{ name: 'liba.so.1', path: file, usesOrigin: false }]);
  assert.deepEqual([...layout.links], [['liba.so.1', file]]);
  assert.deepEqual([layout.directories, layout.outside], [[], []]);
});

test('one that finds its neighbours by $ORIGIN is opened where it lies', () => {
  const scratch = scratchDirectory();
  const file = touch(scratch, 'o/lib/libo.so.1');
  const layout = layOut([{ name: 'libo.so.1', path: file, usesOrigin: true }]);
  assert.deepEqual([...layout.links], []);
  assert.deepEqual(layout.directories, [path.dirname(file)]);
  assert.deepEqual(layout.outside, [file]);
});

test('where its directory does not have it under the needed name, it must be a link', () => {
  const scratch = scratchDirectory();
  const file = touch(scratch, 'o/lib/libo-1.2.so');
  const layout = layOut([{ name: 'libo.so.1', path: file, usesOrigin: true }]);
  assert.deepEqual([...layout.links], [['libo.so.1', file]]);
});

test('directories are named once, sorted', () => {
  const scratch = scratchDirectory();
  const files = ['z/lib/libz1.so', 'a/lib/liba1.so', 'z/lib/libz2.so'].map((each) => touch(scratch, each));
  const layout = layOut(files.map((file) => ({ name: path.basename(file), path: file, usesOrigin: true })));
  assert.deepEqual(layout.directories, [path.join(scratch, 'a/lib'), path.join(scratch, 'z/lib')]);
});

test('variants for better processors are mirrored, and only for links', () => {
  const scratch = scratchDirectory();
  const file = touch(scratch, 'h/lib/libh.so.1');
  const levels = ['x86-64-v2', 'x86-64-v4'];
  for (const level of [...levels, 'power9']) touch(scratch, 'h/lib/glibc-hwcaps', level, 'libh.so.1');
  touch(scratch, 'h/lib/glibc-hwcaps/x86-64-v3/libother.so');
  const { links } = layOut([{ name: 'libh.so.1', path: file, usesOrigin: false }]);
  assert.deepEqual(
    [...links.keys()].sort(),
    [...levels.map((level) => `glibc-hwcaps/${level}/libh.so.1`), 'libh.so.1'].sort(),
  );
  for (const target of links.values()) assert.ok(existsSync(target), target);
  assert.deepEqual([...layOut([{ name: 'libh.so.1', path: file, usesOrigin: true }]).links], []);
});

test('a loader that has its own directory built in searches it', () => {
  const scratch = scratchDirectory();
  const own = touch(scratch, 'glibc/lib/ld.so');
  writeFileSync(own, `\0\0${path.dirname(own)}/\0`);
  assert.equal(searchesItsOwnDirectory(own), true);
  const other = touch(scratch, 'other/lib/ld.so');
  writeFileSync(other, '\0/lib/x86_64-linux-gnu/\0');
  assert.equal(searchesItsOwnDirectory(other), false);
  assert.throws(() => searchesItsOwnDirectory(path.join(scratch, 'gone')), { code: 'ENOENT' });
});

test('a directory that hides a library of another is mirrored without it, and without any libc', () => {
  const store = scratchDirectory();
  const one = touch(store, 'a/lib/libone.so');
  for (const name of ['liboth.so', 'libc.so.6', 'libfriend.so', 'glibc-hwcaps/x86-64-v3/liboth.so'])
    touch(store, 'a/lib', name);
  const oth = touch(store, 'b/lib/liboth.so');
  const chosen = [one, oth].map((file) => ({ name: path.basename(file), path: file, usesOrigin: true }));
  const isFamily = (name: string) => name === 'libc.so.6';
  const hiding = { storeDir: store, directories: new Set([path.dirname(one)]), isFamily };
  const layout = layOut(chosen, hiding);
  assert.deepEqual([...layout.links], [['in/a/lib/libone.so', one]]);
  assert.deepEqual([...layout.neighbours.keys()].sort(), ['in/a/lib/libfriend.so', 'in/a/lib/libone.so']);
  assert.deepEqual(layout.directories, [path.dirname(oth), 'in/a/lib']);
  assert.deepEqual(layout.outside, [oth]);
});

test('a name that no directory can have is refused', () => {
  const odd = { name: '../x.so', path: '/store/a/lib/x.so', usesOrigin: false };
  assert.throws(() => layOut([odd]), { code: 'odd-name' });
});
