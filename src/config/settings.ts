// The keys of the configuration: names, meanings, defaults, and the variables that stand above the files.
// Environment variables → the settings they make.

import { ForeignError } from '../host/errors.ts';
import type { Environment } from '../host/tool-environment.ts';

/** What the user can settle once for all programs. Keys are those of config.toml. */
export interface Settings {
  /** Where fingerprints are asked for on a miss, in this order: absolute directories and http(s) URLs. */
  readonly sources: readonly string[];
  /** Public keys, `name:base64` as Nix writes them, whose signatures make a foreign fingerprint trusted. */
  readonly 'trusted-fingerprint-keys': readonly string[];
  /** Fail where a fingerprint that is there cannot be used, instead of resolving afresh. */
  readonly strict: boolean;
  /** Seconds until a source counts as unreachable. */
  readonly 'source-timeout': number;
  /** Absolute directories of the running graphics driver, searched last at each start, those that exist. */
  readonly 'driver-directories': readonly string[];
  /** Let Nix fetch what a fingerprint names from the machine's substituters. */
  readonly substitute: boolean;
}

export type Key = keyof Settings;

export const DEFAULTS: Settings = {
  sources: [],
  'trusted-fingerprint-keys': [],
  strict: false,
  'source-timeout': 5,
  'driver-directories': ['/run/opengl-driver/lib', '/run/opengl-driver-32/lib', '/usr/lib/wsl/lib'],
  substitute: true,
};

/** One line each, for `nix-foreign config`. */
export const MEANINGS: Readonly<Record<Key, string>> = {
  sources: 'directories and http(s) URLs that are asked for fingerprints on a first start, in this order',
  'trusted-fingerprint-keys': 'public keys (name:base64) whose signatures make a fingerprint believed',
  strict:
    'fail where a fingerprint is there and cannot be used, or a source cannot be asked, instead of searching the store',
  'source-timeout': 'seconds until a source counts as unreachable',
  'driver-directories':
    'directories of the running graphics driver, searched last at each start and never pinned',
  substitute: 'let Nix fetch missing store paths of a fingerprint from the substituters of this machine',
};

export const KEYS = Object.keys(DEFAULTS).sort() as readonly Key[];

/** Lists are not taken from the environment: what is trusted stands in a file. */
export const VARIABLES: Readonly<Partial<Record<Key, string>>> = {
  strict: 'NIX_RUN_FOREIGN_STRICT',
  'source-timeout': 'NIX_RUN_FOREIGN_SOURCE_TIMEOUT',
  substitute: 'NIX_RUN_FOREIGN_SUBSTITUTE',
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

function settingOf(key: Key, variable: string, text: string): boolean | number {
  if (key !== 'source-timeout') {
    if (text !== '0' && text !== '1') throw refused(variable, '0 or 1');
    return text === '1';
  }
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT) return seconds;
  throw refused(variable, `a number of seconds above 0 and up to ${LONGEST_TIMEOUT}`);
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
