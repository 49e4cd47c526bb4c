// What must not appear beside a program: only places of which the launcher can say that nothing is there.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { absentLibraries } from '../../src/program/absent-libraries.ts';
import { compileProgram, scratchDirectory } from '../store/compiled-library.ts';

function absent(runPath: string): string[] {
  const scratch = scratchDirectory();
  mkdirSync(path.join(scratch, 'lib'));
  writeFileSync(path.join(scratch, 'lib/libthere.so'), '');
  writeFileSync(path.join(scratch, 'file'), '');
  symlinkSync('loop', path.join(scratch, 'loop'));
  const program = compileProgram(path.join(scratch, 'program'), { runpath: runPath });
  const elf = elfFileAt(program);
  assert.ok(elf);
  const found = absentLibraries({ path: program, elf }, [], ['libz.so', 'libthere.so'], '/nix/store');
  return found.map((file) => file.replace(scratch, '.'));
}

test('each name in each directory that has no such file', () => {
  assert.deepEqual(absent('$ORIGIN/lib:/nix/store/x/lib'), ['./lib/libz.so']);
  assert.deepEqual(absent('$ORIGIN/file'), ['./file/libthere.so', './file/libz.so'], 'ENOTDIR');
});

test('of what is not there, the first missing directory, once', () => {
  const many = Array.from({ length: 500 }, (_, i) => `$ORIGIN/gone/${i}/lib`).join(':');
  assert.deepEqual(absent(`$ORIGIN/lib/more/../x:${many}:$ORIGIN/lib`), [
    './gone',
    './lib/libz.so',
    './lib/more',
  ]);
});

for (const [what, runPath] of [
  ['a path that is too long', `$ORIGIN/${'lib/../'.repeat(1000)}`],
  ['a name that is too long', `$ORIGIN/${'x'.repeat(300)}`],
  ['links in a circle', '$ORIGIN/loop'],
] as const) {
  test(`${what}: the launcher would never say that nothing is there`, () => {
    assert.deepEqual(absent(runPath), []);
  });
}
