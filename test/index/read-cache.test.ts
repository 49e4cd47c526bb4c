// A real binary cache with listings, as a directory and on the web → an index of it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { AT_A_START, nameOfCache, openCache } from '../../src/index/cache-client.ts';
import { copiesFrom, noCacheAsked } from '../../src/index/cache-closure.ts';
import { readListing, readNarInfo } from '../../src/index/cache-listing.ts';
import { type CacheRead, readCache } from '../../src/index/read-cache.ts';
import { type CataloguePlace, readSource, type SourceState } from '../../src/index/read-source.ts';
import { openSideCatalogue } from '../../src/index/side-catalogue.ts';
import { openExchange, providerOf } from '../rig/binary-cache.ts';
import { databaseOf, hashOf, treeOf } from '../rig/file-index.ts';
import { ensureRig } from '../rig/rig.ts';
import { openRoot } from '../rig/root.ts';
import { serveDirectory } from '../rig/web-server.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-cache-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const rig = await ensureRig('full');
const exchange = openExchange();
after(() => exchange.close());
const library = providerOf(rig, 'bookworm', 'libX11.so.6').path;
const other = providerOf(rig, 'bookworm', 'libXext.so.6').path;
const root = await openRoot(rig, { binds: [exchange.bind] });
const url = `file://${exchange.inRoot}/cache?compression=none&write-nar-listing=true`;
const copied = await root.run({
  argv: ['nix', '--extra-experimental-features', 'nix-command', 'copy', '--to', url, library, other],
});
assert.equal(copied.status, 0, copied.stderr);
await root.close();
const cache = path.join(exchange.directory, 'cache');

let serial = 0;
function freshPlace(): CataloguePlace {
  serial += 1;
  const directory = path.join(scratch, String(serial));
  mkdirSync(directory);
  return {
    file: path.join(directory, 'side.sqlite'),
    lock: path.join(directory, 'lock'),
    storeDir: '/nix/store',
  };
}

interface Result {
  readonly read: CacheRead;
  readonly providers: (name: string) => string[];
  readonly seen: readonly [number, number][];
}

async function read(
  address: string,
  roots?: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const place = freshPlace();
  const seen: [number, number][] = [];
  const progress = (done: number, known: number) => seen.push([done, known]);
  const answer = await readCache(place, { address, roots, progress, env });
  const providers = (name: string): string[] => {
    const catalogue = openSideCatalogue(place.file, place.storeDir);
    try {
      return catalogue?.filesNamed(name).map(({ object }) => `/nix/store/${object.name}`) ?? [];
    } finally {
      catalogue?.close();
    }
  };
  return { read: answer, providers, seen };
}

function assertRead(result: Result): void {
  assert.equal(result.read.kind, 'read', JSON.stringify(result.read));
  assert.ok(result.read.kind === 'read' && result.read.state.kind === 'read' && result.read.unlisted === 0);
  assert.deepEqual(result.providers('libX11.so.6'), [library]);
  assert.deepEqual(result.providers('libXext.so.6'), [other]);
  assert.equal(result.providers('libxcb.so.1').length, 1, 'what they refer to is there');
  const [done, known] = result.seen.at(-1) ?? [];
  assert.ok(done === known && (done ?? 0) >= 4);
}

test('a directory: all that is in it, by its path and by its URL', async () => {
  assertRead(await read(cache));
  assertRead(await read(`file://${cache}`));
});

test('some store paths, and what they refer to', async () => {
  const { read: answer, providers } = await read(cache, [library]);
  assert.equal(answer.kind, 'read');
  assert.deepEqual(providers('libX11.so.6'), [library]);
  assert.deepEqual(providers('libXext.so.6'), []);
  assert.equal(providers('libxcb.so.1').length, 1);
});

test('a store path that is named and not there: nothing is replaced, however the cache is read', async () => {
  const place = freshPlace();
  const from = (roots: readonly string[]) =>
    readCache(place, { address: cache, roots, progress: () => {}, env: {} });
  assert.equal((await from([library])).kind, 'read');
  const gone = `/nix/store/${'a'.repeat(32)}-gone`;
  for (const roots of [[gone], [library, gone]]) {
    const answer = await from(roots);
    assert.equal(answer.kind === 'failed' ? answer.why : '', `it does not have ${gone}`);
  }
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  assert.equal(catalogue?.filesNamed('libX11.so.6').length, 1);
  catalogue?.close();
});

test('who needs another index meanwhile does not wait, and what it reads stays', {
  timeout: 60_000,
}, async () => {
  const place = freshPlace();
  const file = path.join(path.dirname(place.file), 'files');
  const tree = treeOf({ 'lib/libother.so.1': 9000 });
  writeFileSync(file, databaseOf([{ hash: hashOf(1), name: 'other-1', tree }]));
  let readMeanwhile: Promise<SourceState> | undefined;
  const server = await serveDirectory(cache, (request, response) => {
    if (readMeanwhile !== undefined || !request.url?.endsWith('.ls')) return false;
    readMeanwhile = readSource(place, file, { progress: () => {}, verify: () => ({ kind: 'accepted' }) });
    const pathname = path.join(cache, request.url);
    void readMeanwhile.then(() => response.end(readFileSync(pathname)));
    return true;
  });
  const answer = await readCache(place, {
    address: server.url,
    roots: [library],
    progress: () => {},
    env: {},
  });
  assert.equal(answer.kind, 'read', JSON.stringify(answer));
  assert.equal((await readMeanwhile)?.kind, 'read');
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  assert.deepEqual(
    ['libother.so.1', 'libX11.so.6'].map((name) => catalogue?.filesNamed(name).length),
    [1, 1],
  );
  catalogue?.close();
  await server.close();
});

test('on the web: by store paths, or where the server shows a directory', async () => {
  const plain = await serveDirectory(cache);
  assertRead(await read(plain.url, [library, other]));
  const without = await read(plain.url);
  assert.deepEqual(without.read, {
    kind: 'failed',
    why: 'it cannot be listed',
    remedy: 'name store paths to begin with: --root STORE-PATH',
  });
  await plain.close();
  const listed = await serveDirectory(cache, (request, response) => {
    if (request.url !== '/') return false;
    response.end(
      readdirSync(cache)
        .map((name) => `<a href="${name}">${name}</a>\n`)
        .join(''),
    );
    return true;
  });
  assertRead(await read(listed.url));
  await listed.close();
});

test('listings are packed in several ways', async () => {
  for (const pack of [brotliCompressSync, gzipSync, zstdCompressSync]) {
    const packed = path.join(scratch, pack.name);
    cpSync(cache, packed, { recursive: true });
    for (const name of readdirSync(packed).filter((each) => each.endsWith('.ls'))) {
      writeFileSync(path.join(packed, name), pack(readFileSync(path.join(packed, name))));
    }
    assertRead(await read(packed));
  }
});

function narInfosIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.narinfo'));
}

/** But itself. */
function referencesOf(storePath: string): string[] {
  const name = path.basename(storePath);
  const text = readFileSync(path.join(cache, `${name.slice(0, 32)}.narinfo`), 'utf8');
  const referred = /^References: (.*)$/m.exec(text)?.[1] ?? '';
  return referred.split(' ').filter((each) => each !== '' && each !== name);
}

test('narinfos are packed in several ways, with listings of another', async () => {
  for (const pack of [brotliCompressSync, gzipSync, zstdCompressSync]) {
    const packed = path.join(scratch, `narinfos-${pack.name}`);
    cpSync(cache, packed, { recursive: true });
    for (const name of readdirSync(packed).filter((each) => /\.(narinfo|ls)$/.test(each))) {
      const how = name.endsWith('.ls') ? gzipSync : pack;
      writeFileSync(path.join(packed, name), how(readFileSync(path.join(packed, name))));
    }
    assertRead(await read(packed, [library, other]));
    const context = { storeDir: '/nix/store', isLocal: () => false, env: {}, onAsking: () => {} };
    const { copies } = await copiesFrom([packed], [library], { ...context, ...noCacheAsked() });
    assert.ok((copies[0]?.all.size ?? 0) >= 4, 'and so is what it is copied by');
  }
  const strange = path.join(scratch, 'narinfos-strange');
  cpSync(cache, strange, { recursive: true });
  const narInfo = path.join(strange, `${path.basename(library).slice(0, 32)}.narinfo`);
  const xz = (file: string) => writeFileSync(file, Buffer.from('fd377a585a000004', 'hex'));
  xz(narInfo);
  const { read: answer } = await read(strange, [library]);
  assert.deepEqual(answer, {
    kind: 'failed',
    why: `its .narinfo of ${library} cannot be read`,
    remedy: 'fill the cache with narinfo-compression=zstd, or with none',
  });
  const listings = path.join(scratch, 'listings-strange');
  cpSync(cache, listings, { recursive: true });
  const files = readdirSync(listings).filter((each) => each.endsWith('.ls'));
  for (const name of files) xz(path.join(listings, name));
  rmSync(path.join(listings, files[0] ?? ''));
  const { read: counted } = await read(listings);
  assert.ok(counted.kind === 'read', JSON.stringify(counted));
  assert.deepEqual([counted.unlisted, counted.unreadable], [1, files.length - 1], 'there, and not readable');
  assert.equal(counted.unreadableNarInfos, 0);
  const referred = narInfosIn(cache).filter((name) => !path.basename(other).startsWith(name.slice(0, 32)));
  for (const name of referred) xz(path.join(strange, name));
  for (const roots of [undefined, [other]]) {
    const { read: rest, providers } = await read(strange, roots);
    assert.ok(rest.kind === 'read', JSON.stringify(rest));
    assert.deepEqual(providers('libXext.so.6'), [other]);
    const expected = roots === undefined ? referred.length : referencesOf(other).length;
    assert.equal(rest.unreadableNarInfos, expected, 'those that nobody named, too');
  }
});

test('mishaps: a cache that is none, one without listings, one that breaks off, redirects', async () => {
  const fails = async (address: string, expected: RegExp) => {
    const { read: answer, providers } = await read(address, [library]);
    assert.match(answer.kind === 'failed' ? answer.why : '', expected, address);
    assert.deepEqual(providers('libX11.so.6'), []);
  };
  await fails(scratch, /no nix-cache-info/);
  await fails('ftp://example.org', /neither/);
  for (const [text, expected] of [
    ['<html><a href="login: here">Log in</a></html>\n', /its nix-cache-info is something else/],
    ['<html>\n<style>\nbody {\ncolor: red;\n}\n', /its nix-cache-info is something else/],
    ['{"error": "not here"}\nstatus: 200\n', /its nix-cache-info is something else/],
    ['# a mirror\nStoreDir:/gnu/store\n', /a binary cache of \/gnu\/store, not of /],
    ['StoreDir: /gnu/store\nPriority: 30\n', /a binary cache of \/gnu\/store, not of /],
  ] as const) {
    const other = path.join(scratch, 'other');
    cpSync(cache, other, { recursive: true });
    writeFileSync(path.join(other, 'nix-cache-info'), text);
    await fails(other, expected);
  }
  await fails('http://127.0.0.1:9', /ECONNREFUSED|refused/);

  const bare = path.join(scratch, 'bare');
  cpSync(cache, bare, { recursive: true, filter: (source) => !source.endsWith('.ls') });
  const { read: answer } = await read(bare);
  assert.ok(answer.kind === 'read' && answer.unlisted >= 4, JSON.stringify(answer));

  let count = 0;
  const broken = await serveDirectory(cache, (_request, response) => {
    count += 1;
    if (count < 3) return false;
    response.destroy();
    return true;
  });
  await fails(broken.url, /./);
  await broken.close();

  const server = await serveDirectory(cache);
  const moved = await serveDirectory(scratch, (request, response) => {
    response.writeHead(302, { location: `${server.url}${request.url}` }).end();
    return true;
  });
  assertRead(await read(moved.url, [library, other]));
  await moved.close();
  await server.close();
  const endless = await serveDirectory(scratch, (request, response) => {
    response.writeHead(302, { location: request.url }).end();
    return true;
  });
  await fails(endless.url, /without end/);
  await endless.close();
});

test('a connection that is lost, or a busy server, is no end; one that stays so is, and a start does not wait', async () => {
  const [seen, statuses] = [new Set<string | undefined>(), [0, 429, 503]];
  let mode: 'once' | 'always' = 'once';
  const server = await serveDirectory(cache, (request, response) => {
    if (mode === 'once' && seen.has(request.url)) return false;
    seen.add(request.url);
    const status = statuses[seen.size % 3] ?? 0;
    if (status === 0) response.destroy();
    else response.writeHead(status).end();
    return true;
  });
  assertRead(await read(server.url, [library, other]));
  mode = 'always';
  assert.equal((await read(server.url, [library])).read.kind, 'failed');
  const before = server.requests.length;
  const client = openCache(server.url, {}, AT_A_START);
  assert.equal((await client?.get('nix-cache-info'))?.kind, 'unreachable');
  assert.equal(server.requests.length, before + 1);
  client?.close();
  await server.close();
});

test('passwords are sent, and are not in the catalogue', async () => {
  let sent: string | undefined;
  const server = await serveDirectory(cache, (request) => {
    sent = request.headers.authorization;
    return false;
  });
  const address = server.url.replace('http://', 'http://me:secret@');
  assertRead(await read(`${address}/`, [library, other]));
  assert.equal(sent, `Basic ${Buffer.from('me:secret').toString('base64')}`);
  await read(server.url.replace('http://', 'http://:token@'), [library]);
  assert.equal(sent, `Basic ${Buffer.from(':token').toString('base64')}`);
  assert.equal(nameOfCache(`${address}/x/?token=1`), `${server.url}/x`);
  await server.close();
});

/** A Nix whose settings name this file. */
function nixWithNetrc(netrc: string): { PATH: string } {
  const bin = mkdtempSync(path.join(scratch, 'bin-'));
  const script = (text: string) => `#!/bin/sh\n${text}\n`;
  writeFileSync(path.join(bin, 'nix-store'), script('exit 1'), { mode: 0o755 });
  const settings = `cores = 0\nnetrc-file = ${netrc}\nsandbox = true\n`;
  writeFileSync(path.join(bin, 'nix'), script(`printf '${settings.replaceAll('\n', '\\n')}'`), {
    mode: 0o755,
  });
  return { PATH: `${bin}:/usr/bin:/bin` };
}

test("without a password in the address that of Nix's netrc-file is sent, to the cache alone", async () => {
  const elsewhere: (string | undefined)[] = [];
  const mirror = await serveDirectory(cache, (request) => {
    elsewhere.push(request.headers.authorization);
    return false;
  });
  const server = await serveDirectory(cache, (request, response) => {
    const isListing = request.url?.endsWith('.ls') === true;
    if (request.headers.authorization !== `Basic ${Buffer.from('me:secret').toString('base64')}`)
      response.writeHead(401).end();
    else if (isListing) response.writeHead(302, { location: `${mirror.url}${request.url}` }).end();
    else return false;
    return true;
  });
  const netrc = path.join(scratch, 'netrc');
  writeFileSync(netrc, 'machine 127.0.0.1 login me password secret\n', { mode: 0o600 });
  assertRead(await read(server.url, [library, other], nixWithNetrc(netrc)));
  assert.ok(elsewhere.length > 0 && elsewhere.every((each) => each === undefined));
  writeFileSync(netrc, `machine 127.0.0.1 login you password no\n${readFileSync(netrc, 'utf8')}`);
  const asMe = server.url.replace('://', '://me@');
  assertRead(await read(asMe, [library, other], nixWithNetrc(netrc)));
  const refused = (await read(server.url, [library], nixWithNetrc(path.join(scratch, 'none')))).read;
  assert.ok(refused.kind === 'failed');
  assert.equal(refused.why, 'it answers with status 401');
  assert.match(refused.remedy, /netrc-file of nix\.conf/);
  await server.close();
  await mirror.close();
});

test('a cache or proxy that wants a password is no cache that is gone', async () => {
  for (const [status, why, remedy] of [
    [403, 'it does not give its nix-cache-info (status 403)', /netrc-file/],
    [407, 'it answers with status 407', /: http_proxy=/],
  ] as const) {
    const server = await serveDirectory(cache, (_, response) => {
      response.writeHead(status).end();
      return true;
    });
    const { read: refused } = await read(server.url, [library]);
    assert.ok(refused.kind === 'failed');
    assert.equal(refused.why, why);
    assert.match(refused.remedy, remedy);
    await server.close();
  }
});

test('a proxy that wants a password for https says so before the cache is asked', async () => {
  const proxy = createServer();
  let status = 407;
  proxy.on('connect', (_, socket) => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const at = proxy.address();
  const env = { https_proxy: `http://127.0.0.1:${typeof at === 'object' ? at?.port : ''}` };
  const remedyOf = async (): Promise<string> => {
    const { read: refused } = await read('https://cache.corp.invalid', [library], env);
    assert.ok(refused.kind === 'failed');
    return refused.remedy;
  };
  assert.match(await remedyOf(), /: https_proxy=/);
  status = 403;
  assert.match(await remedyOf(), /^try again/);
  proxy.close();
});

test('hostile listings and narinfos', () => {
  const listing = (root: unknown) => Buffer.from(JSON.stringify({ version: 1, root }));
  const directory = (entries: object) => ({ type: 'directory', entries });
  const deep = `${'{"type":"directory","entries":{"a":'.repeat(2000)}{}${'}}'.repeat(2000)}`;
  for (const [what, bytes] of Object.entries({
    text: Buffer.from('hello'),
    empty: Buffer.alloc(0),
    half: Buffer.from('{"root":'),
    number: Buffer.from('{"root":1}'),
    gzip: gzipSync('{}'),
    'half of gzip': gzipSync('{"root":{}}').subarray(0, 20),
    deep: Buffer.from(`{"root":${deep}}`),
    bomb: zstdCompressSync(Buffer.alloc(300 << 20, '{')),
  })) {
    assert.equal(readListing(bytes), undefined, what);
  }
  const odd = directory({
    lib: directory({
      'libgood.so.1': { type: 'regular', size: 9000, executable: true },
      'libneg.so.1': { type: 'regular', size: -1 },
      'libtext.so.1': { type: 'regular', size: 'x' },
      'libnull.so.1': null,
      'libarray.so.1': [],
      'liblink.so.1': { type: 'symlink' },
      'libescape.so.1\u001b[2J': { type: 'regular', size: 9000 },
      'a/../../libslash.so.1': { type: 'regular', size: 9000 },
      '..': directory({ 'libup.so.1': { type: 'regular', size: 9000 } }),
      __proto__: { type: 'regular', size: 1 },
    }),
  });
  const names = readListing(listing(odd))?.map(({ name, target }) => [name, target]);
  assert.deepEqual(names?.sort(), [
    ['libgood.so.1', ''],
    ['liblink.so.1', 'undefined'],
  ]);

  const name = `${'a'.repeat(32)}-x-1`;
  assert.deepEqual(
    readNarInfo(`StorePath: /nix/store/${name}\nReferences: ${name} ../x ${'b'.repeat(32)}-y.drv\n`),
    {
      name,
      storeDir: '/nix/store',
      references: [name],
      download: 0,
      unpacked: 0,
    },
  );
  const sized = readNarInfo(`StorePath: /nix/store/${name}\nFileSize: 12\nNarSize: 1${'0'.repeat(20)}\n`);
  assert.deepEqual([sized?.download, sized?.unpacked], [12, 0]);
  const served = readNarInfo(`StorePath: /nix/store/${name}\nCompression: none\nNarSize: 34\n`);
  assert.deepEqual([served?.download, served?.unpacked], [34, 34], 'nix-serve sends no FileSize');
  for (const text of [
    '',
    'StorePath: x',
    `StorePath: /nix/store/${name}.drv`,
    `StorePath: /nix/store/${name};x`,
  ]) {
    assert.equal(readNarInfo(text), undefined, text);
  }
});
