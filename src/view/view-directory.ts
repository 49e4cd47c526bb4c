// Names and what shall stand at them → a directory of links in the cache, made once, which a view puts in place.
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

/**
 * The directory with these entries, named by them; one that is there stays.
 * @throws Node's errors when the place cannot be written.
 */
export function viewDirectory(dirs: Directories, entries: ReadonlyMap<string, Shown>): string {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const name = sha256OfText(JSON.stringify(sorted)).slice(0, 32);
  const directory = path.join(viewsDirectory(dirs), name);
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory()) return directory;
  makeDirectories(viewsDirectory(dirs));
  const temporary = temporaryName(directory);
  try {
    mkdirSync(temporary, { mode: 0o755 });
    for (const [entry, shown] of sorted) put(path.join(temporary, entry), shown);
    chmodSync(temporary, 0o755);
    moveInto(temporary, directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return directory;
}
