// The setting, the environment and the store → the index files to read, and what was looked at in vain.
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { reasonOf } from '../host/errors.ts';
import { DAY } from '../host/files.ts';
import { derivedVersion } from './derived-file.ts';
import { databaseVersion } from './read-database.ts';

/** Where an index was named or found. */
export type Place = 'setting' | 'variable' | 'cache' | 'nix-locate' | 'store';

interface FoundIndex {
  readonly kind: 'found';
  readonly file: string;
  readonly place: Place;
}

export interface UselessIndex {
  readonly kind: 'useless';
  readonly file: string;
  readonly place: Place;
  /** One clause. */
  readonly why: string;
}

export interface Search {
  /** `auto`, `off`, or absolute paths of files and directories. */
  readonly setting: 'auto' | 'off' | readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly storeDir: string;
}

interface SearchResult {
  /** All of the setting; else the first that there is. */
  readonly found: readonly FoundIndex[];
  /** What somebody named and that is no index. */
  readonly useless: readonly UselessIndex[];
}

/** The name of the file in a directory that nix-index writes. */
const IN_DIRECTORY = 'files';

function look(named: string, place: Place): FoundIndex | UselessIndex | undefined {
  let file = named;
  let fd: number | undefined;
  try {
    if (statSync(named).isDirectory()) file = path.join(named, IN_DIRECTORY);
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO must not hold up the start
    if (!fstatSync(fd).isFile()) return { kind: 'useless', file, place, why: 'it is no file' };
    const isIndex = databaseVersion(fd) !== undefined || derivedVersion(fd) !== undefined;
    return isIndex
      ? { kind: 'found', file, place }
      : { kind: 'useless', file, place, why: 'it is no file index' };
  } catch (error) {
    const isNamed = place === 'setting' || place === 'variable';
    return isNamed ? { kind: 'useless', file, place, why: reasonOf(error) } : undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function cacheDirectory({ env }: Search): string | undefined {
  const { XDG_CACHE_HOME: cache, HOME: home } = env;
  if (cache?.startsWith('/')) return path.join(cache, 'nix-index');
  return home?.startsWith('/') ? path.join(home, '.cache/nix-index') : undefined;
}

/** A wrapper is a short text, or a small program with its texts in it. */
const LONGEST_WRAPPER = 65_536;

function beginningOf(file: string): string {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(LONGEST_WRAPPER);
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}

const DATABASE = /^[0-9a-z]{32}-nix-index-database[0-9A-Za-z+\-._?=]*/;

/** Where nix-index-database's wrapper, a package of its own, has the link `files` (nix-index-wrapper.nix). */
const BESIDE_WRAPPER = /^[0-9a-z]{32}-[0-9A-Za-z+\-._?=]+\/share\/cache\/nix-index(?![0-9A-Za-z])/;

/** The database, or the directory of one, that the wrapper of nix-locate names in the store. */
function fromWrapper({ env, storeDir }: Search): string | undefined {
  for (const directory of (env['PATH'] ?? '').split(':').filter(path.isAbsolute)) {
    try {
      const text = beginningOf(realpathSync(path.join(directory, 'nix-locate')));
      const names = text
        .split(`${storeDir}/`)
        .slice(1)
        .map((each) => (DATABASE.exec(each) ?? BESIDE_WRAPPER.exec(each))?.[0]);
      const name = names.find((each) => each !== undefined);
      // The first nix-locate on PATH is the one that the user has.
      return name === undefined ? undefined : path.join(storeDir, name);
    } catch {} // not in this directory
  }
  return undefined;
}

/** A store object, not what Nix puts beside one while it makes it. */
function isDatabaseObject(name: string): boolean {
  const rest = /^[0-9a-z]{32}-nix-index-database(|-[0-9A-Za-z+\-._?=]+)$/.exec(name)?.[1];
  return rest !== undefined && !/-small(-|$)|\.(drv|lock|chroot|check|tmp)$/.test(rest);
}

/**
 * The one that came to the store last goes first: every file in it bears the same time, but not its inode. There may be
 * several of one name: comma's wrapper makes a link farm with programs only.
 */
function inStore({ storeDir }: Search): string[] {
  try {
    const dated = readdirSync(storeDir)
      .filter(isDatabaseObject)
      .flatMap((name) => {
        const stats = statSync(path.join(storeDir, name), { throwIfNoEntry: false });
        return stats === undefined ? [] : [{ name, time: stats.ctimeMs }];
      });
    return dated
      .sort((a, b) => b.time - a.time || (a.name < b.name ? -1 : 1))
      .map(({ name }) => path.join(storeDir, name));
  } catch {
    return [];
  }
}

/** The places in order, each looked for only when it is its turn. */
function* automatic(search: Search): Generator<[Place, string | undefined]> {
  yield ['variable', search.env['NIX_INDEX_DATABASE'] || undefined];
  yield ['cache', cacheDirectory(search)];
  yield ['nix-locate', fromWrapper(search)];
  for (const file of inStore(search)) yield ['store', file];
}

/**
 * Finds the index. Whether it holds libraries is known when it was read: comma's wrapper, for one, names an index of
 * programs only, so with `after` it goes on behind one that was found.
 */
export function findDatabase(search: Search, after?: Pick<FoundIndex, 'file' | 'place'>): SearchResult {
  const { setting } = search;
  if (setting === 'off') return { found: [], useless: [] };
  if (setting !== 'auto') {
    const looked = setting.map((each) => look(each, 'setting')).filter((each) => each !== undefined);
    return {
      found: looked.filter((each) => each.kind === 'found'),
      useless: looked.filter((each) => each.kind === 'useless'),
    };
  }
  const useless: UselessIndex[] = [];
  let isPast = after === undefined;
  for (const [place, file] of automatic(search)) {
    const looked = isPast && file !== undefined ? look(file, place) : undefined;
    const isIt = file === after?.file || path.join(file ?? '', IN_DIRECTORY) === after?.file;
    if (place === after?.place && isIt) isPast = true;
    if (looked?.kind === 'found') return { found: [looked], useless };
    if (looked !== undefined) useless.push(looked);
  }
  return { found: [], useless };
}

/** Days since a file was written; undefined in the store, where every file is of 1970. */
export function ageInDays(file: string, now: number): number | undefined {
  const { mtimeMs } = statSync(file);
  return mtimeMs < DAY ? undefined : Math.floor((now - mtimeMs) / DAY);
}
