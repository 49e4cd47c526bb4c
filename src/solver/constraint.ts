// One thing that speaks against a set → its identity, and the reason it is reported as.
import type { LoaderCandidate, Requirer } from '../candidates/problem.ts';
import type { LackingLibrary, Reason } from './solution.ts';
import { highestOfSeries } from './version-needs.ts';

/** The side that serves a name. */
interface Offer {
  readonly path: string;
  /** Absent for a bundled file. */
  readonly storePath?: string;
  readonly verdef: readonly string[];
}

/** A clause's origin. All but `need` can be dropped; what is droppable is what a conflict consists of. */
export type Constraint =
  | { readonly kind: 'need'; readonly name: string; readonly by: Requirer }
  | { readonly kind: 'no-provider'; readonly name: string }
  | {
      readonly kind: 'missing-version';
      readonly name: string;
      readonly version: string;
      /** How many files offer the name. */
      readonly offers: number;
      readonly by: Requirer;
      readonly offer: Offer;
    }
  | { readonly kind: 'private-version'; readonly name: string; readonly by: Requirer; readonly offer: Offer }
  | {
      readonly kind: 'missing-symbols';
      readonly name: string;
      readonly by: Requirer;
      readonly offer: Offer;
      readonly symbols: readonly string[];
    }
  | {
      readonly kind: 'unversioned';
      readonly name: string;
      readonly by: Requirer;
      readonly offer: Offer;
      readonly loader: LoaderCandidate;
    }
  | {
      readonly kind: 'unbound-symbol';
      readonly by: Requirer;
      readonly symbol: string;
      readonly when: 'start' | 'call';
      /** Files that define it and could be loaded, with other choices. */
      readonly definers: readonly string[];
      readonly lackingLibraries: readonly LackingLibrary[];
    }
  | { readonly kind: 'family-missing'; readonly name: string; readonly loader: LoaderCandidate }
  | {
      readonly kind: 'soname-clash';
      readonly name: string;
      readonly soname: string;
      readonly file: string;
      readonly other: string;
    }
  | { readonly kind: 'pinned'; readonly name: string; readonly path: string }
  | { readonly kind: 'excluded'; readonly name: string; readonly paths: readonly string[] };

/** Equal for the same constraint in every run over the same problem. */
export function constraintKey(c: Constraint): string {
  switch (c.kind) {
    case 'missing-version':
    case 'private-version':
    case 'missing-symbols':
      return [c.kind, c.name, c.by.path, c.offer.path].join('\0');
    case 'unversioned':
      return [c.kind, c.name, c.by.path, c.offer.path, c.loader.path].join('\0');
    case 'unbound-symbol':
      return [c.kind, c.symbol, c.by.path].join('\0');
    case 'family-missing':
      return [c.kind, c.name, c.loader.path].join('\0');
    case 'soname-clash':
      return [c.kind, c.name, c.soname, c.file, c.other].join('\0');
    case 'need':
      return [c.kind, c.name, c.by.path].join('\0');
    default:
      return [c.kind, c.name].join('\0');
  }
}

/** @param neededBy labels of the objects that need the constraint's name in this conflict, sorted. */
export function reasonOf(c: Constraint, neededBy: readonly string[]): Reason | undefined {
  switch (c.kind) {
    case 'need':
      return undefined;
    case 'no-provider':
      return { kind: c.kind, name: c.name, neededBy };
    case 'missing-version':
      return {
        ...sides(c),
        kind: c.kind,
        version: c.version,
        offers: c.offers,
        highest: highestOfSeries(c.version, c.offer.verdef),
      };
    case 'private-version':
      return { ...sides(c), kind: c.kind };
    case 'missing-symbols':
      return { ...sides(c), kind: c.kind, symbols: c.symbols };
    case 'unbound-symbol':
      return {
        kind: c.kind,
        symbol: c.symbol,
        neededBy: c.by.label,
        neededByPath: c.by.path,
        definers: c.definers,
        lackingLibraries: c.lackingLibraries,
      };
    case 'unversioned':
      return { ...sides(c), kind: c.kind, loader: c.loader.path };
    case 'family-missing':
      return { kind: c.kind, name: c.name, neededBy: neededBy[0] ?? '', loader: c.loader.path };
    case 'soname-clash':
    case 'pinned':
    case 'excluded':
      return c;
  }
}

function sides(c: { readonly name: string; readonly by: Requirer; readonly offer: Offer }) {
  const { path, storePath } = c.offer;
  return {
    name: c.name,
    neededBy: c.by.label,
    neededByPath: c.by.path,
    offeredBy: path,
    offeredIn: storePath,
  };
}
