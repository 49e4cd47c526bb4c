// Directories with links in them → what filesBelow names, and that it stays inside.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { filesBelow } from '../../src/host/files.ts';

const root = mkdtempSync(path.join(tmpdir(), 'files-below-'));
after(() => rmSync(root, { recursive: true, force: true }));

function treeWithLinks(): string {
  const tree = path.join(root, 'tree');
  mkdirSync(path.join(tree, 'bin/deep'), { recursive: true });
  mkdirSync(path.join(root, 'outside'));
  for (const file of ['tree/bin/a', 'tree/bin/deep/b', 'outside/c']) writeFileSync(path.join(root, file), '');
  symlinkSync('../outside', path.join(tree, 'out'));
  symlinkSync('..', path.join(tree, 'bin/circle'));
  symlinkSync('nowhere', path.join(tree, 'broken'));
  return tree;
}

const tree = treeWithLinks();

test('links are named, and not followed', () => {
  assert.deepEqual(filesBelow(tree), [
    { name: 'bin/a', kind: 'file' },
    { name: 'bin/circle', kind: 'link' },
    { name: 'bin/deep/b', kind: 'file' },
    { name: 'broken', kind: 'link' },
    { name: 'out', kind: 'link' },
  ]);
});

test('a directory that is not there is an error, or is told of', () => {
  const missing = path.join(root, 'missing');
  assert.throws(() => filesBelow(missing), { code: 'ENOENT' });
  const told: string[] = [];
  assert.deepEqual(
    filesBelow(missing, (directory) => told.push(directory)),
    [],
  );
  assert.deepEqual(told, [missing]);
});

test('what lies beside an unreadable directory is named', { skip: process.geteuid?.() === 0 }, () => {
  const locked = path.join(tree, 'bin/deep');
  chmodSync(locked, 0o000);
  const told: string[] = [];
  const names = filesBelow(tree, (directory) => told.push(directory)).map(({ name }) => name);
  chmodSync(locked, 0o755);
  assert.deepEqual(names, ['bin/a', 'bin/circle', 'broken', 'out']);
  assert.deepEqual(told, [locked]);
});
