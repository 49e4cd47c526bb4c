// The solver's input: objects that need sonames, and the providers that could serve each.
import type { Verneed } from '../elf/elf-file.ts';

/** What the solver knows of any object that needs others: the program, a bundled library, a provider. */
export interface Requirer {
  /** For messages: `ruby`, `libcurl.so.4`. */
  readonly label: string;
  /** Absolute path of the file. */
  readonly path: string;
  readonly needed: readonly string[];
  readonly verneed: readonly Verneed[];
  /** A driver: its references bind to libraries that it brings along, and these are left out of the problem. */
  readonly isDriver?: true;
  /** What else a driver needs: other drivers among it are loaded with it. */
  readonly broughtAlong?: readonly string[];
}

/** A store library offering a name, already known to be of the right class and machine. */
export interface Provider extends Requirer {
  /** The store object, e.g. `/nix/store/<hash>-curl-8.1`. */
  readonly storePath: string;
  /** Path of the real file inside the store object, e.g. `lib/libcurl.so.4.8.0`. */
  readonly file: string;
  readonly soname: string | undefined;
  readonly verdef: readonly string[];
  readonly hasVerdef: boolean;
  readonly hasVersym: boolean;
  /** Store object of the libc family this provider was linked to run with (from its runpath), if known. */
  readonly builtWith: string | undefined;
  /** name → absolute path that the provider's own runpath would take for what it needs. */
  readonly ownChoice: ReadonlyMap<string, string>;
  /** Sort keys, smaller is better, compared in order (see candidates/rank.ts). Deterministic. */
  readonly rank: readonly (number | string)[];
  /**
   * `closest` when it serves the name although its own soname is another version; `pinned` when the user chose it,
   * whatever its soname; absent means exact.
   */
  readonly match?: 'exact' | 'closest' | 'pinned';
  /** Its run path says `$ORIGIN`: it must be opened in its own directory. The solver does not ask. */
  readonly usesOrigin?: boolean;
}

/** A loader and the libc family that lives in its store object. */
export interface LoaderCandidate {
  readonly storePath: string;
  /** Absolute path of ld.so. */
  readonly path: string;
  /** name → the family's own library (libc.so.6, libm.so.6, ...). */
  readonly family: ReadonlyMap<string, Provider>;
  readonly rank: readonly (number | string)[];
  /** Version of its glibc, `[2, 41]`; absent or empty when unknown. */
  readonly version?: readonly number[];
}

/** What an object needs from a library, and what of it another version of that library does not have. */
export interface Coverage {
  /** Symbols, `name` or `name@version`. */
  readonly needed: readonly string[];
  readonly missing: readonly string[];
  /**
   * Versions of symbols; ld.so refuses a library that defines others, and warns on every start about one without any.
   */
  readonly missingVersions: readonly string[];
}

/** A closest match, and what an object that needs the name would find or miss in it. */
export interface Judgement {
  readonly provider: Provider;
  readonly by: Requirer;
  readonly coverage: Coverage;
}

export interface ClosestMatches {
  /** Reads symbol tables when first asked. */
  coverage(by: Requirer, name: string, provider: Provider): Coverage;
  /** Every answer that `coverage` gave for a name, in the order they were asked. */
  judged(name: string): readonly Judgement[];
}

/**
 * Symbols as ld.so binds them, `name` or `name@version`. Files are read when they are first asked about; of a file that
 * cannot be read nothing is wanted and everything is assumed to be there.
 */
export interface SymbolBindings {
  /**
   * Strong references of an object, each once, in the order of its symbol table; left out are versions that have their
   * symbols wherever they are defined.
   */
  wantedBy(path: string): readonly string[];
  /** True if such a reference, made by another object, binds to the file. */
  definedBy(path: string, symbol: string): boolean;
  /** When an object's reference is bound: before the program starts, when it is first called, or never. */
  boundAt(path: string, symbol: string): 'start' | 'call' | 'never';
  /** Files that define all that an object wants, where that was found out before. */
  boundAmong?(path: string): readonly string[] | undefined;
  /** Takes note of such files. */
  noteBound?(path: string, files: readonly string[]): void;
}

export interface Problem {
  /** The program first, then its bundled libraries. */
  readonly roots: readonly Requirer[];
  /**
   * Names served by bundled libraries, by drivers or by the program itself: never looked for in the store. Bundled
   * libraries are roots too; the others are loaded only where a loaded object needs one.
   */
  readonly bundled: ReadonlyMap<
    string,
    Requirer & {
      readonly verdef: readonly string[];
      readonly hasVerdef: boolean;
      readonly hasVersym: boolean;
    }
  >;
  /** Ranked, best first; the same array for the same name every time. */
  providersOf(name: string): readonly Provider[];
  /** Ranked, best first. */
  readonly loaders: readonly LoaderCandidate[];
  /** True for names of the libc family (`libc.so.6`, `ld-linux-x86-64.so.2`, ...). */
  isFamily(name: string): boolean;
  /** The user's choices: name → absolute path of the one file that may serve it. */
  readonly pins?: ReadonlyMap<string, string>;
  /** Where other versions of a library are among the providers of a name that nobody has exactly. */
  readonly closest?: ClosestMatches;
  /** Absent: nothing is known of symbols, and none is asked for. */
  readonly symbols?: SymbolBindings;
  /** Files of the program, and beside it, that demand more than this processor has; `--list` does not tell. */
  readonly beyondProcessor?: readonly string[];
  /** True for what the user never wants. Asked once per provider and name. */
  excluded?(provider: Provider): boolean;
}
