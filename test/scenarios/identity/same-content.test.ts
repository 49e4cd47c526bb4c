// The same bytes under another identity are planned again from their fingerprint: nobody looks into the store.
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { copyHome, foreign, onHost } from '../foreign-files.ts';
import { hasCatalogue, removeCatalogues, rootLinks, targetOf } from '../saved-state.ts';
import { openToolRoot, type Settings } from '../tool.ts';

const rig = await ensureRig('full');
const mounted = '/mnt/elsewhere';
const jq = foreign(rig, 'bookworm', 'jq');
const root = await openToolRoot(rig, {
  binds: [{ from: path.dirname(jq.path), to: mounted, mode: 'read-only' }],
});
const original = path.join(homeInRoot, 'apps/jq');
const host = (inRoot: string) => onHost(root, inRoot);

function assertQuiet(outcome: Outcome): void {
  assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, '42\n', '']);
}

/** A start that is not a hit and yet needs no catalogue; after it, a hit. */
async function assertReplanned(program: string, settings: Settings = {}): Promise<void> {
  const words = [program, ...jq.args];
  removeCatalogues(root);
  assert.equal((await root.startHit(words, settings)).status, 125, 'it was a hit already');
  assertQuiet(await root.start(words, settings));
  assert.ok(!hasCatalogue(root), 'the store was looked at');
  assertQuiet(await root.startHit(words, settings));
}

beforeEach(async () => {
  rmSync(path.join(root.homeDir, 'apps'), { recursive: true, force: true });
  if (rootLinks(root).length > 0) await root.manage(['forget', '--all']);
  copyHome(root, jq, 'apps/jq');
  assert.equal((await root.bare(original, jq.args)).status, 127);
  assertQuiet(await root.start([original, ...jq.args]));
  assert.equal(rootLinks(root).length, 1);
});

test('the same file, whose farm is gone: its content is not read again', async () => {
  const farms = path.join(root.homeDir, '.cache/nix-run-foreign/v1/farms');
  rmSync(farms, { recursive: true });
  const { status, stdout, stderr } = await root.start([original, ...jq.args], {
    env: { NIX_RUN_FOREIGN_DEBUG: '1' },
  });
  assert.deepEqual([status, stdout], [0, '42\n']);
  assert.match(stderr, /debug: content [0-9a-f]{64}, as planned /);
});

test('touched', async () => {
  utimesSync(host(original), 1, 1);
  await assertReplanned(original);
  assert.equal(rootLinks(root).length, 1);
});

test('copied: each copy has a root of its own', async () => {
  const copy = copyHome(root, jq, 'apps/copy');
  await assertReplanned(copy);
  assertQuiet(await root.startHit([original, ...jq.args]));
  const links = rootLinks(root);
  assert.equal(links.length, 2);
  assert.equal(new Set(links.map(targetOf)).size, 1);
});

test('renamed: the root moves along', async () => {
  const renamed = path.join(homeInRoot, 'apps/renamed');
  renameSync(host(original), host(renamed));
  await assertReplanned(renamed);
  assert.equal(rootLinks(root).length, 1);
});

test('its directory moved', async () => {
  const away = path.join(homeInRoot, 'moved');
  rmSync(host(away), { recursive: true, force: true });
  renameSync(path.dirname(host(original)), host(away));
  await assertReplanned(path.join(away, 'jq'));
  assert.equal(rootLinks(root).length, 1);
});

test('hard-linked: both names work', async () => {
  const second = path.join(homeInRoot, 'apps/second');
  linkSync(host(original), host(second));
  await assertReplanned(second);
  await assertReplanned(original);
});

test('replaced by an equal file', async () => {
  rmSync(host(original));
  copyHome(root, jq, 'apps/jq');
  await assertReplanned(original);
  assert.equal(rootLinks(root).length, 1);
});

test('mounted elsewhere', async () => {
  await assertReplanned(path.join(mounted, path.basename(jq.path)));
});

test('symlinks, absolute, relative, in a chain, from PATH: all are the same program, and hits', async () => {
  const links = path.join(homeInRoot, 'apps/links');
  mkdirSync(host(links));
  symlinkSync(original, path.join(host(links), 'absolute'));
  symlinkSync('../jq', path.join(host(links), 'relative'));
  symlinkSync('relative', path.join(host(links), 'chain'));
  for (const name of ['absolute', 'relative', 'chain']) {
    assertQuiet(await root.startHit([path.join(links, name), ...jq.args]));
    assertQuiet(await root.startHit([name, ...jq.args], { env: { PATH: `/nowhere::${links}` } }));
    assertQuiet(await root.startHit([`./links/${name}`, ...jq.args], { cwd: path.dirname(original) }));
  }
  assert.equal(rootLinks(root).length, 1);
});

test('a name with everything in it', async () => {
  const odd = copyHome(root, jq, 'apps/a b:c;d$ORIGIN\'"\n\\é');
  await assertReplanned(odd);
});
