// The launchers and audit modules of the package: the same bytes from any directory, no path of it inside, small, running.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { SYSTEMS } from '../../scripts/compile-c.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { needTool, on32Bit } from './tool-fixture.ts';

needTool('clang', 'clang');
needTool('ld.lld', 'lld');
needTool('qemu-aarch64', 'qemu-user');

const PROJECT = path.resolve(import.meta.dirname, '../..');
const scratch = scratchDirectory();
const KIBIBYTE = 1024;
const FILES = Object.keys(SYSTEMS).flatMap((system) =>
  ['nix-run-foreign', 'nix-foreign-audit.so'].map((name) => path.join(system, name)),
);

/** Builds from a copy of the sources that lies somewhere else. */
function buildIn(name: string): (file: string) => Buffer {
  const directory = path.join(scratch, name);
  mkdirSync(directory);
  for (const each of ['launcher', 'audit', 'scripts', 'package.json'])
    cpSync(path.join(PROJECT, each), path.join(directory, each), { recursive: true });
  const output = path.join(directory, 'out');
  const said = execFileSync(process.execPath, ['scripts/build-machines.ts', '--output', output], {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], CC: '/nowhere/cc' },
  });
  assert.equal(said, '');
  return (file) => readFileSync(path.join(output, file));
}

const one = buildIn('one');
const two = buildIn('another-directory');
const command = (system: string, ...words: string[]): string[] => [
  ...(system === 'aarch64-linux' ? ['qemu-aarch64'] : []),
  path.join(scratch, 'one/out', system, 'nix-run-foreign'),
  ...words,
];

for (const file of FILES)
  test(`${file}: the same bytes from two directories, and no path in them`, () => {
    const bytes = one(file);
    assert.ok(bytes.equals(two(file)));
    for (const text of [scratch, PROJECT, '/home/', '.c\0', 'launcher/', 'audit/'])
      assert.ok(!bytes.includes(text), `${file} holds ${text}`);
  });

test('together they are small', () => {
  const bytes = FILES.reduce((sum, file) => sum + one(file).length, 0);
  assert.ok(bytes <= 190 * KIBIBYTE, `${bytes} bytes`);
});

for (const system of Object.keys(SYSTEMS))
  test(`${system}: static, two segments, none of them larger in memory, no memory written and executed`, () => {
    const file = path.join(scratch, 'one/out', system, 'nix-run-foreign');
    const text = execFileSync('readelf', ['-hlW', '--dyn-syms', file], { encoding: 'utf8' });
    assert.doesNotMatch(text, /INTERP|RWE|NEEDED/);
    const loads = [...text.matchAll(/^ +LOAD +(?:0x\w+ +){3}(0x\w+) +(0x\w+)/gm)];
    assert.equal(loads.length, 2);
    for (const [, inFile, inMemory] of loads) assert.equal(inFile, inMemory);
    assert.match(text, /FUNC +GLOBAL +DEFAULT .* _dl_debug_state/);
  });

for (const system of Object.keys(SYSTEMS))
  test(`${system}: a first start by the resolver of its package, a second by the plan`, (t) => {
    if (system === 'i686-linux' && on32Bit.skip !== undefined) return t.skip(on32Bit.skip);
    const place = path.join(scratch, 'one/out/nix-foreign.cjs');
    writeFileSync(place, `require(${JSON.stringify(path.join(PROJECT, 'dist/nix-foreign.cjs'))});\n`);
    const script = path.join(scratch, `script-${system}`);
    writeFileSync(script, '#!/bin/sh\necho "started $1"\n', { mode: 0o755 });
    const env = {
      PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: scratch,
      XDG_CACHE_HOME: path.join(scratch, 'cache'),
      NIX_STORE_DIR: path.join(scratch, 'store'),
    };
    const start = (more: Record<string, string> = {}): string => {
      const [file = '', ...words] = command(system, script, 'it');
      return execFileSync(file, words, { encoding: 'utf8', env: { ...env, ...more } });
    };
    assert.equal(start(), 'started it\n');
    assert.equal(start({ NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' }), 'started it\n');
  });
