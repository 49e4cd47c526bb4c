// A tree with links, a pipe and what cannot be listed → its files, and never those of another tree.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { errnoOf } from '../../src/host/errors.ts';
import { filesBelow } from '../../src/host/files.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
chmodSync(scratch, 0o755); // another user looks too
const at = (...names: string[]): string => path.join(scratch, ...names);

test('links are told and not followed, whatever they lead to', () => {
  for (const directory of ['tree/b/deep', 'out']) mkdirSync(at(directory), { recursive: true });
  for (const file of ['tree/b/deep/file', 'tree/c', 'out/foreign']) writeFileSync(at(file), '');
  symlinkSync('../out', at('tree/link'));
  symlinkSync('/', at('tree/z:'));
  symlinkSync('..', at('tree/b/loop'));
  execFileSync('mkfifo', [at('tree/pipe')]);
  const found = [...filesBelow(at('tree'))].map(
    ({ file, kind }) => `${path.relative(at('tree'), file)} ${kind}`,
  );
  const expected =
    'b directory,b/deep directory,b/deep/file file,b/loop link,c file,link link,pipe other,z: link';
  assert.deepEqual(found, expected.split(','));
});

test('what a killed process of ours left is not there', () => {
  mkdirSync(at('left/.a.1.2.3.tmp'), { recursive: true });
  for (const name of ['tool', '.tool.4026532193.10.4.tmp', '.tool.tmp', 'tool.1.2.3.tmp'])
    writeFileSync(at('left', name), '');
  const found = [...filesBelow(at('left'))].map(({ file }) => path.basename(file));
  assert.deepEqual(found, ['.tool.tmp', 'tool', 'tool.1.2.3.tmp']);
});

test('what cannot be listed is told, and the rest is found', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, () => {
  mkdirSync(at('shut/private'), { recursive: true, mode: 0o755 });
  mkdirSync(at('shut/private/secret'), { mode: 0o700 });
  writeFileSync(at('shut/seen'), '');
  const unreadable: string[] = [];
  process.seteuid?.(65534);
  try {
    const files = filesBelow(at('shut'), (each, error) =>
      unreadable.push(`${path.basename(each)} ${errnoOf(error)}`),
    );
    const found = [...files].map(({ file }) => path.basename(file));
    assert.deepEqual(found, ['private', 'secret', 'seen']);
    assert.deepEqual(unreadable, ['secret EACCES']);
  } finally {
    process.seteuid?.(0);
  }
});

test('what is no directory is told', () => {
  writeFileSync(at('file'), '');
  const unreadable: string[] = [];
  assert.deepEqual([...filesBelow(at('file'), (_, error) => unreadable.push(errnoOf(error) ?? ''))], []);
  assert.deepEqual(unreadable, ['ENOTDIR']);
});
