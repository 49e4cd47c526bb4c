// Paths of objects → what they leave to others without a version, and what binds to them, each file read once.
import type { ByteSource } from '../elf/byte-source.ts';
import { bringsUnknown, openDefinitions } from '../elf/definitions.ts';
import { findLinkTables, type LinkTables } from '../elf/link-tables.ts';
import { Malformed } from '../elf/malformed.ts';
import { bindsAllAtStart, relocationsOf } from '../elf/relocations.ts';
import { readUnversionedReferences, type UnversionedReference } from '../elf/unversioned-references.ts';
import type { BoundMemo } from './bound-memo.ts';
import { createFileBlocks } from './file-blocks.ts';
import type { UnversionedSymbols } from './problem.ts';

interface ObjectSymbols {
  readonly tables: LinkTables;
  readonly wanted: readonly UnversionedReference[];
  readonly names: readonly string[];
  readonly defines: (symbol: string) => boolean;
  bound?: ReadonlyMap<number, 'start' | 'call'>;
}

function readObject(source: ByteSource): ObjectSymbols | undefined {
  const tables = findLinkTables(source);
  if (tables === undefined || bringsUnknown(tables)) return undefined;
  const wanted = readUnversionedReferences(tables);
  const names = [...new Set(wanted.map(({ name }) => name))];
  return { tables, wanted, names, defines: openDefinitions(tables) };
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
export function unversionedSymbols(libc: 'glibc' | 'musl', memo?: BoundMemo): UnversionedSymbols {
  const blocks = createFileBlocks();
  const known = new Map<string, ObjectSymbols | undefined>();
  const objectAt = (path: string): ObjectSymbols | undefined => {
    if (!known.has(path))
      known.set(
        path,
        orElse(undefined, () => blocks.open(path, readObject)),
      );
    return known.get(path);
  };
  return {
    wantedBy: (path) => objectAt(path)?.names ?? [],
    definedBy: (path, symbol) => {
      const object = objectAt(path);
      return object === undefined || orElse(true, () => object.defines(symbol));
    },
    boundAt: (path, symbol) => {
      const object = objectAt(path);
      if (object === undefined) return 'never';
      object.bound ??= orElse<ReadonlyMap<number, 'start' | 'call'>>(new Map(), () => boundIn(object.tables));
      const indexes = object.wanted.filter(({ name }) => name === symbol).map(({ index }) => index);
      const times = indexes.map((index) => object.bound?.get(index));
      if (times.every((time) => time === undefined)) return 'never';
      const atStart = libc === 'musl' || times.includes('start') || bindsAllAtStart(object.tables);
      return atStart ? 'start' : 'call';
    },
    boundAmong: (path) => memo?.recall(path),
    noteBound: (path, files) => {
      // What could not be read proves nothing.
      if ([path, ...files].every((each) => objectAt(each) !== undefined)) memo?.remember(path, files);
    },
  };
}
