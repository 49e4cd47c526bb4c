// An index, a cache and an empty store → what the commands say of them, and what an index that was handed on is worth.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { providerOf } from '../../rig/binary-cache.ts';
import { hashOf, treeOf } from '../../rig/file-index.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import {
  assertRan,
  configure,
  fetching,
  isInStore,
  manage,
  openMachine,
  startOver,
  withEnv,
  words,
} from '../travelling/machines.ts';
import { indexedCache, openFetching, writeIndex } from './indexed-cache.ts';

const rig = await ensureRig('full');
const { exchange, maker, libraries: jq, cache, bare } = await openFetching(rig);
const plain = fetching([cache.url], [cache.key.publicKey]);
const ofBookworm = cache.packages.filter(({ hash }) => jq.some((each) => each.includes(hash)));
const only = withEnv(plain, { NIX_RUN_FOREIGN_INDEX: writeIndex(exchange, 'bookworm', ofBookworm) });

beforeEach(async () => {
  configure(bare, '');
  await startOver(bare);
  for (const each of jq) assert.equal(isInStore(bare, each), false, each);
});

test('a dry run tells what would be fetched and how large it is, and changes nothing', async () => {
  const text = await manage(bare, ['resolve', '--dry-run', bare.program], only);
  assert.match(text, /^to be fetched:$/m);
  assert.match(text, /^ {2}libjq\.so\.1 +libjq1-\S+$/m);
  assert.match(text, /^\d packages?.*: [\d.]+ [KM]iB to download, [\d.]+ [KM]iB unpacked$/m);
  const json = JSON.parse(await manage(bare, ['resolve', '--dry-run', '--json', bare.program], only));
  assert.deepEqual(
    json.fetch.paths,
    [...jq].sort().filter((each) => json.fetch.paths.includes(each)),
  );
  assert.ok(json.fetch.download > 0);
  for (const each of jq) assert.equal(isInStore(bare, each), false, each);
  assert.deepEqual(JSON.parse(await manage(bare, ['list', '--json'])), []);
});

test('a dry run tells that fetching is off only where an index has what is lacking', async () => {
  const never = (settings: typeof plain, index?: string) =>
    withEnv(settings, {
      NIX_RUN_FOREIGN_FETCH: 'never',
      ...(index === undefined ? {} : { NIX_RUN_FOREIGN_INDEX: index }),
    });
  const dryRun = ['resolve', '--dry-run', bare.program];
  const OFF = /^fetching is off; allow it once: nix-foreign resolve --fetch \S+jq$/m;
  assert.match(await manage(bare, dryRun, never(only)), OFF);
  assert.doesNotMatch(await manage(bare, dryRun, never(only, 'off')), OFF);
  const other = writeIndex(exchange, 'other', [
    { hash: hashOf(78), name: 'none-1', tree: treeOf({ 'lib/libx.so': 9 }) },
  ]);
  await startOver(bare);
  assert.doesNotMatch(await manage(bare, dryRun, never(plain, other)), OFF);
});

test('status tells what there is and what was read; find tells which package has a name', async () => {
  const none = await manage(bare, ['index', 'status'], plain);
  assert.match(none, /no file index was found; get one with nix-index/);
  assert.match(
    await manage(bare, ['index', 'build'], only),
    /\/exchange\/bookworm: a database of nix-index, read /,
  );
  assert.match(
    await manage(bare, ['index', 'status'], only),
    /^found \(setting\): \/exchange\/bookworm, 0 days old$/m,
  );
  const [best = ''] = (await manage(bare, ['index', 'find', 'libjq.so.1'], only)).split('\n');
  assert.ok(best.startsWith(`${jq[0]}/lib/libjq.so.1`), best);
  const dropped = await bare.manage(['index', 'find', 'libssl.so.1.1'], only);
  assert.equal(dropped.status, 1);
  assert.match(dropped.stdout, /^no index has libssl\.so\.1\.1$/m);
  assert.match(dropped.stdout, /nixpkgs marked insecure in 2023/);
});

test('an index made of a binary cache serves, and goes on as one signed file', async () => {
  await manage(bare, ['index', 'build', '--from', cache.url], plain);
  const out = `${exchange.inRoot}/shared.index`;
  await manage(bare, ['index', 'export', out, '--key', cache.key.secretFile], plain);
  assertRan(await bare.start([bare.program, ...words], plain), [/fetched /]);
  mkdirSync(path.join(bare.homeDir, 'indexes/kept'), { recursive: true });
  const astray = await bare.manage(['index', 'export', `${homeInRoot}/indexes`], plain);
  assert.equal(astray.status, 125);
  assert.match(astray.stderr, /indexes: it cannot be written: .*\n {2}name a file that can be written\n$/);
  assert.ok(existsSync(path.join(bare.homeDir, 'indexes/kept')), 'a directory stays, with all that is in it');

  await startOver(bare);
  const derived = withEnv(plain, { NIX_RUN_FOREIGN_INDEX: out });
  const untrusted = await bare.start([bare.program, ...words], derived);
  assert.match(untrusted.stderr, /shared\.index is not used: .*no trusted key has that name/);
  configure(bare, `trusted-fingerprint-keys = ["${cache.key.publicKey}"]\n`);
  await startOver(bare);
  assertRan(await bare.start([bare.program, ...words], derived), [/fetched /]);
});

test('files of a cache that cannot be read are told of, with the setting that makes them so', async () => {
  const packed = path.join(exchange.directory, 'packed');
  cpSync(cache.directory, packed, { recursive: true });
  const xz = Buffer.from('fd377a585a000004', 'hex');
  const [one, two] = cache.packages;
  writeFileSync(path.join(packed, `${one?.hash}.narinfo`), xz);
  writeFileSync(path.join(packed, `${two?.hash}.ls`), xz);
  const { status, stderr } = await bare.manage(
    ['index', 'build', '--from', `${exchange.inRoot}/packed`],
    plain,
  );
  assert.equal(status, 0, stderr);
  assert.match(stderr, /1 narinfos are packed in a way .*, or damaged: fill .* narinfo-compression=zstd,/);
  assert.match(stderr, /1 listings are packed in a way .*, or damaged: fill .* ls-compression=zstd,/);
});

test('what was read of a cache is forgotten with its address, and the rest stays', async () => {
  await manage(bare, ['index', 'build'], only);
  await manage(bare, ['index', 'build', '--from', cache.url], plain);
  const read = async () => JSON.parse(await manage(bare, ['index', 'status', '--json'], only)).sources;
  const keys = async () => (await read()).map(({ key }: { key: string }) => key).sort();
  assert.deepEqual(await keys(), ['/exchange/bookworm', cache.url].sort());
  assert.equal(await manage(bare, ['index', 'forget', cache.url], plain), `forgotten: ${cache.url}\n`);
  assert.deepEqual(await keys(), ['/exchange/bookworm']);
  const again = await bare.manage(['index', 'forget', cache.url], plain);
  assert.deepEqual([again.status, again.stdout], [125, '']);
  assert.match(
    again.stderr,
    /: nothing was read of it\n {2}see what was read with: nix-foreign index status\n$/,
  );
  const file = await bare.manage(['index', 'forget', '/exchange/bookworm'], only);
  assert.deepEqual([file.status, file.stdout], [0, 'forgotten: /exchange/bookworm\n']);
  assert.match(file.stderr, /bookworm is still one of the indexes of this machine/);
});

test('a pin of what is not in the store is fetched, by the settings; without a cache it says so', async () => {
  const pin = ['choose', bare.program, '--pin', `libjq.so.1=${jq[0]}/lib/libjq.so.1`];
  const nowhere = await bare.manage(pin, fetching([], []));
  assert.equal(nowhere.status, 125);
  assert.match(nowhere.stderr, /libjq1-\S+ is not in the store, and no substituter has it\n/);
  const off = await bare.manage(pin, withEnv(plain, { NIX_RUN_FOREIGN_FETCH: 'never' }));
  const [, remedy = ''] = /fetching is off\n {2}allow it once: (.*)\n/.exec(off.stderr) ?? [];
  assert.equal(isInStore(bare, jq[0] ?? ''), false);
  const allowed = await bare.run({ argv: [rig.bash, '-c', remedy], ...plain });
  assert.equal(allowed.status, 0, `${remedy}: ${allowed.stderr}`);
  await manage(bare, pin, withEnv(plain, { NIX_RUN_FOREIGN_FETCH: 'never' }));
  await startOver(bare);
  const { status, stdout, stderr } = await bare.manage(pin, plain);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /jq: fetched libjq1-\S+ \([\d.]+ KiB\)$/m);
  assert.match(stdout, /pin/);
  await bare.run({ argv: ['nix-store', '--gc'] });
  assertRan(await bare.start([bare.program, ...words], { env: { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/x' } }));
  await manage(bare, ['choose', bare.program, '--reset'], plain);
});

test('a damaged index is told of, and the start goes on without it', async () => {
  const file = path.join(exchange.directory, 'damaged');
  writeFileSync(file, Buffer.from('NIXI\u0001\0\0\0\0\0\0\0nothing'));
  const { status, stderr } = await bare.start(
    [bare.program, ...words],
    withEnv(plain, { NIX_RUN_FOREIGN_INDEX: `${exchange.inRoot}/damaged` }),
  );
  rmSync(file);
  assert.equal(status, 126);
  assert.match(stderr, /damaged is damaged \(.*\); get it again\n/);
  assert.match(stderr, /jq needs libjq\.so\.1; the store has no library of that name/);
});

test('what lies beside the program is named by start and dry run, whatever the index says of the name', async () => {
  const source = 'int ssl_answer(void) { return 42; }';
  const beside = compileLibrary(path.join(bare.homeDir, 'tree/lib/libssl.so.1.1'), 'libssl.so.1.1', source);
  const calls = '#include <stdio.h>\nint ssl_answer(void); int main(void) { printf("%d\\n", ssl_answer()); }';
  compile(path.join(bare.homeDir, 'tree/bin/app'), calls, [beside]);
  const program = `${homeInRoot}/tree/bin/app`;
  const refused = await bare.start([program], only);
  assert.equal(refused.status, 126, refused.stderr);
  const [cause = '', remedy = ''] = refused.stderr.split('\n');
  assert.match(cause, /nixpkgs marked insecure in 2023/);
  const line = `nix-foreign choose ${program} --add libssl.so.1.1=${homeInRoot}/tree/lib/libssl.so.1.1`;
  assert.equal(remedy, `  it lies beside the program, take it with: ${line}`);
  const text = await manage(bare, ['resolve', '--dry-run', program], only);
  assert.ok(text.includes(`${remedy}\n`), text);
  assert.match(text, / and dropped in 2026$/m, 'without a remedy of its own');
  await manage(bare, line.split(' ').slice(1), only);
  assertRan(await bare.start([program], only));
});

const NEEDS_257 = `extern int sd_varlink_get_fd(void *);
int main(int count, char **words) { return count > 9 ? sd_varlink_get_fd(words) : 0; }`;

test('a version that nothing in the store defines comes with a newer build', async () => {
  const systemd = (suite: string) => providerOf(rig, suite, 'libsystemd.so.0').path;
  const newer = await indexedCache(maker, exchange, [systemd('bookworm'), systemd('sid')]);
  const aged = await openMachine(rig, exchange);
  const script = path.join(exchange.directory, 'libsystemd.map');
  writeFileSync(script, 'LIBSYSTEMD_257 { global: sd_varlink_get_fd; local: *; };');
  const stub = path.join(exchange.directory, 'libsystemd.so');
  const exported = 'int sd_varlink_get_fd(void *it) { return it == 0; }';
  compileLibrary(stub, 'libsystemd.so.0', exported, [`-Wl,--version-script=${script}`]);
  compile(path.join(aged.homeDir, 'apps/varlink'), NEEDS_257, [stub, '-Wl,-z,now']);
  await startOver(aged, [systemd('bookworm')]);
  assert.equal(isInStore(aged, systemd('bookworm')), true);
  assert.equal(isInStore(aged, systemd('sid')), false);

  const program = path.join(path.dirname(aged.program), 'varlink');
  const without = await aged.start([program], plain);
  assert.match(
    without.stderr,
    /varlink needs libsystemd\.so\.0 \(LIBSYSTEMD_257\); the store has libsystemd\.so\.0 only/,
  );
  const { status, stderr } = await aged.start(
    [program],
    withEnv(fetching([newer.url], [newer.key.publicKey]), { NIX_RUN_FOREIGN_INDEX: newer.index }),
  );
  assert.equal(status, 0, stderr);
  assert.match(stderr, /fetched libsystemd0-262\S* /);
});
