// Where a program lies → links to what lies beside and above it, so that its copy finds the same files.
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

/** A directory with more entries is no program's own: /usr/bin, a home. Its entries are not linked. */
const mostEntries = 500;

function entriesOf(directory: string, without: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name !== without);
    return names.length > mostEntries ? [] : names;
  } catch {
    return [];
  }
}

/**
 * Makes `root/<name of its directory>/` and links there, and in `root`, to everything that lies beside and above the
 * program: `$ORIGIN/lib`, `$ORIGIN/../lib`, resources that are opened by the directory of /proc/self/exe.
 * @returns where the copy of the program belongs.
 */
export function mirrorNeighbours(root: string, program: string): string {
  const directory = path.dirname(program);
  const name = path.basename(program);
  const above = path.dirname(directory);
  const directoryName = path.basename(directory) || 'root';
  const own = path.join(root, directoryName);
  mkdirSync(own, { recursive: true });
  chmodSync(own, 0o755);
  const link = (from: string, into: string, without: string): void => {
    for (const entry of entriesOf(from, without)) symlinkSync(path.join(from, entry), path.join(into, entry));
  };
  link(directory, own, name);
  if (directory !== '/') link(above, root, directoryName);
  return path.join(own, name);
}
