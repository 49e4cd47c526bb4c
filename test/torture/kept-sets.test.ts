// Documents that are kept, right and wrong ones → another set is told from that of an undisturbed start.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { whyOtherSet } from './kept-sets.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'torture-sets-'));
after(() => rmSync(scratch, { recursive: true }));

function documentOf(glibc: string, more: object = {}): string {
  const loader = { storePath: `/nix/store/${glibc}`, file: 'lib/ld.so' };
  const libraries = [{ soname: 'libonig.so.5', storePath: '/nix/store/onig', file: 'lib/libonig.so.5' }];
  return JSON.stringify({ loader: { ...loader, ...more }, libraries });
}

const NAME = `${'0'.repeat(32)}-fingerprint-0123456789abcdef.json`;
const state = path.join(scratch, 'home/.local/state/nix-run-foreign/v1');
const [roots, saved] = [path.join(state, 'roots/abc'), path.join(state, 'fingerprints')];
const store = path.join(scratch, 'store');
for (const directory of [roots, saved, store]) mkdirSync(directory, { recursive: true });
const document = path.join(scratch, 'document');
writeFileSync(document, documentOf('glibc-2.41', { narHash: 'sha256:1' }));
const left = {
  home: path.join(scratch, 'home'),
  place: path.join(scratch, 'nowhere'),
  program: '/home/tester/jq',
  original: '',
  document,
  storeDir: '/nix/store',
};

test('a set that is kept is that of an undisturbed start, behind a root and in a file', () => {
  assert.match(String(whyOtherSet(left, store)), /no set is kept/);
  symlinkSync(`/nix/store/${NAME}`, path.join(roots, '0123456789abcdef'));
  assert.match(String(whyOtherSet(left, store)), /cannot be read/);
  writeFileSync(path.join(store, NAME), documentOf('glibc-2.41'));
  assert.equal(whyOtherSet(left, store), undefined);
  writeFileSync(path.join(saved, 'abc.json'), documentOf('glibc-2.36'));
  assert.match(String(whyOtherSet(left, store)), /another set is kept: .*glibc-2\.36/);
});

test('a derivation that a killed run left counts for the document in it', () => {
  const half = path.join(scratch, 'half');
  const link = path.join(half, '.local/state/nix-run-foreign/v1/roots/abc/0123456789abcdef');
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync('/nix/store/pins-a-text.drv', link);
  const derivation = `Derive([("out","/nix/store/out","","")],[],["/nix/store/${NAME}"],"none","none",[],[])`;
  writeFileSync(path.join(store, 'pins-a-text.drv'), derivation);
  writeFileSync(path.join(store, NAME), documentOf('glibc-2.41'));
  assert.equal(whyOtherSet({ ...left, home: half }, store), undefined);
  writeFileSync(path.join(store, NAME), documentOf('glibc-2.36'));
  assert.match(String(whyOtherSet({ ...left, home: half }, store)), /another set is kept: .*glibc-2\.36/);
});

test('where a file has the set that was to be, the root may have that of before, and no other', () => {
  const before = path.join(scratch, 'before');
  writeFileSync(before, documentOf('glibc-2.31'));
  const adding = { ...left, before };
  writeFileSync(path.join(saved, 'abc.json'), documentOf('glibc-2.41'));
  writeFileSync(path.join(store, NAME), documentOf('glibc-2.31'));
  assert.equal(whyOtherSet(adding, store), undefined);
  assert.match(String(whyOtherSet(left, store)), /another set is kept: .*glibc-2\.31/);
  writeFileSync(path.join(store, NAME), documentOf('glibc-2.36'));
  assert.match(String(whyOtherSet(adding, store)), /another set is kept: .*glibc-2\.36/);
  writeFileSync(path.join(store, NAME), documentOf('glibc-2.31'));
  rmSync(path.join(saved, 'abc.json'));
  assert.match(String(whyOtherSet(adding, store)), /another set is kept: .*glibc-2\.31/);
});
