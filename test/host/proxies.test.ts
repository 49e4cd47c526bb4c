// Variables for proxies → who is asked through one, by both of our clients, as curl(1) does it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { webText, whyUnreachable } from '../../src/host/http.ts';
import { proxyEnvironment } from '../../src/host/proxies.ts';
import { AT_A_START, openCache } from '../../src/index/cache-client.ts';

let asked = 0;
const proxy = createServer((_, response) => {
  asked += 1;
  response.end('by the proxy');
});
proxy.on('connect', (_, socket) => {
  asked += 1;
  socket.end('HTTP/1.1 502 no\r\n\r\n');
});
proxy.listen(0, '127.0.0.1');
await once(proxy, 'listening');
proxy.unref();
after(() => proxy.close());
const address = proxy.address();
const host = typeof address === 'object' ? `127.0.0.1:${address?.port}` : '';

type Variables = Readonly<Record<string, string>>;

/** Whether each client asks the proxy; nothing else answers for the names of the test. */
async function asProxied(url: string, env: Variables): Promise<boolean[]> {
  asked = 0;
  await webText(url, { timeout: 5000, largest: 99, env }, new AbortController().signal);
  const bySource = asked;
  asked = 0;
  const client = openCache(url, env, AT_A_START);
  await client?.get('nix-cache-info');
  client?.close();
  return [bySource > 0, asked > 0];
}

const CACHE = 'http://cache.corp.invalid/';
const SECURE = 'https://cache.corp.invalid/';

const PROXIED: readonly (readonly [string, Variables])[] = [
  [CACHE, { http_proxy: `http://${host}` }],
  [CACHE, { http_proxy: host }],
  [CACHE, { http_proxy: `HTTP://${host}` }],
  [CACHE, { all_proxy: host }],
  [CACHE, { http_proxy: '', ALL_PROXY: `http://${host}` }],
  [CACHE, { http_proxy: host, all_proxy: 'http://127.0.0.1:9' }],
  [SECURE, { https_proxy: host }],
  [SECURE, { HTTPS_PROXY: `http://${host}` }],
  [SECURE, { all_proxy: host }],
  [CACHE, { http_proxy: host, no_proxy: 'ache.corp.invalid' }],
  [CACHE, { http_proxy: host, no_proxy: '.ache.corp.invalid, other.invalid' }],
  ['http://notcorp.invalid/', { http_proxy: host, no_proxy: '.corp.invalid' }],
  [SECURE, { https_proxy: host, no_proxy: 'cache.corp' }],
  ...['localhost,*', '*,localhost', '*.corp.invalid', '*.invalid *', '.*', ' *'].flatMap((words) => [
    [CACHE, { http_proxy: host, no_proxy: words }] as const,
    [SECURE, { all_proxy: host, NO_PROXY: words }] as const,
  ]),
];

const DIRECT: readonly (readonly [string, Variables])[] = [
  [CACHE, {}],
  [CACHE, { HTTP_PROXY: `http://${host}` }],
  [CACHE, { https_proxy: host }],
  [SECURE, { http_proxy: host }],
  ...['corp.invalid', '.corp.invalid', 'cache.corp.invalid', 'CORP.invalid', 'x corp.invalid', '*'].flatMap(
    (words) => [
      [CACHE, { http_proxy: host, no_proxy: words }] as const,
      [SECURE, { all_proxy: host, NO_PROXY: words }] as const,
    ],
  ),
  [CACHE, { http_proxy: host, no_proxy: 'localhost,127.0.0.1,,.invalid.' }],
  ['http://corp.invalid/', { http_proxy: host, no_proxy: '.corp.invalid' }],
  ['http://[::1]:9/', { http_proxy: host, no_proxy: '[::1]' }],
];

test('who is asked through a proxy', async () => {
  for (const [url, env] of PROXIED)
    assert.deepEqual(await asProxied(url, env), [true, true], `${url} ${JSON.stringify(env)}`);
});

test('who is asked without one', async () => {
  for (const [url, env] of DIRECT)
    assert.deepEqual(await asProxied(url, env), [false, false], `${url} ${JSON.stringify(env)}`);
});

test('the password of a proxy is in no message', async () => {
  const { signal } = new AbortController();
  for (const user of ['me:secret', 'me:se/cret', 'me:se#cret'])
    for (const url of [CACHE, SECURE]) {
      const env = { all_proxy: `${user}@proxy.invalid:80800` };
      const expected = {
        kind: 'unreachable',
        why: 'its proxy (http_proxy, https_proxy, all_proxy) has no usable address',
      };
      assert.deepEqual(await webText(url, { timeout: 5000, largest: 99, env }, signal), expected);
      const client = openCache(url, env, AT_A_START);
      assert.deepEqual(await client?.get('nix-cache-info'), expected);
      client?.close();
    }
  const why = whyUnreachable(new Error('no way by http://me:secret@proxy.invalid:80'), signal, 1);
  assert.equal(why, 'no way by http://...@proxy.invalid:80');
});

test('nothing but the variables of proxies is handed on', () => {
  assert.deepEqual(proxyEnvironment({ PATH: '/bin', HTTP_PROXY: 'x', no_proxy: 'a, .b.c *.d' }), {
    no_proxy: 'a,*.a,b.c,*.b.c',
  });
});
