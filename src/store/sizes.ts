// Our roots and everybody's → how much each of ours holds, and how much of that nobody else does.
// A store path → how large it is with everything it refers to, as Nix's database knows it.

import path from 'node:path';
import { ForeignError } from '../host/errors.ts';
import { complaintOf, type Nix, runWatched, showWaiting } from './nix.ts';
import { openNixDatabase, openTables, type Prepare } from './nix-database.ts';
import { dumpFacts } from './path-info.ts';
import { type StoreLocation, storeObjectOf } from './store-location.ts';

/** Bytes of NARs, as `nix path-info -S` counts. */
export interface Weight {
  /** The root's store object and all it refers to. */
  readonly closure: number;
  /** Of that, what would be dead if this root went. */
  readonly alone: number;
  /** Of that, what would be dead if all of our roots went. */
  readonly ours: number;
}

export interface Weights {
  /** By the root's link, as it was given. */
  readonly byLink: ReadonlyMap<string, Weight>;
  /** What all of ours keep, each store object counted once. */
  readonly closure: number;
  /** Of that, what would be dead if all of ours went. */
  readonly ours: number;
}

interface OurRoot {
  readonly link: string;
  readonly storePath: string;
}

/** Every valid store path, numbered. */
interface Graph {
  idOf(storePath: string): number | undefined;
  readonly sizes: ReadonlyMap<number, number>;
  readonly references: ReadonlyMap<number, readonly number[]>;
}

function addTo(references: Map<number, number[]>, from: number, to: number): void {
  const known = references.get(from);
  if (known === undefined) references.set(from, [to]);
  else known.push(to);
}

function graphOfRows(prepare: Prepare): Graph {
  const [ids, sizes] = [new Map<string, number>(), new Map<number, number>()];
  const references = new Map<number, number[]>();
  for (const row of prepare('select id, path, narSize from ValidPaths').iterate()) {
    ids.set(String(row['path']), Number(row['id']));
    sizes.set(Number(row['id']), Number(row['narSize'] ?? 0));
  }
  for (const row of prepare('select referrer, reference from Refs').iterate()) {
    addTo(references, Number(row['referrer']), Number(row['reference']));
  }
  return { idOf: (storePath) => ids.get(storePath), sizes, references };
}

function graphOfDatabase(location: StoreLocation): Graph | undefined {
  const tables = openTables(location);
  try {
    return tables?.ask(graphOfRows);
  } finally {
    tables?.close();
  }
}

async function graphOfDump(nix: Nix): Promise<Graph> {
  const facts = await dumpFacts(nix, []);
  const ids = new Map([...facts.keys()].map((storePath, id) => [storePath, id]));
  const [sizes, references] = [new Map<number, number>(), new Map<number, number[]>()];
  for (const [storePath, each] of facts) {
    const id = ids.get(storePath) ?? -1;
    sizes.set(id, each.narSize);
    for (const reference of each.references) {
      const to = ids.get(reference);
      if (to !== undefined) addTo(references, id, to);
    }
  }
  return { idOf: (storePath) => ids.get(storePath), sizes, references };
}

/**
 * All that these refer to, directly or not, and they themselves; `within` are those left out with what they refer to.
 */
function closureOf(graph: Graph, from: Iterable<number>, within?: ReadonlySet<number>): Set<number> {
  const reached = new Set<number>();
  const next = [...from];
  for (let id = next.pop(); id !== undefined; id = next.pop()) {
    if (reached.has(id) || within?.has(id)) continue;
    reached.add(id);
    next.push(...(graph.references.get(id) ?? []));
  }
  return reached;
}

function sizeOf(graph: Graph, ids: Iterable<number>): number {
  let sum = 0;
  for (const id of ids) sum += graph.sizes.get(id) ?? 0;
  return sum;
}

/**
 * `LINK → STORE PATH`, from 2.34 on with quotes around the link. Links of running processes (`/proc/...`, and
 * `{memory:...}`, `{temp:...}` or `{censored}` for users who are not trusted) are left out: they go by themselves.
 */
export function parseRoots(output: string): OurRoot[] {
  return output.split('\n').flatMap((line) => {
    const at = line.lastIndexOf(' -> ');
    const link = line.slice(0, at).replace(/^"(.*)"$/, '$1');
    if (at < 0 || !link.startsWith('/') || link.startsWith('/proc/')) return [];
    return [{ link, storePath: line.slice(at + 4).replace(/^"(.*)"$/, '$1') }];
  });
}

/** @throws ForeignError `nix-failed`. */
async function allRoots(nix: Nix): Promise<OurRoot[]> {
  const ended = await runWatched(nix, 'nix-store', ['--gc', '--print-roots'], showWaiting);
  if (ended.status === 0) return parseRoots(ended.stdout);
  throw new ForeignError(`nix-store --gc --print-roots failed: ${complaintOf(ended)}`, {
    code: 'nix-failed',
    hint: 'see whether the Nix daemon runs: nix-store --gc --print-roots',
    exitCode: 125,
  });
}

/** How many of the sets each store object is in. */
function keepersOf(sets: readonly ReadonlySet<number>[]): Map<number, number> {
  const keepers = new Map<number, number>();
  for (const set of sets) for (const id of set) keepers.set(id, (keepers.get(id) ?? 0) + 1);
  return keepers;
}

/**
 * Weighs our roots against all others on the machine. Links must be absolute and normal, as Nix was given them. Roots
 * of running processes do not count for others, since a program that runs would hide what only we keep for it.
 * @throws ForeignError `nix-failed`.
 */
export async function weighRoots(
  location: StoreLocation,
  nix: Nix,
  ours: readonly OurRoot[],
): Promise<Weights> {
  const everyRoot = await allRoots(nix);
  const graph = graphOfDatabase(location) ?? (await graphOfDump(nix));
  const links = new Set(ours.map(({ link }) => path.normalize(link)));
  const idsOf = ({ storePath }: OurRoot): number[] => {
    const id = graph.idOf(storeObjectOf(location.storeDir, storePath) ?? storePath);
    return id === undefined ? [] : [id];
  };
  const others = closureOf(graph, everyRoot.filter(({ link }) => !links.has(link)).flatMap(idsOf));
  const roots = ours.map((each) => {
    const ids = idsOf(each);
    return { link: each.link, ids, onlyOurs: closureOf(graph, ids, others) };
  });
  const keepers = keepersOf(roots.map(({ onlyOurs }) => onlyOurs));
  const byLink = roots.map(({ link, ids, onlyOurs }): [string, Weight] => {
    const alone = [...onlyOurs].filter((id) => keepers.get(id) === 1);
    const closure = sizeOf(graph, closureOf(graph, ids));
    return [link, { closure, alone: sizeOf(graph, alone), ours: sizeOf(graph, onlyOurs) }];
  });
  const all = roots.flatMap(({ ids }) => ids);
  return {
    byLink: new Map(byLink),
    closure: sizeOf(graph, closureOf(graph, all)),
    ours: sizeOf(graph, closureOf(graph, all, others)),
  };
}

interface ClosureSizes {
  /** Bytes; undefined for a path that is not valid, or without a database. */
  bytesOf(storePath: string): number | undefined;
  /** The same in words: `4.1 MiB`. */
  textOf(storePath: string): string | undefined;
  close(): void;
}

/** `4.1 MiB`. */
export function sizeText(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes / 1024;
  let unit = 0;
  for (; size >= 1024 && unit < units.length - 1; unit += 1) size /= 1024;
  return `${size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}

/** Sizes in one store; where the database cannot be read none is known. */
export function closureSizes(location: StoreLocation): ClosureSizes {
  const database = openNixDatabase(location);
  const bytesOf = (storePath: string): number | undefined => {
    try {
      return database?.closureSizeOf(storePath) || undefined;
    } catch {
      return undefined; // another process holds the database for long
    }
  };
  return {
    bytesOf,
    textOf: (storePath) => {
      const bytes = bytesOf(storePath);
      return bytes === undefined ? undefined : sizeText(bytes);
    },
    close: () => database?.close(),
  };
}
