// Directories are made with those above them; where that is impossible the reason is said, at once.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { makeDirectories } from '../../src/host/files.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);

test('several at once, each with the mode; again is no error', () => {
  for (let round = 0; round < 2; round += 1) makeDirectories(at('a/b/c'), 0o750);
  for (const each of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(at(each)).mode & 0o777, 0o750);
});

test('a link to a directory is one', () => {
  mkdirSync(at('real'));
  symlinkSync('real', at('link'));
  makeDirectories(at('link/below'));
  assert.ok(statSync(at('real/below')).isDirectory());
  makeDirectories(at('link'));
});

test('a file in the way, a link that leads nowhere', () => {
  writeFileSync(at('file'), '');
  symlinkSync('nowhere', at('dangling'));
  assert.throws(() => makeDirectories(at('file/below')), { code: 'ENOTDIR' });
  assert.throws(() => makeDirectories(at('file')), { code: 'EEXIST' });
  assert.throws(() => makeDirectories(at('dangling')), { code: 'EEXIST' });
});

test('where no directory can be made it ends', () => {
  assert.throws(() => makeDirectories('/proc/nowhere/a/b'), { code: 'ENOENT' });
});

test('two processes at once', async () => {
  mkdirSync(at('together'));
  const program = path.join(import.meta.dirname, 'programs/make-directories-together.ts');
  const start = async (which: string): Promise<string> => {
    const options = { timeout: 60_000 };
    const argv = [program, at('together'), '300', '2', which];
    return (await promisify(execFile)(process.execPath, argv, options)).stdout;
  };
  assert.deepEqual(await Promise.all(['0', '1'].map(start)), ['', '']);
});
