// A collector that begins while Nix makes a root, and reads neither the root nor the process → what is pinned stays.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { startRootAdder } from '../../src/store/add-and-pin.ts';
import { spareFromCollector } from '../../src/store/spare-from-collector.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from './compiled-library.ts';
import { openPrivateStore } from './private-store.ts';

needTool('nix-store', 'nix-bin');
needTool('strace', 'strace');
const scratch = scratchDirectory();
const store = openPrivateStore(path.join(scratch, 'nix'));
const temporaryRoots = path.join(store.location.stateDir, 'temproots');

/** Microseconds: of Nix before it makes a link, and of the collector between the roots and the temporary ones. */
const [BEFORE_LINK, BETWEEN_ROOTS] = [1_500_000, 3_000_000];

/** Nix, which waits before it makes its root, having named the path to a collector. */
const slowBin = path.join(scratch, 'slow-nix');
mkdirSync(slowBin);
writeFileSync(
  path.join(slowBin, 'nix-instantiate'),
  `#!/bin/sh\nexec strace -f -qq -o /dev/null -e trace=symlink -e inject=symlink:delay_enter=${BEFORE_LINK}:when=1 '${store.nix.bin}/nix-instantiate' "$@"\n`,
);
chmodSync(path.join(slowBin, 'nix-instantiate'), 0o755);
const slowNix = { ...store.nix, bin: slowBin };

/** Begins as soon as Nix has named a derivation, which is the last before its root. */
async function collectMeanwhile(): Promise<void> {
  const isNamed = (name: string): boolean =>
    readFileSync(path.join(temporaryRoots, name), 'utf8').includes('.drv');
  while (!(existsSync(temporaryRoots) && readdirSync(temporaryRoots).some(isNamed))) await pause(10);
  const injected = `inject=openat:delay_enter=${BETWEEN_ROOTS}`;
  const traced = ['-f', '-qq', '-o', '/dev/null', '-P', temporaryRoots, '-e', 'trace=openat', '-e', injected];
  const collector = [...traced, path.join(store.nix.bin, 'nix-store'), '--gc'];
  await execa('strace', collector, { env: store.nix.env, extendEnv: false });
}

test('by itself Nix loses what it has just made a root of: the next test can fail', async () => {
  const link = path.join(scratch, 'lost');
  const expression = 'derivation { name = "lost"; system = "none"; builder = "none"; }';
  const words = ['--add-root', link, '--indirect', '-E', expression];
  const made = execa(path.join(slowBin, 'nix-instantiate'), words, { env: store.nix.env, extendEnv: false });
  await Promise.all([made, collectMeanwhile()]);
  assert.equal(existsSync(readlinkSync(link)), false);
});

test('a text that is pinned then stays, for this collector and the next', async () => {
  const link = path.join(scratch, 'links/text');
  const pinning = startRootAdder(slowNix, link).pin({ name: 'text', content: 'kept', references: [] });
  const [pinned] = await Promise.all([pinning, collectMeanwhile()]);
  assert.deepEqual(pinned, { kind: 'pinned', storePath: readlinkSync(link) });
  store.run('nix-store', '--gc');
  assert.equal(readFileSync(link, 'utf8'), 'kept');
});

test('where no collector is running, and where none ever was, nothing is waited for', async () => {
  const nowhere = { ...store.nix, env: { ...store.nix.env, NIX_STATE_DIR: path.join(scratch, 'none') } };
  for (const nix of [store.nix, nowhere]) await spareFromCollector(nix, ['/nix/store/a', '/nix/store/b']);
});
