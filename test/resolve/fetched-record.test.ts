// What was chosen of an index → what `explain` shows of it later.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chosen } from '../../src/index/choose-set.ts';
import type { IndexedObject } from '../../src/index/package-objects.ts';
import { fetchedLibrary } from '../../src/resolve/fetched-record.ts';

test('the attribute is that of the package itself, with its output, or none', () => {
  const attributeOf = (object: Partial<IndexedObject>): string => {
    const match = { object: { name: 'x', attr: 'cudatoolkit', output: 'lib', toplevel: true, ...object } };
    const chosen = { name: 'libwant.so.1', candidate: { match, storePath: '/nix/store/x' }, others: [] };
    return fetchedLibrary(chosen as unknown as Chosen).attribute;
  };
  assert.equal(attributeOf({}), 'cudatoolkit.lib');
  assert.equal(attributeOf({ output: 'out' }), 'cudatoolkit');
  assert.equal(attributeOf({ attr: '' }), '');
  assert.equal(attributeOf({ toplevel: false }), '');
});
