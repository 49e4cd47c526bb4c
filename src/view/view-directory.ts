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
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { temporaryName } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { sha256OfText } from '../host/file-identity.ts';
import { makeDirectories } from '../host/files.ts';
import { viewsDirectory } from '../plan/copy-directories.ts';

export type Shown =
  | { readonly kind: 'link'; readonly to: string }
  | { readonly kind: 'script'; readonly text: string }
  /** A file of the host is bound over it (PLAN.md). */
  | { readonly kind: 'stand-in' };

export const linkTo = (to: string): Shown => ({ kind: 'link', to });

function put(file: string, shown: Shown): void {
  if (shown.kind === 'link') symlinkSync(shown.to, file);
  else writeFileSync(file, shown.kind === 'script' ? shown.text : '', { mode: 0o555 });
}

function moveInto(temporary: string, directory: string): void {
  try {
    renameSync(temporary, directory);
  } catch (error) {
    if (!lstatSync(directory, { throwIfNoEntry: false })?.isDirectory()) throw error;
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
  return stats.isFile() && readFileSync(file, 'utf8') === (shown.kind === 'script' ? shown.text : '');
}

/** Gives a directory that is there its entries back, one by one, since trees may be running with it. */
function mend({ directory, entries }: ViewDirectory): void {
  const wanted = new Map(entries);
  for (const name of readdirSync(directory))
    if (!wanted.has(name)) rmSync(path.join(directory, name), { recursive: true });
  for (const [name, shown] of entries) {
    const file = path.join(directory, name);
    if (isShown(file, shown)) continue;
    rmSync(file, { recursive: true, force: true });
    put(file, shown);
  }
}

/** One that is there stays, and gets back what was changed in it. @throws Node's errors when it cannot be written. */
export function makeViewDirectory(view: ViewDirectory): void {
  const { directory, entries } = view;
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    mend(view);
    return;
  }
  makeDirectories(path.dirname(directory));
  const temporary = temporaryName(directory);
  try {
    mkdirSync(temporary, { mode: 0o755 });
    for (const [entry, shown] of entries) put(path.join(temporary, entry), shown);
    chmodSync(temporary, 0o755);
    moveInto(temporary, directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
