// Caches that are down, no substituters, or broken off; optional libraries; two programs at once → it starts all the same.
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { providerOf, substitutionBind } from '../../rig/binary-cache.ts';
import { hashOf, treeOf } from '../../rig/file-index.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { type Mishap, serveDirectory } from '../../rig/web-server.ts';
import { sampled } from '../../sample.ts';
import { compile } from '../compile.ts';
import { launcher } from '../tool.ts';
import {
  assertRan,
  exchangeForTests,
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
const { exchange, libraries, cache, bare } = await openFetching(rig);
const line = [bare.program, ...words];
const FETCHED = /jq: fetched .*libjq1.* \([\d.]+ [KM]iB\) from /;
const NOWHERE = 'http://127.0.0.1:9';

const withIndex = (substituters: readonly string[] = [cache.url]) =>
  withEnv(fetching(substituters, [cache.key.publicKey]), { NIX_RUN_FOREIGN_INDEX: cache.index });

beforeEach(async () => {
  await startOver(bare);
  for (const each of libraries) assert.equal(isInStore(bare, each), false, each);
});

test('without an index the error says how to get one', async () => {
  const refused = await bare.start(line, fetching([cache.url], [cache.key.publicKey]));
  assert.equal(refused.status, 126);
  assert.match(
    refused.stderr,
    /; or get a file index of nixpkgs, and what is missing is fetched by itself: /,
  );
  const off = withEnv(fetching([cache.url], []), { NIX_RUN_FOREIGN_INDEX: 'off' });
  assert.doesNotMatch((await bare.start(line, off)).stderr, /get a file index/);
});

test('explain tells what came from the index, and where else it has the name', async () => {
  assertRan(await bare.start(line, withIndex()), [FETCHED]);
  const text = await manage(bare, ['explain', bare.program], withIndex());
  assert.match(text, /^from the file index, not in the store before \d{4}-\d\d-\d\d:$/m);
  assert.match(text, /^ {2}libjq\.so\.1: libjq1\S+ \(libjq1\S+\); the index has it nowhere else$/m);
  const { fetched } = JSON.parse(await manage(bare, ['explain', '--json', bare.program], withIndex()));
  assert.deepEqual(
    fetched.map(({ name, storePath }: { name: string; storePath: string }) => [name, storePath]),
    [['libjq.so.1', libraries[0]]],
  );
  await manage(bare, ['forget', bare.program]);
  assert.equal(existsSync(path.join(bare.homeDir, '.local/state/nix-run-foreign/v1/fetched')), true);
  assert.deepEqual(readdirSync(path.join(bare.homeDir, '.local/state/nix-run-foreign/v1/fetched')), []);
});

test('explain tells why this one, where the index has several', async () => {
  const tree = treeOf({ 'opt/app/lib/libjq.so.1': 90_000 });
  const bundle = { hash: hashOf(77), name: 'some-app-9.0', tree };
  const index = writeIndex(exchange, 'several', [...cache.packages, bundle]);
  const settings = withEnv(withIndex(), { NIX_RUN_FOREIGN_INDEX: index });
  assertRan(await bare.start(line, settings), [FETCHED]);
  const text = await manage(bare, ['explain', bare.program], settings);
  const because = 'taken because it lies in lib itself; the index also has it in some-app-9.0';
  assert.ok(text.includes(because), text);
});

/** Sends half of an archive, and is gone. */
const dying: Mishap = (request, response) => {
  if (!request.url?.startsWith('/nar/')) return false;
  const bytes = readFileSync(path.join(cache.directory, request.url));
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
  return true;
};

test('a network that dies in the middle: a line of cause, one of remedy, and the next start has it', async () => {
  const server = await serveDirectory(cache.directory, dying);
  const refused = await bare.start(line, withIndex([server.url]));
  await server.close();
  assert.equal(refused.status, 126, refused.stderr);
  assert.match(refused.stderr, /it cannot be fetched: .*\n {2}try again with a network; /);
  const { stdout } = await bare.run({
    argv: ['nix-store', '--check-validity', '--print-invalid', libraries[0] ?? ''],
  });
  assert.equal(stdout.trim(), libraries[0], 'half a path is no path');
  assertRan(await bare.start(line, withIndex()), [FETCHED]);
});

test('one of several substituters is down', async () => {
  assertRan(await bare.start(line, withIndex([NOWHERE, cache.url])), [FETCHED]);
});

test('two programs that need the same libraries, at once', async () => {
  const other = path.join(path.dirname(bare.program), 'other');
  copyFileSync(path.join(bare.homeDir, 'apps/jq'), path.join(bare.homeDir, 'apps/other'));
  const starts = [bare.program, other].map((each) => bare.start([each, ...words], withIndex()));
  for (const { status, stdout, stderr } of await Promise.all(starts))
    assert.deepEqual([status, stdout], [0, '42\n'], stderr);
});

/** Never ends an archive. */
const stuck: Mishap = (request, response) => {
  if (!request.url?.startsWith('/nar/')) return false;
  const bytes = readFileSync(path.join(cache.directory, request.url));
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1));
  return true;
};

test('killed while it fetches: the next start begins again, and nothing is left', async () => {
  const server = await serveDirectory(cache.directory, stuck);
  const { env } = withIndex([server.url]);
  const { NIX_CONFIG } = withIndex().env ?? {};
  // Both in one process namespace: what a process of another left cannot be told from what one at work needs.
  const script = `timeout -s KILL 8 ${launcher} ${line.join(' ')}; NIX_CONFIG="$WORKING" exec ${launcher} ${line.join(' ')}`;
  const started = bare.run({ argv: [rig.bash, '-c', script], env: { ...env, WORKING: NIX_CONFIG } });
  const { status, stdout, stderr } = await started;
  await server.close();
  assert.deepEqual([status, stdout], [0, '42\n'], stderr);
  assert.match(stderr, /jq: fetched .*libjq1/);
  const left = path.join(bare.homeDir, '.local/state/nix-run-foreign/v1/fetching');
  assert.deepEqual(existsSync(left) ? readdirSync(left) : [], []);
});

const NOTED = `int main(void) {
  __asm__(".pushsection .note.dlopen,\\"a\\",@note\\n.balign 4\\n.long 4\\n.long 1f-0f\\n.long 0x407c0c0a\\n"
          ".asciz \\"FDO\\"\\n0:\\n.asciz \\"[{\\\\\\"soname\\\\\\":[\\\\\\"libjq.so.1\\\\\\"],\\\\\\"priority\\\\\\":\\\\\\"required\\\\\\"}]\\"\\n"
          "1:\\n.balign 4\\n.popsection");
  return 0;
}`;

test('a library that a note requires is fetched; one that is asked for by hand too', async () => {
  compile(path.join(bare.homeDir, 'apps/noted'), NOTED);
  const noted = path.join(homeInRoot, 'apps/noted');
  const without = await bare.start([noted], fetching([], []));
  assert.equal(without.status, 0, without.stderr);
  assert.match(without.stderr, /says that it requires libjq\.so\.1, and starts without/);
  const { status, stderr } = await bare.start(['--refresh', noted], withIndex());
  assert.equal(status, 0, stderr);
  assert.match(stderr, /noted: fetched libjq1/);

  await startOver(bare);
  compile(path.join(bare.homeDir, 'apps/plain'), 'int main(void) { return 0; }');
  const plain = path.join(homeInRoot, 'apps/plain');
  await manage(bare, ['choose', plain, '--add', 'libjq.so.1'], withIndex());
  assert.equal(isInStore(bare, libraries[0] ?? ''), true);
});

test('a cache that no substituter is: a user without rights copies from it, as it is an index', async () => {
  const user = await openMachine(rig, exchange, {
    uid: 1000,
    daemon: 'running',
    binds: [substitutionBind(exchange, 'user', { substituters: [], trustedKeys: [cache.key.publicKey] })],
  });
  for (const { bin, version } of sampled(rig.nixVersions, 3, 0)) {
    await startOver(user);
    const settings = { env: { PATH: bin } };
    assert.equal((await user.start([user.program, ...words], settings)).status, 126, version);
    await manage(user, ['index', 'build', '--from', cache.url], settings);
    assertRan(await user.start([user.program, ...words], settings), [FETCHED]);
    assertRan(await user.startHit([user.program, ...words]));
  }
});

/** Command lines of processes that copy, and those of them that have the password, as every user sees them. */
const copies: string[] = [];
const seen: string[] = [];

function lookAtProcesses(): void {
  for (const each of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const text = readFileSync(`/proc/${each}/cmdline`, 'latin1').replaceAll('\0', ' ');
      if (text.includes(' copy ')) copies.push(text);
      if (text.includes(' copy ') && /a%20b|a b@/.test(text)) seen.push(text);
    } catch {} // it ended
  }
}

/** Shows files to who knows the password only. */
const locked: Mishap = (request, response) => {
  if (request.url?.startsWith('/nar/')) lookAtProcesses();
  if (request.headers.authorization === `Basic ${Buffer.from('me:a b').toString('base64')}`) return false;
  response.writeHead(401).end();
  return true;
};

test('the same from a cache with a password, and one in a directory of an odd name; no secret is printed', async () => {
  const user = await openMachine(rig, exchange, {
    uid: 1000,
    daemon: 'running',
    binds: [substitutionBind(exchange, 'locked', { substituters: [], trustedKeys: [cache.key.publicKey] })],
  });
  const server = await serveDirectory(cache.directory, locked);
  const address = `${server.url.replace('://', '://me:a%20b@')}?priority=3`;
  cpSync(cache.directory, path.join(exchange.directory, 'the 1st ca%che?'), { recursive: true });
  const named = libraries.flatMap((each) => ['--root', each]);
  for (const { bin, version } of sampled(rig.nixVersions, 3, 1)) {
    const settings = { env: { PATH: bin } };
    await startOver(user);
    const built = await user.manage(['index', 'build', '--from', address, ...named], settings);
    assert.equal(built.status, 0, built.stderr);
    const started = await user.start([user.program, ...words], settings);
    assertRan(started, [FETCHED]);
    const said = [
      ...[built.stdout, built.stderr, started.stderr],
      await manage(user, ['index', 'status', '--json'], settings),
    ];
    assert.doesNotMatch(said.join(''), /me:|a%20b|priority/);
    assert.ok(copies.splice(0).length > 0, 'no process that copies was seen');
    assert.deepEqual(seen, [], version);
    const state = path.join(user.homeDir, '.local/state/nix-run-foreign/v1');
    const left = readdirSync(state, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      left.filter((each) => each.includes('netrc')),
      [],
    );
    // Nix 2.8 takes the signs of an address as they are.
    if (version.startsWith('2.8')) continue;
    await startOver(user);
    await manage(user, ['index', 'build', '--from', `${exchange.inRoot}/the 1st ca%che?`], settings);
    assertRan(await user.start([user.program, ...words], settings), [FETCHED]);
  }
  const file = path.join(user.homeDir, '.cache/nix-run-foreign');
  const catalogues = readdirSync(file, { recursive: true, encoding: 'utf8' }).filter((each) =>
    each.endsWith('.file-index.sqlite'),
  );
  assert.deepEqual(
    catalogues.map((each) => statSync(path.join(file, each)).mode & 0o777),
    [0o600],
  );
  await server.close();
});

test('the same from a cache whose key nobody trusts', async () => {
  const user = await openMachine(rig, exchange, {
    uid: 1000,
    daemon: 'running',
    binds: [substitutionBind(exchange, 'strict', { substituters: [], trustedKeys: [] })],
  });
  await startOver(user);
  await manage(user, ['index', 'build', '--from', cache.url]);
  const refused = await user.start([user.program, ...words]);
  assert.equal(refused.status, 126);
  assert.match(refused.stderr, /it cannot be fetched: .*(signature|trusted)/);
  assert.equal(isInStore(user, libraries[0] ?? ''), false);
});

const MUSL = 'ld-musl-x86_64.so.1';

test('a program for musl, and a store without it', async () => {
  const musl = providerOf(rig, 'bookworm', MUSL).path;
  const own = exchangeForTests();
  const other = await indexedCache(await openMachine(rig, own), own, [musl]);
  const machine = await openMachine(rig, own);
  await startOver(machine);
  assert.equal(isInStore(machine, musl), false);
  compile(
    path.join(machine.homeDir, 'libc.so'),
    'int puts(const char *s) { return 0; } void exit(int n) {}',
    [...['-shared', '-nostdlib', '-fPIC', '-fno-builtin', '-Wl,-soname,libc.musl-x86_64.so.1']],
  );
  compile(
    path.join(machine.homeDir, 'apps/alpine'),
    'int puts(const char *); _Noreturn void exit(int);\n__attribute__((force_align_arg_pointer)) void _start(void) { exit(puts("42") < 0); }',
    [
      ...['-nostdlib', '-fno-builtin', `-Wl,--dynamic-linker=/lib/${MUSL}`],
      path.join(machine.homeDir, 'libc.so'),
    ],
  );
  const program = path.join(homeInRoot, 'apps/alpine');
  const without = await machine.start([program]);
  assert.equal(without.status, 126);
  assert.match(without.stderr, / -A musl, /);
  const settings = withEnv(fetching([other.url], [other.key.publicKey]), {
    NIX_RUN_FOREIGN_INDEX: other.index,
  });
  assertRan(await machine.start([program], settings), [/alpine: fetched musl\S* /]);
  assertRan(await machine.startHit([program]));
});
