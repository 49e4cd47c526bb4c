import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt, readElfFile, readElfOnce } from '../../src/elf/open-elf.ts';
import { errnoOf } from '../../src/host/errors.ts';
import { compileLibrary, scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

test('a library is read, and its descriptor closed', () => {
  const file = compileLibrary(path.join(scratch, 'libone.so'), { soname: 'libone.so.1' });
  elfFileAt(file);
  const before = openDescriptors();
  assert.equal(elfFileAt(file)?.soname, 'libone.so.1');
  assert.equal(openDescriptors(), before);
});

test('what is no ELF file, damaged, or cannot be read gives its own reading', () => {
  const text = path.join(scratch, 'libtext.so');
  writeFileSync(text, 'INPUT(libone.so)\n');
  const damaged = path.join(scratch, 'libcut.so');
  writeFileSync(damaged, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]));
  const directory = path.join(scratch, 'libdir.so');
  mkdirSync(directory);

  assert.equal(readElfFile(text).kind, 'not-elf');
  const reading = readElfFile(damaged);
  assert.ok(reading.kind === 'bad-elf');
  assert.match(reading.why, /\w/);
  for (const [file, errno] of [
    [directory, 'EISDIR'],
    [path.join(scratch, 'absent.so'), 'ENOENT'],
  ] as const) {
    const failed = readElfFile(file);
    assert.ok(failed.kind === 'unreadable');
    assert.equal(errnoOf(failed.error), errno);
  }
  for (const file of [text, damaged, directory]) assert.equal(elfFileAt(file), undefined);
});

test('a file is read once while it stays as it is, and again when it was replaced', () => {
  const file = path.join(scratch, 'replaced');
  copyFileSync('/bin/true', file);
  const first = readElfOnce(file);
  assert.equal(readElfOnce(file), first);
  writeFileSync(`${file}.new`, 'no ELF file');
  renameSync(`${file}.new`, file);
  assert.equal(readElfOnce(file).kind, 'not-elf');
});
