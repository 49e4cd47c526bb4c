// Believed fingerprints and what the store holds → sound, or why not. Real files stand for the store.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { checkInStore, realFileOf, type StoreFacts } from '../../src/fingerprint/check-store.ts';
import { type Fingerprint, storePathsOf } from '../../src/fingerprint/fingerprint.ts';
import { changed, good, object, put, STORE, type Wrong } from './documents.ts';

const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'store-check-')));
after(() => rmSync(scratch, { recursive: true, force: true }));

const HEX = '0'.repeat(64);

/** Everything valid, with the hash the good document gives; every file there; a loader that agrees. */
const facts: StoreFacts = {
  validPaths: async (paths) => new Map(paths.map((each) => [each, `sha256:${HEX}`])),
  realFileOf: (file) => file,
  whyNotLoaded: async () => undefined,
};

async function why(changes: Partial<StoreFacts>, fingerprint: Fingerprint = good): Promise<string> {
  const check = await checkInStore(fingerprint, STORE, { ...facts, ...changes });
  return check.kind === 'sound' ? 'sound' : `${check.cause}: ${check.why}`;
}

test('sound', async () => {
  assert.equal(await why({}), 'sound');
  const base32 = changed((each: Wrong) => (each.libraries[1].narHash = `sha256:${'0'.repeat(52)}`));
  assert.equal(await why({}, base32), 'sound');
});

test('all paths are asked for at once, and those that are missing are named and counted', async () => {
  const asked: (readonly string[])[] = [];
  const validPaths = async (paths: readonly string[]) => {
    asked.push(paths);
    return new Map([[object('glibc-2.40'), undefined]]);
  };
  assert.equal(await why({ validPaths }), `missing: the store has no ${object('openssl-3.0')} and 1 more`);
  assert.deepEqual(asked, [storePathsOf(good)]);
});

test('the loader is looked at as the libraries are', async () => {
  const realFileOf = (file: string) => (file.includes('ld-linux') ? '/tmp/ld.so' : file);
  assert.match(await why({ realFileOf }), /^leaves-store: .*ld-linux-x86-64\.so\.2 leads out/);
});

test('another hash, and none to compare', async () => {
  const answering = (hash: string | undefined) => async (paths: readonly string[]) =>
    new Map(paths.map((each) => [each, hash]));
  assert.match(
    await why({ validPaths: answering(`sha256:${'1'.repeat(64)}`) }),
    /^nar-hash: .*zlib-1.3 has other content/,
  );
  assert.match(await why({ validPaths: answering(undefined) }), /^nar-hash: Nix has no hash of/);
  assert.match(await why({ validPaths: answering('nonsense') }), /^nar-hash: /);
});

test('the loader has the last word, and is asked only for what is sound otherwise', async () => {
  const whyNotLoaded = async () => 'libz.so.1 is for AArch64';
  assert.equal(await why({ whyNotLoaded }), 'loader: the loader refuses the set: libz.so.1 is for AArch64');
  const neverAsked = async () => assert.fail('the loader was asked');
  assert.match(await why({ whyNotLoaded: neverAsked, realFileOf: () => undefined }), /^no-such-file: /);
});

test('files: regular, there, and inside the store also behind symbolic links', async () => {
  const store = path.join(scratch, 'store');
  const inside = (name: string): string => object(name).replace(STORE, store);
  put(path.join(inside('glibc-2.40'), 'lib/ld.so'), '');
  put(path.join(inside('zlib-1.3'), 'lib/libz.so.1.3'), '');
  const outside = put(path.join(scratch, 'outside.so'), '');
  const beside = put(path.join(scratch, 'store-of-another/x.so'), '');
  const links: Record<string, string> = {
    'beside.so': beside,
    'within.so': 'libz.so.1.3',
    'other.so': path.join(inside('glibc-2.40'), 'lib/ld.so'),
    'out.so': outside,
    'dangling.so': 'nothing',
    'device.so': '/dev/null',
  };
  for (const [name, target] of Object.entries(links))
    symlinkSync(target, path.join(inside('zlib-1.3'), 'lib', name));
  mkdirSync(path.join(inside('zlib-1.3'), 'lib/dir.so'));
  const checked = async (file: string): Promise<string> => {
    const fingerprint: Fingerprint = {
      ...good,
      loader: { storePath: inside('glibc-2.40'), file: 'lib/ld.so' },
      libraries: [{ soname: 'libz.so.1', storePath: inside('zlib-1.3'), file, match: 'exact' }],
    };
    const check = await checkInStore(fingerprint, store, { ...facts, realFileOf });
    return check.kind === 'sound' ? 'sound' : `${check.cause}: ${check.why}`;
  };
  for (const name of ['libz.so.1.3', 'within.so', 'other.so'])
    assert.equal(await checked(`lib/${name}`), 'sound', name);
  assert.match(await checked('lib/out.so'), /^leaves-store: .* leads out of the store, to .*outside\.so/);
  assert.match(await checked('lib/beside.so'), /^leaves-store: .* leads out of the store/);
  for (const name of ['dangling.so', 'dir.so', 'device.so', 'none.so']) {
    assert.match(await checked(`lib/${name}`), /^no-such-file: there is no file/, name);
  }
});
