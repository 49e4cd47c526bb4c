// A program and libraries in a tree around it → those that a message names, wherever such trees have them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { librariesAround } from '../../src/program/beside.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'beside-'));
after(() => rmSync(directory, { recursive: true }));

function putLibrary(file: string, flags: readonly string[] = []): string {
  mkdirSync(path.dirname(file), { recursive: true });
  const soname = `-Wl,-soname,${path.basename(file)}`;
  execFileSync('cc', ['-x', 'c', '-shared', '-o', file, soname, ...flags, '-'], {
    input: 'int x;',
  });
  return file;
}

for (const [program, library] of [
  ['bin/program', 'lib/libone.so.1'],
  ['bin/program', 'bin/lib/libone.so.1'],
  ['bin/exec/R', 'lib/libone.so.1'], // R's own
  ['program', 'libs/libone.so.1'],
  ['usr/bin/program', 'usr/lib/x86_64-linux-gnu/libone.so.1'],
] as const)
  test(`${library} is seen from ${program}`, () => {
    const tree = mkdtempSync(path.join(directory, 'tree-'));
    const file = putLibrary(path.join(tree, library));
    const elf = elfFileAt(file);
    assert.ok(elf);
    const found = librariesAround(
      { path: path.join(tree, program), elf },
      ['libone.so.1', 'libtwo.so.1'],
      () => true,
    );
    assert.deepEqual([...found], [['libone.so.1', file]]);
  });

test('where its run path leads from above the program, as in an unpacked package', () => {
  const tree = mkdtempSync(path.join(directory, 'tree-'));
  const runPath = '-Wl,-rpath,/usr/lib/x86_64-linux-gnu/vendor:$ORIGIN/nothing';
  const file = putLibrary(path.join(tree, 'usr/lib/x86_64-linux-gnu/vendor/libone.so.1'), [runPath]);
  const elf = elfFileAt(file);
  assert.ok(elf);
  const found = librariesAround(
    { path: path.join(tree, 'usr/bin/program'), elf },
    ['libone.so.1'],
    () => true,
  );
  assert.deepEqual([...found], [['libone.so.1', file]]);
});

test('what its run path names is not looked for where everybody may put files', () => {
  const open = mkdtempSync(path.join(directory, 'open-'));
  chmodSync(open, 0o1777);
  const elf = elfFileAt(putLibrary(path.join(open, 'opt/vendor/libone.so.1'), ['-Wl,-rpath,/opt/vendor']));
  assert.ok(elf);
  const found = librariesAround({ path: path.join(open, 'a/b/c/program'), elf }, ['libone.so.1'], () => true);
  assert.deepEqual([...found], []);
  putLibrary(path.join(open, 'lib/libone.so.1'));
  for (const program of ['bin/program', 'program'])
    assert.deepEqual(
      [...librariesAround({ path: path.join(open, program), elf }, ['libone.so.1'], () => true)],
      [],
    );
});
