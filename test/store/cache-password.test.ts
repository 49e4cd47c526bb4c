// Addresses with passwords and tokens → none on the command line of Nix, and the server is asked with them all the same.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { accessTo, withPassword } from '../../src/store/cache-password.ts';
import { openExchange } from '../rig/binary-cache.ts';
import { ensureRig } from '../rig/rig.ts';
import { openRoot } from '../rig/root.ts';
import { serveDirectory } from '../rig/web-server.ts';

const exchange = openExchange();
after(() => exchange.close());
const netrc = path.join(exchange.directory, 'netrc');

const CASES = [
  ['me:secret', 'machine 127.0.0.1 login me password secret', 'me:secret'],
  ['token', 'machine 127.0.0.1 login token', 'token:'],
  ['token:', 'machine 127.0.0.1 login token', 'token:'],
  [':token', 'machine 127.0.0.1 password token', ':token'],
] as const;

test('an address without a password is left as it is', () => {
  for (const address of [
    'https://cache.example.org/x?priority=1',
    'file:///srv/me:secret@cache',
    '/srv/cache',
  ]) {
    assert.deepEqual(
      { ...accessTo(address, exchange.directory), end: undefined },
      {
        address,
        options: [],
        end: undefined,
      },
    );
    assert.equal(existsSync(netrc), false);
  }
});

test("a user without a password gets that of Nix's netrc-file, and nobody else does", async () => {
  const env = { PATH: '/nowhere', NIX_CONF_DIR: exchange.directory };
  writeFileSync(netrc, 'machine cache.example.org login m@e password "two: w%rds"\n', { mode: 0o600 });
  const found = await withPassword('https://m%40e@cache.example.org/x', env);
  const others = [
    'https://you@cache.example.org/',
    'https://m%40e:own@cache.example.org/',
    'file:///srv/me@x',
  ];
  for (const each of others) assert.equal(await withPassword(each, env), each);
  rmSync(netrc);
  const access = accessTo(found, exchange.directory);
  assert.equal(readFileSync(netrc, 'utf8'), 'machine cache.example.org login m@e password "two: w%rds"\n');
  assert.equal(access.address, 'https://cache.example.org/x');
  access.end();
});

test('what is in the address goes by a file, and every Nix reads it', async () => {
  const rig = await ensureRig('full');
  const root = await openRoot(rig, { binds: [exchange.bind] });
  after(() => root.close());
  let sent: string | undefined;
  const server = await serveDirectory(exchange.directory, ({ headers }) => {
    sent = headers.authorization;
    return false;
  });
  for (const [secret, text, expected] of CASES) {
    const access = accessTo(server.url.replace('://', `://${secret}@`), exchange.directory);
    assert.equal(readFileSync(netrc, 'utf8'), `${text}\n`);
    assert.equal(access.address, `${server.url}/`);
    assert.deepEqual(access.options, ['--option', 'netrc-file', netrc]);
    for (const { bin, version } of rig.nixVersions) {
      const options = ['--option', 'netrc-file', `${exchange.inRoot}/netrc`, '--from', access.address];
      const missing = `/nix/store/${'a'.repeat(32)}-x`;
      const nix = [
        'nix',
        '--extra-experimental-features',
        'nix-command',
        'copy',
        ...options,
        missing,
      ] as const;
      sent = undefined;
      await root.run({ argv: [...nix], env: { PATH: bin } });
      assert.equal(sent, `Basic ${Buffer.from(expected).toString('base64')}`, `${version}: ${secret}`);
    }
    access.end();
    assert.equal(existsSync(netrc), false);
  }
  await server.close();
});
