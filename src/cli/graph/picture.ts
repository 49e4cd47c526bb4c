// What a program loads, or the conflict that keeps it from starting → nodes, edges and colours for every format.
import type { Conflict, Reason } from '../../solver/solution.ts';
import { originOf } from '../../store/store-location.ts';

/** What a node stands for. `lack`: a name that nobody, or nobody fitting, offers. */
type NodeKind = 'program' | 'bundled' | 'store' | 'libc' | 'optional' | 'lack' | 'offer';

export interface Node {
  /** Unique within the picture; may be any text. */
  readonly id: string;
  readonly kind: NodeKind;
  /** The name, then where it comes from; each a line. */
  readonly lines: readonly string[];
  /** Of the glibc that it was built with or belongs to, where that is known: decides the colour. */
  readonly glibc: string | undefined;
  /** Several parents' own run paths name different objects for it. */
  readonly diamond: boolean;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  /**
   * `load`: loaded it first; `need`: needs it too; `override`: would have taken another file; `open`: may open it while
   * it runs; `refused`: does not fit.
   */
  readonly kind: 'load' | 'need' | 'override' | 'open' | 'refused';
  /** What it needs or would have taken; empty for nothing. */
  readonly label: string;
}

export interface Picture {
  readonly title: string;
  /** In load order. */
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  /** Sentences of a conflict; empty where a set was found. */
  readonly conflict: readonly string[];
}

/** One object of a load map, with what the picture asks of it. */
export interface Drawn {
  readonly name: string;
  readonly kind: 'bundled' | 'store' | 'libc';
  /** `openssl-3.0.20`; the path of a bundled file. */
  readonly origin: string;
  readonly glibc: string | undefined;
  /** Names in load order; the first loaded it. */
  readonly neededBy: readonly string[];
  /** Who would have taken which other store object by its own run path. */
  readonly overridden: readonly { readonly by: string; readonly origin: string }[];
  /** True when the run paths of its parents disagree. */
  readonly diamond: boolean;
}

/** A library that is opened while the program runs, if at all. */
interface OpenedByName {
  readonly name: string;
  readonly origin: string;
  /** Empty where the program itself opens it. */
  readonly neededBy: readonly string[];
}

/** The picture with what may be opened. */
export function withOpened(picture: Picture, opened: readonly OpenedByName[]): Picture {
  const nodes = opened.map(
    ({ name, origin }): Node => ({
      id: name,
      kind: 'optional',
      lines: [name, origin],
      glibc: undefined,
      diamond: false,
    }),
  );
  const edges = opened.flatMap(({ name, neededBy }): Edge[] =>
    (neededBy.length === 0 ? [picture.title] : neededBy).map((from) => ({
      from,
      to: name,
      kind: 'open',
      label: '',
    })),
  );
  return { ...picture, nodes: [...picture.nodes, ...nodes], edges: [...picture.edges, ...edges] };
}

/** The picture of a program that starts. @param program its name, by which objects name it in `neededBy`. */
export function pictureOfSet(program: string, objects: readonly Drawn[]): Picture {
  const nodes: Node[] = [
    { id: program, kind: 'program', lines: [program], glibc: undefined, diamond: false },
    ...objects.map(({ name, kind, origin, glibc, diamond }) => ({
      id: name,
      kind,
      lines: [name, origin],
      glibc,
      diamond,
    })),
  ];
  const edges = objects.flatMap(({ name, kind, neededBy, overridden }) =>
    // Everybody needs the libc, and whose libc was another shows in the colour.
    (kind === 'libc' ? neededBy.slice(0, 1) : neededBy)
      .filter((by) => by !== name)
      .map((by, at): Edge => {
        if (kind === 'libc') return { from: by, to: name, kind: 'load', label: '' };
        const other = overridden.find((each) => each.by === by);
        if (other !== undefined)
          return { from: by, to: name, kind: 'override', label: `its own: ${other.origin}` };
        return { from: by, to: name, kind: at === 0 ? 'load' : 'need', label: '' };
      }),
  );
  return { title: program, nodes, edges, conflict: [] };
}

interface Sides {
  /** Who needs it; empty where nobody in particular does. */
  readonly needers: readonly string[];
  readonly name: string;
  /** Paths or store paths of what was considered. */
  readonly offers: readonly string[];
  readonly label: string;
}

function sidesOf(reason: Reason): Sides {
  switch (reason.kind) {
    case 'no-loader':
      return { needers: [], name: 'a dynamic loader', offers: [], label: 'nobody has it' };
    case 'no-provider':
      return { needers: reason.neededBy, name: reason.name, offers: [], label: 'nobody has it' };
    case 'missing-version':
      return { ...offered(reason), label: `lacks ${reason.version}` };
    case 'private-version':
      return { ...offered(reason), label: 'is another build of libc' };
    case 'missing-symbols':
      return { ...offered(reason), label: `lacks ${reason.symbols.length} symbols` };
    case 'unbound-symbol':
      return {
        needers: [reason.neededBy],
        name: reason.symbol,
        offers: reason.lackingLibraries.map(({ offeredIn }) => offeredIn),
        label: 'does not define it',
      };
    case 'unversioned':
      return { ...offered(reason), label: 'has no versions' };
    case 'family-missing':
      return {
        needers: [reason.neededBy],
        name: reason.name,
        offers: [reason.loader],
        label: 'does not have it beside',
      };
    case 'soname-clash':
      return {
        needers: [],
        name: reason.name,
        offers: [reason.file, reason.other],
        label: `both are ${reason.soname}`,
      };
    case 'pinned':
      return { needers: [], name: reason.name, offers: [reason.path], label: 'pinned by hand' };
    case 'excluded':
      return { needers: [], name: reason.name, offers: reason.paths, label: 'excluded by hand' };
  }
}

function offered(reason: {
  readonly name: string;
  readonly neededBy: string;
  readonly offeredBy: string;
  readonly offeredIn: string | undefined;
}) {
  return { needers: [reason.neededBy], name: reason.name, offers: [reason.offeredIn ?? reason.offeredBy] };
}

/** @param sentences of the conflict, shown below the picture */
export function pictureOfConflict(
  program: string,
  conflict: Conflict,
  sentences: readonly string[],
): Picture {
  const nodes = new Map<string, Node>();
  const edges = new Map<string, Edge>();
  const add = (id: string, kind: Node['kind'], lines: readonly string[]): void => {
    if (!nodes.has(id)) nodes.set(id, { id, kind, lines, glibc: undefined, diamond: false });
  };
  const join = (edge: Edge): void => void edges.set([edge.from, edge.to, edge.label].join('\0'), edge);
  add(program, 'program', [program]);
  for (const { needers, name, offers, label } of conflict.reasons.map(sidesOf)) {
    const wanted = `name:${name}`;
    add(wanted, 'lack', offers.length === 0 ? [name, label] : [name]);
    for (const needer of needers) {
      if (needer !== program) add(needer, 'store', [needer]);
      join({ from: needer, to: wanted, kind: 'load', label: '' });
    }
    for (const offer of offers) {
      add(`offer:${offer}`, 'offer', [originOf(offer)]);
      join({ from: wanted, to: `offer:${offer}`, kind: 'refused', label });
    }
  }
  // Who is needed by nobody in the picture is needed, by some way, by the program.
  for (const { id, kind } of nodes.values()) {
    if (kind !== 'store' && kind !== 'lack') continue;
    if (![...edges.values()].some(({ to }) => to === id)) {
      join({ from: program, to: id, kind: 'need', label: kind === 'store' ? 'by some way' : '' });
    }
  }
  return { title: program, nodes: [...nodes.values()], edges: [...edges.values()], conflict: sentences };
}

/** Light enough for black text, apart for most kinds of colour blindness (after Okabe and Ito). */
const PALETTE = ['#a6d8f5', '#f5c77e', '#9fe0c4', '#f2e394', '#e3b5d2', '#c8c4f0', '#d9d2c3', '#b8e08a'];

export const PLAIN = '#ffffff';
export const CONFLICT = '#c62828';
export const DIAMOND = '#d55e00';

export interface Colour {
  readonly glibc: string;
  readonly fill: string;
}

/** Sorted by the name of the glibc. More than the palette has are told apart by their text only. */
export function coloursOf({ nodes }: Picture): readonly Colour[] {
  const glibcs = [...new Set(nodes.flatMap(({ glibc }) => glibc ?? []))].sort();
  return glibcs.map((glibc, at) => ({ glibc, fill: PALETTE[at % PALETTE.length] ?? PLAIN }));
}

export function fillOf(colours: readonly Colour[], glibc: string | undefined): string {
  return colours.find((each) => each.glibc === glibc)?.fill ?? PLAIN;
}
