// Names → a table → the same names, as the manager reads it and as the module does, whole and damaged.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { nameTableBytes, readNameTable } from '../../src/store/name-table.ts';
import { sonameTable } from '../../src/store/soname-table.ts';
import { scratchPath } from '../elf/compile-c.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const of = { machine: 62, catalogue: 2n ** 64n - 1n };
const finder = scratchPath('find-name');

before(() => {
  const launcher = ['launcher', 'launcher'].find((name) => existsSync(path.join(PROJECT, name, 'kernel.h')));
  const sources = ['test/audit/programs/find-name.c', 'audit/name-table.c', 'audit/words.c'];
  const includes = ['audit', launcher ?? ''].map((name) => `-I${path.join(PROJECT, name)}`);
  const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const files = sources.map((name) => path.join(PROJECT, name));
  execFileSync('gcc', ['-g', '-O1', '-std=gnu11', '-w', ...sanitizers, ...includes, '-o', finder, ...files]);
});

function find(table: Buffer, rounds: number, names: readonly string[]): string[] {
  const file = scratchPath('table');
  writeFileSync(file, table);
  return execFileSync(finder, [file, String(rounds), ...names], { encoding: 'utf8', timeout: 60_000 })
    .split('\n')
    .slice(0, -1);
}

// Two names whose 32-bit FNV-1a is the same.
const twins = ['libtwin-e3ea.so', 'libtwin-3pvu.so'] as const;

test('every name is found, no other is, by the module and by the manager', () => {
  const names = Array.from({ length: 2000 }, (_, i) => `libname-${i}.so.${i % 9}`);
  const table = sonameTable(names, of);
  const read = readNameTable(table);
  assert.deepEqual([...(read?.entries.keys() ?? [])].sort(), [...names].sort());
  assert.deepEqual([read?.machine, read?.catalogue], [of.machine, of.catalogue]);
  assert.deepEqual(find(table, 0, names), Array(2000).fill(''));
  const others = names.map((name) => `${name}0`);
  assert.deepEqual(find(table, 0, others), Array(2000).fill('-'));
});

test('few names, one, none', () => {
  for (const names of [['liba.so', 'libb.so', 'libc.so'], ['liba.so'], []]) {
    const table = sonameTable(names, of);
    assert.deepEqual(find(table, 0, ['liba.so', 'libz.so']), [names.length > 0 ? '' : '-', '-']);
    assert.deepEqual([...(readNameTable(table)?.entries.keys() ?? [])].sort(), names);
  }
});

test('repeated names are there once, names that no directory can have are not', () => {
  const odd = ['a/b', '', '..', 'x\0y', 'é', '$ORIGIN', 'x'.repeat(256), 'glibc-hwcaps'];
  const table = sonameTable(['liba.so', ...odd, 'liba.so', 'plugin.node'], of);
  assert.deepEqual([...(readNameTable(table)?.entries.keys() ?? [])].sort(), ['liba.so', 'plugin.node']);
});

test('values are bytes of UTF-8, also of names with the same hash', () => {
  const values = new Map([
    [twins[0], '/store/ä/libtwin.so'],
    [twins[1], '/store/b'],
    ['libempty.so', ''],
  ]);
  const table = nameTableBytes(values.keys(), values, of);
  assert.deepEqual([...(readNameTable(table)?.entries ?? [])].sort(), [...values].sort());
  assert.deepEqual(find(table, 0, [...values.keys()]), [...values.values()]);
});

test('the same names in the same order give the same bytes', () => {
  assert.deepEqual(sonameTable(['b.so', 'a.so'], of), sonameTable(['b.so', 'a.so'], of));
});

test('anything but a whole table is none', () => {
  const table = sonameTable(['liba.so'], of);
  for (const size of table.keys()) assert.equal(readNameTable(table.subarray(0, size)), undefined);
  assert.equal(readNameTable(Buffer.concat([table, Buffer.alloc(1)])), undefined);
  assert.equal(readNameTable(Buffer.alloc(100, 0xff)), undefined);
});

test('a damaged table is never read beyond its end', () => {
  const names = Array.from({ length: 60 }, (_, i) => `libname-${i}.so`);
  const values = new Map(names.map((name) => [name, `/nix/store/${name}`]));
  find(nameTableBytes(names, values, of), 20_000, [...names, 'libother.so']);
});

test('100,000 names take about 100 ms of a processor', () => {
  const names = Array.from({ length: 100_000 }, (_, i) =>
    Buffer.from(`libsome-library-${i}.so.${i % 17}`).toString('latin1'),
  );
  sonameTable(names, of);
  const begin = process.cpuUsage();
  const { length } = sonameTable(names, of);
  const { user, system } = process.cpuUsage(begin);
  assert.ok(length < 6_000_000);
  assert.ok(user + system < 400_000, `${user + system} us`);
});
