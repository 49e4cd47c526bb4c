// Versions needed and defined.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { highestOfSeries, isNeededBy, missingVersion, needsOf } from '../../src/solver/version-needs.ts';
import { requirer } from './small-problem.ts';

const table = (verdef: string[], hasVerdef = true) => ({ verdef, hasVerdef, hasVersym: true });
const versions = (...names: string[]) => names.map((name) => ({ name, weak: false }));

test('the highest missing version is named, by number and not by letter', () => {
  assert.equal(missingVersion(versions('V_1.9', 'V_1.10', 'V_1.2'), table(['V_1.2'])), 'V_1.10');
  assert.equal(missingVersion(versions('V_1'), table(['V_1'])), undefined);
});

test('weak versions may be missing, and all may where nothing is defined', () => {
  assert.equal(missingVersion([{ name: 'V_2', weak: true }], table(['V_1'])), undefined);
  assert.equal(missingVersion(versions('V_2'), table([], false)), undefined);
  assert.equal(missingVersion(versions('V_2'), table([])), 'V_2');
});

test('the highest of a series leaves other series out', () => {
  const defined = ['GLIBC_2.9', 'GLIBC_2.36', 'GLIBC_PRIVATE', 'GLIBC_ABI_DT_RELR'];
  assert.equal(highestOfSeries('GLIBC_2.38', defined), 'GLIBC_2.36');
  assert.equal(highestOfSeries('OPENSSL_3.0.0', defined), undefined);
});

test('needs come in load order, files that only versions name after the others', () => {
  const object = requirer('/a', {
    needed: ['libb.so', 'libc.so.6'],
    versions: { 'libx.so': ['X'], 'libc.so.6': ['G'] },
  });
  assert.deepEqual([...needsOf(object).keys()], ['libb.so', 'libc.so.6', 'libx.so']);
  assert.deepEqual(needsOf(object).get('libc.so.6'), versions('G'));
  assert.ok(isNeededBy(object, 'libx.so') && isNeededBy(object, 'libb.so') && !isNeededBy(object, 'liby.so'));
});
