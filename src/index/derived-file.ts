// The shared objects of a side catalogue → one small file to hand on, signed; and such a file → its packages again.
import { createHash } from 'node:crypto';
import { fstatSync, readSync } from 'node:fs';
import { constants, zstdCompressSync } from 'node:zlib';
import {
  type EntryCounts,
  type IndexedFile,
  isUsableObject,
  noCounts,
  type PackageObjects,
  toIndexedFile,
} from './package-objects.ts';
import type { DatabaseRead, IndexRefusal, Reading } from './read-database.ts';
import { type Damage, damage, decodeFrames, walkFrames } from './zstd-frames.ts';

/** The first line, without its version. */
const MAGIC = 'nix-run-foreign file index ';
const VERSION = 1;

/** In front of what is signed: a key that also signs other things never signs one for the other. */
const DOMAIN = 'nix-run-foreign file index\n';

const LONGEST_HEAD = 65_536;
const LONGEST_LINE = 16_384;
const MOST_DECODED = 2 ** 30;

/** Signs a text: `name:base64`, as Nix writes signatures. */
export type Sign = (text: string) => string;

/** Says whether one of the signatures of a text is enough; `why` is one clause. */
export type Verify = (
  text: string,
  signatures: readonly string[],
) => { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly why: string };

interface Head {
  readonly line: string;
  readonly signatures: readonly string[];
  readonly sha256: string;
  readonly storeDir: string;
  /** Offset of the packed text. */
  readonly end: number;
}

function lineOfObject({ object: { name, attr, output, toplevel, system } }: PackageObjects): string {
  return ['o', name, attr, output, toplevel ? 't' : '-', system].join('\t');
}

const LETTERS = { regular: 'r', executable: 'x', link: 's' } as const;
const KINDS: Readonly<Record<string, IndexedFile['kind']>> = { r: 'regular', x: 'executable', s: 'link' };

function lineOfFile({ name, dir, kind, size, target }: IndexedFile): string {
  return [LETTERS[kind], name, dir, kind === 'link' ? target : size].join('\t');
}

/** A tab is in no name: they are printable ASCII. */
function textOf(packages: Iterable<PackageObjects>): string {
  const lines: string[] = [];
  for (const each of packages) lines.push(lineOfObject(each), ...each.files.map(lineOfFile));
  return `${lines.join('\n')}\n`;
}

/** The whole file. The same packages in the same order give the same bytes. `level` is that of zstd. */
export function derivedFile(
  storeDir: string,
  packages: Iterable<PackageObjects>,
  sign: Sign | undefined,
  level = 19,
): Buffer {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  const packed = zstdCompressSync(textOf(packages), { params });
  const sha256 = createHash('sha256').update(packed).digest('hex');
  const line = JSON.stringify({ sha256, storeDir });
  const signatures = sign === undefined ? [] : [`${sign(DOMAIN + line)}\n`];
  return Buffer.concat([Buffer.from(`${MAGIC}${VERSION}\n${line}\n${signatures.join('')}\n`), packed]);
}

/** The version of a derived index, from its first line. */
export function derivedVersion(fd: number): number | undefined {
  const bytes = Buffer.alloc(MAGIC.length + 8);
  const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0));
  const version = text.startsWith(MAGIC) ? /^(\d{1,6})\n/.exec(text.slice(MAGIC.length))?.[1] : undefined;
  return version === undefined ? undefined : Number(version);
}

function readHead(fd: number): Head | Damage {
  const bytes = Buffer.alloc(LONGEST_HEAD);
  const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0));
  const end = text.indexOf('\n\n');
  const [, line = '', ...signatures] = end < 0 ? [] : text.slice(0, end).split('\n');
  const fields = /^\{"sha256":"([0-9a-f]{64})","storeDir":"(\/[!#-[\]-~]*)"\}$/.exec(line);
  if (fields === null) return damage('its first lines are none of an index');
  return { line, signatures, sha256: fields[1] as string, storeDir: fields[2] as string, end: end + 2 };
}

function sha256From(fd: number, start: number): string {
  const [hash, piece] = [createHash('sha256'), Buffer.allocUnsafe(1 << 20)];
  for (let at = start; ; ) {
    const count = readSync(fd, piece, 0, piece.length, at);
    if (count === 0) return hash.digest('hex');
    hash.update(piece.subarray(0, count));
    at += count;
  }
}

type Line = (line: string) => string | undefined;

/** Cuts pieces into lines. */
function lineSplitter(take: Line): { feed: (piece: Uint8Array) => string | undefined; rest: () => string } {
  let rest = '';
  return {
    rest: () => rest,
    feed: (piece) => {
      const lines = (
        rest + Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1')
      ).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) return 'a line that is too long';
      for (const line of lines) {
        const wrong = take(line);
        if (wrong !== undefined) return wrong;
      }
      return undefined;
    },
  };
}

interface Lines {
  readonly take: Line;
  readonly end: () => EntryCounts;
}

function packagesFromLines(give: Reading['give']): Lines {
  const counts = noCounts();
  let current: { object: PackageObjects['object']; files: IndexedFile[] } | undefined;
  const flush = (): void => {
    if (current === undefined || current.files.length === 0) return;
    counts.objects += 1;
    counts.files += current.files.length;
    give(current);
    current = undefined;
  };
  const beginObject = ([name = '', attr = '', output = '', toplevel = '', system = '']: string[]) => {
    flush();
    current = undefined;
    counts.packages += 1;
    if (isUsableObject(name))
      current = { object: { name, attr, output, toplevel: toplevel === 't', system }, files: [] };
    else counts.ignored += 1;
  };
  const addFile = (letter: string, [name = '', dir = '', value = '']: string[]) => {
    counts.entries += 1;
    const kind = KINDS[letter];
    const file =
      kind === undefined
        ? undefined
        : toIndexedFile(dir === '' ? `/${name}` : `/${dir}/${name}`, kind, value);
    if (file === undefined) counts.ignored += 1;
    else current?.files.push(file);
  };
  return {
    take: (line) => {
      if (/[^\t -~]/.test(line)) return 'a line that is no text';
      const [letter = '', ...fields] = line.split('\t');
      if (letter === 'o') beginObject(fields);
      else addFile(letter, fields);
      return counts.entries > 1 << 21 ? 'it has more shared objects than there can be' : undefined;
    },
    end: () => {
      flush();
      return counts;
    },
  };
}

/** Reads a derived index, after its signature and its hash. @throws Node's errors of reading. */
export async function readDerived(
  fd: number,
  reading: Reading,
  verify: Verify,
): Promise<DatabaseRead | IndexRefusal> {
  const version = derivedVersion(fd);
  if (version === undefined) return { kind: 'no-index' };
  if (version !== VERSION) return { kind: 'unknown-version', version, known: `version ${VERSION} is known` };
  const head = readHead(fd);
  if ('kind' in head) return head;
  const verified = verify(DOMAIN + head.line, head.signatures);
  if (verified.kind === 'refused') return { kind: 'untrusted', why: verified.why };
  if (sha256From(fd, head.end) !== head.sha256) return damage('it has another hash than it says');
  return await readPacked(fd, head, reading);
}

async function readPacked(fd: number, head: Head, reading: Reading): Promise<DatabaseRead | IndexRefusal> {
  const walked = walkFrames({ fd, start: head.end, end: fstatSync(fd).size });
  if (walked.kind === 'damaged') return walked;
  const isOurs = head.storeDir === reading.storeDir;
  const lines = packagesFromLines(isOurs ? reading.give : () => {});
  const splitter = lineSplitter(lines.take);
  const end = walked.frames.at(-1)?.end ?? 1;
  const decoded = await decodeFrames(fd, walked.frames, MOST_DECODED, (piece, offset) => {
    reading.progress(offset / end);
    return splitter.feed(piece);
  });
  if (decoded.kind === 'damaged') return decoded;
  if (splitter.rest() !== '') return damage('it ends within a line');
  const counts = lines.end();
  if (!isOurs)
    return {
      kind: 'read',
      version: VERSION,
      counts: { ...counts, objects: 0, files: 0, ignored: counts.packages },
    };
  return { kind: 'read', version: VERSION, counts };
}
