// config.toml as its user meets it: what is effective and why, what is misspelt, what is broken.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { KEYS } from '../../../src/config/settings.ts';
import { ensureRig } from '../../rig/rig.ts';
import { serveDirectory } from '../../rig/web-server.ts';
import { assertRefused } from '../expect-failure.ts';
import {
  assertRan,
  configure,
  exchangeForTests,
  forget,
  manage,
  openMachine,
  originOf,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const machine = await openMachine(rig, exchange);
/** What is /etc in the root lies beside its home on the host. */
const etc = path.join(path.dirname(machine.homeDir), 'etc/nix-run-foreign');
mkdirSync(etc);
const { key, source, sha256 } = await publishJq(machine, exchange);
const line = [machine.program, ...words];
const systemFile = path.join(etc, 'config.toml');
const keys = `trusted-fingerprint-keys = ["${key.publicKey}"]\n`;

beforeEach(() => {
  forget(machine);
  configure(machine, '');
  rmSync(systemFile, { force: true });
});

test('every key with its meaning, its value, and where that comes from', async () => {
  writeFileSync(systemFile, `sources = ["${source}"]\nstrict = true\n`);
  const own = configure(machine, `${keys}strict = false\n`);
  const { status, stdout } = await machine.manage(['config'], { env: { NIX_RUN_FOREIGN_SUBSTITUTE: '0' } });
  assert.equal(status, 0);
  const value = (name: string, origin: string, text: string) =>
    assert.ok(stdout.includes(`# (${origin})\n${name} = ${text}\n`), `${name}:\n${stdout}`);
  value('sources', '/etc/nix-run-foreign/config.toml', `["${source}"]`);
  value('strict', own, 'false');
  value('trusted-fingerprint-keys', own, `["${key.publicKey}"]`);
  value('source-timeout', 'default', '5');
  value('substitute', 'environment: NIX_RUN_FOREIGN_SUBSTITUTE', 'false');
  assertRan(await machine.start(line));
  assert.match(await originOf(machine), /^\/exchange\/fingerprints\/.*signed by/);
});

test('what is printed has no password and no signed query', async () => {
  configure(machine, 'sources = ["https://me:s3cr3t@fp.example.org/x?X-Signature=abcdef"]\n');
  const text = await manage(machine, ['config']);
  assert.match(
    text,
    /, without passwords and queries\)\nsources = \["https:\/\/\.\.\.@fp\.example\.org\/x\?\.\.\."\]$/m,
  );
  const json = await manage(machine, ['config', '--json']);
  configure(machine, 'sources = ["ftp://me:s3cr3t@fp.example.org/?X-Signature=abcdef"]\n');
  const { stderr } = await machine.manage(['config']);
  assert.match(stderr, /fp\.example\.org/);
  for (const each of [text, json, stderr]) assert.doesNotMatch(each, /s3cr3t|abcdef/);
});

test('what is printed is a config.toml', async () => {
  configure(machine, `${keys}source-timeout = 2.5\n`);
  const printed = await manage(machine, ['config']);
  configure(machine, printed);
  const again = await manage(machine, ['config']);
  const values = (text: string) => text.split('\n').filter((each) => !each.startsWith('#'));
  assert.deepEqual(values(again), values(printed));
});

test('an unknown key is a warning, and the rest counts', async () => {
  const file = configure(machine, `${keys}sorces = []\n`);
  const { status, stderr } = await machine.manage(['config']);
  const warning = `${file}:2: there is no key "sorces"; the keys are ${KEYS.join(', ')}\n`;
  assert.deepEqual([status, stderr], [0, `nix-foreign: ${warning}`]);
  const first = await machine.start(line);
  assertRan(first, [/there is no key "sorces"; the keys are /]);
  assertRan(await machine.start(line));
});

for (const [name, text, cause] of [
  ['no TOML', 'sources = [\n', /config\.toml:\d+: this is no TOML/],
  ['a wrong type', 'strict = "yes"\n', /config\.toml:1: strict: it must be true or false/],
  [
    'no source',
    'sources = ["fingerprints"]\n',
    /config\.toml:1: sources: "fingerprints" is neither an absolute directory nor/,
  ],
  [
    'no key',
    'trusted-fingerprint-keys = ["abc"]\n',
    /: no public key of the form name:base64: it has no name and colon/,
  ],
] as const) {
  test(`a broken file (${name}) is one line with its place`, async () => {
    configure(machine, text);
    const outcome = await machine.start(line);
    assertRefused(outcome, { status: 125, cause });
    configure(machine, '');
    assertRan(await machine.start(line));
  });
}

test('a broken file does not disturb a hit', async () => {
  assertRan(await machine.start(line));
  configure(machine, 'sources = [\n');
  assertRan(await machine.start(line));
});

test('a file that others can write is refused', async () => {
  configure(machine, keys);
  chmodSync(path.join(machine.homeDir, '.config/nix-run-foreign/config.toml'), 0o666);
  assertRefused(await machine.start(line), { status: 125, cause: /others can write it/ });
  rmSync(path.join(machine.homeDir, '.config'), { recursive: true });
});

test('a source without it is asked once a day; pull asks all the same', async () => {
  const server = await serveDirectory(path.join(exchange.directory, 'cache'));
  configure(machine, `${keys}sources = ["${server.url}"]\n`);
  assertRan(await machine.start(line));
  const asked = `GET /v1/${sha256.slice(0, 2)}/${sha256}.json`;
  assert.deepEqual(server.requests, [asked]);
  rmSync(path.join(machine.homeDir, '.local'), { recursive: true });
  rmSync(path.join(machine.homeDir, '.cache/nix-run-foreign/v1/plans'), { recursive: true });
  assertRan(await machine.start(line));
  assert.deepEqual(server.requests, [asked], 'asked twice on one day');
  const { status, stderr } = await machine.manage(['pull', machine.program]);
  assert.equal(status, 125);
  assert.match(
    stderr,
    /no source has a fingerprint of it\n {2}see which are asked with: nix-foreign config\n$/,
  );
  assert.deepEqual(server.requests, [asked, asked]);
  await server.close();
});

test('a source that does not answer is told of in a line, and strict makes it a failure', async () => {
  const server = await serveDirectory(exchange.directory, () => true);
  configure(machine, `${keys}sources = ["${server.url}"]\nsource-timeout = 0.3\n`);
  assertRan(await machine.start(line), [
    /: the source http:\S+ cannot be asked: it did not answer within 0\.3 s; the store is searched instead$/,
  ]);
  forget(machine);
  configure(machine, `${keys}sources = ["${server.url}"]\nsource-timeout = 0.3\nstrict = true\n`);
  assertRefused(await machine.start(line), { status: 126, cause: /the source http:\S+ cannot be asked/ });
  await server.close();
});

test('pull takes what a source has', async () => {
  configure(machine, `${keys}sources = ["${source}"]\n`);
  const said = await manage(machine, ['pull', machine.program]);
  assert.match(said, /^\S+\/jq: ready, by \/exchange\/fingerprints\/v1\/\S+, signed by fingerprints-1\n$/);
  assertRan(await machine.start(line, { env: { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/x' } }));
});
