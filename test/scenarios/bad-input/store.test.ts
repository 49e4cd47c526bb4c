// No Nix, a broken one, no rights, no store: programs start where they can, with one line about what is missing.
import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { assertRefused } from '../expect-failure.ts';
import { foreign } from '../foreign-files.ts';
import { openToolRoot, type Settings, type ToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const jq = foreign(rig, 'bookworm', 'jq');
const words = [jq.path, ...jq.args];
const pathWithoutNix = { env: { PATH: '/nowhere' } };

/** The first start says that nothing is pinned and why, the second is a hit. */
async function assertUnpinned(root: ToolRoot, why: RegExp, settings: Settings): Promise<void> {
  assert.equal((await root.bare(jq.path, jq.args)).status, 127);
  const { status, stdout, stderr } = await root.start(words, settings);
  assert.deepEqual([status, stdout], [0, '42\n'], stderr);
  assert.match(stderr, /^nix-run-foreign: the libraries are not protected from garbage collection: .+\n$/);
  assert.match(stderr, why);
  const hit = await root.startHit(words, settings);
  assert.deepEqual([hit.status, hit.stdout, hit.stderr], [0, '42\n', '']);
}

function removeProfile(root: ToolRoot): void {
  rmSync(path.join(root.nixDir, 'var/nix/profiles/default'));
}

const without = await openToolRoot(rig);
test('no Nix, then Nix again', async () => {
  removeProfile(without);
  await assertUnpinned(without, /Nix was not found/, pathWithoutNix);
  const settings = { env: { PATH: rig.nixBin } };
  const { status, stderr } = await without.start(['--refresh', ...words], settings);
  assert.deepEqual([status, stderr], [0, '']);
  const { stdout } = await without.run({ argv: [`${rig.nixBin}/nix-store`, '--gc', '--print-roots'] });
  assert.match(stdout, new RegExp(`^"?${homeInRoot}/`, 'm'));
});

const unprivileged = await openToolRoot(rig, { uid: 1000, catalogue: 'none' });
test('a user without a daemon', async () => {
  await assertUnpinned(unprivileged, /./, {});
});

const readOnly = await openToolRoot(rig, { readOnly: ['nix'], catalogue: 'none' });
test('a read-only store', async () => {
  await assertUnpinned(readOnly, /./, {});
});

const deeds: Record<string, string> = {
  fails: 'echo "error: nothing works today" >&2; exit 1',
  'says nothing': 'exit 0',
  'says something else': 'echo hello; exit 0',
  'dies of a signal': 'kill -SEGV $$',
};
for (const [name, deed] of Object.entries(deeds)) {
  const root = await openToolRoot(rig);
  test(`a Nix that ${name}`, async () => {
    const bin = path.join(root.homeDir, 'bin');
    mkdirSync(bin);
    for (const command of ['nix-store', 'nix-instantiate', 'nix']) {
      writeFileSync(path.join(bin, command), `#!${rig.bash}\n${deed}\n`);
      chmodSync(path.join(bin, command), 0o755);
    }
    await assertUnpinned(root, /./, { env: { PATH: `${homeInRoot}/bin` } });
  });
}

const closed = await openToolRoot(rig, { uid: 1000, daemon: 'running', catalogue: 'none' });
test('a store that cannot be listed', async () => {
  const store = path.join(closed.nixDir, 'store');
  const { mode } = lstatSync(store);
  chmodSync(store, 0o711);
  const cause = /cannot read the store \/nix\/store: permission denied/;
  assertRefused(await closed.start(words), { status: 125, cause });
  chmodSync(store, mode);
  assert.equal((await closed.start(words)).stdout, '42\n');
});

test('a store that is not there', async () => {
  const settings = { env: { NIX_STORE_DIR: '/nowhere' } };
  const cause = /cannot read the store \/nowhere: no such file or directory/;
  assertRefused(await without.start(['--refresh', ...words], settings), { status: 125, cause });
});
