// A store that lacks libraries, a signed cache, and an index made from its listings → fetched and rooted, by every Nix.
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { FetchedAbsent } from '../../src/index/fetch-absent.ts';
import {
  emptyStore,
  makeKeyPair,
  openExchange,
  providerOf,
  substitutionBind,
  substitutionLines,
} from '../rig/binary-cache.ts';
import { databaseOf, type IndexedPackage, type Tree } from '../rig/file-index.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, openRoot, type Root } from '../rig/root.ts';
import { serveDirectory } from '../rig/web-server.ts';
import { sampled } from '../sample.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const PROGRAM = path.join(import.meta.dirname, 'programs/fetch-absent.ts');
const rig = await ensureRig('full');
const exchange = openExchange();
after(() => exchange.close());
const SONAMES = ['libX11.so.6', 'libXext.so.6', 'libxcb.so.1'];
const providers = SONAMES.map((name) => providerOf(rig, 'bookworm', name).path);
/** What none of them needs. */
const spare = providerOf(rig, 'bookworm', 'libonig.so.5').path;
const first = await openRoot(rig, { binds: [exchange.bind] });
const key = await makeKeyPair(first, exchange, 'right-1');
const url = `file://${exchange.inRoot}/cache?compression=none&write-nar-listing=true&secret-key=${key.secretFile}`;
const copied = await first.run({
  argv: ['nix', '--extra-experimental-features', 'nix-command', 'copy', '--to', url, ...providers, spare],
});
assert.equal(copied.status, 0, copied.stderr);
await first.close();
const cache = path.join(exchange.directory, 'cache');

type Listed = {
  type: string;
  size?: number;
  executable?: boolean;
  target?: string;
  entries?: Record<string, Listed>;
};

function treeOfListing({ type, size = 0, executable = false, target = '', entries = {} }: Listed): Tree {
  if (type === 'symlink') return { kind: 'link', target };
  if (type === 'regular') return { kind: 'file', size, executable };
  return {
    kind: 'directory',
    entries: Object.fromEntries(Object.entries(entries).map(([name, each]) => [name, treeOfListing(each)])),
  };
}

/** As nix-index makes one of a cache. */
function packagesOf(directory: string): IndexedPackage[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.narinfo'))
    .map((name) => {
      const hash = name.slice(0, 32);
      const storePath =
        /^StorePath: (.*)$/m.exec(readFileSync(path.join(directory, name), 'utf8'))?.[1] ?? '';
      const listing = JSON.parse(readFileSync(path.join(directory, `${hash}.ls`), 'utf8')) as {
        root: Listed;
      };
      return { hash, name: path.basename(storePath).slice(33), tree: treeOfListing(listing.root) };
    });
}

/** A newer libX11 that no cache has: an index may be older or newer than a cache. */
const x11 = packagesOf(cache).find(({ name }) => name.startsWith('libx11-6')) ?? assert.fail('no libx11');
const gone: IndexedPackage = { ...x11, hash: 'z'.repeat(32), name: 'libx11-6-99.0' };
const index = path.join(exchange.directory, 'files');
const packages = [...packagesOf(cache), gone];
writeFileSync(index, databaseOf(packages, 2));

const link = `${homeInRoot}/links/fetched`;
const bare = await openRoot(rig, { binds: [exchange.bind, { from: PROJECT, mode: 'read-only' }] });
after(() => bare.close());

interface Answer {
  readonly result: FetchedAbsent;
  readonly stderr: string;
}

async function fetchIn(
  root: Root,
  env: Readonly<Record<string, string>>,
  limit = 100 << 20,
  names = SONAMES,
): Promise<Answer> {
  rmSync(path.join(root.homeDir, 'links'), { recursive: true, force: true });
  await emptyStore(root);
  for (const each of providers) assert.equal(isThere(root, each), false, `${each} is there before`);
  const words = [`${homeInRoot}/side.sqlite`, `${exchange.inRoot}/files`, link, String(limit), ...names];
  const argv: [string, ...string[]] = [rig.node, '--disable-warning=ExperimentalWarning', PROGRAM, ...words];
  const { status, stdout, stderr } = await root.run({ argv, env });
  assert.equal(status, 0, stderr);
  return { result: JSON.parse(stdout) as FetchedAbsent, stderr };
}

function isThere(root: Root, storePath: string): boolean {
  return existsSync(path.join(root.nixDir, path.relative('/nix', storePath)));
}

function settings(substituter: string, bin: string): Record<string, string> {
  return {
    NIX_CONFIG: substitutionLines({ substituters: [substituter], trustedKeys: [key.publicKey] }),
    PATH: bin,
  };
}

async function assertFetched(root: Root, { result, stderr }: Answer, version: string): Promise<void> {
  assert.ok(result.kind === 'fetched', `${version}: ${JSON.stringify(result)}`);
  assert.deepEqual(
    result.plan.chosen.map(({ candidate }) => candidate.storePath),
    providers,
    version,
  );
  assert.deepEqual(result.plan.unavailable, [`/nix/store/${gone.hash}-${gone.name}`], version);
  assert.match(stderr, /^tool: fetched .*libx11-6.* \([\d.]+ MiB\) from /m);
  await emptyStore(root);
  for (const each of providers) assert.ok(isThere(root, each), `${version}: the collector took ${each}`);
}

for (const { version, bin } of sampled(rig.nixVersions, 3, 2)) {
  test(`Nix ${version}: three names, one index, a file cache and one on the web`, async () => {
    await assertFetched(bare, await fetchIn(bare, settings(`file://${exchange.inRoot}/cache`, bin)), version);
    const server = await serveDirectory(cache);
    await assertFetched(bare, await fetchIn(bare, settings(server.url, bin)), version);
    await server.close();
  });
}

test('an ordinary user, through a daemon', async () => {
  const substitution = { substituters: [`file://${exchange.inRoot}/cache`], trustedKeys: [key.publicKey] };
  const configuration = substitutionBind(exchange, 'nix', substitution);
  const binds = [exchange.bind, { from: PROJECT, mode: 'read-only' } as const, configuration];
  const root = await openRoot(rig, { uid: 1000, daemon: 'running', binds });
  after(() => root.close());
  for (const { version, bin } of sampled(rig.nixVersions, 3, 0))
    await assertFetched(root, await fetchIn(root, { PATH: bin }), version);
});

test('above the limit and without a terminal nothing comes, and the line says what to do', async () => {
  const { result } = await fetchIn(bare, settings(`file://${exchange.inRoot}/cache`, rig.nixBin), 1000);
  assert.ok(result.kind === 'refused', JSON.stringify(result));
  assert.match(
    result.why,
    /^tool needs \d+ packages that are not in the store: [\d.]+ MiB to download, [\d.]+ MiB unpacked, more than the limit of 1000 B$/,
  );
  assert.match(result.remedy, /--fetch tool/);
  for (const each of providers) assert.equal(isThere(bare, each), false);
});

test('a cache that says of no file how large it is sent, as nix-serve: the unpacked size counts', async () => {
  const silent = path.join(exchange.directory, 'sizeless');
  cpSync(cache, silent, { recursive: true });
  for (const name of readdirSync(silent).filter((each) => each.endsWith('.narinfo'))) {
    const file = path.join(silent, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^FileSize: .*\n/m, ''));
  }
  const { result } = await fetchIn(
    bare,
    settings(`file://${silent.replace(exchange.directory, exchange.inRoot)}`, rig.nixBin),
    1000,
  );
  assert.ok(result.kind === 'refused', JSON.stringify(result));
  assert.match(result.why, /: ([\d.]+ MiB) to download, \1 unpacked, more than the limit of 1000 B$/);
  for (const each of providers) assert.equal(isThere(bare, each), false);
});

test('a file of the cache is gone though it is promised: the rest is not lost, the reason is told', async () => {
  const broken = path.join(exchange.directory, 'broken');
  cpSync(cache, broken, { recursive: true });
  const narinfo = readFileSync(
    path.join(broken, `${path.basename(providers[1] ?? '').slice(0, 32)}.narinfo`),
    'utf8',
  );
  rmSync(path.join(broken, /^URL: (.*)$/m.exec(narinfo)?.[1] ?? ''));
  const env = settings(`file://${exchange.inRoot}/broken`, rig.nixBin);
  const { result } = await fetchIn(bare, env);
  assert.ok(result.kind === 'fetched', JSON.stringify(result));
  assert.deepEqual(
    result.plan.chosen.map(({ name }) => name),
    ['libX11.so.6', 'libxcb.so.1'],
  );
  assert.deepEqual(
    result.plan.absent.map(({ name, dropped }) => [name, dropped]),
    [['libXext.so.6', { unavailable: 1 }]],
  );
  const alone = await fetchIn(bare, env, 100 << 20, ['libXext.so.6']);
  assert.ok(alone.result.kind === 'failed', JSON.stringify(alone.result));
  assert.match(alone.result.why, /does not exist in binary cache/);
});

function narInfoOf(storePath: string): string {
  return readFileSync(path.join(cache, `${path.basename(storePath).slice(0, 32)}.narinfo`), 'utf8');
}

function narFileOf(storePath: string): string {
  return /^URL: (.*)$/m.exec(narInfoOf(storePath))?.[1] ?? '';
}

/** Bytes, as sent. */
function sizeOf(storePath: string): number {
  return Number(/^FileSize: (\d+)$/m.exec(narInfoOf(storePath))?.[1]);
}

test('what an attempt brought counts for the limit, though it lacked something', async () => {
  const broken = path.join(exchange.directory, 'broken');
  const [, wanted = ''] = providers;
  const isWanted = ({ hash }: IndexedPackage) => path.basename(wanted).startsWith(hash);
  const tree = packages.find(isWanted)?.tree ?? assert.fail('not in the index');
  const decoys = packages.filter(({ hash }) => path.basename(spare).startsWith(hash));
  writeFileSync(index, databaseOf([...packages, ...decoys.map((each) => ({ ...each, tree }))], 2));
  after(() => writeFileSync(index, databaseOf(packages, 2)));
  const env = settings(`file://${exchange.inRoot}/broken`, rig.nixBin);
  assert.ok(existsSync(broken), 'made by the test before');
  const seen = await fetchIn(bare, env, 0, ['libXext.so.6']);
  assert.ok(seen.result.kind === 'refused' && seen.result.spent === 0, JSON.stringify(seen.result));
  assert.deepEqual(seen.result.plan.paths, [wanted]);
  const { download } = seen.result.plan.preview;
  const { result } = await fetchIn(bare, env, download, ['libXext.so.6']);
  assert.ok(result.kind === 'refused', JSON.stringify(result));
  assert.deepEqual(result.plan.paths, [spare]);
  const near = (bytes: number) => Math.abs(result.spent - bytes) < 20_000; // Nix rounds
  assert.ok(near(download - sizeOf(wanted)), `${result.spent} of ${download}, all but ${sizeOf(wanted)}`);
  const all = await fetchIn(bare, env, 100 << 20, ['libXext.so.6']);
  assert.ok(all.result.kind === 'fetched', JSON.stringify(all.result));
  assert.equal(all.result.spent, result.spent + all.result.plan.preview.download);

  const hollow = path.join(exchange.directory, 'hollow');
  cpSync(cache, hollow, { recursive: true });
  const kept = path.basename(narFileOf(spare));
  for (const nar of readdirSync(path.join(hollow, 'nar')))
    if (nar !== kept) rmSync(path.join(hollow, 'nar', nar));
  const none = await fetchIn(bare, settings(`file://${exchange.inRoot}/hollow`, rig.nixBin), download, [
    'libXext.so.6',
  ]);
  assert.ok(none.result.kind === 'fetched', JSON.stringify(none.result));
  assert.deepEqual(none.result.plan.paths, [spare]);
  assert.equal(none.result.spent, none.result.plan.preview.download, 'nothing came of the first');

  const trusting = substitutionLines({ substituters: [], trustedKeys: [key.publicKey] });
  const copying = async (name: string) => {
    const copyFrom = { NIX_CONFIG: trusting, PATH: rig.nixBin, COPY_FROM: `${exchange.inRoot}/${name}` };
    const { result: done } = await fetchIn(bare, copyFrom, 100 << 20, ['libXext.so.6']);
    rmSync(path.join(bare.homeDir, 'side.sqlite'));
    assert.ok(done.kind === 'fetched', JSON.stringify(done));
    assert.deepEqual(done.plan.paths, [spare]);
    return done.spent;
  };
  assert.equal(await copying('hollow'), sizeOf(spare), 'nothing was copied of the first');
  const copied = await copying('broken');
  assert.ok(Math.abs(copied - sizeOf(spare) - result.spent) < 20_000, `${copied} after ${result.spent}`);
});

test('nobody answers, nobody is trusted', async () => {
  for (const { bin, version } of sampled(rig.nixVersions, 3, 1)) {
    const { result } = await fetchIn(bare, settings('http://127.0.0.1:9', bin));
    const why = result.kind === 'failed' ? result.why : JSON.stringify(result);
    assert.match(why, /^127\.0\.0\.1:9 cannot be reached: Could(n't| not) connect to server$/, version);
  }
  const { publicKey } = { publicKey: `other-1:${Buffer.alloc(32, 7).toString('base64')}` };
  const text = substitutionLines({
    substituters: [`file://${exchange.inRoot}/cache`],
    trustedKeys: [publicKey],
  });
  const { result } = await fetchIn(bare, { NIX_CONFIG: text, PATH: rig.nixBin });
  assert.ok(result.kind === 'failed' || result.kind === 'nothing', JSON.stringify(result));
  for (const each of providers) assert.equal(isThere(bare, each), false, 'something unsigned came');
});
