// Other bytes under an old name are resolved again, quietly, and nothing of the old content stays pinned.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { changeContent, copyHome, foreign, onHost } from '../foreign-files.ts';
import {
  cacheOf,
  farmNames,
  hasCatalogue,
  planFiles,
  removeCatalogues,
  rootLinks,
  targetOf,
} from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const jq = foreign(rig, 'bookworm', 'jq');
const older = foreign(rig, 'bullseye', 'jq');
const program = copyHome(root, jq, 'apps/jq');
const file = onHost(root, program);

async function assertStarts(): Promise<void> {
  const { status, stdout, stderr } = await root.start([program, ...jq.args]);
  assert.deepEqual([status, stdout, stderr], [0, '42\n', '']);
}

/** The only root's target. */
function onlyRoot(): string {
  const links = rootLinks(root);
  assert.equal(links.length, 1, links.join('\n'));
  return targetOf(links[0] ?? '');
}

beforeEach(async () => {
  rmSync(file, { force: true });
  copyHome(root, jq, 'apps/jq');
  assert.equal((await root.bare(program, jq.args)).status, 127);
  await assertStarts();
});

test('one byte changed, size and modification time kept', async () => {
  const before = onlyRoot();
  changeContent(file);
  removeCatalogues(root);
  await assertStarts();
  assert.ok(hasCatalogue(root), 'it was not resolved again');
  assert.notEqual(onlyRoot(), before);
});

test('another version renamed over it', async () => {
  const before = onlyRoot();
  copyFileSync(older.path, `${file}.new`);
  renameSync(`${file}.new`, file);
  await assertStarts();
  assert.notEqual(onlyRoot(), before);
});

test('another version, after the cache was deleted', async () => {
  const before = onlyRoot();
  rmSync(cacheOf(root), { recursive: true });
  copyFileSync(older.path, file);
  await assertStarts();
  assert.notEqual(onlyRoot(), before);
});

test('a script in its place needs no root', async () => {
  writeFileSync(file, `#!${rig.bash}\necho 42\n`);
  chmodSync(file, 0o755);
  await assertStarts();
  assert.deepEqual(rootLinks(root), []);
});

test('back to the old content: solved again, same root as at first', async () => {
  const before = onlyRoot();
  changeContent(file);
  await assertStarts();
  copyHome(root, jq, 'apps/jq');
  await assertStarts();
  assert.equal(onlyRoot(), before);
});

test('deleted and forgotten: nothing is left of it', async () => {
  rmSync(file);
  const list = await root.manage(['list']);
  assert.match(list.stdout, /the next start plans again/);
  const gone = await root.start([program]);
  assert.equal(gone.status, 127);
  assert.match(gone.stderr, /^nix-run-foreign: .*\n {2}\S.*\n$/);
  const { status, stdout, stderr } = await root.manage(['forget', program]);
  assert.deepEqual([status, stdout, stderr], [0, `forgot ${program}\n`, '']);
  assert.deepEqual([rootLinks(root), planFiles(root), farmNames(root)], [[], [], []]);
});
