// A directory → the files in it that may be programs, each once, with its other names.
import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { openFileSource } from '../../elf/open-elf.ts';
import { readElf } from '../../elf/read-elf.ts';

interface TreeFile {
  readonly file: string;
  /** Hard links to it in the tree. */
  readonly others: readonly string[];
}

function isDynamicProgram(file: string): boolean {
  try {
    const source = openFileSource(file);
    try {
      const reading = readElf(source);
      return reading.kind === 'elf' && reading.file.interpreter !== undefined;
    } finally {
      source.close();
    }
  } catch {
    return false;
  }
}

/** Sorted. Links are not followed: what they lead to is in the tree, or is none of its files. */
export function programsInTree(directory: string): TreeFile[] {
  const byInode = new Map<string, string[]>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { dev, ino } = lstatSync(file, { bigint: true });
    const key = `${dev}:${ino}`;
    byInode.set(key, [...(byInode.get(key) ?? []), file]);
  }
  return [...byInode.values()]
    .map((names) => names.sort())
    .map(([file = '', ...others]) => ({ file, others }))
    .filter(({ file }) => isDynamicProgram(file))
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}
