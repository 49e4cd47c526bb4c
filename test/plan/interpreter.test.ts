// Who sits at an interpreter path: fixtures, the machine's own loader, our launcher, and what is nobody.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { inspectInterpreter } from '../../src/plan/strategy.ts';
import { openWorkshop } from '../launcher/launcher-fixture.ts';
import { compileInterpreter } from '../rig/program-interpreters.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const at = (name: string): string => path.join(scratch, name);
const kindOf = (file: string): string => inspectInterpreter(file).kind;

test('nix-ld and stub-ld are told by what is in them', async () => {
  assert.equal(kindOf(await compileInterpreter('nix-ld')), 'nix-ld');
  assert.equal(kindOf(await compileInterpreter('stub-ld')), 'stub-ld');
});

test("the loader of this machine's libc is a loader", () => {
  assert.equal(kindOf('/lib64/ld-linux-x86-64.so.2'), 'loader');
});

test('our own launcher is known, though it speaks of nix-ld and of LD_LIBRARY_PATH', async () => {
  const { launcher } = await openWorkshop();
  assert.equal(kindOf(launcher), 'launcher');
});

test('links are followed, and the version is in the name of the store object', async () => {
  const object = at('store/0123456789abcdfghijklmnpqrsvwxyz-nix-ld-2.0.6/libexec');
  mkdirSync(object, { recursive: true });
  copyFileSync(await compileInterpreter('nix-ld'), path.join(object, 'nix-ld'));
  symlinkSync(path.join(object, 'nix-ld'), at('ld-linux'));
  const found = inspectInterpreter(at('ld-linux'));
  assert.deepEqual(found, {
    path: at('ld-linux'),
    kind: 'nix-ld',
    realPath: path.join(object, 'nix-ld'),
    version: [2, 0, 6],
  });
});

test('other names of the store object', async () => {
  const versions = { 'nix-ld-rs-0.1.5': [0, 1, 5], 'nix-ld-1.2.3': [1, 2, 3], 'nix-ld-unstable': undefined };
  for (const [name, version] of Object.entries(versions)) {
    const object = at(`v/0123456789abcdfghijklmnpqrsvwxyz-${name}`);
    mkdirSync(object, { recursive: true });
    copyFileSync(await compileInterpreter('nix-ld'), path.join(object, 'nix-ld'));
    assert.deepEqual(inspectInterpreter(path.join(object, 'nix-ld')).version, version, name);
  }
});

test('nothing there, in whatever way, is missing', () => {
  symlinkSync('/nowhere/at/all', at('dangling'));
  writeFileSync(at('file'), 'x');
  for (const file of [at('nothing'), at('dangling'), at('file/below')])
    assert.equal(kindOf(file), 'missing', file);
});

test('what cannot be looked at or is no program is unknown, and never an exception', () => {
  symlinkSync(at('loop'), at('loop'));
  mkdirSync(at('directory'));
  execFileSync('mkfifo', [at('fifo')]);
  writeFileSync(at('empty'), '');
  writeFileSync(at('text'), 'a shell script may speak of NIX_LD and LD_LIBRARY_PATH\n');
  for (const name of ['loop', 'directory', 'fifo', 'empty', 'text', 'file']) {
    assert.equal(kindOf(at(name)), 'unknown', name);
  }
});

test('another user that may not read it is told unknown', { skip: process.getuid?.() !== 0 }, () => {
  chmodSync(scratch, 0o755);
  copyFileSync('/lib64/ld-linux-x86-64.so.2', at('unreadable'));
  chmodSync(at('unreadable'), 0o711);
  const module = path.resolve(import.meta.dirname, '../../src/plan/strategy.ts');
  const script = `import { inspectInterpreter } from ${JSON.stringify(module)};
    console.log(inspectInterpreter(${JSON.stringify(at('unreadable'))}).kind);`;
  const words = ['--input-type=module', '-e', script];
  assert.equal(execFileSync(process.execPath, words, { uid: 65534, encoding: 'utf8' }), 'unknown\n');
});
