// Links that make a store object again, without the names that must not be found in it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeFarm } from '../../src/farm/farm.ts';
import { mirrored, mirrorLinks } from '../../src/farm/layout.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

function touch(...parts: string[]): string {
  const file = path.join(...parts);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, file);
  return file;
}

test('all but the hidden is where $ORIGIN leads, also above and below', () => {
  const store = scratchDirectory();
  for (const file of [
    'lib/libone.so',
    'lib/libboth.so',
    'lib/more/libboth.so',
    'share/data',
    'lib/deep/libx.so',
  ]) {
    touch(store, 'a', file);
  }
  symlinkSync('/nowhere', path.join(store, 'a/lib/dangling.so'));
  const directories = [path.join(store, 'a/lib'), path.join(store, 'a/lib/deep')];
  const links = mirrorLinks(store, directories, (_, name) => name === 'libboth.so');
  assert.deepEqual([...links.keys()].sort(), [
    'in/a/lib/deep/libx.so',
    'in/a/lib/libone.so',
    'in/a/lib/more',
    'in/a/share',
  ]);
  const farm = makeFarm(scratchDirectory(), links);
  const lib = path.join(farm, mirrored(store, path.join(store, 'a/lib')));
  const read = (file: string) => readFileSync(`${lib}/${file}`, 'utf8');
  assert.equal(read('../share/data'), path.join(store, 'a/share/data'));
  assert.equal(
    read('more/libboth.so'),
    path.join(store, 'a/lib/more/libboth.so'),
    'only of its own directory',
  );
  assert.equal(realpathSync(`${lib}/deep/libx.so`), realpathSync(path.join(store, 'a/lib/deep/libx.so')));
});
