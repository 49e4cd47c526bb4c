// A store → the file of its catalogue: the newest of those that replaced each other.
import { closeSync, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import { sha256OfText } from '../host/file-identity.ts';
import { allNamesIn } from '../host/files.ts';
import { debug } from '../host/output.ts';

/** Of a catalogue that nobody can share and that has no file. */
export const IN_MEMORY = ':memory:';

/** The first file of a store's catalogue, in a place's catalogue directory; newestFile says which it is now. */
export function catalogueFile(directory: string, storeDir: string): string {
  return path.join(directory, `${sha256OfText(storeDir).slice(0, 16)}.sqlite`);
}

/** The files of a catalogue: SQLite's own, its journal and the index of that. */
export function filesOf(file: string): string[] {
  return ['', '-wal', '-shm'].map((suffix) => file + suffix);
}

/** `X.sqlite`, `X.1.sqlite`, `X.2.sqlite` and so on: the start they have in common, and the number. */
function numbered(file: string): { readonly stem: string; readonly number: number } {
  const { stem = file, number } = /^(?<stem>.*?)(?:\.(?<number>\d+))?\.sqlite$/s.exec(file)?.groups ?? {};
  return { stem, number: Number(number ?? 0) };
}

function withNumber(stem: string, number: number): string {
  return number === 0 ? `${stem}.sqlite` : `${stem}.${number}.sqlite`;
}

/** The numbers of the files of a catalogue that are there, or whose journals are, in order. @throws Node's errors. */
function numbersBeside(stem: string): number[] {
  const names = allNamesIn(path.dirname(stem)).map((name) => name.replace(/-(?:wal|shm)$/, ''));
  const mine = names.filter((name) => numbered(name).stem === path.basename(stem));
  return [...new Set(mine.map((name) => numbered(name).number))].sort((a, b) => a - b);
}

/**
 * The file that a catalogue is in now, the first one where there is none; and those that it replaced: a process that
 * was opening one may have made it anew. @throws Node's errors where the directory cannot be listed.
 */
export function newestFile(first: string): { readonly file: string; readonly replaced: readonly string[] } {
  if (first === IN_MEMORY) return { file: first, replaced: [] };
  const { stem } = numbered(first);
  const numbers = numbersBeside(stem);
  const newest = numbers.pop() ?? 0;
  return { file: withNumber(stem, newest), replaced: numbers.map((each) => withNumber(stem, each)) };
}

/**
 * Removes a catalogue that was replaced, or a directory in its place, which is nobody's catalogue. What cannot be
 * removed stays: nobody opens it again.
 */
export function removeFiles(file: string): void {
  for (const each of filesOf(file)) {
    try {
      rmSync(each, { force: true, recursive: true });
    } catch (error) {
      debug(`${each}, which was replaced, cannot be removed: ${String(error)}`);
    }
  }
}

/**
 * Puts an empty file in the place of one that is of no use. It has another name: SQLite finds a journal by its name, so
 * who has the old file open would share the journal of the new one (sqlite.org/howtocorrupt.html, "Unlinking or
 * renaming a database file while in use"). Processes that do so together get the same file.
 * @throws Node's errors.
 */
export function replaceFile(file: string): void {
  const { stem, number } = numbered(file);
  closeSync(openSync(withNumber(stem, number + 1), 'a'));
  removeFiles(file);
}
