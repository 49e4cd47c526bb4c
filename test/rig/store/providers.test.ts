// Who provides a soname, and which objects must be one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeCycles, neededObjects, providersOf } from './providers.ts';
import type { PlannedObject } from './store-object.ts';

/** An object that holds `files` (targets), all of which need `needed`. */
function object(name: string, files: string[], needed: string[] = [], group = 'g:amd64'): PlannedObject {
  const facts = {
    class: 64,
    type: 'DYN',
    soname: undefined,
    needed,
    runpath: [],
    interpreter: undefined,
  } as const;
  return {
    key: `${group}:${name}`,
    name,
    group,
    files: new Map(files.map((target) => [`/source/${name}/${target}`, target])),
    links: new Map(),
    dynamic: new Map(files.map((target) => [`/source/${name}/${target}`, facts])),
    kind: name === 'glibc' ? 'glibc' : 'library',
  };
}

test('a file in lib wins over one in a subdirectory', () => {
  const deep = object('a', ['lib/blas/libblas.so.3']);
  const plain = object('b', ['lib/libblas.so.3']);
  const provider = providersOf([deep, plain]).get('g:amd64')?.get('libblas.so.3');
  assert.equal(provider?.object, plain);
  assert.equal(providersOf([deep]).get('g:amd64')?.get('libblas.so.3')?.directory, 'lib/blas');
});

test("glibc's copy of libgcc_s.so.1 gives way to the real one", () => {
  const glibc = object('glibc', ['lib/libc.so.6', 'lib/libgcc_s.so.1']);
  const real = object('libgcc-s1', ['lib/libgcc_s.so.1']);
  assert.equal(providersOf([glibc, real]).get('g:amd64')?.get('libgcc_s.so.1')?.object, real);
});

test('groups are apart', () => {
  const user = object('user', ['lib/libuser.so'], ['libz.so.1']);
  const other = object('z', ['lib/libz.so.1'], [], 'other:amd64');
  assert.deepEqual(neededObjects(user, providersOf([user, other])), []);
});

test('objects that need each other become one, others stay', () => {
  const a = object('a', ['lib/liba.so'], ['libb.so']);
  const b = object('b', ['lib/libb.so'], ['libc.so']);
  const c = object('c', ['lib/libc.so'], ['liba.so', 'libd.so']);
  const d = object('d', ['lib/libd.so']);
  const merged = mergeCycles([d, c, b, a]);
  assert.deepEqual(
    merged.map((o) => o.key),
    ['g:amd64:a+g:amd64:b+g:amd64:c', 'g:amd64:d'],
  );
  assert.deepEqual([...(merged[0]?.files.values() ?? [])].sort(), [
    'lib/liba.so',
    'lib/libb.so',
    'lib/libc.so',
  ]);
  const [whole] = merged;
  assert.ok(whole);
  assert.deepEqual(
    neededObjects(whole, providersOf(merged)).map((o) => o.key),
    ['g:amd64:d'],
  );
});
