// Paths of objects → their dynamic symbols, what they leave to others, and what binds to them: each file is read once.
// Which files a store library's references bind to stays in the catalogue, since neither ever changes.

import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isLibcFamily } from '../elf/library-names.ts';
import { bindsAllAtStart, findLinkTables, type LinkTables, relocationsOf } from '../elf/link-tables.ts';
import { openFileSource, readInto } from '../elf/open-elf.ts';
import { type ByteSource, Malformed } from '../elf/reader.ts';
import { bringsUnknown, openDefinitions, readStrongReferences } from '../elf/references.ts';
import { type DynamicSymbol, readSymbols } from '../elf/symbols.ts';
import type { Catalogue } from '../store/catalogue.ts';
import type { SymbolBindings } from './problem.ts';

export interface Symbols {
  /** By name, all versions of it. */
  readonly defined: ReadonlyMap<string, readonly DynamicSymbol[]>;
  /** What it leaves to others, weak references left out, and variables of others that it holds a copy of. */
  readonly wanted: readonly DynamicSymbol[];
}

const NONE: Symbols = { defined: new Map(), wanted: [] };

function read(file: string): Symbols {
  const source = openFileSource(file);
  try {
    const reading = readSymbols(source);
    if (reading.kind !== 'symbols') return NONE;
    const defined = new Map<string, DynamicSymbol[]>();
    for (const symbol of reading.defined) {
      if (symbol.from !== undefined) continue;
      const known = defined.get(symbol.name);
      if (known) known.push(symbol);
      else defined.set(symbol.name, [symbol]);
    }
    const copies = reading.defined.filter(({ from }) => from !== undefined);
    return { defined, wanted: [...reading.undefined.filter(({ weak }) => !weak), ...copies] };
  } finally {
    source.close();
  }
}

/** A reader of symbols that remembers. A file that cannot be read has none. */
export function symbolReader(): (file: string) => Symbols {
  const known = new Map<string, Symbols>();
  return (file) => {
    let symbols = known.get(file);
    if (symbols === undefined) {
      try {
        symbols = read(file);
      } catch {
        symbols = NONE;
      }
      known.set(file, symbols);
    }
    return symbols;
  };
}

/**
 * True if a reference binds to one of these definitions of its name (glibc elf/dl-lookup.c, check_match): a version
 * to the same version or to a definition without any; no version to a definition that is not hidden.
 */
export function binds(
  { version }: DynamicSymbol,
  definitions: readonly DynamicSymbol[] | undefined,
): boolean {
  return (definitions ?? []).some((definition) =>
    version === undefined
      ? !definition.hidden
      : definition.version === version || (definition.version === undefined && !definition.hidden),
  );
}

/** STT_* of elf(5): a function is called, a variable read, and one of a thread is found in another way again. */
function kindOf(type: number): 'code' | 'data' | 'thread' | undefined {
  if (type === 2 || type === 10) return 'code';
  if (type === 1 || type === 5) return 'data';
  return type === 6 ? 'thread' : undefined;
}

/**
 * True if a reference binds to one of these definitions and that is of its kind. The loader does not ask for the
 * kind: a call of what is a variable in another version jumps into data.
 */
export function serves(reference: DynamicSymbol, definitions: readonly DynamicSymbol[] | undefined): boolean {
  const kind = kindOf(reference.type);
  const isAlike = ({ type }: DynamicSymbol): boolean =>
    kind === undefined || kindOf(type) === undefined || kindOf(type) === kind;
  return binds(reference, definitions?.filter(isAlike));
}

interface ObjectSymbols {
  readonly tables: LinkTables;
  /** Symbol, as `SymbolBindings` writes it → its entries in the symbol table. */
  readonly wanted: ReadonlyMap<string, readonly number[]>;
  readonly symbols: readonly string[];
  /** As `SymbolBindings` writes it; set after set asks for the same symbols. */
  readonly defines: (symbol: string) => boolean;
  bound?: ReadonlyMap<number, 'start' | 'call'>;
}

const FROZEN = /^lib(?:stdc\+\+|gcc_s)\.so\b/;

/**
 * glibc's libraries, libstdc++ and libgcc_s add nothing to a version that was released (libstdc++ manual, ABI policy):
 * who has the version has its symbols. Others have one version for years, and add to it: CURL_OPENSSL_4, PNG16_0.
 */
const isAsked = (file: string): boolean => !isLibcFamily(file) && !FROZEN.test(file);

function readObject(source: ByteSource, libc: 'glibc' | 'musl'): ObjectSymbols | undefined {
  const tables = findLinkTables(source);
  if (tables === undefined || bringsUnknown(tables, libc)) return undefined;
  const wanted = new Map<string, number[]>();
  // musl looks at no version, and so at every name (ldso/dynlink.c, find_sym).
  const isMusl = libc === 'musl';
  for (const { name, version, index } of readStrongReferences(tables, isMusl ? () => true : isAsked)) {
    // Not to be told from the sign between the two; no compiler makes such names.
    if (name.includes('@') || version?.includes('@')) continue;
    const symbol = version === undefined || isMusl ? name : `${name}@${version}`;
    const known = wanted.get(symbol);
    if (known) known.push(index);
    else wanted.set(symbol, [index]);
  }
  return { tables, wanted, symbols: [...wanted.keys()], defines: definitionsOf(tables, libc) };
}

/**
 * What musl since 1.2.4 serves by the name without `64` (ldso/dynlink.c, get_lfs64), which the libc has; older ones
 * define both.
 */
const LARGE_FILE_NAMES: ReadonlySet<string> = new Set(
  [
    '__fxstat64 __fxstatat64 __lxstat64 __xstat64 aio_cancel64 aio_error64 aio_fsync64 aio_read64 aio_return64',
    'aio_suspend64 aio_write64 alphasort64 creat64 fallocate64 fgetpos64 fopen64 freopen64 fseeko64 fsetpos64',
    'fstat64 fstatat64 fstatfs64 fstatvfs64 ftello64 ftruncate64 ftw64 getdents64 getrlimit64 glob64 globfree64',
    'lio_listio64 lockf64 lseek64 lstat64 mkostemp64 mkostemps64 mkstemp64 mkstemps64 mmap64 nftw64 open64 openat64',
    'posix_fadvise64 posix_fallocate64 pread64 preadv64 prlimit64 pwrite64 pwritev64 readdir64 readdir64_r scandir64',
    'sendfile64 setrlimit64 stat64 statfs64 statvfs64 tmpfile64 truncate64 versionsort64',
  ].flatMap((line) => line.split(' ')),
);

function definitionsOf(tables: LinkTables, libc: 'glibc' | 'musl'): ObjectSymbols['defines'] {
  const defines = openDefinitions(tables, libc);
  const known = new Map<string, boolean>();
  return (symbol) => {
    const answer = known.get(symbol);
    if (answer !== undefined) return answer;
    const [name = '', version] = symbol.split('@');
    const isLargeFile = libc === 'musl' && LARGE_FILE_NAMES.has(name);
    const found = defines(name, version) || (isLargeFile && defines(name.replace('64', '')));
    known.set(symbol, found);
    return found;
  };
}

function boundIn(tables: LinkTables): ReadonlyMap<number, 'start' | 'call'> {
  const bound = new Map<number, 'start' | 'call'>();
  for (const { symbol, when } of relocationsOf(tables)) {
    if (bound.get(symbol) !== 'start') bound.set(symbol, when);
  }
  return bound;
}

/** What cannot be read speaks against nothing: whoever loads it will say so. */
function orElse<T>(unknown: T, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Malformed || (error instanceof Error && 'code' in error)) return unknown;
    throw error;
  }
}

/** musl binds everything before the program starts (ldso/dynlink.c, do_relocs and lazy_prepare). */
export function symbolBindings(libc: 'glibc' | 'musl', memo?: BoundMemo): SymbolBindings {
  const blocks = createFileBlocks();
  const known = new Map<string, ObjectSymbols | undefined>();
  // Also of bundled libraries: set after set is tried with them.
  const bound = new Map<string, readonly string[]>();
  const objectAt = (path: string): ObjectSymbols | undefined => {
    if (!known.has(path))
      known.set(
        path,
        orElse(undefined, () => blocks.open(path, (source) => readObject(source, libc))),
      );
    return known.get(path);
  };
  return {
    wantedBy: (path) => objectAt(path)?.symbols ?? [],
    definedBy: (path, symbol) => {
      const object = objectAt(path);
      return object === undefined || orElse(true, () => object.defines(symbol));
    },
    boundAt: (path, symbol) => {
      const object = objectAt(path);
      if (object === undefined) return 'never';
      object.bound ??= orElse<ReadonlyMap<number, 'start' | 'call'>>(new Map(), () => boundIn(object.tables));
      const times = (object.wanted.get(symbol) ?? []).map((index) => object.bound?.get(index));
      if (times.every((time) => time === undefined)) return 'never';
      const atStart = libc === 'musl' || times.includes('start') || bindsAllAtStart(object.tables);
      return atStart ? 'start' : 'call';
    },
    boundAmong: (path) => bound.get(path) ?? memo?.recall(path),
    noteBound: (path, files) => {
      bound.set(path, files);
      // What could not be read says nothing.
      if ([path, ...files].every((each) => objectAt(each) !== undefined)) memo?.remember(path, files);
    },
  };
}

/** Getting memory for each block by itself takes longer than reading it. */
const SLAB = 1_048_576;

/** What is read when a file is opened: most headers and, in small libraries, every table. */
const HEAD = 16_384;

interface FileBlocks {
  /**
   * Opens a file and hands its bytes to `ask`. They can be read later too: the file is then opened once more for each
   * read, so that hundreds of files hold no descriptors. @throws Node's errno errors, also from `read`.
   */
  open<T>(path: string, ask: (source: ByteSource) => T): T;
}

function createFileBlocks(): FileBlocks {
  let slab = Buffer.alloc(0);
  let used = 0;
  const room = (length: number): Buffer => {
    if (used + length > slab.length) {
      slab = Buffer.allocUnsafeSlow(Math.max(SLAB, length));
      used = 0;
    }
    used += length;
    return slab.subarray(used - length, used);
  };
  const readAt = (fd: number, offset: number, length: number) => readInto(room(length), fd, offset);
  return {
    open: (path, ask) => {
      let fd = openFile(path);
      try {
        const status = fstatSync(fd);
        const size = status.isFile() ? status.size : 0;
        const head = readAt(fd, 0, Math.min(HEAD, size));
        const read = (offset: number, wanted: number): Uint8Array => {
          const length = Math.max(0, Math.min(wanted, size - offset));
          if (offset + length <= head.length) return head.subarray(offset, offset + length);
          if (fd >= 0) return readAt(fd, offset, length);
          const again = openFile(path);
          try {
            return readAt(again, offset, length);
          } finally {
            closeSync(again);
          }
        };
        return ask({ size, read });
      } finally {
        closeSync(fd);
        fd = -1;
      }
    },
  };
}

/** O_NONBLOCK: opening a FIFO would wait for its writer otherwise. */
function openFile(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

interface BoundMemo {
  /** Files that together define all that a library wants (`SymbolBindings`); undefined where that is not known. */
  recall(path: string): readonly string[] | undefined;
  /** Does nothing for files outside the store, whose content may change. */
  remember(path: string, files: readonly string[]): void;
}

/** Bump when it changes what counts as wanted or as defined. */
const KIND = 'bound-6';

function parsed(text: string): readonly string[] | undefined {
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined;
}

/** Reading all libraries of a set takes some milliseconds on each miss, asking the catalogue a tenth of that. */
export function boundMemo(catalogue: Catalogue): BoundMemo {
  const known = new Map<string, readonly string[] | undefined>();
  const isSaved = (path: string): boolean => path.startsWith(`${catalogue.storeDir}/`);
  return {
    recall: (path) => {
      if (!isSaved(path)) return undefined;
      if (!known.has(path)) {
        const text = catalogue.memo(`${KIND} ${path}`);
        known.set(path, text === undefined ? undefined : parsed(text));
      }
      return known.get(path);
    },
    remember: (path, files) => {
      if (known.get(path) !== undefined || ![path, ...files].every(isSaved)) return;
      known.set(path, files);
      try {
        catalogue.setMemo(`${KIND} ${path}`, JSON.stringify(files));
      } catch {
        // A full disk or a catalogue of somebody else: it is found out again the next time.
      }
    },
  };
}
