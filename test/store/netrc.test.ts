// A netrc as people write them → what curl, and so Nix, sends to a host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialsIn } from '../../src/store/netrc.ts';

const HOST = 'cache.example.org';
const ROWS: readonly (readonly [netrc: string, credentials: string | undefined])[] = [
  ['', undefined],
  [`machine ${HOST} login me password secret`, 'me:secret'],
  [
    `machine other.example.org\nlogin you\npassword no\n\nmachine ${HOST}\n\tlogin me\n\tpassword secret\n`,
    'me:secret',
  ],
  [`machine CACHE.example.org login me password secret`, 'me:secret'],
  [`machine ${HOST} password token`, ':token'],
  [`machine ${HOST} login token`, 'token:'],
  [`machine ${HOST}`, undefined],
  [`machine ${HOST} account x login me password secret`, 'me:secret'],
  [`machine ${HOST} login me password "two words \\"and\\" more"`, 'me:two words "and" more'],
  [`machine ${HOST} login me password se"cret#1`, 'me:se"cret#1'],
  [`# machine ${HOST} login you password no\nmachine ${HOST} login me password secret`, 'me:secret'],
  [`machine ${HOST} login me password one machine ${HOST} login me password two`, 'me:one'],
  [
    `macdef init\nmachine ${HOST} login you password no\n\nmachine ${HOST} login me password secret`,
    'me:secret',
  ],
  ['default login anybody password guest', 'anybody:guest'],
  [`default login anybody password guest\nmachine ${HOST} login me password secret`, 'anybody:guest'],
  [`machine ${HOST} login me password secret\ndefault login anybody password guest`, 'me:secret'],
  [`machine sub.${HOST} login you password no`, undefined],
  [`machine other login machine password ${HOST}\n`, undefined],
  [`machine ${HOST} login`, undefined],
];

for (const [netrc, credentials] of ROWS)
  test(JSON.stringify(netrc), () => assert.equal(credentialsIn(netrc, HOST), credentials));

test('of a user that the address names only the password is asked for', () => {
  const netrc = `machine ${HOST} login you password no machine ${HOST} login me password secret\n`;
  assert.equal(credentialsIn(netrc, HOST, 'me'), 'me:secret');
  assert.equal(credentialsIn(`${netrc}default login other password guest`, HOST, 'other'), 'other:guest');
  assert.equal(credentialsIn(netrc, HOST, 'nobody'), undefined);
  assert.equal(credentialsIn(`machine ${HOST} password token`, HOST, 'me'), undefined);
});
