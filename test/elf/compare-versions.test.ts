// compareVersions: the order, and that it is one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from '../../src/elf/versions.ts';

const ascending = [
  '',
  '2.9',
  '2.31',
  '2.31-13',
  '2.36',
  'CXXABI_1.3',
  'CXXABI_1.3.9',
  'CXXABI_1.3.13',
  'CXXABI_TM_1',
  'GLIBCXX_3.4',
  'GLIBCXX_3.4.9',
  'GLIBCXX_3.4.30',
  'GLIBC_2.2.5',
  'GLIBC_2.2.6',
  'GLIBC_2.3',
  'GLIBC_2.3.4',
  'GLIBC_2.4',
  'GLIBC_2.10',
  'GLIBC_2.34',
  'GLIBC_99999999999999999999',
  'GLIBC_100000000000000000000',
  'GLIBC_ABI_DT_RELR',
  'GLIBC_PRIVATE',
];

test('sorts numbers by value', () => {
  const shuffled = [...ascending].sort((left, right) =>
    (left.at(-1) ?? '').localeCompare(right.at(-1) ?? ''),
  );
  assert.notDeepEqual(shuffled, ascending);
  assert.deepEqual(shuffled.sort(compareVersions), ascending);
});

test('is a total order', () => {
  const all = [...ascending, 'GLIBC_2.04', 'GLIBC_02.4'];
  for (const left of all) {
    for (const right of all) {
      const order = Math.sign(compareVersions(left, right));
      assert.equal(order === 0, left === right, `${left} ${right}`);
      assert.equal(order, 0 - Math.sign(compareVersions(right, left)) || 0);
    }
  }
});
