// The keys of the configuration: names, meanings, defaults, and the variables that stand above the files.
// Environment variables → the settings they make.

import { ForeignError } from '../host/errors.ts';
import type { Environment } from '../host/tool-environment.ts';

/** What the user can settle once for all programs. Keys are those of config.toml; `MEANINGS` says what each is. */
export interface Settings {
  readonly sources: readonly string[];
  readonly 'trusted-fingerprint-keys': readonly string[];
  readonly strict: boolean;
  readonly 'source-timeout': number;
  readonly 'driver-directories': readonly string[];
  readonly substitute: boolean;
  readonly index: 'auto' | 'off' | readonly string[];
  readonly fetch: 'ask' | 'always' | 'never';
  readonly 'fetch-limit': number;
  readonly 'index-age': number;
}

export type Key = keyof Settings;

/** The values of `fetch`. */
export const FETCH = ['ask', 'always', 'never'] as const;

export const DEFAULTS: Settings = {
  sources: [],
  'trusted-fingerprint-keys': [],
  strict: false,
  'source-timeout': 5,
  'driver-directories': ['/run/opengl-driver/lib', '/run/opengl-driver-32/lib', '/usr/lib/wsl/lib'],
  substitute: true,
  index: 'auto',
  fetch: 'ask',
  'fetch-limit': 100,
  'index-age': 60,
};

/** One line each, for `nix-foreign config`; docs/settings.md and nix/settings.nix say the same. */
export const MEANINGS: Readonly<Record<Key, string>> = {
  sources:
    "absolute directories and http(s) URLs that are asked for a program's fingerprint at a first start, the preferred first",
  'trusted-fingerprint-keys':
    'public keys, name:base64, by one of which a fingerprint of a source, or an exported index, must be signed',
  strict:
    'fail where a fingerprint is there and cannot be used, or a source cannot be asked, instead of searching the store',
  'source-timeout': 'seconds until a source counts as unreachable',
  'driver-directories': 'directories of the running graphics driver, searched last, never pinned',
  substitute: 'let Nix fetch missing store paths from the substituters of this machine',
  index: 'file indexes for libraries that the store lacks: auto (that of nix-index), off, or absolute paths',
  fetch:
    'whether libraries that an index or a fingerprint names are fetched: ask (above fetch-limit), always, never',
  'fetch-limit': 'MiB that are downloaded for one program without a question',
  'index-age': 'days until the age of a file index is told, where it is used; 0: never',
};

export const KEYS = Object.keys(DEFAULTS).sort() as readonly Key[];

/** What is trusted is not taken from the environment: it stands in a file. */
export const VARIABLES: Readonly<Partial<Record<Key, string>>> = {
  strict: 'NIX_RUN_FOREIGN_STRICT',
  'source-timeout': 'NIX_RUN_FOREIGN_SOURCE_TIMEOUT',
  substitute: 'NIX_RUN_FOREIGN_SUBSTITUTE',
  index: 'NIX_RUN_FOREIGN_INDEX',
  fetch: 'NIX_RUN_FOREIGN_FETCH',
  'fetch-limit': 'NIX_RUN_FOREIGN_FETCH_LIMIT',
  'index-age': 'NIX_RUN_FOREIGN_INDEX_AGE',
};

/** The longest that a start may be made to wait, in seconds. */
export const LONGEST_TIMEOUT = 300;

function refused(variable: string, what: string): ForeignError {
  return new ForeignError(`${variable} must be ${what}`, {
    code: 'configuration',
    hint: `correct it, or: unset ${variable}`,
    exitCode: 125,
  });
}

/** Reads the text of a variable; undefined for what is none. */
type ReadText = (text: string) => Settings[Key] | undefined;

const isIn = (number: number, [least, most]: readonly [number, number]) => number >= least && number <= most;

const number =
  (range: readonly [number, number]): ReadText =>
  (text) =>
    /^\d+(\.\d+)?$/.test(text) && isIn(Number(text), range) ? Number(text) : undefined;

const flag: ReadText = (text) => (text === '0' || text === '1' ? text === '1' : undefined);

function indexOf(text: string): Settings['index'] | undefined {
  if (text === 'auto' || text === 'off') return text;
  const files = text.split(':');
  return files.every((file) => file.startsWith('/')) ? files : undefined;
}

/** MiB, and days: more is a slip of the pen. */
export const LARGEST_LIMIT = 1_000_000;
export const LONGEST_AGE = 10_000;

const READERS: Readonly<Partial<Record<Key, readonly [read: ReadText, what: string]>>> = {
  strict: [flag, '0 or 1'],
  substitute: [flag, '0 or 1'],
  'source-timeout': [
    (text) => number([0, LONGEST_TIMEOUT])(text) || undefined,
    `a number of seconds above 0 and up to ${LONGEST_TIMEOUT}`,
  ],
  index: [indexOf, 'auto, off, or absolute paths with colons between them'],
  fetch: [(text) => FETCH.find((each) => each === text), 'ask, always or never'],
  'fetch-limit': [number([0, LARGEST_LIMIT]), `a number of MiB from 0 to ${LARGEST_LIMIT}`],
  'index-age': [number([0, LONGEST_AGE]), `a number of days from 0 to ${LONGEST_AGE}`],
};

function settingOf(key: Key, variable: string, text: string): Settings[Key] {
  const [read, what] = READERS[key] ?? [() => undefined, 'unset'];
  const value = read(text);
  if (value === undefined) throw refused(variable, what);
  return value;
}

/** What variables settle; an empty one settles nothing. @throws ForeignError `configuration`. */
export function settingsOfEnvironment(env: Environment): Partial<Settings> {
  return Object.fromEntries(
    KEYS.flatMap((key) => {
      const variable = VARIABLES[key];
      const text = variable === undefined ? undefined : env[variable];
      return variable === undefined || text === undefined || text === ''
        ? []
        : [[key, settingOf(key, variable, text)]];
    }),
  );
}
