// Names of libraries → which are versions of one another, and how far apart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distance, isSameLibrary, otherVersionsOf, stemOf } from '../../src/candidates/soname.ts';

test('the stem is the name without any version', () => {
  const cases: Record<string, string | undefined> = {
    'libffi.so.7': 'libffi',
    'libffi.so': 'libffi',
    'libcrypto.so.1.1': 'libcrypto',
    'libdb-5.3.so': 'libdb',
    'libglib-2.0.so.0': 'libglib',
    'libpython3.11.so.1.0': 'libpython',
    'libicui18n.so.67': 'libicui18n',
    'libstdc++.so.6': 'libstdc++',
    'libQt5Core.so.5': 'libQt5Core',
    'lib-42.so.1': undefined,
    'libssl3.so': 'libssl3',
    'libx264.so.164': 'libx264',
    program: undefined,
  };
  for (const [name, stem] of Object.entries(cases)) assert.equal(stemOf(name), stem, name);
});

test('digits that belong to the name are no version of it', () => {
  const pairs = [
    ['libssl3.so', 'libssl.so.3'],
    ['libx264.so.164', 'libx265.so.199'],
    ['libz3.so.4', 'libz.so.1'],
    ['libm0.so.1', 'libm.so.6'],
    ['libpng16.so.16', 'libpng12.so.0'],
  ] as const;
  for (const [left, right] of pairs) assert.equal(isSameLibrary(left, right), false, left);
  assert.ok(isSameLibrary('libpython3.11.so.1.0', 'libpython3.9.so.1.0'));
  assert.ok(isSameLibrary('libdb-5.3.so', 'libdb-4.8.so') && isSameLibrary('program', 'program'));
  assert.ok(!isSameLibrary('program', 'another'));
  const names = ['libdb-4.8.so', 'libdb-5.3.so', 'libdbus-1.so.3', 'libdb_cxx-5.3.so'];
  const beginning = (letters: string) => names.filter((name) => name.startsWith(letters));
  assert.deepEqual(otherVersionsOf('libdb-5.3.so', beginning), ['libdb-4.8.so']);
});

test('nearest first: the same name before .so, then the most numbers in common, then the nearest number', () => {
  const names = [
    'libdb-4.8.so',
    'libdb-5.3.so.9',
    'libdb-5.3.so.2',
    'libdb-5.3.so.1.2',
    'libdb-5.3.so.1.1.9',
  ];
  const keys = names.map((name) => ({ name, far: distance('libdb-5.3.so.1.1', name) }));
  keys.sort((a, b) => a.far[0] - b.far[0] || a.far[1] - b.far[1] || a.far[2] - b.far[2]);
  assert.deepEqual(
    keys.map(({ name }) => name),
    ['libdb-5.3.so.1.1.9', 'libdb-5.3.so.1.2', 'libdb-5.3.so.2', 'libdb-5.3.so.9', 'libdb-4.8.so'],
  );
});
