// The sonames of a catalogue → the table in which the audit module sees whether the store can have a name at all.
import { type BigIntStats, closeSync, openSync, readSync, statSync, utimesSync } from 'node:fs';
import { machinesRunBy } from '../elf/machine.ts';
import { writeFileAtomically } from '../host/atomic-file.ts';
import { identityOfStats, inodeOf } from '../host/file-identity.ts';
import { debug } from '../host/output.ts';
import { type Catalogue, NAMES_STATE } from './catalogue.ts';
import { catalogueFile } from './catalogue-file.ts';
import { type NameTable, nameTableBytes, stateOfNameTable } from './name-table.ts';

/** The table of one machine's names, in any order, repeated or not. @throws RangeError beyond two million names. */
export function sonameTable(names: Iterable<string>, of: Omit<NameTable, 'entries'>): Buffer {
  return nameTableBytes(names, new Map(), of);
}

/**
 * Writes it by rename: modules that have the old file mapped keep it until they look again.
 * @throws Node's errno errors.
 */
export function writeSonameTable(
  file: string,
  names: Iterable<string>,
  of: Omit<NameTable, 'entries'>,
): void {
  writeFileAtomically(file, sonameTable(names, of));
}

/** The table of a machine's names, beside the catalogue of a store. `machine`: e_machine. */
export function sonameTableFile(directory: string, storeDir: string, machine: number): string {
  return catalogueFile(directory, storeDir).replace(/sqlite$/, `${machine}.names`);
}

/** The catalogue's state, as name tables carry it. */
export function catalogueState(catalogue: Pick<Catalogue, 'memo'>): bigint {
  return BigInt(catalogue.memo(NAMES_STATE) ?? '0');
}

function stateOfFile(file: string): bigint | undefined {
  try {
    const fd = openSync(file, 'r');
    try {
      const header = Buffer.alloc(40);
      return readSync(fd, header, 0, 40, 0) === 40 ? stateOfNameTable(header) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** The state of the catalogue that the table of a machine's names was made of; undefined where there is none. */
export function stateOfSonameTable(directory: string, storeDir: string, machine: number): bigint | undefined {
  return stateOfFile(sonameTableFile(directory, storeDir, machine));
}

/** What a store directory was when it was looked at. */
interface Look {
  readonly stats: BigIntStats;
  /** All that was there was complete, and could be read. */
  readonly isWhole: boolean;
}

/** The last look of this process, by store directory. */
const looks = new Map<string, Look>();

/** Says how a store directory was just before its names were listed, and that all of them have been looked at now. */
export function noteLook(storeDir: string, look: Look): void {
  looks.set(storeDir, look);
}

/**
 * Whether what the last look saw is still all that can have a library. Files may have come, such as our own derivations
 * and texts: most file systems count the directories in a directory (stat(2), st_nlink), and some say 1 (btrfs,
 * overlayfs). Total.
 */
export function isAsLooked(storeDir: string): boolean {
  const look = looks.get(storeDir);
  if (look === undefined) return false;
  const { stats, isWhole } = look;
  try {
    const now = statSync(storeDir, { bigint: true });
    if (identityOfStats(now) === identityOfStats(stats)) return true;
    return isWhole && now.nlink > 1n && now.nlink === stats.nlink && inodeOf(now) === inodeOf(stats);
  } catch {
    return false;
  }
}

/** Its time says when somebody looked at the store for it (audit/RUN-TIME.md). */
function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {} // there is none, or it is somebody else's
}

/**
 * What we add to the store ourselves holds no library: says that the tables are up to date all the same. Where more may
 * have come meanwhile nothing is said, and the next program that asks for another name has the store looked at.
 */
export function touchSonameTables(directory: string, storeDir: string): void {
  if (!isAsLooked(storeDir)) return;
  for (const { machine } of machinesRunBy(process.arch)) touch(sonameTableFile(directory, storeDir, machine));
}

/**
 * Brings the tables of this machine's classes up to date. A directory that takes no file has none: nothing is thrown.
 */
export function refreshSonameTables(catalogue: Catalogue, directory: string): void {
  const state = catalogueState(catalogue);
  for (const { class: elfClass, machine } of machinesRunBy(process.arch)) {
    const file = sonameTableFile(directory, catalogue.storeDir, machine);
    if (stateOfFile(file) === state) {
      touch(file);
      continue;
    }
    try {
      writeSonameTable(file, catalogue.namesBeginning('', elfClass, machine), { machine, catalogue: state });
      debug(`the soname table ${file} is written`);
    } catch (error) {
      debug(`the soname table ${file} cannot be written: ${String(error)}`);
    }
  }
}
