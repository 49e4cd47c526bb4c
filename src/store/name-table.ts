// Names, some with a value → the flat file that the audit module looks names up in, and back (audit/NAME-TABLE.md).
import { whyNoLibraryName } from '../elf/library-names.ts';

const MAGIC = 'NRFNAMES';
const FORMAT = 1;
const HEADER_SIZE = 40;

/** A hash and a name's number must fit one exact double, so that they are sorted as numbers. */
const MOST_NAMES = 2 ** 21;

/** e_machine of a table whose names are of any machine. */
export const ANY_MACHINE = 0;

export interface NameTable {
  /** e_machine of the objects that are meant, or ANY_MACHINE. */
  readonly machine: number;
  /** Which state of the catalogue it was made from: any 64-bit number that another state does not have. */
  readonly catalogue: bigint;
  /** Name → value, empty where it has none. Names that no library can have are left out of the file. */
  readonly entries: ReadonlyMap<string, string>;
}

/** 32-bit FNV-1a of characters below 256, as the module computes it of bytes. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Almost every name begins so, and has only such characters; a loop is faster than an expression. */
function isPlain(name: string): boolean {
  if (name.length > 255 || !name.startsWith('lib')) return false;
  for (let i = 3; i < name.length; i += 1) {
    const code = name.charCodeAt(i);
    if (code <= 0x24 || code === 0x2f || code >= 0x7f) return false; // controls, `$`, `/`
  }
  return true;
}

function isLibraryName(name: string): boolean {
  return isPlain(name) || whyNoLibraryName(name) === undefined;
}

/** The numbers of the names, each name once, by hash; those of equal hash in the order of the names. */
interface Order {
  readonly hashes: Uint32Array;
  readonly numbers: Uint32Array;
}

function orderByHash(names: readonly string[]): Order {
  if (names.length > MOST_NAMES) throw new RangeError(`a name table holds at most ${MOST_NAMES} names`);
  const keys = new Float64Array(names.length);
  for (let i = 0; i < keys.length; i += 1) keys[i] = hashOf(names[i] as string) * MOST_NAMES + i;
  keys.sort();
  const hashes = new Uint32Array(keys.length);
  const numbers = new Uint32Array(keys.length);
  let count = 0;
  for (let i = 0; i < keys.length; i += 1) {
    const key = keys[i] as number;
    hashes[count] = Math.floor(key / MOST_NAMES);
    numbers[count] = key % MOST_NAMES;
    if (!isRepeated(names, hashes, numbers, count)) count += 1;
  }
  return { hashes: hashes.subarray(0, count), numbers: numbers.subarray(0, count) };
}

function isRepeated(
  names: readonly string[],
  hashes: Uint32Array,
  numbers: Uint32Array,
  at: number,
): boolean {
  for (let i = at - 1; i >= 0 && hashes[i] === hashes[at]; i -= 1)
    if (names[numbers[i] as number] === names[numbers[at] as number]) return true;
  return false;
}

/** About one name in each bucket. */
function bucketBits(count: number): number {
  return count < 2 ? 0 : Math.ceil(Math.log2(count));
}

/** For each beginning of a hash the number of the first entry that has it or a later one. */
function fillBuckets(buckets: Uint32Array, bits: number, hashes: Uint32Array): void {
  let next = 0;
  for (let bucket = 0; bucket < buckets.length; bucket += 1) {
    const least = bucket * 2 ** (32 - bits);
    while (next < hashes.length && (hashes[next] as number) < least) next += 1;
    buckets[bucket] = next;
  }
}

interface Strings {
  /** Each name and its value, each ended by a NUL, in the order of the names. */
  readonly bytes: Buffer;
  /** Where each name begins. */
  readonly places: Uint32Array;
}

function stringsOf(names: readonly string[], values: ReadonlyMap<string, string>): Strings {
  const places = new Uint32Array(names.length);
  const found = values.size === 0 ? [] : names.map((name) => utf8(values.get(name) ?? ''));
  let size = 0;
  for (let i = 0; i < names.length; i += 1) {
    places[i] = size;
    size += (names[i] as string).length + 2 + (found[i]?.length ?? 0);
  }
  const text =
    found.length === 0 ? names.join('\0\0') : names.map((name, i) => `${name}\0${found[i]}`).join('\0');
  return { bytes: Buffer.from(`${text}\0\0\0`, 'latin1'), places };
}

/** The bytes of UTF-8 as characters below 256, as names are. */
function utf8(value: string): string {
  return value === '' ? '' : Buffer.from(value).toString('latin1');
}

/**
 * The file's bytes, of names in any order, repeated or not, and the values of those that have one. Numbers are
 * little-endian, as on every machine that there is a module for.
 * @throws RangeError beyond two million names.
 */
export function nameTableBytes(
  names: Iterable<string>,
  values: ReadonlyMap<string, string>,
  { machine, catalogue }: Omit<NameTable, 'entries'>,
): Buffer {
  const libraries = Array.from(names).filter(isLibraryName);
  const { hashes, numbers } = orderByHash(libraries);
  const count = hashes.length;
  const bits = bucketBits(count);
  const words = new Uint32Array(2 ** bits + 1 + 2 * count);
  fillBuckets(words.subarray(0, 2 ** bits + 1), bits, hashes);
  const { bytes, places } = stringsOf(libraries, values);
  const stringsAt = HEADER_SIZE + words.byteLength;
  for (let i = 0, at = 2 ** bits + 1; i < count; i += 1) {
    words[at++] = hashes[i] as number;
    words[at++] = stringsAt + (places[numbers[i] as number] as number);
  }
  const fields = [FORMAT, stringsAt + bytes.length, count, bits, machine, 0];
  return Buffer.concat([header(fields, catalogue), Buffer.from(words.buffer), bytes]);
}

function header(fields: readonly number[], catalogue: bigint): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE);
  bytes.write(MAGIC, 'latin1');
  for (const [index, field] of fields.entries()) bytes.writeUInt32LE(field, MAGIC.length + 4 * index);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, catalogue), HEADER_SIZE - 8);
  return bytes;
}

/**
 * The state of the catalogue, of the first 40 bytes of a file; `undefined` for anything but the beginning of a table.
 */
export function stateOfNameTable(header: Buffer): bigint | undefined {
  const isTable = header.length >= HEADER_SIZE && header.toString('latin1', 0, 8) === MAGIC;
  return isTable && header.readUInt32LE(8) === FORMAT ? header.readBigUInt64LE(32) : undefined;
}

/** What a file says; `undefined` for anything but a whole table. */
export function readNameTable(table: Buffer): NameTable | undefined {
  if (table.length <= HEADER_SIZE || table.toString('latin1', 0, 8) !== MAGIC) return undefined;
  const [format, size, count = 0, bits = 0, machine = 0] = [0, 1, 2, 3, 4].map((i) =>
    table.readUInt32LE(8 + 4 * i),
  );
  const stringsAt = HEADER_SIZE + 4 * (2 ** bits + 1) + 8 * count;
  const isWhole = size === table.length && table.at(-1) === 0 && stringsAt < size;
  if (format !== FORMAT || bits > 24 || !isWhole) return undefined;
  const entries = new Map<string, string>();
  for (let at = stringsAt - 8 * count; at < stringsAt; at += 8) {
    const name = table.readUInt32LE(at + 4);
    const value = table.indexOf(0, name) + 1;
    const end = table.indexOf(0, value);
    if (name < stringsAt || value === 0 || end < 0) return undefined;
    entries.set(table.toString('latin1', name, value - 1), table.toString('utf8', value, end));
  }
  return { machine, catalogue: table.readBigUInt64LE(32), entries };
}
