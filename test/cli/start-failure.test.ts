// An errno of execve and the file → cause and remedy.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startFailure } from '../../src/cli/run/start-failure.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const file = path.join(scratchDirectory(), 'program');

function said(errno: string, content = '', executed = file): string {
  writeFileSync(file, content);
  const { message, hint, exitCode, code } = startFailure(file, executed, errno);
  assert.deepEqual([exitCode, code], [126, 'cannot-start']);
  return `${message}\n${hint}`;
}

test('ENOENT is about what the first bytes name', () => {
  const cause = `${file}: its #! line names an interpreter that is not there: /bin`;
  assert.match(
    said('ENOENT', '#! /bin/nosh -e\n'),
    new RegExp(`^${cause}/nosh\nput one of its name on PATH`),
  );
  assert.match(said('ENOENT', '#!/bin/sh\r\n'), new RegExp(`^${cause}/sh\r\nthe line ends in a carriage`));
  assert.match(
    said('ENOENT', '\u007fELF'),
    /the program interpreter \(loader\) that it names is not there\n/,
  );
});

test('an interpreter that is there misses its own', () => {
  const [script, program] = [`${file}-script`, `${file}-elf`];
  writeFileSync(script, '#!/bin/nosh\n');
  writeFileSync(program, '\u007fELF');
  assert.equal(
    said('ENOENT', `#!${script} -e x\n`),
    `${file}: its #! line names ${script}, which is a script without its interpreter itself\nstart it with: nix-run-foreign ${script} -e x ${file}`,
  );
  assert.equal(
    said('ENOENT', `#!${program}\n`),
    `${file}: its #! line names ${program}, which is a program for another Linux itself\nstart it with: nix-run-foreign ${program} ${file}`,
  );
});

test('other refusals have a clause and a remedy of their own', () => {
  assert.match(said('ENOEXEC'), /program: the kernel does not know its format\nif it is a script without/);
  assert.match(said('EACCES'), /program: it may not be executed\ncheck its modes/);
  assert.match(said('ELIBBAD'), /program: the program interpreter \(loader\) that it names is none/);
  assert.match(said('E2BIG', '', '/ld.so'), /program: its arguments and environment are longer than/);
  assert.match(said('ETXTBSY'), /program: it cannot be started: it is open for writing\n/);
  assert.match(said('EIO'), /program: it cannot be started: input\/output error\n/);
  assert.match(said('EXYZ'), /program: it cannot be started: the kernel refused it \(EXYZ\)\n/);
});

test('a loader is named itself', () => {
  const remedy = `resolve it again: nix-run-foreign --refresh ${file}`;
  const cause = '/ld.so: the loader of its plan cannot be started: ';
  assert.equal(said('ENOENT', '', '/ld.so'), `${cause}no such file or directory\n${remedy}`);
  assert.equal(said('EACCES', '', '/ld.so'), `${cause}permission denied\n${remedy}`);
});
