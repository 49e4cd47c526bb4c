// Files of which nothing can be listed → which are no dynamic executables, and which could not be read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { requireReadable } from '../../src/program/inspect-program.ts';
import { MANAGER } from '../built-manager.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();

function fileOf(name: string, content: string | Uint8Array, mode = 0o755): string {
  const file = path.join(scratch, name);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

const elf = readFileSync(process.execPath).subarray(0, 200);
const directory = path.join(scratch, 'directory');
mkdirSync(directory);

for (const [file, status, stdout, stderr] of [
  [fileOf('text', 'words\n'), 1, /^\tnot a dynamic executable\n$/, /^$/],
  [fileOf('damaged', elf), 126, /^$/, /damaged: the ELF file is damaged: .*\n {2}download/],
  [fileOf('damaged.so', elf, 0o644), 126, /^$/, /damaged\.so: the ELF file is damaged: .*\n {2}download/],
  [directory, 126, /^$/, /it is a directory/],
  [path.join(scratch, 'gone'), 127, /^$/, /gone: /],
] as const)
  test(path.basename(file), () => {
    const ended = spawnSync(process.execPath, [MANAGER, 'ldd', file], {
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: process.env['PATH'], HOME: scratch, NIX_STORE_DIR: path.join(scratch, 'store') },
    });
    assert.equal(ended.status, status, ended.stderr);
    assert.match(ended.stdout, stdout);
    assert.match(ended.stderr, stderr);
  });

test('a file that may not be read', () => {
  const file = fileOf('unreadable', elf, 0o000);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    assert.throws(() => requireReadable(file), { code: 'unreadable', message: /cannot be read: / });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});
