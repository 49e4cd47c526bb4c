// The bytes of a program → the packer it was made with, if it is one whose programs read or start /proc/self/exe.
import { isAppImage } from './app-image.ts';
import { openImage } from './image.ts';
import { readNotes } from './notes.ts';
import { isPadding } from './read-elf.ts';
import { type ByteSource, type FieldReader, type Header, Malformed, readHeader } from './reader.ts';
import { namesOfSections, readSections, sectionNamesIndex } from './sections.ts';
import { readSegments } from './segments.ts';

/** What is known of a program from its headers already. */
interface Headed {
  readonly needed: readonly string[];
  /** First byte after everything the headers describe. */
  readonly end: number;
}

/** Trailers lie here; PyInstaller's cookie of 88 bytes may have a signature behind it. */
const TAIL_SIZE = 4096;
const CACHED_BLOCKS = 16;

const BUN_TRAILER = '\n---- Bun! ----\n';
const DENO_TRAILER = 'd3n0l4nd';
const PYINSTALLER_COOKIE = 'MEI\x0c\x0b\x0a\x0b\x0e';
/** Deno 1.46 to 2.6, the first of the last two words (libsui, Elf::append). */
const SUI_TRAILER = 0x501e;
/** The last line of the script that pkg appends (pkg, lib/producer.ts). */
const PKG_END = '\n})';

/** Libraries that only programs built on Chromium need, and these start themselves again. */
const CHROMIUM_LIBRARIES: ReadonlyMap<string, string> = new Map([
  ['libffmpeg.so', 'Electron'],
  ['libcef.so', 'CEF'],
]);

function byTail(source: ByteSource, end: number): string | undefined {
  const from = Math.max(0, source.size - TAIL_SIZE);
  const tail = Buffer.from(source.read(from, source.size - from));
  const text = tail.toString('latin1');
  if (text.includes(BUN_TRAILER)) return 'Bun';
  if (text.includes(DENO_TRAILER)) return 'Deno';
  if (text.includes(PYINSTALLER_COOKIE)) return 'PyInstaller';
  if (tail.length >= 8 && tail.readUInt32LE(tail.length - 8) === SUI_TRAILER) return 'Deno';
  if (end >= source.size || isPadding(source, end)) return undefined;
  return text.endsWith(PKG_END) ? 'pkg' : 'something is appended to it';
}

function bySections(fields: FieldReader, header: Header): string | undefined {
  const sections = readSections(fields, header);
  const names = namesOfSections(fields, sections, sectionNamesIndex(fields, header));
  if (names.includes('.bun')) return 'Bun';
  return names.includes('pydata') ? 'PyInstaller' : undefined;
}

function byNotes(fields: FieldReader, header: Header): string | undefined {
  const segments = readSegments(fields, header);
  for (const { owner } of readNotes(fields, openImage(fields, segments), segments)) {
    if (owner.startsWith('NODE_SEA')) return 'Node SEA';
    if (owner === 'SUI') return 'Deno';
  }
  return undefined;
}

/**
 * Looks at the first and the last bytes, the section names, the notes and the needed libraries: a few reads, whatever
 * the size. Total. Sources of the markers: elf/NOTES.md.
 */
export function selfReader(source: ByteSource, { needed, end }: Headed): string | undefined {
  try {
    if (isAppImage(source.read(0, 16))) return 'AppImage';
    const library = needed.find((name) => CHROMIUM_LIBRARIES.has(name));
    if (library !== undefined) return CHROMIUM_LIBRARIES.get(library);
    const read = readHeader(source, CACHED_BLOCKS);
    if (read === undefined) return undefined;
    const { fields, header } = read;
    return bySections(fields, header) ?? byNotes(fields, header) ?? byTail(source, end);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
