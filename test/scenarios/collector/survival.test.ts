// What was started once survives the real collector, by one root each, until it is forgotten.
import assert from 'node:assert/strict';
import { existsSync, lstatSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { storePathsOf } from '../../../src/fingerprint/fingerprint.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { foreign } from '../foreign-files.ts';
import {
  cacheOf,
  fingerprintBehind,
  removeCatalogues,
  rootLinks,
  storeFileOnHost,
  targetOf,
} from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const curl = foreign(rig, 'bullseye', 'curl');
const words = [curl.path, ...curl.args];

async function nix(command: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await root.run({ argv: [command, ...args] });
  assert.equal(status, 0, stderr);
  return stdout;
}

async function assertStarts(start: typeof root.start): Promise<void> {
  const { status, stdout, stderr } = await start(words);
  assert.equal(status, 0, stderr);
  assert.match(stdout, curl.expect);
}

function onlyLink(): string {
  const links = rootLinks(root);
  assert.equal(links.length, 1);
  return links[0] ?? '';
}

test('the first start makes one root, whose references are exactly the chosen store paths', async () => {
  assert.equal((await root.bare(curl.path, curl.args)).status, 127);
  await assertStarts(root.start);
  const roots = await nix('nix-store', '--gc', '--print-roots');
  assert.equal(roots.split('\n').filter((line) => line.includes(homeInRoot)).length, 1, roots);
  const references = await nix('nix-store', '-q', '--references', targetOf(onlyLink()));
  assert.deepEqual(references.trim().split('\n').sort(), storePathsOf(fingerprintBehind(root, onlyLink())));
});

test('a collection, the catalogue gone: still a hit', async () => {
  removeCatalogues(root);
  assert.match(await nix('nix-store', '--gc'), /^[1-9]\d* store paths deleted/m);
  await assertStarts(root.startHit);
});

test('the cache deleted: planned again, not pinned again', async () => {
  const link = onlyLink();
  const before = [targetOf(link), lstatSync(link).ino];
  rmSync(cacheOf(root), { recursive: true });
  await assertStarts(root.start);
  assert.deepEqual([targetOf(onlyLink()), lstatSync(onlyLink()).ino], before);
  await nix('nix-store', '--gc');
  await assertStarts(root.startHit);
});

test('forgotten after the cache was deleted: the collector takes it', async () => {
  rmSync(cacheOf(root), { recursive: true });
  const chosen = storePathsOf(fingerprintBehind(root, onlyLink()));
  assert.match(await nix(rig.node, '/opt/tool/dist/nix-foreign.cjs', 'forget', curl.path), /^forgot /);
  assert.deepEqual(rootLinks(root), []);
  await nix('nix-store', '--gc');
  assert.deepEqual(
    chosen.map((each) => storeFileOnHost(root, each)).filter(existsSync).length < chosen.length,
    true,
  );
  const { status, stdout, stderr } = await root.start(words);
  assert.deepEqual([status, stdout], [126, '']);
  assert.match(stderr, /^nix-run-foreign: .*curl.*lib.*\n {2}\S.*\n$/);
});
