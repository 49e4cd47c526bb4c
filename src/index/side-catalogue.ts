// A SQLite file → the shared objects that file indexes know of, by name; several indexes in one file.
import path from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { sha256OfText } from '../host/file-identity.ts';
import { debug } from '../host/output.ts';
import { addressOf, assertNoCatalogue } from './catalogue-errors.ts';
import type { IndexedFile, IndexedObject, PackageObjects } from './package-objects.ts';
import type { IndexRefusal } from './read-database.ts';

/** Bump when the tables or what is put into them change: an older catalogue is read anew from its sources. */
export const VERSION = 2;

export const TABLES = `
create table source (
  id integer primary key, key text not null unique, kind text not null, identity text not null, refusal text not null,
  entries integer not null, packages integer not null, objects integer not null, files integer not null,
  ignored integer not null, built integer not null, address text not null) strict;
create table object (
  id integer primary key, source integer not null, name text not null, attr text not null, output text not null,
  toplevel integer not null, system text not null, stems integer not null) strict;
create table file (
  name text not null, dir text not null, object integer not null, kind text not null, size integer not null,
  target text not null, primary key (name, dir, object)) strict, without rowid;
pragma user_version = ${VERSION};`;

/** Made when everything is in. */
export const LAST_INDEX = 'create index object_name on object (name);';

/** One index that was read. */
export interface IndexSource {
  /** The file's real path, or the URL of a cache. */
  readonly key: string;
  readonly kind: 'database' | 'derived' | 'cache';
  /** What tells that it is still the one that was read. */
  readonly identity: string;
  /** Why it has nothing to give: that is remembered too, so that no start reads it again. */
  readonly refusal: IndexRefusal | undefined;
  readonly entries: number;
  readonly packages: number;
  readonly objects: number;
  readonly files: number;
  readonly ignored: number;
  /** Milliseconds since 1970. */
  readonly built: number;
}

/** A shared object, and the store object that has it. */
export interface IndexMatch extends IndexedFile {
  readonly object: CataloguedObject;
}

interface CataloguedObject extends IndexedObject {
  readonly id: number;
  /** How many libraries of different names, versions aside, lie beside each other in its `lib`. */
  readonly stems: number;
}

export interface SideCatalogue {
  readonly storeDir: string;
  sources(): readonly IndexSource[];
  /** Addresses of the binary caches among the sources, as Nix takes them: there may be a password in one. */
  cacheAddresses(): readonly string[];
  /** Every file of a name, those in `lib` first; at most some thousands, whatever an index says. */
  filesNamed(name: string): readonly IndexMatch[];
  /** One file of a store object that was found. */
  fileIn(object: CataloguedObject, dir: string, name: string): IndexMatch | undefined;
  /** Files of this name in any directory of a store object. */
  filesIn(object: CataloguedObject, name: string): readonly IndexMatch[];
  /** One file of a store object by its name, `<hash>-<name>`. */
  fileOf(objectName: string, dir: string, name: string): IndexMatch | undefined;
  /** Names that begin so, sorted, at most `most`. */
  namesBeginning(letters: string, most: number): readonly string[];
  /** Every store object once, in an order that depends on nothing else. */
  packages(): Iterable<PackageObjects>;
  /** The same without what other sources gave; one of both is to be closed. */
  only(counts: (source: IndexSource) => boolean): SideCatalogue;
  close(): void;
}

/** More candidates for one name are a jest. Those in `lib` and those elsewhere each have their own share. */
const MOST_IN_LIB = 4096;
const MOST_ELSEWHERE = 1024;

/** The catalogue's file for a store, in a place's catalogue directory. */
export function sideCatalogueFile(directory: string, storeDir: string): string {
  return path.join(directory, `${sha256OfText(storeDir).slice(0, 16)}.file-index.sqlite`);
}

type CatalogueRow = Record<string, unknown>;

function toSource(row: CatalogueRow): IndexSource {
  const number = (name: string) => Number(row[name]);
  return {
    key: String(row['key']),
    kind: String(row['kind']) as IndexSource['kind'],
    identity: String(row['identity']),
    refusal: row['refusal'] === '' ? undefined : (JSON.parse(String(row['refusal'])) as IndexRefusal),
    entries: number('entries'),
    packages: number('packages'),
    objects: number('objects'),
    files: number('files'),
    ignored: number('ignored'),
    built: number('built'),
  };
}

function toMatch(row: CatalogueRow): IndexMatch {
  return {
    name: String(row['name']),
    dir: String(row['dir']),
    kind: String(row['kind']) as IndexedFile['kind'],
    size: Number(row['size']),
    target: String(row['target']),
    object: {
      id: Number(row['id']),
      name: String(row['object_name']),
      attr: String(row['attr']),
      output: String(row['output']),
      toplevel: row['toplevel'] === 1,
      system: String(row['system']),
      stems: Number(row['stems']),
    },
  };
}

const MATCH = `select file.name as name, dir, kind, size, target, object.id as id, object.name as object_name, attr, output,
  toplevel, system, stems from file join object on object.id = file.object`;

/**
 * Opens what is there. Undefined: there is none, or one of another version, or no catalogue at all.
 * @throws ForeignError `unreadable-index` where what is there cannot be opened now.
 */
export function openSideCatalogue(file: string, storeDir: string): SideCatalogue | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(addressOf(file), { readOnly: true });
    if (database.prepare('pragma user_version').get()?.['user_version'] === VERSION)
      return overDatabase(database, storeDir);
    debug(`no file index in ${file}: another version`);
  } catch (error) {
    database?.close();
    assertNoCatalogue(error, file);
    debug(`no file index in ${file}: ${String(error)}`);
    return undefined;
  }
  database.close();
  return undefined;
}

/** `ids`: of the sources that count, with commas between them; undefined for all. */
function overDatabase(database: DatabaseSync, storeDir: string, ids?: string): SideCatalogue {
  const among = (column: string): string => (ids === undefined ? 'true' : `${column} in (${ids})`);
  const match = `${MATCH} where ${among('object.source')}`;
  const ofFile =
    ids === undefined
      ? 'true'
      : `exists (select 1 from object where object.id = file.object and ${among('object.source')})`;
  const inLib = database.prepare(`${match} and file.name = ? and dir = 'lib' limit ${MOST_IN_LIB}`);
  const elsewhere = database.prepare(`${match} and file.name = ? and dir <> 'lib' limit ${MOST_ELSEWHERE}`);
  const inObject = database.prepare(`${match} and file.name = ? and file.object = ? order by dir`);
  const one = (where: string, ...values: SQLInputValue[]): IndexMatch | undefined => {
    const row = database.prepare(`${match} and file.name = ? and dir = ? and ${where}`).get(...values);
    return row === undefined ? undefined : toMatch(row);
  };
  const sourceRows = () => database.prepare(`select * from source where ${among('id')} order by id`).all();
  const catalogue: SideCatalogue = {
    storeDir,
    sources: () => sourceRows().map(toSource),
    cacheAddresses: () =>
      sourceRows()
        .filter(({ kind }) => kind === 'cache')
        .map(({ address }) => String(address)),
    filesNamed: (name) => withoutTwins([...inLib.all(name), ...elsewhere.all(name)].map(toMatch)),
    fileIn: (object, dir, name) => one('file.object = ?', name, dir, object.id),
    filesIn: (object, name) => inObject.all(name, object.id).map(toMatch),
    fileOf: (objectName, dir, name) => one('object.name = ?', name, dir, objectName),
    namesBeginning: (letters, most) =>
      database
        .prepare(
          `select distinct name from file where name >= ? and name < ? and ${ofFile} order by name limit ?`,
        )
        .all(letters, `${letters}\u{10ffff}`, most)
        .map((row) => String(row['name'])),
    packages: () => packagesOf(database, match),
    only: (counts) => {
      const rows = sourceRows();
      const counting = rows.filter((row) => counts(toSource(row))).map(({ id }) => Number(id));
      return counting.length === rows.length ? catalogue : overDatabase(database, storeDir, counting.join());
    },
    close: () => database.close(),
  };
  return catalogue;
}

/** By name, so that what is alike stands together; the index that knows most of an object goes first. */
const IN_ORDER =
  "order by substr(object.name, 34), object.name, toplevel desc, attr = '', object.id, dir, file.name";

function* packagesOf(database: DatabaseSync, match: string): Generator<PackageObjects> {
  let current: { id: number; object: IndexedObject; files: IndexedFile[] } | undefined;
  for (const row of database.prepare(`${match} ${IN_ORDER}`).iterate()) {
    const { object, ...file } = toMatch(row);
    if (object.name !== current?.object.name) {
      if (current !== undefined) yield current;
      current = { id: object.id, object, files: [] };
    }
    if (object.id === current.id) current.files.push(file);
  }
  if (current !== undefined) yield current;
}

/** Two indexes may know the same store object: the one that knows more of it counts. */
function withoutTwins(matches: readonly IndexMatch[]): IndexMatch[] {
  const best = new Map<string, IndexMatch>();
  const worth = ({ object }: IndexMatch) => 2 * Number(object.toplevel) + Number(object.attr !== '');
  for (const match of matches) {
    const key = `${match.object.name}/${match.dir}`;
    const known = best.get(key);
    if (known === undefined || worth(match) > worth(known)) best.set(key, match);
  }
  return [...best.values()];
}
