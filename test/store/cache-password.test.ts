// Addresses with passwords and tokens → none on the command line of Nix, and the server is asked with them all the same.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { accessTo } from '../../src/store/cache-password.ts';
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
