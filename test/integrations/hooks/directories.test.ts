// Directories that are registered, twice registered, refused and taken back.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
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

test('in the order they came, each once, one a line', async () => {
  assert.deepEqual(readDirectories(file), []);
  assert.deepEqual(await addDirectories(file, [second, first, second]), [second, first]);
  assert.deepEqual(await addDirectories(file, [second]), [second, first]);
  assert.equal(readFileSync(file, 'utf8'), `${second}\n${first}\n`);
});

test('what is no directory, or cannot be a line, is refused and nothing is added', async () => {
  const broken = path.join(scratch, 'a\nb');
  mkdirSync(broken);
  for (const wrong of [broken, path.join(scratch, 'none'), file])
    await assert.rejects(addDirectories(file, [scratch, wrong]), { code: 'directory' });
  assert.deepEqual(readDirectories(file), [second, first]);
});

test('one is taken back, one that is not there is refused', async () => {
  await assert.rejects(removeDirectories(file, [second, scratch]), { code: 'directory' });
  assert.deepEqual(await removeDirectories(file, [second]), [first]);
  assert.deepEqual(readDirectories(file), [first]);
  assert.ok(existsSync(second));
});

test('lines that are no absolute path are passed over', () => {
  writeFileSync(file, `\nrelative\n${first}\n`);
  assert.deepEqual(readDirectories(file), [first]);
});

test('processes that add at the same time all have their directory in the list, and the lock is gone', async () => {
  const own = directoriesFile(path.join(scratch, 'together'));
  const module = path.resolve(import.meta.dirname, '../../../src/integrations/hooks/hook-directories.ts');
  const script = `import { addDirectories } from ${JSON.stringify(module)};
    for (const each of process.argv.slice(2)) await addDirectories(${JSON.stringify(own)}, [each]);`;
  const names = (by: number) => Array.from({ length: 20 }, (_, at) => path.join(scratch, `${by}-${at}`));
  const add = (by: number) => {
    for (const each of names(by)) mkdirSync(each);
    const words = ['--input-type=module', '-e', script, 'x', ...names(by)];
    return promisify(execFile)(process.execPath, words, { timeout: 60_000 });
  };
  await Promise.all([0, 1, 2].map(add));
  assert.deepEqual([...readDirectories(own)].sort(), [0, 1, 2].flatMap(names).sort());
  assert.deepEqual(readdirSync(path.dirname(own)), ['directories']);
});
