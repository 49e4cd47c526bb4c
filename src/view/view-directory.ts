// Names and what shall stand at them → where the directory with them lies in the cache, and that directory, made once.
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

/** One that is there stays. @throws Node's errors when the place cannot be written. */
export function makeViewDirectory({ directory, entries }: ViewDirectory): void {
  if (lstatSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
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
