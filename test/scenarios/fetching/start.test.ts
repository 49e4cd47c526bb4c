// A store without the libraries of a program, an index and a binary cache → it starts: found, fetched, pinned.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { providerOf, substitutionBind } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { serveDirectory } from '../../rig/web-server.ts';
import { sampled } from '../../sample.ts';
import { launcher } from '../tool.ts';
import {
  assertRan,
  fetching,
  isInStore,
  type Machine,
  manage,
  openMachine,
  startOver,
  withEnv,
  words,
} from '../travelling/machines.ts';
import { openFetching, writeIndex } from './indexed-cache.ts';

const rig = await ensureRig('full');
const newest = providerOf(rig, 'sid', 'libc.so.6').path;
const { exchange, libraries, cache, bare } = await openFetching(rig, [newest]);
const NO_RESOLVER = { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/x' };
const line = (machine: Machine) => [machine.program, ...words];
const FETCHED = /jq: fetched .*libjq1.* \([\d.]+ [KM]iB\) from /;

const withIndex = (substituter = cache.url, bin = '', index = cache.index) =>
  withEnv(fetching([substituter], [cache.key.publicKey], bin), { NIX_RUN_FOREIGN_INDEX: index });

beforeEach(async () => {
  await startOver(bare);
  assertLacking(bare);
});

function assertLacking(machine: Machine): void {
  for (const each of libraries) assert.equal(isInStore(machine, each), false, `${each} is there already`);
}

function linksBelow(machine: Machine): string[] {
  const directory = path.join(machine.homeDir, '.local/state/nix-run-foreign/v1/fetching');
  return existsSync(directory) ? readdirSync(directory) : [];
}

async function assertKept(machine: Machine): Promise<void> {
  assert.deepEqual(linksBelow(machine), [], 'the links of the fetch are released');
  const { status, stderr } = await machine.run({ argv: ['nix-store', '--gc'] });
  assert.equal(status, 0, stderr);
  for (const each of libraries) assert.ok(isInStore(machine, each), `${each} was collected`);
  assertRan(await machine.start(line(machine), { env: NO_RESOLVER }));
}

for (const { version, bin } of sampled(rig.nixVersions, 3, 1))
  test(`Nix ${version}: fetched at the first start, silent at the second, kept by the collector`, async () => {
    assert.equal((await bare.bare(bare.program, words)).status, 127);
    const without = await bare.start(line(bare), fetching([cache.url], [cache.key.publicKey], bin));
    assert.equal(without.status, 126, without.stderr);
    assertLacking(bare);
    assertRan(await bare.start(line(bare), withIndex(cache.url, bin)), [FETCHED]);
    await assertKept(bare);
  });

test('from the web, by an index of version 1', async () => {
  const server = await serveDirectory(cache.directory);
  const index = writeIndex(exchange, 'files-1', cache.packages, 1);
  assertRan(await bare.start(line(bare), withIndex(server.url, '', index)), [/ from 127\.0\.0\.1:\d+$/]);
  const count = server.requests.length;
  assertRan(await bare.start(line(bare), withIndex(server.url, '', index)));
  assert.equal(server.requests.length, count, 'the second start asks nobody');
  await server.close();
  await assertKept(bare);
});

test('a user without rights, through a daemon', async () => {
  const settings = { substituters: [cache.url], trustedKeys: [cache.key.publicKey] };
  const user = await openMachine(rig, exchange, {
    uid: 1000,
    daemon: 'running',
    binds: [substitutionBind(exchange, 'user', settings)],
  });
  for (const { bin } of sampled(rig.nixVersions, 3, 2)) {
    await startOver(user);
    assertLacking(user);
    const env = { NIX_RUN_FOREIGN_INDEX: cache.index, PATH: bin };
    assertRan(await user.start(line(user), { env }), [FETCHED]);
    await assertKept(user);
  }
});

function said({ stderr }: Outcome): string[] {
  return stderr.split('\n').filter((each) => each !== '');
}

test('above the limit and without a terminal: one line, one remedy, and nothing comes', async () => {
  const small = withEnv(withIndex(), { NIX_RUN_FOREIGN_FETCH_LIMIT: '0' });
  const refused = await bare.start(line(bare), small);
  assert.equal(refused.status, 126);
  const lines = said(refused);
  assert.equal(lines.length, 2, refused.stderr);
  assert.match(
    lines[0] ?? '',
    /jq needs \d+ packages that are not in the store: .*, more than the limit of 0 B$/,
  );
  assert.match(
    lines[1] ?? '',
    /^ {2}allow it: nix-foreign resolve --fetch \S*jq, or fetch-limit in config\.toml$/,
  );
  assertLacking(bare);
  await manage(bare, ['resolve', '--fetch', bare.program], small);
  assertRan(await bare.start(line(bare), { env: NO_RESOLVER }));
});

test('fetching that is off tells where the libraries would be', async () => {
  const off = withEnv(withIndex(), { NIX_RUN_FOREIGN_FETCH: 'never' });
  const refused = await bare.start(line(bare), off);
  assert.match(refused.stderr, /the file index has libjq\.so\.1 in libjq1\S*; .*fetching is off/);
  assert.match(refused.stderr, /allow it once: nix-foreign resolve --fetch /);
  assertLacking(bare);
  assert.equal((await bare.manage(['resolve', '--no-fetch', bare.program], withIndex())).status, 126);
  assertLacking(bare);
});

test('an index that names what no cache has, and one without the names', async () => {
  const gone = cache.packages.map((each) => ({ ...each, hash: each.hash.replace(/^./, 'z') }));
  const refused = await bare.start(line(bare), withIndex(cache.url, '', writeIndex(exchange, 'gone', gone)));
  assert.match(refused.stderr, /the file index names \S*libjq1\S*.* which no substituter has/);
  const others = cache.packages.filter(({ name }) => !/jq|onig/.test(name));
  const absent = await bare.start(line(bare), withIndex(cache.url, '', writeIndex(exchange, 'less', others)));
  assert.match(absent.stderr, /the file index has no libjq\.so\.1/);
  assertLacking(bare);
});

test('a signature that nobody trusts', async () => {
  const strangers = withEnv(fetching([cache.url], []), { NIX_RUN_FOREIGN_INDEX: cache.index });
  const refused = await bare.start(line(bare), strangers);
  assert.equal(refused.status, 126);
  assert.match(refused.stderr, /it cannot be fetched: .*(signature|trusted)/);
  assertLacking(bare);
});

test('two starts at once fetch it, and both run', async () => {
  const both = await Promise.all([bare.start(line(bare), withIndex()), bare.start(line(bare), withIndex())]);
  for (const { status, stdout, stderr } of both) assert.deepEqual([status, stdout], [0, '42\n'], stderr);
  await assertKept(bare);
});

test('a miss whose libraries are all in the store opens no index', async () => {
  await manage(bare, ['resolve', bare.program], withIndex());
  rmSync(path.join(bare.homeDir, '.cache'), { recursive: true });
  const broken = withEnv(withIndex(), { NIX_RUN_FOREIGN_INDEX: '/nowhere/index' });
  assertRan(await bare.start(['--refresh', ...line(bare)], broken));
});

test('nor is one looked for: no system call names it, or the catalogue of indexes', async () => {
  await manage(bare, ['resolve', bare.program], withIndex());
  rmSync(path.join(bare.homeDir, '.cache'), { recursive: true });
  const log = path.join(exchange.directory, 'strace');
  const trace = ['-f', '-qq', '-e', 'trace=%file', '-o', log];
  const start = bare.wordsOf({
    argv: [launcher, '--refresh', ...line(bare)],
    env: { ...withIndex().env },
  });
  const [file = '', ...rest] = ['strace', ...trace, ...start.words];
  const { status, stderr } = spawnSync(file, rest, { env: { ...start.env, PATH: process.env['PATH'] } });
  assert.equal(status, 0, String(stderr));
  const calls = readFileSync(log, 'utf8');
  assert.match(calls, /nix-foreign\.cjs|catalogue/, 'the resolver was traced');
  assert.doesNotMatch(calls, /file-index|\/exchange\/files|nix-index|nix-locate/);
});
