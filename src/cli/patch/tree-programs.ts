// A directory → the programs and libraries in it that may be patched, each once, with its other names.
import { accessSync, constants, lstatSync } from 'node:fs';
import path from 'node:path';
import { isStartableLibrary } from '../../elf/classify.ts';
import type { ElfFile } from '../../elf/elf-file.ts';
import { ET_DYN } from '../../elf/gabi.ts';
import { elfFileAt } from '../../elf/open-elf.ts';
import { errnoOf } from '../../host/errors.ts';
import { inodeOf } from '../../host/file-identity.ts';
import { filesBelow } from '../../host/files.ts';
import { notice } from '../../host/output.ts';
import { locate } from '../../resolve/patch-target.ts';
import { usageError } from '../usage-error.ts';

export interface TreeFile {
  readonly file: string;
  /** Hard links to it in the tree. */
  readonly others: readonly string[];
}

interface FilesInTree {
  readonly programs: readonly TreeFile[];
  /** Shared objects that need others. */
  readonly libraries: readonly TreeFile[];
  /** Names of all files and links, and sonames of the libraries. */
  readonly names: ReadonlySet<string>;
  /** May be programs. */
  readonly unreadable: readonly string[];
}

/** Node has no other names than UTF-8: by what it reads such a file is not found. A file may also have gone since. */
function tellUnreachable(directory: string, files: readonly string[]): void {
  const odd = files.filter((file) => file.includes('\ufffd'));
  if (odd.length === 0) return;
  const [count, verb] = odd.length === 1 ? ['a name', 'is'] : [`${odd.length} names`, 'are'];
  notice(`${directory}: ${count} in it ${verb} not UTF-8, and what lies there is passed over`);
}

/** Sorted, each file once. Links are not followed: what they lead to is in the tree, or is none of its files. */
function namedFiles(directory: string): { files: TreeFile[]; names: Set<string> } {
  const byInode = new Map<string, string[]>();
  const names = new Set<string>();
  const unreachable: string[] = [];
  const refuse = (below: string, error: unknown): void => {
    if (below === directory || errnoOf(error) !== 'ENOENT') throw error;
  };
  for (const { file, kind } of filesBelow(directory, refuse)) {
    const stats = lstatSync(file, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) unreachable.push(file);
    else names.add(path.basename(file));
    if (stats === undefined || kind !== 'file') continue;
    const key = inodeOf(stats);
    byInode.set(key, [...(byInode.get(key) ?? []), file]);
  }
  tellUnreachable(directory, unreachable);
  const files = [...byInode.values()]
    .map((found) => found.sort())
    .map(([file = '', ...others]) => ({ file, others }))
    .sort((a, b) => (a.file < b.file ? -1 : 1));
  return { files, names };
}

function isProgram(elf: ElfFile): boolean {
  return elf.interpreter !== undefined && !isStartableLibrary(elf);
}

/** It is not made to be started, or not only. */
function isLibrary(elf: ElfFile): boolean {
  return elf.type === ET_DYN && elf.dynamic && !isProgram(elf) && elf.needed.length > 0;
}

function mayRead(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function isUnreadable(file: string): boolean {
  const mode = lstatSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & 0o111) !== 0 && !mayRead(file);
}

/** Those that may be executed, and not read (mode 0111), are passed over. */
export function tellUnreadable(unreadable: readonly string[]): void {
  const [first] = unreadable;
  if (first === undefined) return;
  const more = unreadable.length === 1 ? '' : ` and ${unreadable.length - 1} more`;
  notice(`${first}${more}: executable, but you may not read it, so it is passed over`);
}

/** The real path of a directory. @throws ForeignError `not-found`, `unreachable`; `usage` for what is none. */
export function treeAt(typedName: string): string {
  const { file, stats } = locate(typedName);
  if (stats.isDirectory()) return file;
  throw usageError(`${typedName}: it is no directory`, 'leave --tree out, or name a directory');
}

/**
 * By real paths, as records have them. `judge` is told where the name leads, and may throw.
 * @throws ForeignError for what is no directory; Node's errno errors where it cannot be read.
 */
export function filesInTree(
  typedName: string,
  judge: (typedName: string, real: string) => void,
): FilesInTree {
  const directory = treeAt(typedName);
  judge(typedName, directory);
  const { files, names } = namedFiles(directory);
  const found = files.flatMap((each) => {
    const elf = elfFileAt(each.file);
    return elf === undefined ? [] : [{ ...each, elf }];
  });
  const known = new Set(found.map(({ file }) => file));
  for (const { elf } of found) if (elf.soname !== undefined) names.add(elf.soname);
  const plain = ({ file, others }: TreeFile): TreeFile => ({ file, others });
  return {
    programs: found.filter(({ elf }) => isProgram(elf)).map(plain),
    libraries: found.filter(({ elf }) => isLibrary(elf)).map(plain),
    names,
    unreadable: files.map(({ file }) => file).filter((file) => !known.has(file) && isUnreadable(file)),
  };
}
