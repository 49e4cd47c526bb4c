// Caches that are indexes, and that do not answer → asked once, within seconds, and named as the reason.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { AT_A_START, openCache } from '../../src/index/cache-client.ts';
import { copiesFrom } from '../../src/index/cache-closure.ts';
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

test('a cache that does not answer is asked once in a start, and is the reason', {
  timeout: 30_000,
}, async () => {
  const context = {
    storeDir: '/nix/store',
    isLocal: () => false,
    env: {},
    silent: new Map<string, string>(),
  };
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
  const context = {
    storeDir: '/nix/store',
    isLocal: () => false,
    env: {},
    silent: new Map<string, string>(),
  };
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

test('the name of a cache is looked up by getent, so that nothing waits at the exit', async () => {
  const client = openCache('http://cache.invalid/', { PATH: '/usr/bin:/bin' }, AT_A_START);
  assert.deepEqual(await client?.get('nix-cache-info'), { kind: 'unreachable', why: 'its name is unknown' });
  client?.close();
});
