// Store paths → what Nix has on record of them: hash, size, references. From its database, or from Nix itself.
import { invalidPaths, type Nix, nixFailed, runWatched, showWaiting } from './nix.ts';
import { openTables, type Prepare } from './nix-database.ts';
import type { StoreLocation } from './store-location.ts';

export interface PathFacts {
  /** `sha256:<hex>` of the NAR. */
  readonly narHash: string;
  /** Bytes of the NAR. */
  readonly narSize: number;
  /** Sorted; a path may refer to itself. */
  readonly references: readonly string[];
}

type FactsByPath = ReadonlyMap<string, PathFacts>;

const FACTS = 'select id, hash, narSize from ValidPaths where path = ?';
const REFERENCES = `select path from Refs join ValidPaths on ValidPaths.id = reference
  where referrer = ? order by path`;

/** What the database says; paths it does not know are left out. */
function factsOf(prepare: Prepare, storePaths: Iterable<string>): Map<string, PathFacts> {
  const [facts, references] = [prepare(FACTS), prepare(REFERENCES)];
  const found = new Map<string, PathFacts>();
  for (const storePath of storePaths) {
    const row = facts.get(storePath);
    if (row === undefined) continue;
    found.set(storePath, {
      narHash: String(row['hash']),
      narSize: Number(row['narSize'] ?? 0),
      references: references.all(Number(row['id'])).map((each) => String(each['path'])),
    });
  }
  return found;
}

/** Nothing where the database cannot be read. */
function fromTables(
  location: StoreLocation,
  question: (prepare: Prepare) => Map<string, PathFacts>,
): Map<string, PathFacts> {
  const tables = openTables(location);
  try {
    return tables?.ask(question) ?? new Map();
  } finally {
    tables?.close();
  }
}

/**
 * `nix-store --dump-db`: for every path its name, its hash in hex, its size, its deriver or an empty line, the number
 * of its references, and those, one a line (nix-store(1), --dump-db; Nix: ValidPathInfo, makeValidityRegistration).
 */
export function parseDump(dump: string): Map<string, PathFacts> {
  const lines = dump.split('\n');
  const found = new Map<string, PathFacts>();
  for (let at = 0; at + 4 < lines.length; ) {
    const [storePath = '', hash = '', size = '', , count = ''] = lines.slice(at, at + 5);
    if (!storePath.startsWith('/') || !/^[0-9a-f]{64}$/.test(hash) || !/^\d+$/.test(count)) break;
    const end = at + 5 + Number(count);
    const references = lines.slice(at + 5, end).sort();
    found.set(storePath, { narHash: `sha256:${hash}`, narSize: Number(size), references });
    at = end;
  }
  return found;
}

/** Asks Nix; without paths for everything that is valid. @throws ForeignError `nix-failed`. */
export async function dumpFacts(nix: Nix, storePaths: readonly string[]): Promise<Map<string, PathFacts>> {
  const ended = await runWatched(nix, 'nix-store', ['--dump-db', ...storePaths], showWaiting);
  if (ended.status !== 0) throw nixFailed('--dump-db', ended);
  return parseDump(ended.stdout);
}

/**
 * Facts of many store paths; those that are not valid are left out. The database answers in microseconds for a path;
 * what it does not know is asked of Nix, since somebody else's latest changes may not be visible in it (NOTES.md).
 * @throws ForeignError `nix-failed`.
 */
export async function pathFacts(
  location: StoreLocation,
  nix: Nix | undefined,
  storePaths: readonly string[],
): Promise<FactsByPath> {
  const distinct = [...new Set(storePaths)];
  const found = fromTables(location, (prepare) => factsOf(prepare, distinct));
  const unknown = distinct.filter((each) => !found.has(each));
  if (unknown.length === 0 || nix === undefined) return found;
  return new Map([...found, ...(await factsFromNix(nix, unknown))]);
}

/** How often two questions are asked that a collector may come between. */
const ATTEMPTS = 3;

/**
 * A collector may take a path between the two questions, and another process may fetch it again: both are asked anew.
 */
async function factsFromNix(nix: Nix, storePaths: readonly string[]): Promise<Map<string, PathFacts>> {
  for (let attempt = 1; ; attempt += 1) {
    const invalid = await invalidPaths(nix, storePaths);
    const valid = storePaths.filter((each) => !invalid.has(each));
    if (valid.length === 0) return new Map();
    try {
      return await dumpFacts(nix, valid);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** The closure as far as the database knows it. */
function closureIn(prepare: Prepare, storePaths: readonly string[]): Map<string, PathFacts> {
  const all = new Map<string, PathFacts>();
  for (let fresh = [...new Set(storePaths)]; fresh.length > 0; ) {
    const found = factsOf(prepare, fresh);
    for (const [storePath, facts] of found) all.set(storePath, facts);
    const references = new Set([...found.values()].flatMap((each) => each.references));
    fresh = [...references].filter((each) => !all.has(each));
  }
  return all;
}

/**
 * Facts of everything that store paths refer to, directly or not, and of themselves; nothing where one of them is not
 * valid. Nix registers a path only with all it refers to, so a database that has a path has its closure.
 * @throws ForeignError `nix-failed`.
 */
export async function closureFacts(
  location: StoreLocation,
  nix: Nix | undefined,
  storePaths: readonly string[],
): Promise<FactsByPath> {
  const known = fromTables(location, (prepare) => closureIn(prepare, storePaths));
  if (storePaths.every((each) => known.has(each))) return known;
  if (nix === undefined || (await invalidPaths(nix, storePaths)).size > 0) return new Map();
  const requisites = await runWatched(nix, 'nix-store', ['-q', '--requisites', ...storePaths], showWaiting);
  if (requisites.status !== 0) throw nixFailed('-q --requisites', requisites);
  return await dumpFacts(
    nix,
    requisites.stdout.split('\n').filter((line) => line !== ''),
  );
}
