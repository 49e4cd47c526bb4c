// What is read from real files made on the spot.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { readDynamic } from './readelf.ts';

let directory: string;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nix-run-foreign-readelf-'));
  const gcc = (...args: string[]) => execa('gcc', args, { cwd: directory });
  writeFileSync(join(directory, 'a.c'), 'int a(void) { return 0; }\n');
  writeFileSync(join(directory, 'main.c'), 'int a(void);\nint main(void) { return a(); }\n');
  await gcc('-shared', '-fPIC', '-Wl,-soname,liba.so.9', '-o', 'liba.so', 'a.c');
  await gcc('-o', 'program', 'main.c', 'liba.so', '-Wl,-rpath,/x:/y', '-Wl,--dynamic-linker=/the/loader');
  await gcc('-no-pie', '-o', 'fixed', 'main.c', 'liba.so');
  await gcc('-static', '-o', 'static', 'main.c', 'a.c');
});
after(() => rmSync(directory, { recursive: true }));

test('reads names, needs, paths and interpreter of many files at once', async () => {
  const at = (name: string) => join(directory, name);
  const found = await readDynamic(['liba.so', 'program', 'fixed', 'static', 'a.c', 'missing'].map(at));
  assert.deepEqual([...found.keys()].sort(), [at('fixed'), at('liba.so'), at('program')]);
  assert.equal(found.get(at('liba.so'))?.soname, 'liba.so.9');
  const program = found.get(at('program'));
  assert.deepEqual(program?.needed, ['liba.so.9', 'libc.so.6']);
  assert.deepEqual(program?.runpath, ['/x', '/y']);
  assert.equal(program?.interpreter, '/the/loader');
  assert.equal(program?.class, 64);
  assert.equal(program?.type, 'DYN');
  assert.equal(found.get(at('fixed'))?.type, 'EXEC');
});

test('one file is read as well as many', async () => {
  const found = await readDynamic([join(directory, 'liba.so')]);
  assert.equal(found.size, 1);
});
