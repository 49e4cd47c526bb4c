// Caches that are indexes, and that do not answer → asked once, within seconds, and named as the reason.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { AT_A_START, openCache } from '../../src/index/cache-client.ts';
import { copiesFrom, noCacheAsked } from '../../src/index/cache-closure.ts';
import { askFor } from '../../src/index/obtainable.ts';
import { hashOf } from '../rig/file-index.ts';
import { serveDirectory } from '../rig/web-server.ts';

/** Takes connections and says nothing. */
let connections = 0;
const mute = createServer(() => {
  connections += 1;
});
mute.listen(0, '127.0.0.1');
await once(mute, 'listening');
mute.unref();
after(() => mute.close());
const address = mute.address();
const host = typeof address === 'object' ? `127.0.0.1:${address?.port}` : '';

const paths = [1, 2, 3].map((number) => `/nix/store/${hashOf(number)}-lib-1`);

const contextOf = () => ({
  storeDir: '/nix/store',
  isLocal: () => false,
  env: {},
  onAsking: () => {},
  ...noCacheAsked(),
});

test('a cache that does not answer is asked once in a start, and is the reason', {
  timeout: 30_000,
}, async () => {
  const context = contextOf();
  const copies = (wanted: readonly string[]) => copiesFrom([`http://${host}/c`], wanted, context);
  const why = `${host} cannot be reached: it did not answer within ${AT_A_START.timeout / 1000} s`;
  assert.deepEqual(await copies(paths), { copies: [], unreachable: why });
  const preview = { paths: [], download: 0, unpacked: 0, unknown: paths, builds: [] };
  const answer = await askFor(paths, { copies, preview: async () => ({ kind: 'previewed', preview }) });
  assert.equal(answer.kind === 'asked' ? answer.unreachable : '', why);
  assert.equal(connections, 1);
});

test('the next cache is asked; one that lacks it is not silent', async () => {
  const empty = await serveDirectory(tmpdir());
  const [hash = ''] = /[0-9a-z]{32}/.exec(paths[0] ?? '') ?? [];
  const whole = await serveDirectory(tmpdir(), (request, response) => {
    if (request.url !== `/${hash}.narinfo`) return false;
    response.end(`StorePath: ${paths[0]}\nReferences: \nFileSize: 1\nNarSize: 2\n`);
    return true;
  });
  const context = contextOf();
  const refusing = 'http://127.0.0.1:9';
  const first = paths.slice(0, 1);
  const { copies, unreachable } = await copiesFrom([refusing, empty.url, whole.url], first, context);
  assert.deepEqual(
    copies.map((each) => each.address),
    [whole.url],
  );
  assert.equal(unreachable, '127.0.0.1:9 cannot be reached: the connection was refused');
  assert.deepEqual([...context.silent.keys()], [refusing]);
  await empty.close();
  await whole.close();
});

const storePathOf = (number: number) => `/nix/store/${hashOf(number)}-lib-${number}`;

/** Each of a thousand store paths refers to the next `width`. */
function serveChain(width: number, delay: number) {
  const seen = { now: 0, most: 0 };
  const all = new Map(Array.from({ length: 1000 }, (_, i) => [`/${hashOf(i)}.narinfo`, i]));
  const server = serveDirectory(tmpdir(), (request, response) => {
    const number = all.get(request.url ?? '');
    if (number === undefined) return false;
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    const referred = Array.from({ length: width }, (_, i) => storePathOf(number * width + i + 1).slice(11));
    setTimeout(() => {
      seen.now -= 1;
      response.end(`StorePath: ${storePathOf(number)}\nReferences: ${referred.join(' ')}\nNarSize: 2\n`);
    }, delay);
    return true;
  });
  return { server, seen };
}

test('a slow cache, or one whose closures have no end, holds up a start for a bounded time', {
  timeout: 30_000,
}, async () => {
  const chain = serveChain(1, 200);
  const { url, requests, close } = await chain.server;
  const context = contextOf();
  context.asked.set(url, { waited: AT_A_START.whole - 1500, narInfos: new Map() });
  const why = `${new URL(url).host} cannot be reached: it did not say what it has within 20 s`;
  const began = performance.now();
  assert.deepEqual(await copiesFrom([url], [storePathOf(0)], context), { copies: [], unreachable: why });
  assert.ok(performance.now() - began < 5000);
  const count = requests.length;
  assert.ok(count >= 2 && count < 9, `${count} requests`);
  assert.deepEqual(await copiesFrom([url], [storePathOf(5)], context), { copies: [], unreachable: why });
  assert.equal(requests.length, count, 'and not for the next candidate');
  await close();
});

test('what a cache refers to is asked for together, and never twice in a start', async () => {
  const chain = serveChain(8, 20);
  const { url, requests, close } = await chain.server;
  const told: string[] = [];
  const isLocal = (each: string) => Number(each.split('-').at(-1)) > 72;
  const context = {
    ...contextOf(),
    isLocal,
    onAsking: (...[, done, known]: [string, number, number]) => told.push(`${done}/${known}`),
  };
  const { copies } = await copiesFrom([url], [storePathOf(0), storePathOf(1), storePathOf(2)], context);
  assert.equal(copies[0]?.all.size, 73);
  assert.equal(requests.length, 73);
  assert.ok(chain.seen.most > 4 && chain.seen.most <= 16, `${chain.seen.most} at once`);
  assert.deepEqual([told[0], told[1], told.includes('73/73')], ['1/9', '9/73', true]);
  assert.equal((await copiesFrom([url], [storePathOf(3)], context)).copies[0]?.all.size, 9);
  assert.equal(requests.length, 73);
  await close();
});

/** Sends one narinfo at a time, each after `delay`; the first refers to all others. After `most` it says nothing. */
function serveOneByOne(count: number, delay: number, most: number) {
  const all = new Map(Array.from({ length: count }, (_, i) => [`/${hashOf(i)}.narinfo`, i]));
  const rest = Array.from({ length: count - 1 }, (_, i) => storePathOf(i + 1).slice(11)).join(' ');
  let [before, sent] = [Promise.resolve(), 0];
  return serveDirectory(tmpdir(), (request, response) => {
    const number = all.get(request.url ?? '');
    if (number === undefined) return false;
    before = before.then(async () => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      sent += 1;
      if (sent > most) return;
      const references = number === 0 ? rest : '';
      response.end(`StorePath: ${storePathOf(number)}\nReferences: ${references}\nNarSize: 2\n`);
    });
    return true;
  });
}

test('a cache that answers one after the other is not silent while answers come', {
  timeout: 40_000,
}, async () => {
  const { url, requests, close } = await serveOneByOne(17, 400, 99);
  const { copies, unreachable } = await copiesFrom([url], [storePathOf(0)], contextOf());
  assert.deepEqual([copies[0]?.all.size, unreachable, requests.length], [17, undefined, 17]);
  await close();
  const ending = await serveOneByOne(17, 400, 8);
  const began = performance.now();
  const answer = await copiesFrom([ending.url], [storePathOf(0)], contextOf());
  assert.match(answer.unreachable ?? '', / cannot be reached: it did not answer within 5 s$/);
  const took = performance.now() - began;
  assert.ok(took > 8 * 400 + AT_A_START.timeout - 100 && took < 12_000, `${took} ms`);
  await ending.close();
});

test('the name of a cache is looked up by getent, so that nothing waits at the exit', async () => {
  const client = openCache('http://cache.invalid/', { PATH: '/usr/bin:/bin' }, AT_A_START);
  assert.deepEqual(await client?.get('nix-cache-info'), { kind: 'unreachable', why: 'its name is unknown' });
  client?.close();
});
