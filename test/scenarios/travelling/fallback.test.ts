// A cache that cannot be used: one line says why, the program starts with what the store has; with strict it does not.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { fillCache, providerOf } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { type Mishap, serveDirectory } from '../../rig/web-server.ts';
import { assertRefused } from '../expect-failure.ts';
import { launcher, type Settings } from '../tool.ts';
import {
  assertRan,
  configure,
  exchangeForTests,
  fetching,
  openMachine,
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
const { cacheKey, cache, libraries, sidecar, key } = await publishJq(maker, exchange);
const unsigned = await fillCache(maker, exchange, 'unsigned', libraries);

/** A copy of the cache that lacks the second half of one library. */
function truncated(): string {
  const [from, to] = ['cache', 'short'].map((name) => path.join(exchange.directory, name)) as [
    string,
    string,
  ];
  cpSync(from, to, { recursive: true });
  const narinfo = `${path.basename(libraries[0] ?? '').slice(0, 32)}.narinfo`;
  const nar = path.join(to, /^URL: (.*)$/m.exec(readFileSync(path.join(to, narinfo), 'utf8'))?.[1] ?? '');
  const bytes = readFileSync(nar);
  writeFileSync(nar, bytes.subarray(0, bytes.length >> 1));
  return `file://${exchange.inRoot}/short`;
}

/** The libraries of another release: jq of this one starts with them as well. */
const substitutes = ['libjq.so.1', 'libonig.so.5'].map((soname) => providerOf(rig, 'trixie', soname).path);

const other = await openMachine(rig, exchange);
const line = [other.program, ...words];

async function refuse(settings: Settings, cause: RegExp): Promise<void> {
  const said = new RegExp(
    `^nix-run-foreign: \\S+/jq: the fingerprint of \\S+/jq\\.nix-fingerprint\\.json is not used: the store has no /nix/store/\\S+.*: .*${cause.source}`,
  );
  configure(other, '');
  await startOver(other, substitutes);
  putFile(other, SIDECAR, sidecar);
  const strict = withEnv(settings, { NIX_RUN_FOREIGN_STRICT: '1' });
  assertRefused(await other.start(line, strict), { status: 126, cause: said });
  assertRan(await other.start(line, settings), [said]);
  assertRan(await other.startHit(line, strict));
}

before(async () => {
  await startOver(other, substitutes);
  rmSync(path.join(other.homeDir, SIDECAR), { force: true });
  assertRan(await other.start(line));
});

test('no cache at all', () => refuse(fetching([], []), /no substituter has them/));

for (const [name, info, why] of [
  ['a cache without the libraries', 'StoreDir: /nix/store\n', /no substituter has them/],
  ['an address without a cache', undefined, /does not appear to be a binary cache/],
] as const) {
  test(name, async () => {
    const directory = path.join(exchange.directory, name.replaceAll(' ', '-'));
    mkdirSync(directory);
    if (info !== undefined) writeFileSync(path.join(directory, 'nix-cache-info'), info);
    const server = await serveDirectory(directory);
    await refuse(fetching([server.url], [cacheKey.publicKey]), why);
    await server.close();
  });
}

test('a cache that nobody signed', () => refuse(fetching([unsigned], [cacheKey.publicKey]), /not signed/));

test('a cache that others signed', () => refuse(fetching([cache], [key.publicKey]), /not signed/));

test('a truncated library', () => refuse(fetching([truncated()], [cacheKey.publicKey]), /incomplete/));

test('a cache that disappears half-way', async () => {
  let libraries = 0;
  const vanish: Mishap = (request, response) => {
    if (request.url?.startsWith('/nar/')) libraries += 1;
    if (libraries < 2) return false;
    response.destroy();
    return true;
  };
  const server = await serveDirectory(path.join(exchange.directory, 'cache'), vanish);
  await refuse(fetching([server.url], [cacheKey.publicKey]), /unable to download/);
  await server.close();
});

/** Where roots lie that a fetch makes, until the set is pinned. */
const FETCHING = '~/.local/state/nix-run-foreign/v1/fetching';

test('killed while it fetches: what it roots lies where the next start removes it', async () => {
  const stuck: Mishap = (request) => request.url?.startsWith('/nar/') === true;
  const server = await serveDirectory(path.join(exchange.directory, 'cache'), stuck);
  await startOver(other, substitutes);
  putFile(other, SIDECAR, sidecar);
  // In one process namespace, where the dead can be told from the living.
  const start = [launcher, ...line].map((word) => `'${word}'`).join(' ');
  const script = `shopt -s dotglob nullglob; timeout -s KILL 8 ${start}
    echo ${FETCHING}/*; NIX_CONFIG= ${start}; echo ${FETCHING}/*`;
  const settings = fetching([server.url], [cacheKey.publicKey]);
  const { stdout, stderr } = await other.run({ argv: [rig.bash, '-c', script], ...settings });
  await server.close();
  assert.match(stdout, /^\S+\/\.fingerprint\.\S+\.tmp\n42\n\n$/, stderr);
});

test('substitute = false', async () => {
  const settings = withEnv(fetching([cache], [cacheKey.publicKey]), { NIX_RUN_FOREIGN_SUBSTITUTE: '0' });
  await startOver(other, substitutes);
  putFile(other, SIDECAR, sidecar);
  assertRan(await other.start(line, settings), [
    / is not used: the store has no .*, and substitute is off; the store is searched instead$/,
  ]);
});

test('strict by configuration, and by resolve --strict', async () => {
  await startOver(other, substitutes);
  putFile(other, SIDECAR, sidecar);
  const refused = { status: 126, cause: / is not used: the store has no / } as const;
  configure(other, 'strict = true\n');
  assertRefused(await other.start(line), refused);
  configure(other, '');
  const outcome = await other.manage(['resolve', '--strict', other.program]);
  assertRefused({ ...outcome, stderr: outcome.stderr.replace(/^nix-foreign/, 'nix-run-foreign') }, refused);
  assertRan(await other.start(line), [refused.cause]);
});
