// Which directories of LD_LIBRARY_PATH there are, and whether a program needs them.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import {
  libraryPathDirectories_,
  muslLibraryPathDirectories,
  needsDirectories,
  runDirectories,
} from '../../src/program/run-directories.ts';
import { compileLibrary, compileProgram, scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const lib = path.join(scratch, 'lib');
const library = compileLibrary(path.join(lib, 'libours.so.1'), { soname: 'libours.so.1' });
const elf = elfFileAt(compileProgram(path.join(scratch, 'program'), { needs: [library] }));
assert.ok(elf);
const isLibc = (name: string) => name === 'libc.so.6';

test('directories as ld.so has them, made absolute', () => {
  for (const [value, expected] of [
    [undefined, []],
    ['', []],
    ['/a:/b;/a/', ['/a', '/b']],
    ['./x:y', ['/here/x', '/here/y']],
    ['/a:', ['/a', '/here']],
    ['$ORIGIN/../lib', ['/opt/bin/../lib']],
    ['/a/$PLATFORM', ['/a/x86_64']],
  ] as const)
    assert.deepEqual(libraryPathDirectories_(value, '/here', '/opt/bin/tool', elf), expected, value);
});

test('directories as musl has them, made absolute: no token, no empty one, and only two separators', () => {
  for (const [value, expected] of [
    [undefined, []],
    ['/a:/b\n/a/', ['/a', '/b']],
    ['/a;/b', ['/a;/b']],
    ['./x::y:', ['/here/x', '/here/y']],
    ['$ORIGIN/lib', ['/here/$ORIGIN/lib']],
  ] as const)
    assert.deepEqual(muslLibraryPathDirectories(value, '/here'), expected, value);
  assert.deepEqual(muslLibraryPathDirectories('x:/a:', undefined), ['/a']);
});

test('relative ones are left out where nobody knows what they are relative to', () => {
  assert.deepEqual(libraryPathDirectories_('x:/a:', undefined, '/opt/bin/tool', elf), ['/a']);
});

test('$PLATFORM is what the kernel says of the machine; where that is not known there is no directory', () => {
  for (const [elfClass, machine, byteOrder, expected] of [
    [64, 62, 'little', ['/a', '/b/x86_64']],
    [32, 3, 'little', ['/a', '/b/i686']],
    [64, 183, 'little', ['/a', '/b/aarch64']],
    [64, 183, 'big', ['/a']],
    [64, 243, 'little', ['/a']],
  ] as const) {
    const key = { class: elfClass, machine, byteOrder };
    assert.deepEqual(runDirectories('/a:/b/$PLATFORM', '/opt/tool', key), expected, `${machine}`);
    assert.deepEqual(libraryPathDirectories_('/a:/b/${PLATFORM}', '/', '/opt/tool', key), expected);
  }
});

test('needed where they have what nobody else has', () => {
  assert.ok(needsDirectories([elf], ['/nowhere', lib], isLibc));
});

test('not needed for what is known, is not there, or could not be loaded', () => {
  const other = path.join(scratch, 'other');
  compileLibrary(path.join(other, 'libelse.so'));
  writeFileSync(path.join(other, 'libours.so.1'), 'text');
  const withLibc = path.join(scratch, 'with-libc');
  compileLibrary(path.join(withLibc, 'libc.so.6'));
  for (const [directories, known] of [
    [[lib, withLibc], isLibc],
    [[lib], () => true],
    [[], isLibc],
    [['/nowhere', other], isLibc],
  ] as const)
    assert.ok(!needsDirectories([elf], directories, known));
});
