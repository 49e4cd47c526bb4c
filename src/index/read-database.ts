// A nix-index database of version 1 or 2 → its packages with their shared objects, and what is wrong with it.
import { fstatSync, readSync } from 'node:fs';
import { frcodeDecoder } from './frcode.ts';
import { collectPackages, type EntryCounts, type PackageObjects } from './package-objects.ts';
import { type Damage, damage, decodeFrames, type FilePart, type Frame, walkFrames } from './zstd-frames.ts';

/** Twice to sixteen times what an index of all of nixpkgs unpacks to. */
const MOST_DECODED = 8 * 2 ** 30;
const HEADER = 12;

/** Why a file is not read; `why` is one clause. */
export type IndexRefusal =
  | { readonly kind: 'no-index' }
  | { readonly kind: 'unknown-version'; readonly version: number; readonly known: string }
  | Damage
  /** It has programs only (`--filter-prefix /bin/`). */
  | { readonly kind: 'no-libraries' }
  /** Of a derived index: nobody trusted has signed it. */
  | { readonly kind: 'untrusted'; readonly why: string };

export interface DatabaseRead {
  readonly kind: 'read';
  readonly version: number;
  readonly counts: Readonly<EntryCounts>;
}

/** What the reader of a source is given besides the source. */
export interface Reading {
  readonly storeDir: string;
  readonly give: (found: PackageObjects) => void;
  /** Gets shares from 0 to 1. */
  readonly progress: (share: number) => void;
}

/** The version of the database in a file: `NIXI` and 8 bytes (nix-index 0.1.11, src/database.rs). */
export function databaseVersion(fd: number): number | undefined {
  const header = Buffer.alloc(HEADER);
  if (readSync(fd, header, 0, HEADER, 0) < HEADER || header.toString('latin1', 0, 4) !== 'NIXI')
    return undefined;
  return Number(header.readBigUInt64LE(4));
}

/** Version 2 ends with a table of the lengths of its frames (nix-index, pull request 325), and has nothing else. */
function whyTableIsWrong({ fd, end }: FilePart, frames: readonly Frame[]): string | undefined {
  const wrong = 'its table of frames does not fit';
  const table = frames.at(-1);
  const data = frames.slice(0, -1);
  if (table?.kind !== 'skippable' || data.length === 0 || data.some(({ kind }) => kind !== 'data'))
    return wrong;
  const words = Buffer.alloc(8 + 8 + 4 * data.length);
  if (table.end - table.start !== words.length || table.end !== end) return wrong;
  if (readSync(fd, words, 0, words.length, table.start) !== words.length) return wrong;
  const length = 8 + 4 * data.length;
  const expected = [0x184d2a50, length, data.length, ...data.map((each) => each.end - each.start), length];
  return expected.every((word, i) => words.readUInt32LE(4 * i) === word) ? undefined : wrong;
}

async function readFrames(
  fd: number,
  frames: readonly Frame[],
  reading: Reading,
): Promise<EntryCounts | Damage> {
  const collector = collectPackages(reading.storeDir, reading.give);
  const decoder = frcodeDecoder(collector.entry, 'libraries');
  const end = frames.at(-1)?.end ?? 1;
  // One stream over all frames: after a package nothing is shared, so frames that begin anew read the same.
  const decoded = await decodeFrames(fd, frames, MOST_DECODED, (piece, offset) => {
    reading.progress(offset / end);
    return decoder.feed(piece);
  });
  if (decoded.kind === 'damaged') return decoded;
  const wrong = decoder.end() ?? collector.end();
  return wrong === undefined ? { ...collector.counts, entries: decoder.entries() } : damage(wrong);
}

/**
 * Reads a whole database. What `give` got counts only where the answer is `read`.
 * @throws Node's errors of reading.
 */
export async function readDatabase(fd: number, reading: Reading): Promise<DatabaseRead | IndexRefusal> {
  const version = databaseVersion(fd);
  if (version === undefined) return { kind: 'no-index' };
  if (version !== 1 && version !== 2)
    return { kind: 'unknown-version', version, known: 'versions 1 and 2 are known' };
  const part = { fd, start: HEADER, end: fstatSync(fd).size };
  const walked = walkFrames(part);
  if (walked.kind === 'damaged') return walked;
  if (walked.frames.length === 0) return damage('it ends too early');
  const wrong = version === 2 ? whyTableIsWrong(part, walked.frames) : undefined;
  if (wrong !== undefined) return damage(wrong);
  const counts = await readFrames(fd, walked.frames, reading);
  if ('kind' in counts) return counts;
  return counts.entries > 0 && counts.outsideBin === 0
    ? { kind: 'no-libraries' }
    : { kind: 'read', version, counts };
}
