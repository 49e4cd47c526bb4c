// Pairs of fingerprints and the lines that `fingerprint diff` prints for them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceLines, differences } from '../../src/cli/fingerprint/show.ts';
import { changed, good, object, type Wrong } from '../fingerprint/documents.ts';

function lines(change: (document: Wrong) => void): string[] {
  return differenceLines(differences(good, changed(change)));
}

test('no difference: the same meaning, whoever wrote it', () => {
  assert.deepEqual(
    lines(() => {}),
    [],
  );
  assert.deepEqual(
    lines((each) => (each.tool.version = '9')),
    [],
  );
  assert.deepEqual(
    lines((each) => delete each.libraries[1].narHash),
    [],
  );
  assert.deepEqual(
    lines((each) => (each.libraries[1].narHash = `sha256:${'0'.repeat(52)}`)),
    [],
  );
});

test('libraries that came, went, and changed', () => {
  assert.deepEqual(
    lines((each) => {
      const [ssl, z] = each.libraries;
      each.libraries = [
        { ...ssl, soname: 'libcrypto.so.3' },
        { ...z, storePath: object('zlib-1.4') },
      ];
    }),
    [
      '+ libcrypto.so.3  openssl-3.0 (exact)',
      '- libssl.so.3  openssl-3.0 (exact)',
      '~ libz.so.1  zlib-1.3 → zlib-1.4',
    ],
  );
});

test('what tells two files apart: the name, the whole path, the file, the content', () => {
  const other = object('zlib-1.3').replace('0123', '3210');
  assert.deepEqual(
    lines((each) => (each.libraries[1].storePath = other)),
    [`~ libz.so.1  ${object('zlib-1.3')} → ${other}`],
  );
  assert.deepEqual(
    lines((each) => (each.libraries[1].file = 'lib64/libz.so')),
    ['~ libz.so.1  zlib-1.3: lib/libz.so.1.3 → lib64/libz.so'],
  );
  assert.deepEqual(
    lines((each) => (each.libraries[1].narHash = `sha256:${'1'.repeat(64)}`)),
    [`~ libz.so.1  ${object('zlib-1.3')} with other content`],
  );
});

test('how it matched, alone and with another path', () => {
  assert.deepEqual(
    lines((each) => (each.libraries[1].match = 'pinned')),
    ['~ libz.so.1  zlib-1.3 (closest → pinned)'],
  );
  const both = lines((each) =>
    Object.assign(each.libraries[1], { match: 'exact', storePath: object('zlib-2') }),
  );
  assert.deepEqual(both, ['~ libz.so.1  zlib-1.3 → zlib-2 (closest → exact)']);
});

test('the program, the loader and the choices', () => {
  const all = lines((each) => {
    each.program.sha256 = 'cd'.repeat(32);
    each.program.size = 5;
    each.program.interpreter = '/lib/ld\u001b[31m';
    each.loader.storePath = object('glibc-2.42');
    each.choices = 'ef'.repeat(32);
  });
  assert.deepEqual(all, [
    `~ program sha256  ${'ab'.repeat(32)} → ${'cd'.repeat(32)}`,
    '~ program size  1234 → 5',
    '~ program interpreter  /lib64/ld-linux-x86-64.so.2 → /lib/ld?[31m',
    '~ loader  glibc-2.40 → glibc-2.42',
    `~ choices  none → ${'ef'.repeat(32)}`,
  ]);
});

test('as data: the other way round, before and after change places', () => {
  const after = changed((each) => (each.libraries[1].storePath = object('zlib-1.4')));
  const [there] = differences(good, after);
  const [back] = differences(after, good);
  assert.ok(there?.kind === 'changed' && back?.kind === 'changed');
  assert.deepEqual([there.before, there.after], [back.after, back.before]);
  const [added] = differences(
    changed((each) => each.libraries.pop()),
    good,
  );
  assert.deepEqual(added, { kind: 'added', library: good.libraries[1] });
});
