// A user without rights to the store: missing libraries come through the daemon, are pinned, and survive a collection.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, lstatSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { emptyStore, substitutionBind } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { rootLinks } from '../saved-state.ts';
import {
  assertRan,
  configure,
  exchangeForTests,
  isInStore,
  manage,
  openMachine,
  originOf,
  putFile,
  SIDECAR,
  startOver,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const maker = await openMachine(rig, exchange, { uid: 1000, daemon: 'running' });
const { cache, cacheKey, key, libraries, sidecar, source } = await publishJq(maker, exchange);
const settings = { substituters: [cache], trustedKeys: [cacheKey.publicKey] };
const user = await openMachine(rig, exchange, {
  uid: 1000,
  daemon: 'running',
  binds: [substitutionBind(exchange, 'user', settings)],
});
const line = [user.program, ...words];
const NO_RESOLVER = { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/x' };
const WIPED = { HOME: undefined, USER: undefined, PATH: undefined };

beforeEach(async () => {
  rmSync(path.join(user.homeDir, SIDECAR), { force: true });
  configure(user, '');
  await startOver(user);
  for (const each of libraries) assert.equal(isInStore(user, each), false, `${each} is there already`);
});

async function assertKept(): Promise<void> {
  const links = rootLinks(user);
  assert.equal(links.length, 1);
  assert.equal(lstatSync(links[0] ?? '').uid, 1000);
  await emptyStore(user);
  for (const each of libraries) assert.ok(isInStore(user, each), `${each} was collected`);
  assertRan(await user.start(line, { env: NO_RESOLVER }));
  assertRan(await user.start(line, { env: { ...WIPED, ...NO_RESOLVER } }));
}

for (const { version, bin } of sampled(rig.nixVersions, 3, 0)) {
  test(`Nix ${version}: by a sidecar`, async () => {
    assert.equal((await user.bare(user.program, words)).status, 127);
    putFile(user, SIDECAR, sidecar);
    assertRan(await user.start(line, { env: { PATH: bin } }));
    await assertKept();
  });
}

test('by a source', async () => {
  configure(user, `sources = ["${source}"]\ntrusted-fingerprint-keys = ["${key.publicKey}"]\n`);
  assertRan(await user.start(line));
  assert.match(await originOf(user), /signed by fingerprints-1$/);
  await assertKept();
});

test('with nothing in the environment at all', async () => {
  putFile(user, SIDECAR, sidecar);
  assertRan(await user.start(line, { env: WIPED }));
  await assertKept();
});

test('a program that cannot be read or looked at now keeps its root', async () => {
  putFile(user, SIDECAR, sidecar);
  assertRan(await user.start(line));
  const apps = path.join(user.homeDir, 'apps');
  const file = path.join(apps, 'jq');
  const nothing = 'nothing to prune\n';
  try {
    chownSync(file, 0, 0);
    chmodSync(file, 0o700);
    assert.equal(await manage(user, ['prune']), nothing);
    chownSync(apps, 0, 0);
    chmodSync(apps, 0o700);
    assert.equal(await manage(user, ['prune']), nothing);
  } finally {
    for (const each of [apps, file]) {
      chmodSync(each, 0o755);
      chownSync(each, 1000, 1000);
    }
  }
  assert.equal(rootLinks(user).length, 1);
});

test('without the daemon roots tells all but the sizes', async () => {
  const away = { env: { NIX_REMOTE: 'unix:///nowhere/socket' } };
  assert.match(await manage(user, ['roots'], away), /^nothing is pinned/);
  putFile(user, SIDECAR, sidecar);
  assertRan(await user.start(line));
  const table = await manage(user, ['roots'], away);
  assert.match(table, /^closure .*\n {6}\? {2} {8}\? {2}\d{4}-\d\d-\d\d {2}\S+\/apps\/jq\n$/);
  const { roots } = JSON.parse(await manage(user, ['roots', '--json'], away)) as { roots: object[] };
  assert.partialDeepStrictEqual(roots, [{ program: user.program, closure: null, onlyThis: null }]);
});

test('pruned, they go with the next collection', async () => {
  putFile(user, SIDECAR, sidecar);
  assertRan(await user.start(line));
  const { stdout } = await user.manage(['roots', '--json'], {});
  const { roots, onlyOurs } = JSON.parse(stdout) as { roots: { program: string }[]; onlyOurs: number };
  assert.equal(roots[0]?.program, user.program);
  assert.ok(onlyOurs > 0);
  await user.run({ argv: [rig.node, '-e', `fs.rmSync('${user.program}')`] });
  assert.equal(await manage(user, ['prune']), `pruned ${user.program}: the program is gone\n`);
  await emptyStore(user);
  for (const each of libraries) assert.equal(isInStore(user, each), false);
});
