// Rules and this machine's own programs → those that the rules would take away from it.
import { readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { readStart } from '../../host/files.ts';
import { HEAD_SIZE, isMatched, type Rule } from './binfmt-rules.ts';

/** Where a system keeps the programs that it cannot do without. */
const SYSTEM_DIRECTORIES = [
  '/bin',
  '/sbin',
  '/usr/bin',
  '/usr/sbin',
  '/run/current-system/sw/bin',
  '/run/wrappers/bin',
];

/** The first bytes of a regular file; empty for what cannot be read. */
export function headOf(file: string): Uint8Array {
  const empty = new Uint8Array();
  try {
    return statSync(file).isFile() ? readStart(file, HEAD_SIZE) : empty;
  } catch {
    return empty;
  }
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => path.join(directory, name));
  } catch {
    return [];
  }
}

function realPaths(files: readonly string[]): string[] {
  const found = new Set<string>();
  for (const file of files) {
    try {
      found.add(realpathSync(file));
    } catch {} // a link that leads nowhere
  }
  return [...found].sort();
}

/**
 * The programs of the system, and those of `needed` (what a resolution itself starts), that one of the rules matches.
 * Sorted; real paths.
 */
export function matchedNatives(
  rules: readonly Rule[],
  needed: readonly string[],
  directories: readonly string[] = SYSTEM_DIRECTORIES,
): string[] {
  const files = realPaths([...needed, ...directories.flatMap(filesIn)]);
  return files.filter((file) => {
    const head = headOf(file);
    return rules.some((rule) => isMatched(rule, head));
  });
}
