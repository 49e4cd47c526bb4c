// What of the user's LD_LIBRARY_PATH hides a chosen library.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { libraryPathComesFirst, shadowingEntries } from '../../src/cli/explain/load-map.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const [one, two] = [scratchDirectory(), scratchDirectory()];
for (const directory of [one, two]) writeFileSync(path.join(directory, 'libz.so.1'), '');

const X86_64 = { class: 64, machine: 62 } as const;

test('the first directory that has the name hides it', () => {
  const expected = [{ name: 'libz.so.1', by: path.join(one, 'libz.so.1') }];
  for (const separator of [':', ';', '::', ':/nowhere;']) {
    assert.deepEqual(
      shadowingEntries(`${one}${separator}${two}`, ['liba.so', 'libz.so.1'], X86_64),
      expected,
    );
  }
});

test('$PLATFORM is that of the machine', () => {
  const directory = path.join(one, 'aarch64');
  mkdirSync(directory);
  const by = path.join(directory, 'libz.so.1');
  writeFileSync(by, '');
  const arm = { class: 64, machine: 183 } as const;
  assert.deepEqual(shadowingEntries(`${one}/$PLATFORM`, ['libz.so.1'], arm), [{ name: 'libz.so.1', by }]);
  assert.deepEqual(shadowingEntries(`${one}/$PLATFORM`, ['libz.so.1'], X86_64), []);
});

test('musl splits at colons and line ends alone', () => {
  const by = path.join(one, 'libz.so.1');
  const musl = { ...X86_64, libc: 'musl' } as const;
  assert.deepEqual(shadowingEntries(`/nowhere;${one}`, ['libz.so.1'], musl), []);
  assert.deepEqual(shadowingEntries(`/nowhere\n${one}`, ['libz.so.1'], musl), [{ name: 'libz.so.1', by }]);
});

test('nothing set, nothing hidden', () => {
  for (const value of [undefined, '', '/nowhere', `${one}-x`]) {
    assert.deepEqual(shadowingEntries(value, ['libz.so.1'], X86_64), [], String(value));
  }
});

test('through the launcher the user comes first only where it is wished', () => {
  assert.equal(libraryPathComesFirst('loader', {}), true);
  assert.equal(libraryPathComesFirst('nix-ld', {}), true);
  for (const strategy of ['interpreter', 'view', 'namespace', 'patched'] as const) {
    assert.equal(libraryPathComesFirst(strategy, {}), false, strategy);
    assert.equal(libraryPathComesFirst(strategy, { NIX_RUN_FOREIGN_LIBRARY_ORDER: 'else' }), false, strategy);
    assert.equal(
      libraryPathComesFirst(strategy, { NIX_RUN_FOREIGN_LIBRARY_ORDER: 'user-first' }),
      true,
      strategy,
    );
  }
});
