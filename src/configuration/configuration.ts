// The configuration files and the environment → the effective settings, and where each comes from.
import path from 'node:path';
import { readConfigFile, type Writer } from './config-file.ts';
import { settingsOfEnvironment } from './from-environment.ts';
import type { ParsedConfig } from './parse-config.ts';
import { DEFAULTS, KEYS, type Key, type Settings, VARIABLES } from './settings.ts';

/** Where a value comes from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'environment'; readonly variable: string };

export interface Configuration {
  readonly settings: Settings;
  readonly origins: Readonly<Record<Key, Origin>>;
  /** One line each, for keys that nobody knows. */
  readonly warnings: readonly string[];
  /** The files that were looked for, weakest first. */
  readonly files: readonly string[];
}

export interface ConfigFile {
  readonly file: string;
  readonly writer: Writer;
}

/** Read first, so that the user's own file wins. */
const SYSTEM_FILE = '/etc/nix-run-foreign/config.toml';

/**
 * The files that count, weakest first. The user's is in the config directory of env-paths (XDG base directories), which
 * is loaded here because it reads the home directory while loading; a user who has none has no file.
 */
export async function configurationFiles(uid: number): Promise<readonly ConfigFile[]> {
  const system: ConfigFile = { file: SYSTEM_FILE, writer: 'root' };
  try {
    const { default: envPaths } = await import('env-paths');
    const directory = envPaths('nix-run-foreign', { suffix: '' }).config;
    return [system, { file: path.join(directory, 'config.toml'), writer: { uid } }];
  } catch {
    return [system];
  }
}

async function parseIfThere({ file, writer }: ConfigFile): Promise<ParsedConfig | undefined> {
  const text = readConfigFile(file, writer);
  if (text === undefined) return undefined;
  const { parseConfig } = await import('./parse-config.ts');
  return parseConfig(text, file);
}

/**
 * The effective settings: the environment before the user's file before the system's before the defaults, key by key.
 * @throws ForeignError `configuration`: a file or a variable that is broken is never passed over.
 */
export async function readConfiguration(
  files: readonly ConfigFile[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Configuration> {
  let settings = DEFAULTS;
  const origins = Object.fromEntries(KEYS.map((key) => [key, { kind: 'default' }])) as Record<Key, Origin>;
  const warnings: string[] = [];
  const settle = (values: Partial<Settings>, originOf: (key: Key) => Origin): void => {
    settings = { ...settings, ...values };
    for (const key of KEYS) if (key in values) origins[key] = originOf(key);
  };
  for (const each of files) {
    const parsed = await parseIfThere(each);
    if (parsed === undefined) continue;
    settle(parsed.values, () => ({ kind: 'file', file: each.file }));
    warnings.push(...parsed.warnings);
  }
  settle(settingsOfEnvironment(env), (key) => ({ kind: 'environment', variable: VARIABLES[key] ?? '' }));
  return { settings, origins, warnings, files: files.map(({ file }) => file) };
}
