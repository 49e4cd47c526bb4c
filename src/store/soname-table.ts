// The sonames of a catalogue → the table in which the audit module sees whether the store can have a name at all.
import { writeFileAtomically } from '../host/atomic-file.ts';
import { type NameTable, nameTableBytes } from './name-table.ts';

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
