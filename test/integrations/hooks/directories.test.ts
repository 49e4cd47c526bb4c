// Directories that are registered, twice registered, refused and taken back.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  addDirectories,
  directoriesFile,
  readDirectories,
  removeDirectories,
} from '../../../src/integrations/hooks/hook-directories.ts';
import { scratchDirectory } from '../../store/compiled-library.ts';

const scratch = scratchDirectory();
const file = directoriesFile(path.join(scratch, 'data'));
const [first, second] = ['first', 'second two'].map((name) => path.join(scratch, name)) as [string, string];
for (const each of [first, second]) mkdirSync(each);

test('in the order they came, each once, one a line', () => {
  assert.deepEqual(readDirectories(file), []);
  assert.deepEqual(addDirectories(file, [second, first, second]), [second, first]);
  assert.deepEqual(addDirectories(file, [second]), [second, first]);
  assert.equal(readFileSync(file, 'utf8'), `${second}\n${first}\n`);
});

test('what is no directory, or cannot be a line, is refused and nothing is added', () => {
  const broken = path.join(scratch, 'a\nb');
  mkdirSync(broken);
  for (const wrong of [broken, path.join(scratch, 'none'), file])
    assert.throws(() => addDirectories(file, [scratch, wrong]), { code: 'directory' });
  assert.deepEqual(readDirectories(file), [second, first]);
});

test('one is taken back, one that is not there is refused', () => {
  assert.throws(() => removeDirectories(file, [second, scratch]), { code: 'directory' });
  assert.deepEqual(removeDirectories(file, [second]), [first]);
  assert.deepEqual(readDirectories(file), [first]);
  assert.ok(existsSync(second));
});

test('lines that are no absolute path are passed over', () => {
  writeFileSync(file, `\nrelative\n${first}\n`);
  assert.deepEqual(readDirectories(file), [first]);
});
