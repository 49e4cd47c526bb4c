// A conflict → the picture of it: who needs what, what is offered, and what does not fit.
import type { Conflict, Reason } from '../solve/solution.ts';
import type { Edge, Node, Picture } from './picture.ts';

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
        offers: reason.lacking.map(({ offeredIn }) => offeredIn),
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

/** `openssl-3.0.20` of a store path or of a file in it; any other path as it is. */
function originOf(file: string): string {
  return /\/[0-9a-z]{32}-([^/]+)/.exec(file)?.[1] ?? file;
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
