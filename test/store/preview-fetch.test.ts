// What every Nix says of a fetch → sizes, paths and doubts; and a fetch with its progress.
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Realised } from '../../src/store/fetch.ts';
import { type FetchProgress, nixLog } from '../../src/store/nix-log.ts';
import { type Previewed, parseDryRun } from '../../src/store/preview-fetch.ts';
import {
  emptyStore,
  fillCache,
  makeKeyPair,
  openExchange,
  providerOf,
  substitutionBind,
  substitutionLines,
} from '../rig/binary-cache.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, openRoot, type Root } from '../rig/root.ts';
import { serveDirectory } from '../rig/web-server.ts';
import { sampled } from '../sample.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const PROGRAM = path.join(import.meta.dirname, 'programs/fetch-paths.ts');
const rig = await ensureRig('full');
const exchange = openExchange();
after(() => exchange.close());
const library = providerOf(rig, 'bookworm', 'libX11.so.6').path;
const other = providerOf(rig, 'bookworm', 'libXext.so.6').path;
const unknown = `/nix/store/${'a'.repeat(32)}-unknown`;
const first = await openRoot(rig, { binds: [exchange.bind] });
const key = await makeKeyPair(first, exchange, 'right-1');
const signed = await fillCache(first, exchange, 'signed', [library, other], key);
await first.close();
const bare = await openRoot(rig, { binds: [exchange.bind, { from: PROJECT, mode: 'read-only' }] });
after(() => bare.close());

const A = `/nix/store/${'a'.repeat(32)}-libfoo-1.2`;
const B = `/nix/store/${'b'.repeat(32)}-glibc-2.40-66`;
const MIB = 1024 ** 2;

test('the words of Nix 2.3', () => {
  const said = `these derivations will be built:
  /nix/store/${'c'.repeat(32)}-x.drv
these paths will be fetched (15.62 MiB download, 44.87 MiB unpacked):
  ${A}
  ${B}
don't know how to build these paths (may be caused by read-only store access):
  ${B}-lib
`;
  assert.deepEqual(parseDryRun(said), {
    paths: [A, B],
    download: Math.round(15.62 * MIB),
    unpacked: Math.round(44.87 * MIB),
    unknown: [`${B}-lib`],
    builds: [`/nix/store/${'c'.repeat(32)}-x.drv`],
  });
});

test('the words of later ones', () => {
  const cases: [string, number, number][] = [
    ['this path will be fetched (0.07 MiB download, 0.07 MiB unpacked):', 0.07 * MIB, 0.07 * MIB],
    ['these 2 paths will be fetched (15.6 MiB download, 44.9 MiB unpacked):', 15.6 * MIB, 44.9 * MIB],
    ['these 2 paths will be fetched (70.0 KiB download, 1.2 GiB unpacked):', 70 * 1024, 1.2 * 1024 * MIB],
    ['\u001b[1mthese 2 paths will be fetched (5 B download, 2 TiB unpacked):\u001b[0m', 5, 2 * MIB * MIB],
    ['these 2 paths will be fetched:', 0, 0],
    [
      'these 2 paths will be fetched (0.0 KiB download, 3.1 GiB unpacked):',
      3.1 * 1024 * MIB,
      3.1 * 1024 * MIB,
    ],
    ['these 2 paths will be fetched (0.00 MiB download, 44.87 MiB unpacked):', 44.87 * MIB, 44.87 * MIB],
  ];
  for (const [line, download, unpacked] of cases) {
    const found = parseDryRun(`warning: you did not specify '--add-root'\n${line}\n  ${B}\n  ${A}\n`);
    assert.deepEqual([found.download, found.unpacked], [Math.round(download), Math.round(unpacked)], line);
    assert.deepEqual(found.paths, [A, B]);
  }
  assert.deepEqual(parseDryRun(`this derivation will be built:\n  ${A}.drv\n`).builds, [`${A}.drv`]);
  for (const nothing of ['', '\n', `  ${A}\n`, 'error: x\n', 'fetched\n']) {
    assert.deepEqual(parseDryRun(nothing), { paths: [], download: 0, unpacked: 0, unknown: [], builds: [] });
  }
});

test('a log of Nix, cut anywhere, with words between and types of later versions', () => {
  const lines = [
    '@nix {"action":"start","id":1,"level":5,"text":"","type":102}',
    '@nix {"action":"result","fields":[100,3000],"id":1,"type":106}',
    "warning: the group 'nixbld' does not exist",
    '@nix {"action":"start","fields":["/nix/store/a","https://cache.example","local"],"id":7,"level":3,"text":"copying","type":100}',
    '@nix {"action":"result","fields":[1000,2000,0,0],"id":7,"type":105}',
    '@nix {"action":"result","fields":[9,9,9,9],"id":99,"type":105}',
    '@nix {"action":"result","fields":["x",null],"id":7,"type":108}',
    '@nix {"action":"start","id":8,"type":113}',
    '@nix {"action":"msg","level":0,"msg":"\\u001b[31;1merror:\\u001b[0m no"}',
    '@nix {"action":"msg","level":4,"msg":"chatter"}',
    '@nix {"broken',
    '@nix [1]',
    '@nix null',
    '@nix {"action":"result","fields":[2000,2000,0,0],"id":7,"type":105}',
    '@nix {"action":"stop","id":7}',
    'the end',
  ];
  const text = lines.join('\n');
  for (const size of [1, 7, 100, text.length]) {
    const seen: FetchProgress[] = [];
    const log = nixLog((progress) => seen.push(progress));
    for (let at = 0; at < text.length; at += size) log.take(text.slice(at, at + size));
    assert.deepEqual(seen.at(-1), { done: 2000, expected: 3000, from: 'https://cache.example' });
    assert.deepEqual(seen[2], { done: 1000, expected: 3000, from: 'https://cache.example' });
    assert.match(
      log.words(),
      /^warning: the group[^\n]*\n[^\n]*error:[^\n]* no\n@nix \{"broken\n@nix null\nthe end\n$/,
    );
  }
});

const link = `${homeInRoot}/links/fetched`;

interface Answer {
  readonly before: Previewed;
  readonly fetched: Realised;
  readonly progress: readonly FetchProgress[];
  readonly after: Previewed;
}

async function ask(
  root: Root,
  paths: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Answer> {
  rmSync(path.join(root.homeDir, 'links'), { recursive: true, force: true });
  await emptyStore(root);
  const argv: [string, ...string[]] = [
    rig.node,
    '--disable-warning=ExperimentalWarning',
    PROGRAM,
    link,
    ...paths,
  ];
  const { status, stdout, stderr } = await root.run({ argv, env });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Answer;
}

function settings(substituter: string, bin: string): Record<string, string> {
  const text = substitutionLines({ substituters: [substituter], trustedKeys: [key.publicKey] });
  return { NIX_CONFIG: text, PATH: bin };
}

function checkFetch({ before, fetched, progress, after }: Answer, version: string): void {
  assert.ok(before.kind === 'previewed', JSON.stringify(before));
  assert.ok(before.preview.paths.includes(library) && before.preview.paths.includes(other), version);
  assert.ok(before.preview.paths.length >= 4, version);
  assert.ok(before.preview.unpacked > 500_000 && before.preview.download > 500_000, version);
  assert.deepEqual([before.preview.unknown, before.preview.builds], [[], []]);
  assert.deepEqual(fetched, { kind: 'realised', links: [link, `${link}-2`] }, version);
  const last = progress.at(-1);
  assert.ok(
    last && last.done > 0 && last.done <= last.expected * 1.01,
    `${version}: ${JSON.stringify(last)}`,
  );
  // What is counted is what was announced.
  assert.ok(Math.abs(last.expected / before.preview.unpacked - 1) < 0.1, `${version}: ${last.expected}`);
  assert.deepEqual(
    progress.map(({ done }) => done),
    progress.map(({ done }) => done).sort((a, b) => a - b),
    version,
  );
  assert.ok(
    after.kind === 'previewed' && after.preview.paths.length === 0 && after.preview.download === 0,
    version,
  );
}

for (const { version, bin } of sampled(rig.nixVersions, 3, 0)) {
  test(`Nix ${version}: previewed, fetched with progress, and then nothing is left to fetch`, async () => {
    checkFetch(await ask(bare, [library, other], settings(signed, bin)), version);
    const server = await serveDirectory(path.join(exchange.directory, 'signed'));
    checkFetch(await ask(bare, [library, other], settings(server.url, bin)), version);
    await server.close();
  });

  test(`Nix ${version}: what no cache has is told before, and after in Nix's words`, async () => {
    const { before, fetched } = await ask(bare, [library, unknown], settings(signed, bin));
    assert.ok(before.kind === 'previewed');
    assert.deepEqual(before.preview.unknown, [unknown]);
    assert.ok(before.preview.paths.includes(library));
    assert.deepEqual(fetched, { kind: 'unavailable', paths: [unknown], why: 'no substituter has them' });
    assert.deepEqual(readdirSync(path.join(bare.homeDir, 'links')), []);
  });

  test(`Nix ${version}: a cache that is not what it promised`, async () => {
    const broken = path.join(exchange.directory, 'broken');
    cpSync(path.join(exchange.directory, 'signed'), broken, { recursive: true });
    const narinfo = readFileSync(path.join(broken, `${path.basename(library).slice(0, 32)}.narinfo`), 'utf8');
    rmSync(path.join(broken, /^URL: (.*)$/m.exec(narinfo)?.[1] ?? ''));
    const { before, fetched } = await ask(bare, [library], settings(`file://${exchange.inRoot}/broken`, bin));
    assert.ok(before.kind === 'previewed' && before.preview.unknown.length === 0);
    assert.ok(fetched.kind === 'unavailable', JSON.stringify(fetched));
    assert.match(fetched.why, /does not exist in binary cache/);
  });
}

test('one of two caches is down', async () => {
  const { bin } = rig.nixVersions[1] ?? assert.fail('no Nix');
  const text = substitutionLines({
    substituters: ['http://127.0.0.1:9', signed],
    trustedKeys: [key.publicKey],
  });
  checkFetch(await ask(bare, [library, other], { NIX_CONFIG: text, PATH: bin }), 'one is down');
});

test('an ordinary user, through a daemon, by every Nix', async () => {
  const substitution = { substituters: [signed], trustedKeys: [key.publicKey] };
  const configuration = substitutionBind(exchange, 'nix', substitution);
  const binds = [exchange.bind, { from: PROJECT, mode: 'read-only' } as const, configuration];
  const root = await openRoot(rig, { uid: 1000, daemon: 'running', binds });
  after(() => root.close());
  for (const { version, bin } of sampled(rig.nixVersions, 3, 1))
    checkFetch(await ask(root, [library, other], { PATH: bin }), version);
});

test('paths that are none are never asked for', async () => {
  for (const bad of [`${library}.drv`, '/etc/passwd', '--help', `${library}/lib`]) {
    const { before, fetched } = await ask(bare, [bad], settings(signed, rig.nixBin));
    assert.equal(before.kind, 'failed', bad);
    assert.equal(fetched.kind, 'failed', bad);
  }
  assert.equal(existsSync(path.join(bare.nixDir, path.relative('/nix', library))), false);
});
