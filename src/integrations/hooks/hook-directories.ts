// Words of the user → the list of directories whose programs run by name though they are not on PATH.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { removeLeftoversOf, writeFileAtomically } from '../../host/atomic-file.ts';
import { errnoOf, ForeignError } from '../../host/errors.ts';
import { makeDirectories } from '../../host/files.ts';
import { withLock } from '../../host/mutex.ts';

/** The list's file below the data directory: absolute paths, one a line, which the shells read by themselves. */
export function directoriesFile(data: string): string {
  return path.join(data, 'directories');
}

/** The registered directories, first come first; none where there is no list. @throws Node's other errors. */
export function readDirectories(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('/'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * One change after the other, each of the list as it is then. @throws what `change` throws, and then writes nothing.
 */
async function changeList(
  file: string,
  change: (known: readonly string[]) => readonly string[],
): Promise<readonly string[]> {
  return await withLock(file, async () => {
    const changed = change(readDirectories(file));
    removeLeftoversOf(file);
    writeFileAtomically(file, changed.map((each) => `${each}\n`).join(''));
    return changed;
  });
}

function refusal(directory: string, why: string, hint: string): ForeignError {
  return new ForeignError(`${directory}: ${why}`, { code: 'directory', hint, exitCode: 125 });
}

/** Adds at the end what is not there yet. @throws ForeignError `directory` for what is none, and then adds nothing. */
export async function addDirectories(
  file: string,
  directories: readonly string[],
): Promise<readonly string[]> {
  for (const each of directories) {
    if (each.includes('\n')) throw refusal(each, 'a line break is in its name', 'give it another name');
    if (statSync(each, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw refusal(each, 'it is no directory', 'name a directory with programs in it');
  }
  makeDirectories(path.dirname(file));
  return await changeList(file, (known) => [...new Set([...known, ...directories])]);
}

/** @throws ForeignError `directory` for one that is not in the list, and then removes nothing. */
export async function removeDirectories(
  file: string,
  directories: readonly string[],
): Promise<readonly string[]> {
  return await changeList(file, (known) => {
    for (const each of directories) {
      if (!known.includes(each))
        throw refusal(each, 'it is not registered', 'name one of: nix-foreign dirs list');
    }
    return known.filter((each) => !directories.includes(each));
  });
}
