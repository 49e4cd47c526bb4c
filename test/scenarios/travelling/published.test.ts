// What one machine published starts the program on another whose store never had the libraries.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { emptyStore } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { serveDirectory } from '../../rig/web-server.ts';
import { sampled } from '../../sample.ts';
import { assertRefused } from '../expect-failure.ts';
import { rootLinks } from '../saved-state.ts';
import {
  assertRan,
  configure,
  exchangeForTests,
  fetching,
  forget,
  isInStore,
  manage,
  openMachine,
  originOf,
  putFile,
  SIDECAR,
  startOver,
  withEnv,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const maker = await openMachine(rig, exchange);
const published = await publishJq(maker, exchange);
const { key, cacheKey, cache, libraries, sidecar, source } = published;

const other = await openMachine(rig, exchange);
const { program } = other;
const line = [program, ...words];

beforeEach(async () => {
  rmSync(path.join(other.homeDir, SIDECAR), { force: true });
  configure(other, '');
  await startOver(other);
});

/** From now on a collector leaves the libraries where they are, and the next start is a hit. */
async function assertKept(): Promise<void> {
  await emptyStore(other);
  for (const each of libraries) assert.ok(isInStore(other, each), `${each} was collected`);
  assertRan(await other.startHit(line));
}

test('with neither it does not start: the store has nothing to start it with', async () => {
  assert.equal((await other.bare(program, words)).status, 127);
  const outcome = await other.start(line, fetching([cache], [cacheKey.publicKey]));
  assertRefused(outcome, { status: 126, cause: /libjq\.so\.1/ });
});

for (const { version, bin } of sampled(rig.nixVersions, 3, 2)) {
  test(`Nix ${version}: with only the sidecar the libraries come, and are pinned`, async () => {
    const file = putFile(other, SIDECAR, sidecar);
    const settings = fetching([cache], [cacheKey.publicKey], bin);
    assertRan(await other.start(line, settings));
    assert.equal(await originOf(other), file);
    assert.equal(rootLinks(other).length, 1);
    await assertKept();
  });
}

test('with only a source on a web server, and the cache on it too', async () => {
  const server = await serveDirectory(exchange.directory);
  const settings = `sources = ["${server.url}/fingerprints"]\ntrusted-fingerprint-keys = ["${key.publicKey}"]\n`;
  configure(other, settings);
  assertRan(await other.start(line, fetching([`${server.url}/cache`], [cacheKey.publicKey])));
  const at = `v1/${published.sha256.slice(0, 2)}/${published.sha256}.json`;
  assert.equal(await originOf(other), `${server.url}/fingerprints/${at}, signed by fingerprints-1`);
  assert.equal(server.requests.filter((each) => each === `GET /fingerprints/${at}`).length, 1);
  await server.close();
  await assertKept();
});

test('with only a source that is a directory', async () => {
  configure(other, `sources = ["${source}"]\ntrusted-fingerprint-keys = ["${key.publicKey}"]\n`);
  assertRan(await other.start(line, fetching([cache], [cacheKey.publicKey])));
  await assertKept();
});

test('the debug log of such a start knows of no search', async () => {
  putFile(other, SIDECAR, sidecar);
  const settings = withEnv(fetching([cache], [cacheKey.publicKey]), { NIX_RUN_FOREIGN_DEBUG: '1' });
  const { stdout, stderr } = await other.start(line, settings);
  assert.equal(stdout, '42\n', stderr);
  assert.doesNotMatch(stderr, /solved|catalogue/);
});

test('above the limit, or where fetching is off, nothing comes, and the line says how to allow it', async () => {
  const file = putFile(other, SIDECAR, sidecar);
  const settings = fetching([cache], [cacheKey.publicKey]);
  const small = withEnv(settings, { NIX_RUN_FOREIGN_FETCH_LIMIT: '0' });
  const instead = '; the store is searched instead\n';
  const allow = 'nix-foreign resolve --fetch \\S+/jq';
  const off = await other.manage(['resolve', '--no-fetch', program], settings);
  assert.equal(off.status, 126);
  assert.match(off.stderr, new RegExp(`, and fetching is off; allow it once: ${allow}${instead}`));
  const refused = await other.start(line, small);
  const limit = 'jq needs \\d+ packages? .*: [\\d.]+ [KM]iB to download, .*, more than the limit of 0 B';
  assert.match(refused.stderr, new RegExp(`${limit}; allow it: ${allow}, or fetch-limit .*${instead}`));
  const importing = ['fingerprint', 'import', file, program];
  const imported = await other.manage(importing, small);
  assert.match(imported.stderr, new RegExp(`${limit}; allow it: NIX_RUN_FOREIGN_FETCH=always nix-foreign`));
  for (const each of libraries) assert.equal(isInStore(other, each), false, each);
  await manage(other, importing, withEnv(small, { NIX_RUN_FOREIGN_FETCH: 'always' }));
  await startOver(other);
  await manage(other, ['resolve', '--fetch', program], small);
  await assertKept();
});

test('what Nix holds valid without its file is weighed like what is missing', async () => {
  putFile(other, SIDECAR, sidecar);
  const settings = fetching([cache], [cacheKey.publicKey]);
  const small = withEnv(settings, { NIX_RUN_FOREIGN_FETCH_LIMIT: '0' });
  await manage(other, ['resolve', '--fetch', program], small);
  forget(other);
  const [lost = assert.fail()] = libraries.filter((each) => each.includes('onig')); // libjq refers to it
  rmSync(path.join(other.nixDir, path.relative('/nix', lost)), { recursive: true });
  const off = await other.manage(['resolve', '--no-fetch', program], settings);
  assert.equal(off.status, 126, off.stderr);
  assert.equal(isInStore(other, lost), false);
  const refused = await other.start(line, small);
  assert.match(refused.stderr, /jq needs \d+ packages? .*, more than the limit of 0 B; allow it: /);
  assert.equal(isInStore(other, lost), false);
  await manage(other, ['resolve', '--fetch', program], small);
  await assertKept();
});

test('with all libraries there, the sidecar spares the search and asks no cache', async () => {
  putFile(maker, SIDECAR, sidecar);
  forget(maker);
  const server = await serveDirectory(exchange.directory);
  assertRan(await maker.start([maker.program, ...words], fetching([server.url], [])));
  assert.deepEqual(server.requests, []);
  await server.close();
});
