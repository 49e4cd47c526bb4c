// Files on disk → what binds to what, also where a file cannot be read, and what the catalogue is told of it.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { boundMemo, symbolBindings } from '../../src/candidates/candidate-symbols.ts';
import type { Catalogue } from '../../src/store/catalogue.ts';
import { compileC, scratchPath, writeScratch } from '../elf/compile-c.ts';

const shared = ['-shared', '-fPIC', '-nostdlib'];
const needy = compileC(
  'libneedy.so',
  'int called(void); extern int datum; int unused(void); int use(void) { return called() + called() + datum; }',
  shared,
);
const giving = compileC('libgiving.so', 'int called(void) { return 1; } int datum = 2;', shared);
const now = compileC('libnow.so', 'int called(void); int use(void) { return called(); }', [
  ...shared,
  '-Wl,-z,now',
]);

test('what a library wants, where it binds, and when', () => {
  const symbols = symbolBindings('glibc');
  assert.deepEqual([...symbols.wantedBy(needy)].sort(), ['called', 'datum']);
  assert.ok(symbols.definedBy(giving, 'called') && symbols.definedBy(giving, 'datum'));
  assert.ok(!symbols.definedBy(giving, 'other') && !symbols.definedBy(needy, 'called'));
  assert.equal(symbols.boundAt(needy, 'called'), 'call');
  assert.equal(symbols.boundAt(needy, 'datum'), 'start');
  assert.equal(symbols.boundAt(needy, 'use'), 'never');
  assert.equal(symbols.boundAt(now, 'called'), 'start');
});

test('a version counts where more may be added to it; in musl only the name does, whoever has it', () => {
  const versioned = compileC('libversioned.so.1', 'int called(void) { return 1; }', [
    ...shared,
    '-Wl,--default-symver,-soname,libversioned.so.1',
  ]);
  const flags = [...shared, '-Wl,--no-as-needed', versioned];
  const user = compileC('libuser.so', 'int called(void); int use(void) { return called(); }', flags);
  const symbols = symbolBindings('glibc');
  assert.deepEqual(symbols.wantedBy(user), ['called@libversioned.so.1']);
  assert.ok(symbols.definedBy(versioned, 'called@libversioned.so.1'));
  assert.ok(!symbols.definedBy(versioned, 'called@libversioned.so.2'));
  // Of an object without versions, whatever is asked for.
  assert.ok(symbols.definedBy(giving, 'called@libversioned.so.1'));
  assert.equal(symbols.boundAt(user, 'called@libversioned.so.1'), 'call');
  const musl = symbolBindings('musl');
  assert.deepEqual(musl.wantedBy(user), ['called']);
  assert.equal(musl.boundAt(user, 'called'), 'start');
  assert.ok(musl.definedBy(versioned, 'called') && musl.definedBy(giving, 'called'));
  const printing = compileC('libprinting.so', 'int puts(const char *); int use(void) { return puts(""); }', [
    '-shared',
    '-fPIC',
  ]);
  assert.deepEqual(symbols.wantedBy(printing), []);
  assert.deepEqual(musl.wantedBy(printing), ['puts']);
});

test('musl finds no hidden definition, not even of the first version', () => {
  const map = writeScratch('hidden.map', 'V1 { global: f; local: *; };\n');
  const source = '__asm__(".symver f_old, f@V1"); int f_old(void) { return 1; }';
  const hidden = compileC('libhidden.so', source, [...shared, `-Wl,--version-script=${map}`]);
  assert.ok(symbolBindings('glibc').definedBy(hidden, 'f'));
  assert.ok(!symbolBindings('musl').definedBy(hidden, 'f'));
});

test('musl serves the names of large files by those without 64, and no others', () => {
  const source =
    'int open(void) { return 1; } int readdir_r(void) { return 2; } int gzopen(void) { return 3; }';
  const libc = compileC('liblike-musl.so', source, [...shared, '-fno-builtin']);
  const musl = symbolBindings('musl');
  assert.ok(musl.definedBy(libc, 'open64') && musl.definedBy(libc, 'readdir64_r'));
  assert.ok(!musl.definedBy(libc, 'stat64') && !musl.definedBy(libc, 'gzopen64'));
  assert.ok(!symbolBindings('glibc').definedBy(libc, 'open64'));
});

test('musl binds everything before the program starts', () => {
  assert.equal(symbolBindings('musl').boundAt(needy, 'called'), 'start');
});

test('a file that cannot be read, or is no library, speaks against nothing', () => {
  const symbols = symbolBindings('glibc');
  for (const file of [
    '/nonexistent',
    '/',
    writeScratch('text', 'text'),
    writeScratch('cut', '\x7fELF\x02\x01'),
  ]) {
    assert.deepEqual(symbols.wantedBy(file), [], file);
    assert.ok(symbols.definedBy(file, 'anything'), file);
    assert.equal(symbols.boundAt(file, 'anything'), 'never');
  }
});

test('a file that vanishes after it was read', () => {
  const gone = compileC('libgone.so', `int called(void) { return 1; } ${'int datum[9999] = {1};'}`, shared);
  const symbols = symbolBindings('glibc');
  assert.deepEqual(symbols.wantedBy(gone), []);
  rmSync(gone);
  assert.ok(symbols.definedBy(gone, 'called'));
});

function fakeCatalogue(storeDir: string, write?: () => never): Catalogue & { memos: Map<string, string> } {
  const memos = new Map<string, string>();
  const setMemo = (key: string, value: string): void => {
    write?.();
    memos.set(key, value);
  };
  return { storeDir, memos, memo: (key: string) => memos.get(key), setMemo } as unknown as Catalogue & {
    memos: Map<string, string>;
  };
}

test('what was found out of files of the store is remembered, of others never', () => {
  const catalogue = fakeCatalogue(scratchPath('.').replace(/\/\.$/, ''));
  const symbols = symbolBindings('glibc', boundMemo(catalogue));
  assert.equal(symbols.boundAmong?.(needy), undefined);
  symbols.noteBound?.(needy, [giving]);
  symbols.noteBound?.('/bin/sh', [giving]);
  symbols.noteBound?.(giving, ['/bin/sh']);
  symbols.noteBound?.(scratchPath('absent.so'), []);
  assert.equal(catalogue.memos.size, 1);
  const later = symbolBindings('glibc', boundMemo(catalogue));
  assert.deepEqual(later.boundAmong?.(needy), [giving]);
  assert.equal(later.boundAmong?.('/bin/sh'), undefined);
});

test('a catalogue that cannot be written, or says something strange', () => {
  const storeDir = scratchPath('.').replace(/\/\.$/, '');
  const full = fakeCatalogue(storeDir, () => {
    throw new Error('database or disk is full');
  });
  boundMemo(full).remember(needy, [giving]);
  const strange = fakeCatalogue(storeDir);
  strange.memos.set(`bound-1 ${needy}`, '{"a":1}');
  assert.equal(boundMemo(strange).recall(needy), undefined);
});
