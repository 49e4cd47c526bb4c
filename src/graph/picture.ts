// What a program loads, or why it cannot be started → nodes and edges, the same for every format.

/** What a node stands for. `lack`: a name that nobody, or nobody fitting, offers. */
export type NodeKind = 'program' | 'bundled' | 'store' | 'libc' | 'lack' | 'offer';

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
  /** `load`: loaded it first; `need`: needs it too; `override`: would have taken another file; `refused`: does not fit. */
  readonly kind: 'load' | 'need' | 'override' | 'refused';
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
