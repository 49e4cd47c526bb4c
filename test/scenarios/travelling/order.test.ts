// Fingerprints in every place at once → the order in which they count, as `explain` tells it.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { treeText } from '../../../src/fingerprint/tree-file.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { copyHome, foreign } from '../foreign-files.ts';
import {
  assertRan,
  configure,
  exchangeForTests,
  forget,
  openMachine,
  originOf,
  putFile,
  SIDECAR,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const rig = await ensureRig('full');
const exchange = exchangeForTests();
const machine = await openMachine(rig, exchange);
const { sidecar, sha256, source, key } = await publishJq(machine, exchange);
const tree = treeText([{ sha256, text: sidecar }]);

/** Where jq is found: a link beside which a sidecar may lie as well. */
const link = path.join(homeInRoot, 'bin/jq');
mkdirSync(path.join(machine.homeDir, 'bin'));
symlinkSync('../apps/jq', path.join(machine.homeDir, 'bin/jq'));
const LINK_SIDECAR = 'bin/jq.nix-fingerprint.json';
const NEAR_TREE = 'apps/.nix-fingerprints.json';
const FAR_TREE = '.nix-fingerprints.json';
const PLACES = [SIDECAR, LINK_SIDECAR, NEAR_TREE, FAR_TREE];
const inRoot = (name: string) => path.join(homeInRoot, name);

async function start(): Promise<string> {
  assertRan(await machine.start([link, ...words]));
  return originOf(machine);
}

/** The documents are equal: only where each came from can differ. */
function putEverywhere(): void {
  for (const place of PLACES) putFile(machine, place, place.endsWith('s.json') ? tree : sidecar);
  configure(machine, `sources = ["${source}"]\ntrusted-fingerprint-keys = ["${key.publicKey}"]\n`);
}

beforeEach(() => {
  forget(machine);
  putEverywhere();
});

test('beside the file, beside the link, the trees from below, the sources, the search', async () => {
  const origins: string[] = [];
  for (const place of PLACES) {
    forget(machine);
    origins.push(await start());
    rmSync(path.join(machine.homeDir, place));
  }
  assert.deepEqual(origins, PLACES.map(inRoot));
  forget(machine);
  assert.equal(await start(), `${source}/v1/${sha256.slice(0, 2)}/${sha256}.json, signed by fingerprints-1`);
  forget(machine);
  configure(machine, '');
  assert.equal(await start(), 'resolved here');
});

test('a link that is named from its own directory', async () => {
  for (const place of [SIDECAR, NEAR_TREE, FAR_TREE]) rmSync(path.join(machine.homeDir, place));
  assertRan(await machine.start(['./jq', ...words], { cwd: path.dirname(link) }));
  assert.equal(await originOf(machine), inRoot(LINK_SIDECAR));
});

test('a link on PATH', async () => {
  for (const place of [SIDECAR, NEAR_TREE, FAR_TREE]) rmSync(path.join(machine.homeDir, place));
  assertRan(await machine.start(['jq', ...words], { env: { PATH: 'bin' }, cwd: homeInRoot }));
  assert.equal(await originOf(machine), inRoot(LINK_SIDECAR));
});

test('--refresh searches, whatever there is; so the set is no longer that of the sidecar', async () => {
  assert.equal(await start(), inRoot(SIDECAR));
  assertRan(await machine.start(['--refresh', link, ...words]));
  assert.equal(await originOf(machine), 'resolved here');
});

test('an own record comes before them all', async () => {
  for (const place of PLACES) rmSync(path.join(machine.homeDir, place));
  configure(machine, '');
  await start();
  putEverywhere();
  utimesSync(path.join(machine.homeDir, 'apps/jq'), 1, 1);
  assert.match(await start(), /fingerprint of an earlier start/);
});

test('a start by the real path does not look beside the link', async () => {
  for (const place of [SIDECAR, NEAR_TREE, FAR_TREE]) rmSync(path.join(machine.homeDir, place));
  configure(machine, '');
  assertRan(await machine.start([machine.program, ...words]));
  assert.equal(await originOf(machine), 'resolved here');
});

test('a tree file above the first directory of another owner is not looked at', async () => {
  const strange = path.join(machine.homeDir, 'strange');
  mkdirSync(strange);
  renameSync(path.join(machine.homeDir, 'apps'), path.join(strange, 'apps'));
  symlinkSync('strange/apps', path.join(machine.homeDir, 'apps'));
  for (const place of [SIDECAR, LINK_SIDECAR]) rmSync(path.join(machine.homeDir, place));
  const program = inRoot('strange/apps/jq');
  const originAt = async (): Promise<string> => {
    forget(machine);
    assertRan(await machine.start([program, ...words]));
    return originOf({ ...machine, program });
  };
  assert.equal(await originAt(), inRoot('strange/apps/.nix-fingerprints.json'));
  rmSync(path.join(machine.homeDir, NEAR_TREE));
  assert.equal(await originAt(), inRoot(FAR_TREE));
  chownSync(strange, 4711, 4711);
  assert.match(await originAt(), /^\/exchange\/fingerprints\//);
  assert.ok(existsSync(path.join(machine.homeDir, FAR_TREE)));
});

test('a tree without the program is as if it were not there', async () => {
  for (const place of PLACES) rmSync(path.join(machine.homeDir, place), { force: true });
  rmSync(path.join(machine.homeDir, 'strange'), { recursive: true, force: true });
  configure(machine, '');
  const program = copyHome(machine, foreign(rig, 'bookworm', 'jq'), 'plain/jq');
  appendFileSync(path.join(machine.homeDir, 'plain/jq'), 'another content');
  putFile(machine, 'plain/.nix-fingerprints.json', tree);
  assertRan(await machine.start([program, ...words]));
  assert.equal(await originOf({ ...machine, program }), 'resolved here');
});
