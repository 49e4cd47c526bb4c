// Paths of objects → their dynamic symbols, each file read once.
import { type DynamicSymbol, readSymbols } from '../elf/read-symbols.ts';
import { openFileSource } from '../platform/file-source.ts';

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
