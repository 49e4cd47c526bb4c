// What must not appear beside a program: only places of which the launcher can say that nothing is there.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { identityOf } from '../../src/host/file-identity.ts';
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
  assert.deepEqual(found.watched, []);
  return found.absent.map((file) => file.replace(scratch, '.'));
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

test('more names in more directories than a plan can hold: the directories are watched as they are', () => {
  const scratch = scratchDirectory();
  const long = 'd'.repeat(100);
  const directories = Array.from({ length: 100 }, (_, i) => path.join(scratch, `${long}${i}`));
  for (const each of directories) mkdirSync(each);
  const runpath = [...directories, '$ORIGIN/gone', `$ORIGIN/${'x'.repeat(300)}`].join(':');
  const program = compileProgram(path.join(scratch, 'program'), { runpath });
  const elf = elfFileAt(program);
  assert.ok(elf);
  const served = Array.from({ length: 100 }, (_, i) => `libserved${i}.so.1`);
  const { absent, watched } = absentLibraries({ path: program, elf }, [], served, '/nix/store');
  assert.ok(absent.join('').length < 700_000, `${absent.length} places`);
  assert.ok(absent.includes(path.join(scratch, 'gone')));
  const listed = new Set(absent.map((each) => path.dirname(each)));
  const rest = directories.filter((each) => !listed.has(each));
  assert.ok(rest.length > 0 && rest.length < directories.length);
  assert.deepEqual(
    watched,
    rest.map((each) => ({ identity: identityOf(each), path: each })),
  );
});
