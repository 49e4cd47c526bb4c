// A directory → the programs and libraries in it that may be patched, each once, with its other names.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../../elf/elf-file.ts';
import { elfFileAt } from '../../elf/open-elf.ts';
import { filesBelow } from '../../host/files.ts';

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
}

/** Sorted, each file once. Links are not followed: what they lead to is in the tree, or is none of its files. */
function namedFiles(directory: string): { files: TreeFile[]; names: Set<string> } {
  const byInode = new Map<string, string[]>();
  const names = new Set<string>();
  const refuse = (_: string, error: unknown): void => {
    throw error;
  };
  for (const { file, kind } of filesBelow(directory, refuse)) {
    names.add(path.basename(file));
    if (kind !== 'file') continue;
    const { dev, ino } = lstatSync(file, { bigint: true });
    const key = `${dev}:${ino}`;
    byInode.set(key, [...(byInode.get(key) ?? []), file]);
  }
  const files = [...byInode.values()]
    .map((found) => found.sort())
    .map(([file = '', ...others]) => ({ file, others }))
    .sort((a, b) => (a.file < b.file ? -1 : 1));
  return { files, names };
}

/** ET_DYN (elf.h) that no kernel starts. */
function isLibrary({ type, dynamic, interpreter, needed }: ElfFile): boolean {
  return type === 3 && dynamic && interpreter === undefined && needed.length > 0;
}

/** @throws Node's errno errors for what is no directory. */
export function filesInTree(directory: string): FilesInTree {
  const { files, names } = namedFiles(directory);
  const found = files.flatMap((each) => {
    const elf = elfFileAt(each.file);
    return elf === undefined ? [] : [{ ...each, elf }];
  });
  for (const { elf } of found) if (elf.soname !== undefined) names.add(elf.soname);
  const plain = ({ file, others }: TreeFile): TreeFile => ({ file, others });
  return {
    programs: found.filter(({ elf }) => elf.interpreter !== undefined).map(plain),
    libraries: found.filter(({ elf }) => isLibrary(elf)).map(plain),
    names,
  };
}
