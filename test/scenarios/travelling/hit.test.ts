// A hit opens nothing of what a first start reads: times of reading tell, which a hit leaves as they are.
import assert from 'node:assert/strict';
import { statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { treeText } from '../../../src/fingerprint/tree-file.ts';
import { ensureRig } from '../../rig/rig.ts';
import { serveDirectory } from '../../rig/web-server.ts';
import {
  assertRan,
  configure,
  exchangeForTests,
  forget,
  openMachine,
  putFile,
  SIDECAR,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const machine = await openMachine(rig, exchange);
const { sidecar, sha256, source, key } = await publishJq(machine, exchange);
const line = [machine.program, ...words];
const document = path.join(exchange.directory, 'fingerprints/v1', sha256.slice(0, 2), `${sha256}.json`);
const config = path.join(machine.homeDir, '.config/nix-run-foreign/config.toml');
const beside = path.join(machine.homeDir, SIDECAR);
const tree = path.join(machine.homeDir, 'apps/.nix-fingerprints.json');
/** The settings are read without leaving a time (O_NOATIME): their test is a text that no start could read. */
const files = [document, beside, tree];
const unread = 1000;

/** Read before it was changed: whoever reads it next sets the time, with relatime too (mount(8)). */
function markUnread(): void {
  for (const file of files) utimesSync(file, unread, unread + 1);
}

const read = (file: string): boolean => statSync(file).atimeMs !== unread * 1000;

test('a hit opens no configuration, no sidecar and no source', async (t) => {
  const server = await serveDirectory(exchange.directory);
  const sources = [source, `${server.url}/fingerprints`];
  configure(
    machine,
    `sources = ${JSON.stringify(sources)}\ntrusted-fingerprint-keys = ["${key.publicKey}"]\n`,
  );
  putFile(machine, SIDECAR, sidecar);
  putFile(machine, 'apps/.nix-fingerprints.json', treeText([{ sha256, text: sidecar }]));
  forget(machine);
  markUnread();
  assertRan(await machine.start(line));
  if (!read(beside)) return t.skip('the file system keeps no times of reading');
  assert.deepEqual(files.map(read), [false, true, false]);
  markUnread();
  writeFileSync(config, 'sources = [');
  assertRan(await machine.start(line, { env: { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/x' } }));
  assert.deepEqual(files.map(read), [false, false, false]);
  assert.deepEqual(server.requests, []);
  await server.close();
});
