// What a work left in its home → a text, the same for two states between which nothing that comes after can tell.
import { createHash } from 'node:crypto';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { identityOf, identityOfStats } from '../../src/host/file-identity.ts';

export interface Trees {
  /** A home and /tmp, as they can be read here; what is not there is left out. */
  readonly trees: readonly string[];
  /** The store, and directories of roots: of these only the names count. */
  readonly named: readonly [store: string, ...roots: string[]];
  /** Nix's own: what became valid after a row counts. */
  readonly database?: { readonly file: string; readonly after: number };
  /** A directory for copies of databases: one that is looked at may be changed by that. */
  readonly scratch: string;
}

/** What `noting` leaves directly in a tree. */
const NOTED = /^[^/]*\.(?:stdout|stderr|status)$/;
/** As file-identity.ts writes it; in a plan, `i` says that it is the program's. */
const IDENTITY = /(\0i)?(\d+:\d+:\d+:\d+\.\d+:\d+\.\d+)/g;
/** The number of a catalogue's state, in a row of the catalogue (soname-table.ts). */
const STATE_IN_ROW = /("key":"names-state","value":")(\d+)/;
/** Where a name table has it (name-table.ts). */
const STATE_AT = 32;
/** A memo of a catalogue: the store directory as it was when it was listed (open-catalogue.ts). */
const LISTED = 'store-directory';

/** Each file and directory below a directory, by its name there, in order; links are not followed. */
export function namesBelow(directory: string, below = ''): string[] {
  return readdirSync(path.join(directory, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = path.join(below, entry.name);
      return entry.isDirectory() ? [name, ...namesBelow(directory, name)] : [name];
    });
}

function copyOf(file: string, scratch: string): string {
  const copy = path.join(scratch, 'looked-at.sqlite');
  rmSync(`${copy}-shm`, { force: true });
  for (const ending of ['', '-wal', '-journal']) {
    rmSync(copy + ending, { force: true });
    if (statSync(file + ending, { throwIfNoEntry: false }) !== undefined)
      cpSync(file + ending, copy + ending);
  }
  return copy;
}

/** Before any work. */
export function validFromNow(file: string, scratch: string): NonNullable<Trees['database']> {
  using database = new DatabaseSync(copyOf(file, scratch));
  const last = database.prepare('SELECT max(id) AS id FROM ValidPaths').get();
  return { file, after: Number(last?.['id']) };
}

/** Paths, hashes and references; a path may be there without them. @throws for half a database */
function validIn({ file, after }: NonNullable<Trees['database']>, scratch: string): string {
  using database = new DatabaseSync(copyOf(file, scratch));
  const paths = database.prepare('SELECT path, hash, narSize FROM ValidPaths WHERE id > ? ORDER BY path');
  const references = database.prepare(
    `SELECT one.path AS referrer, other.path AS reference FROM Refs JOIN ValidPaths AS one ON one.id = referrer
      JOIN ValidPaths AS other ON other.id = reference WHERE referrer > ? ORDER BY 1, 2`,
  );
  return JSON.stringify([paths.all(after), references.all(after)]);
}

/** Rows, in an order of their own; undefined: it is no whole database. */
function rowsOf(file: string, { named: [store], scratch }: Trees): string | undefined {
  try {
    using database = new DatabaseSync(copyOf(file, scratch));
    const isNow = (value: unknown): boolean => value === identityOf(store);
    return database
      .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .all()
      .flatMap(({ name, sql }) => [
        { sql },
        ...database.prepare(`SELECT * FROM "${name}" ORDER BY 1, 2`).all(),
      ])
      .filter(({ key, value }: Record<string, unknown>) => key !== LISTED || isNow(value))
      .map((row) => JSON.stringify(row))
      .join('\n');
  } catch {
    return undefined;
  }
}

/** Identity → tree and name, of all files there. */
function identitiesIn(trees: readonly string[]): Map<string, string> {
  return new Map(
    trees.flatMap((tree, number) =>
      namesBelow(tree).map((name): [string, string] => {
        const stats = lstatSync(path.join(tree, name), { bigint: true });
        return [identityOfStats(stats), `${number} ${name}`];
      }),
    ),
  );
}

/** A content without what is another one each time: @see stateDigest */
type Content = (file: string) => string | Buffer;

function contentIn(trees: Trees): Content {
  const identities = identitiesIn(trees.trees);
  const states = new Map<string, number>();
  const numberOf = (state: string): number => {
    states.set(state, states.get(state) ?? states.size);
    return states.get(state) as number;
  };
  return (file) => {
    if (/\.sqlite-(?:wal|shm)$/.test(file)) return '';
    const rows = file.endsWith('.sqlite') ? rowsOf(file, trees) : undefined;
    if (rows !== undefined) return rows.replace(STATE_IN_ROW, (_, key, state) => `${key}${numberOf(state)}`);
    const bytes = readFileSync(file);
    if (file.endsWith('.names') && bytes.length >= STATE_AT + 8) {
      const number = numberOf(String(bytes.readBigUInt64LE(STATE_AT)));
      bytes.writeBigUInt64LE(BigInt(number), STATE_AT);
    }
    if (!/\/plans\/[^/]*$/.test(file)) return bytes;
    return bytes
      .toString('latin1')
      .replaceAll(
        IDENTITY,
        (_, i = '', identity) => i + (identities.get(identity) ?? (i ? 'none' : identity)),
      );
  };
}

/**
 * Names, owners, kinds, permissions, contents and targets of links; no times. A plan names files by identity: of which
 * file that is counts, or that it is of none, as of a program that is another one since. A database counts by its rows,
 * the number of a catalogue's state by who else has it, and that the store was listed only if it is so still. Of the
 * store names count, and what is valid.
 * @throws Node's errno errors, where something is at work there
 */
export function stateDigest(trees: Trees): string {
  mkdirSync(trees.scratch, { recursive: true });
  const there = trees.trees.filter((tree) => statSync(tree, { throwIfNoEntry: false }) !== undefined);
  const contentOf = contentIn({ ...trees, trees: there });
  const digest = createHash('sha256');
  const add = (content: string | Buffer): void => void digest.update(`${content.length}\0`).update(content);
  for (const directory of trees.named) add(readdirSync(directory).sort().join('\n'));
  if (trees.database !== undefined) add(validIn(trees.database, trees.scratch));
  for (const tree of there)
    for (const name of ['', ...namesBelow(tree).filter((name) => !NOTED.test(name))]) {
      const file = path.join(tree, name);
      const stats = lstatSync(file);
      add(`${trees.trees.indexOf(tree)} ${name} ${stats.mode} ${stats.uid}`);
      if (stats.isSymbolicLink()) add(readlinkSync(file));
      if (stats.isFile()) add(contentOf(file));
    }
  return digest.digest('hex');
}
