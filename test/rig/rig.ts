// A level → a ready rig: a real Nix store made of Debian's libraries, and foreign programs to be run with it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { on32Bit } from '../launcher/tool-fixture.ts';
import { buildRig } from './build-rig.ts';
import type { ForeignProgram } from './foreign.ts';
import { ensureHostTools } from './packages/host-tools.ts';
import type { Level } from './packages/selection.ts';
import { buildOnce, definitionHash, rigCacheDirectory } from './rig-cache.ts';

/** One object of the rig's store. */
export interface StoreObject {
  readonly path: string;
  readonly suite: string;
  readonly architecture: string;
  /** The sonames it provides, files and links in `lib` and below, sorted. */
  readonly provides: readonly string[];
}

export interface Rig {
  readonly level: Level;
  /** Where it is kept. Nothing in it may be changed by a test: see root.ts for private copies. */
  readonly dir: string;
  /** What becomes /nix. Store paths below are as seen there. */
  readonly nixDir: string;
  readonly storeDir: '/nix/store';
  /** The project's pinned Node with a loader and libraries of the store. */
  readonly node: string;
  /** Directory of the commands of the default profile's Nix, Debian bookworm's. */
  readonly nixBin: string;
  /** Every Nix of the store, oldest first. */
  readonly nixVersions: readonly { readonly version: string; readonly bin: string }[];
  readonly bash: string;
  readonly enterRoot: string;
  /** Without 32-bit programs where the kernel runs none. */
  readonly foreign: readonly ForeignProgram[];
  readonly storeObjects: readonly StoreObject[];
  /** Exact Debian versions, `suite package architecture version`. */
  readonly versions: readonly string[];
}

/**
 * The rig of this level: from the cache in milliseconds, else built, which takes minutes, needs root and a Debian
 * mirror, and says on stderr what it does. Test files may call it at the same time: one builds, the others wait.
 */
export async function ensureRig(level: Level): Promise<Rig> {
  const hash = definitionHash([level, process.version]);
  const dir = join(rigCacheDirectory(), `${level}-${hash}`);
  const marker = join(dir, 'rig.json');
  if (!existsSync(marker) && process.getuid?.() !== 0) {
    throw new Error(
      'the rig is built with mounts of its own at /nix: run once as root, e.g. `sudo npm test`',
    );
  }
  await ensureHostTools();
  await buildOnce(marker, () => buildRig(level, dir));
  return readRig(marker);
}

function readRig(marker: string): Rig {
  const stored = JSON.parse(readFileSync(marker, 'utf8')) as Rig & { foreign: { expect: string }[] };
  const isRun = ({ architecture }: ForeignProgram) => architecture !== 'i386' || on32Bit.skip === undefined;
  const foreign = stored.foreign
    .map((each) => ({ ...each, expect: new RegExp(each.expect, 'm') }))
    .filter(isRun);
  return { ...stored, foreign };
}
