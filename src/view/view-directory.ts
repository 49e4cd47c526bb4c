// Names and what shall stand at them → where the directory with them lies in the cache, and that directory, made once.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { temporaryName } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { sha256OfText } from '../host/file-identity.ts';
import { isThere, makeDirectories } from '../host/files.ts';
import { ownersFor } from '../host/trusted-file.ts';
import { viewsDirectory } from '../plan/copy-directories.ts';

export type Shown =
  | { readonly kind: 'link'; readonly to: string }
  | { readonly kind: 'script'; readonly text: string }
  /** A file of the host is bound over it (PLAN.md). */
  | { readonly kind: 'stand-in' };

export const linkTo = (to: string): Shown => ({ kind: 'link', to });

/** Whatever the umask is: other users look there too, in a view of root. */
const [ENTRY_MODE, DIRECTORY_MODE] = [0o555, 0o755];

function put(file: string, shown: Shown): void {
  if (shown.kind === 'link') {
    symlinkSync(shown.to, file);
    return;
  }
  writeFileSync(file, shown.kind === 'script' ? shown.text : '');
  chmodSync(file, ENTRY_MODE);
}

/** Of anybody else's the owner could change the entries at any time, and no plan that names it holds (PLAN.md). */
function isOurs(directory: string): boolean {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && ownersFor(process.geteuid?.() ?? 0, directory).includes(stats.uid);
}

/** Somebody else may do the same at this moment: gone then, or one of ours already, which is given its name back. */
function setAside(directory: string): void {
  const aside = temporaryName(directory);
  try {
    renameSync(directory, aside);
    if (isOurs(aside)) renameSync(aside, directory);
  } catch (error) {
    if (isThere(directory) && !isOurs(directory)) throw error;
  }
  try {
    rmSync(aside, { recursive: true, force: true });
  } catch {} // what somebody else has put into a directory of theirs
}

/** Somebody else may make the same at this moment. */
function moveInto(temporary: string, directory: string): void {
  if (isThere(directory) && !isOurs(directory)) setAside(directory);
  try {
    renameSync(temporary, directory);
  } catch (error) {
    if (!isOurs(directory)) throw error;
  }
}

export interface ViewDirectory {
  readonly directory: string;
  /** By name, in order. */
  readonly entries: readonly (readonly [name: string, shown: Shown])[];
}

/** The directory with these entries, named by them. Writes nothing. */
export function viewDirectory(dirs: Directories, shown: ReadonlyMap<string, Shown>): ViewDirectory {
  const entries = [...shown].sort(([a], [b]) => (a < b ? -1 : 1));
  const name = sha256OfText(JSON.stringify(entries)).slice(0, 32);
  return { directory: path.join(viewsDirectory(dirs), name), entries };
}

function isShown(file: string, shown: Shown): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (shown.kind === 'link') return stats.isSymbolicLink() && readlinkSync(file) === shown.to;
  if (!stats.isFile() || (stats.mode & 0o777) !== ENTRY_MODE) return false;
  return shown.kind === 'script' ? readFileSync(file, 'utf8') === shown.text : stats.size === 0;
}

function makeAll({ entries }: ViewDirectory, directory: string): void {
  mkdirSync(directory, { mode: DIRECTORY_MODE });
  for (const [name, shown] of entries) put(path.join(directory, name), shown);
  chmodSync(directory, DIRECTORY_MODE);
}

/** A file of the host may be bound over a stand-in, in a tree that runs: it stays the same file. */
function mendStandIn(file: string): void {
  chmodSync(file, 0o755);
  truncateSync(file);
  chmodSync(file, ENTRY_MODE);
}

function mendEntry(file: string, shown: Shown, whole: string): void {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (shown.kind === 'stand-in' && stats?.isFile()) {
    mendStandIn(file);
    return;
  }
  if (stats?.isDirectory()) rmSync(file, { recursive: true, force: true });
  renameSync(whole, file);
}

/** Gives a directory that is there its entries back, one by one, since trees may be running with it. */
function mend(view: ViewDirectory): void {
  const { directory, entries } = view;
  if ((lstatSync(directory).mode & 0o777) !== DIRECTORY_MODE) chmodSync(directory, DIRECTORY_MODE);
  const wanted = new Map(entries);
  for (const name of readdirSync(directory))
    if (!wanted.has(name)) rmSync(path.join(directory, name), { recursive: true, force: true });
  const damaged = entries.filter(([name, shown]) => !isShown(path.join(directory, name), shown));
  if (damaged.length === 0) return;
  const temporary = temporaryName(directory);
  try {
    makeAll({ directory, entries: damaged }, temporary);
    for (const [name, shown] of damaged)
      mendEntry(path.join(directory, name), shown, path.join(temporary, name));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** One that is there stays, and gets back what was changed in it. @throws Node's errors when it cannot be written. */
export function makeViewDirectory(view: ViewDirectory): void {
  const { directory } = view;
  if (isOurs(directory)) {
    mend(view);
    return;
  }
  makeDirectories(path.dirname(directory));
  const temporary = temporaryName(directory);
  try {
    makeAll(view, temporary);
    moveInto(temporary, directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
