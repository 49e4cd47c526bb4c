// Who wrote a sidecar decides: owners, modes and keys, each refusal in its own line, and the program starts all the same.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import stringify from 'fast-json-stable-stringify';
import { makeKeyPair } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { assertRefused } from '../expect-failure.ts';
import {
  assertRan,
  configure,
  exchangeForTests,
  forget,
  manage,
  openMachine,
  originOf,
  putFile,
  SIDECAR,
  withEnv,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const machine = await openMachine(rig, exchange);
const { sidecar, key, sha256 } = await publishJq(machine, exchange);
const signed = readFileSync(
  path.join(exchange.directory, 'fingerprints/v1', sha256.slice(0, 2), `${sha256}.json`),
  'utf8',
);
const replaced = await makeKeyPair(machine, exchange, 'fingerprints-1-new');
const line = [machine.program, ...words];
const STRANGER = 4711;
const at = (name: string) => path.join(machine.homeDir, name);

const trust = (...keys: string[]) =>
  configure(machine, `trusted-fingerprint-keys = ${JSON.stringify(keys)}\n`);

beforeEach(() => {
  forget(machine);
  configure(machine, '');
  chmodSync(at('apps'), 0o755);
  for (const each of ['apps', 'apps/jq']) chownSync(at(each), 0, 0);
  putFile(machine, SIDECAR, sidecar);
});

/** It starts, and one line says why the sidecar was left; with strict that line is the failure. */
async function assertLeft(cause: RegExp): Promise<void> {
  const said = new RegExp(
    `: the fingerprint of \\S+/jq\\.nix-fingerprint\\.json is not used: .*${cause.source}`,
  );
  const strict = withEnv({}, { NIX_RUN_FOREIGN_STRICT: '1' });
  assertRefused(await machine.start(line, strict), { status: 126, cause: said });
  assertRan(await machine.start(line), [said]);
}

async function assertBelieved(): Promise<string> {
  assertRan(await machine.start(line, withEnv({}, { NIX_RUN_FOREIGN_STRICT: '1' })));
  return await originOf(machine);
}

test('of the user, of root', async () => {
  await assertBelieved();
});

test('of the owner of the program', async () => {
  for (const each of ['apps', 'apps/jq', SIDECAR]) chownSync(at(each), STRANGER, STRANGER);
  await assertBelieved();
});

test('of another user', async () => {
  chownSync(at(SIDECAR), STRANGER, STRANGER);
  await assertLeft(/it belongs to uid 4711, which is neither you, root nor the owner of the program/);
});

for (const [mode, whom] of [
  [0o664, 'its group'],
  [0o666, 'everybody'],
] as const) {
  test(`that ${whom} may write`, async () => {
    chmodSync(at(SIDECAR), mode);
    await assertLeft(new RegExp(`${whom} may write to it`));
  });
}

test('in a directory of another user', async () => {
  chownSync(at('apps'), STRANGER, STRANGER);
  await assertLeft(/its directory belongs to uid 4711/);
});

for (const mode of [0o777, 0o1777]) {
  test(`in a directory of mode ${mode.toString(8)}`, async () => {
    chmodSync(at('apps'), mode);
    await assertLeft(/everybody may put files into its directory/);
  });
}

test('in a directory that a group may write to', async () => {
  chmodSync(at('apps'), 0o775);
  await assertLeft(/a group may put files into its directory/);
});

test('signed by a trusted key it may lie anywhere', async () => {
  putFile(machine, SIDECAR, signed);
  chownSync(at(SIDECAR), STRANGER, STRANGER);
  chmodSync(at('apps'), 0o1777);
  await assertLeft(/signed by fingerprints-1, and no trusted key has that name/);
  forget(machine);
  trust(replaced.publicKey, key.publicKey);
  const origin = await assertBelieved();
  assert.match(origin, /, signed by fingerprints-1$/);
});

test('a key that was replaced by another of the same name', async () => {
  putFile(machine, SIDECAR, signed);
  chownSync(at(SIDECAR), STRANGER, STRANGER);
  trust(replaced.publicKey.replace(/^[^:]*/, 'fingerprints-1'));
  await assertLeft(
    /the signature by fingerprints-1 is not of this document or not by the trusted key of that name/,
  );
});

test('a document that was changed after it was signed', async () => {
  putFile(machine, SIDECAR, signed.replace('"match":"exact"', '"match":"pinned"'));
  chmodSync(at('apps'), 0o777);
  trust(key.publicKey);
  await assertLeft(/the signature by fingerprints-1 is not of this document/);
});

test('signed anew with fingerprint sign', async () => {
  const file = putFile(machine, SIDECAR, signed);
  await manage(machine, ['fingerprint', 'sign', '--key', replaced.secretFile, file]);
  chmodSync(at('apps'), 0o777);
  trust(replaced.publicKey);
  await assertBelieved();
});

test('a source has to be signed, whoever owns it', async () => {
  rmSync(at(SIDECAR));
  const name = `mine/v1/${sha256.slice(0, 2)}/${sha256}.json`;
  const file = putFile(machine, name, sidecar);
  const source = file.slice(0, -`/v1/${sha256.slice(0, 2)}/${sha256}.json`.length);
  configure(machine, `sources = ["${source}"]\n`);
  const said = /what comes from a source has to be signed by a trusted key/;
  assertRan(await machine.start(line), [said]);
  forget(machine);
  configure(machine, `sources = ["${source}"]\nstrict = true\n`);
  assertRefused(await machine.start(line), { status: 126, cause: said });
});

/** A document of the program's owner that names a program of the store as the loader; it leaves a mark when it runs. */
test('nothing that is only called like a loader is run, and a program that is only asked about gives its owner no say', async () => {
  const directory = at('evil/lib');
  mkdirSync(directory, { recursive: true });
  const code = `int main(){close(creat("${homeInRoot}/MARK",0644));return 1;}`;
  const source = at('evil.c');
  writeFileSync(source, `#include <fcntl.h>\n#include <unistd.h>\n${code}\n`);
  execFileSync('gcc', ['-static', '-o', path.join(directory, 'ld-linux-x86-64.so.2'), source]);
  const { stdout, stderr } = await machine.run({ argv: ['nix-store', '--add', `${homeInRoot}/evil`] });
  const storePath = stdout.trim();
  assert.match(storePath, /-evil$/, stderr);
  const document = JSON.parse(sidecar) as object;
  const loader = { storePath, file: 'lib/ld-linux-x86-64.so.2' };
  const file = putFile(machine, SIDECAR, `${stringify({ ...document, loader })}\n`);
  const mark = at('MARK');
  const code1 = await machine.run({ argv: [`${storePath}/lib/ld-linux-x86-64.so.2`] });
  assert.equal(code1.status, 1);
  assert.ok(existsSync(mark), 'the program leaves no mark');
  rmSync(mark);
  await assertLeft(/is no shared object for the program's machine|has the soname \(none\)/);
  for (const each of ['apps', 'apps/jq', SIDECAR]) chownSync(at(each), STRANGER, STRANGER);
  forget(machine);
  const verified = await machine.manage(['fingerprint', 'verify', file]);
  assert.equal(verified.status, 126);
  assert.match(
    verified.stderr,
    /it belongs to uid 4711, which is neither you nor root; the owner of the program counts only when it is started/,
  );
  for (const words of [['explain'], ['resolve', '--system']]) {
    forget(machine);
    const asked = await machine.manage([...words, machine.program]);
    assert.equal(asked.status, 0, asked.stderr);
    assert.match(asked.stderr, /is not used: it belongs to uid 4711, which is neither you nor root/);
  }
  assert.equal(existsSync(mark), false, 'it was run');
});
