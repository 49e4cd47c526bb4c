// The bytes behind everything an ELF file describes → whose they are, and how their owner finds them.
import { isAppImage } from '../../elf/app-image.ts';
import { isPadding } from '../../elf/read-elf.ts';
import type { ByteSource } from '../../elf/reader.ts';

/**
 * `start`: by an offset from the start, so nothing may be put before it; `end`: by the end of the file, so nothing
 * may be put behind it; `both`: neither; `unknown`: nobody can say.
 */
type FoundFrom = 'start' | 'end' | 'both' | 'unknown';

export interface Payload {
  readonly bytes: number;
  /** For people. */
  readonly kind: string;
  readonly found: FoundFrom;
}

const TAIL_SIZE = 70_000;
const CHUNK = 1 << 20;

const BUN = '\n---- Bun! ----\n';
const DENO = 'd3n0l4nd';
const GODOT = 'GDPC';
const TRAILER_OF_GODOT = 12;
const PYINSTALLER = 'MEI\x0c\x0b\x0a\x0b\x0e';
/** The last line of the script that pkg appends (pkg, lib/producer.ts). */
const PKG = '\n})';
const ZIP_END = 'PK\x05\x06';
/**
 * SHA-256 of ".net core bundle"; the offset of the bundle's header is written in front of it (runtime,
 * bundle_marker.cpp).
 */
const dotnet = Buffer.from('8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae', 'hex');

/** Where a needle lies in `[0, end)`, a chunk at a time. */
function findBytes(source: ByteSource, needle: Buffer, end: number): number | undefined {
  for (let at = 0; at < end; at += CHUNK) {
    const bytes = source.read(at, Math.min(CHUNK + needle.length, end - at));
    const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(needle);
    if (found >= 0) return at + found;
  }
  return undefined;
}

function isDotnetBundle(source: ByteSource, end: number): boolean {
  const at = findBytes(source, dotnet, end);
  return at !== undefined && at >= 8 && source.read(at - 8, 8).some((byte) => byte !== 0);
}

/** The core's offset and the word "LCBS" end the file (SBCL, runtime/coreparse.c, search_for_embedded_core). */
function isSbcl(tail: Buffer): boolean {
  if (tail.length < 16) return false;
  const mark = tail.subarray(-8);
  return mark.includes('SBCL') || mark.includes('LCBS');
}

function byTail(tail: Buffer): Omit<Payload, 'bytes'> | undefined {
  const text = tail.toString('latin1');
  if (text.slice(-4096).includes(BUN)) return { kind: 'Bun', found: 'end' };
  // Its trailer is found from the end and holds offsets from the start.
  if (text.slice(-64).includes(DENO)) return { kind: 'Deno', found: 'both' };
  if (text.slice(-4096).includes(PYINSTALLER)) return { kind: 'PyInstaller', found: 'end' };
  if (/Caml1999X\d{3}$/.test(text)) return { kind: 'OCaml', found: 'end' };
  if (isSbcl(tail)) return { kind: 'SBCL', found: 'both' };
  if (text.endsWith(PKG)) return { kind: 'pkg', found: 'start' };
  return text.lastIndexOf(ZIP_END) >= 0 ? { kind: 'zip archive', found: 'end' } : undefined;
}

/**
 * The pack, its size and the mark end the file (Godot, core/io/file_access_pack.cpp, try_open_pack). A section may
 * describe it: engines before godotengine/godot#56093 look at the end only, and no byte tells which engine it is.
 */
function godotPack(source: ByteSource): Payload | undefined {
  if (source.size < TRAILER_OF_GODOT) return undefined;
  const trailer = Buffer.from(source.read(source.size - TRAILER_OF_GODOT, TRAILER_OF_GODOT));
  if (trailer.toString('latin1', 8) !== GODOT) return undefined;
  const bytes = Number(trailer.readBigUInt64LE()) + TRAILER_OF_GODOT;
  if (bytes > source.size) return undefined;
  const start = Buffer.from(source.read(source.size - bytes, GODOT.length));
  return start.toString('latin1') === GODOT ? { bytes, kind: 'Godot', found: 'both' } : undefined;
}

/** `end`: first byte after everything described. Undefined where nothing follows. */
export function findPayload(source: ByteSource, end: number): Payload | undefined {
  const pack = godotPack(source);
  if (pack !== undefined) return pack;
  const bytes = source.size - end;
  if (bytes <= 0 || isPadding(source, end)) return undefined;
  if (isAppImage(source.read(0, 16))) return { bytes, kind: 'AppImage', found: 'start' };
  const from = Math.max(end, source.size - TAIL_SIZE);
  const known = byTail(Buffer.from(source.read(from, source.size - from)));
  if (known !== undefined) return { bytes, ...known };
  if (isDotnetBundle(source, end)) return { bytes, kind: '.NET', found: 'start' };
  return { bytes, kind: 'unknown', found: 'unknown' };
}
