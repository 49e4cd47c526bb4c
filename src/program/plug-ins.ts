// A program → the shared objects in its own directory tree, which it may open while it runs.
// One that it opened → the others in the same directory.
import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { libcKindOf } from '../elf/library-names.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { type BundledLibrary, findBundled } from './bundled.ts';

export interface PlugIn {
  readonly path: string;
  readonly elf: ElfFile;
  /** What it brings along: found by its own run path. */
  readonly bundled: readonly BundledLibrary[];
}

/** A tree with more entries is looked at in part: nearest directories first. */
const MOST_ENTRIES = 4000;
const MOST_PLUG_INS = 400;
/** Milliseconds: a file system may be slow, and the program waits. */
const MOST_TIME = 400;

/** As programs call what they open: `lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so`, `addon.node`. */
const NAME = /\.(?:so(?:\.[0-9]+)*|node)$/;

/** Directories that hold programs of a tree, so that the tree is the directory above. */
const PROGRAM_DIRECTORIES = new Set(['bin', 'sbin', 'libexec', 'MacOS']);

/** Trees of everybody: what lies there is not the program's own. */
const SHARED = new Set([
  '/',
  '/usr',
  '/usr/local',
  '/opt',
  '/tmp',
  '/var',
  '/var/tmp',
  '/srv',
  '/mnt',
  '/media',
  '/home',
]);

/** The directory of the program, or the one above a `bin`; undefined for one that others share with it. */
export function treeOf(program: string): string | undefined {
  const directory = path.dirname(program);
  const tree = PROGRAM_DIRECTORIES.has(path.basename(directory)) ? path.dirname(directory) : directory;
  return isShared(tree) ? undefined : tree;
}

function isShared(directory: string): boolean {
  return SHARED.has(directory) || directory.startsWith('/nix/store') || isHome(directory);
}

function isHome(directory: string): boolean {
  try {
    return directory === homedir() || directory === '/root' || path.dirname(directory) === '/home';
  } catch {
    return false; // a user without a home directory
  }
}

/** Breadth first; no link is followed, so no loop is met. Unreadable directories are passed over. */
function sharedObjectsBelow(tree: string): string[] {
  const found: string[] = [];
  const queue = [tree];
  const end = Date.now() + MOST_TIME;
  let entries = 0;
  for (let directory = queue.shift(); directory !== undefined; directory = queue.shift()) {
    for (const entry of entriesOf(directory)) {
      entries += 1;
      if (entries > MOST_ENTRIES || found.length === MOST_PLUG_INS || Date.now() > end) return found;
      const file = path.join(directory, entry.name);
      if (entry.isDirectory()) queue.push(file);
      else if (entry.isFile() && NAME.test(entry.name)) found.push(file);
    }
  }
  return found;
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

/**
 * Undefined for what the program, `like`, could not load anyway. `libraryPathDirs`: searched for what it brings along,
 * too.
 */
export function plugInAt(
  file: string,
  like: ElfFile,
  libraryPathDirs: readonly string[] = [],
): PlugIn | undefined {
  const elf = elfFileAt(file);
  if (elf === undefined || !elf.dynamic || elf.loadError !== undefined) return undefined;
  if (elf.class !== like.class || elf.machine !== like.machine) return undefined;
  const bundled = findBundled({ path: file, elf }, libcKindOf(like), () => {}, libraryPathDirs);
  return { path: file, elf, bundled };
}

/** Those for the program's machine that it does not load at its start anyway. */
export function findPlugIns(
  program: { readonly path: string; readonly elf: ElfFile },
  loaded: readonly { readonly path: string }[],
): PlugIn[] {
  const tree = treeOf(program.path);
  if (tree === undefined) return [];
  const known = new Set([program.path, ...loaded.map((each) => each.path)]);
  return sharedObjectsBelow(tree).flatMap((file) =>
    known.has(file) ? [] : (plugInAt(file, program.elf) ?? []),
  );
}

/** Milliseconds, as a few starts of the resolver take: what is not read then is looked for when it is opened. */
const MOST_TIME_BESIDE = 2000;
const MOST_BYTES_BESIDE = 1 << 30;

/** Where every loader of other distributions looks: what lies there are libraries of everything, no plug-ins. */
const LIBRARIES = /^(?:\/usr(?:\/local)?)?\/lib(?:32|64|x32)?(?:\/[^/]+-linux-[^/]+)?$/;

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * What lies in the directory of a plug-in and is called as plug-ins are, itself included, by name; in a directory of
 * libraries, or of everything, nothing. The paths are as the program opens them.
 */
export function filesBeside(file: string, libraryPathDirs: readonly string[]): string[] {
  const directory = path.dirname(file);
  const isSearched = LIBRARIES.test(directory) || libraryPathDirs.includes(directory);
  if (isSearched || isShared(directory)) return [];
  return entriesOf(directory)
    .filter((entry) => entry.isFile() && NAME.test(entry.name))
    .map(({ name }) => path.join(directory, name));
}

/** Those that the program could load, as many as are read in time. `libraryPathDirs` as for `plugInAt`. */
export function plugInsOf(
  files: readonly string[],
  like: ElfFile,
  libraryPathDirs: readonly string[],
): PlugIn[] {
  const end = Date.now() + MOST_TIME_BESIDE;
  let bytes = 0;
  return files.slice(0, MOST_PLUG_INS).flatMap((file) => {
    bytes += sizeOf(file);
    if (bytes > MOST_BYTES_BESIDE || Date.now() > end) return [];
    return plugInAt(file, like, libraryPathDirs) ?? [];
  });
}
