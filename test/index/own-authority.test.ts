// An https server whose certificate the machine trusts, and Node does not → a source and a cache like any other.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { webText } from '../../src/host/http.ts';
import { AT_A_START, openCache } from '../../src/index/cache-client.ts';
import { needTool } from '../launcher/tool-fixture.ts';

needTool('openssl', 'openssl');
const scratch = mkdtempSync(path.join(tmpdir(), 'own-authority-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const [key, certificate] = [path.join(scratch, 'key'), path.join(scratch, 'certificate')];
const words = [
  'req',
  '-x509',
  '-newkey',
  'ec',
  '-pkeyopt',
  'ec_paramgen_curve:prime256v1',
  '-nodes',
  '-days',
  '2',
];
const subject = ['-subj', '/CN=own', '-addext', 'subjectAltName=IP:127.0.0.1'];
execFileSync('openssl', [...words, ...subject, '-keyout', key, '-out', certificate], { stdio: 'ignore' });

let handshakes = 0;
const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (_, response) => {
  response.end('StoreDir: /nix/store\n');
});
server.on('connection', () => {
  handshakes += 1;
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
server.unref();
after(() => {
  server.close();
  server.closeAllConnections();
});
const address = server.address();
const url = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;

type Env = Readonly<Record<string, string>>;

async function answersTo(env: Env): Promise<string[]> {
  const source = await webText(
    `${url}/x`,
    { timeout: 5000, largest: 1000, env },
    new AbortController().signal,
  );
  const client = openCache(url, env, AT_A_START);
  const kinds = [source.kind, (await client?.get('nix-cache-info'))?.kind ?? ''];
  handshakes = 0;
  await client?.get('nix-cache-info');
  client?.close();
  return kinds;
}

test('by the certificates that Nix is told of', async () => {
  assert.deepEqual(await answersTo({ NIX_SSL_CERT_FILE: certificate }), ['found', 'found']);
  assert.ok(handshakes <= 1, 'the second file of a cache is not asked for in vain first');
  assert.deepEqual(await answersTo({ SSL_CERT_FILE: certificate, NIX_SSL_CERT_FILE: '' }), [
    'found',
    'found',
  ]);
});

test('of a cache that is asked for several files at once, too', async () => {
  const client = openCache(url, { NIX_SSL_CERT_FILE: certificate }, AT_A_START);
  const names = Array.from({ length: 8 }, (_, i) => `${i}.narinfo`);
  const answers = await Promise.all(names.map((name) => client?.get(name)));
  client?.close();
  assert.deepEqual(
    answers.map((each) => each?.kind),
    names.map(() => 'found'),
  );
});

test('a stranger is none, whatever else the file of certificates is', async () => {
  const noise = path.join(scratch, 'noise');
  writeFileSync(noise, 'noise');
  for (const file of ['/nowhere', noise, scratch])
    assert.deepEqual(await answersTo({ NIX_SSL_CERT_FILE: file }), ['unreachable', 'unreachable'], file);
});
