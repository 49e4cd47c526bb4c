// The configuration files and the environment → the effective settings, and where each comes from.
// A path → the text of a configuration file that only its owner can have written.

import path from 'node:path';
import { errnoOf, ForeignError, reasonOf } from '../host/errors.ts';
import { realPath } from '../host/files.ts';
import { fileWord } from '../host/shell-words.ts';
import { ownersFor, ownersOfRoot, readTrusted, type TrustedContent } from '../host/trusted-file.ts';
import { isTrustedWay } from '../host/trusted-way.ts';
import type { ParsedConfig } from './parse-config.ts';
import { DEFAULTS, KEYS, type Key, type Settings, settingsOfEnvironment, VARIABLES } from './settings.ts';

/** Where a value comes from. */
export type SettingOrigin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'environment'; readonly variable: string };

export interface Configuration {
  readonly settings: Settings;
  readonly origins: Readonly<Record<Key, SettingOrigin>>;
  /** One line each, for keys that nobody knows. */
  readonly warnings: readonly string[];
  /** The files that were looked for, weakest first. */
  readonly files: readonly string[];
}

export interface ConfigFile {
  readonly file: string;
  readonly writer: Writer;
  /** In a directory that others can lead elsewhere: one that cannot be read there was never this user's. */
  readonly isOthers?: boolean;
}

/** Read first, so that the user's own file wins. */
const SYSTEM_FILE = '/etc/nix-run-foreign/config.toml';

/** Below the config directory (XDG Base Directory Specification). */
const USERS_FILE = 'nix-run-foreign/config.toml';

/**
 * The config directory of env-paths (XDG base directories), which is loaded here because it reads the home directory
 * while loading; a user who has none has no file.
 */
async function directoryOfUser(): Promise<readonly string[]> {
  try {
    const { default: envPaths } = await import('env-paths');
    return [path.dirname(envPaths('nix-run-foreign', { suffix: '' }).config)];
  } catch {
    return [];
  }
}

/** Where the user means it to be, though others can change where that leads. What is not UTF-8 has become U+FFFD. */
function directoryLedByOthers(passedOver: User['passedOver'] = {}): readonly string[] {
  const { XDG_CONFIG_HOME: config, HOME: home } = passedOver;
  const directory = config?.startsWith('/') ? config : home && path.join(home, '.config');
  return directory === undefined || directory.includes('\ufffd') ? [] : [directory];
}

/** The files, weakest first. One in a directory that does not count is among them, so that it is refused. */
export async function configurationFiles({
  uid,
  storeDir,
  passedOver,
}: User): Promise<readonly ConfigFile[]> {
  const writer = { uid, storeDir };
  const own = await directoryOfUser();
  const others = directoryLedByOthers(passedOver).filter((each) => !own.includes(each));
  return [
    { file: SYSTEM_FILE, writer: 'root' },
    ...own.map((each) => ({ file: path.join(each, USERS_FILE), writer })),
    ...others.map((each) => ({ file: path.join(each, USERS_FILE), writer, isOthers: true })),
  ];
}

async function parseIfThere(configFile: ConfigFile): Promise<ParsedConfig | undefined> {
  const { file } = configFile;
  const text = readConfigFile(configFile);
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
  const origins = Object.fromEntries(KEYS.map((key) => [key, { kind: 'default' }])) as Record<
    Key,
    SettingOrigin
  >;
  const warnings: string[] = [];
  const settle = (values: Partial<Settings>, originOf: (key: Key) => SettingOrigin): void => {
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

/** Bytes. */
const LARGEST = 1 << 20;

interface User {
  readonly uid: number;
  readonly storeDir: string;
  /** Variables that were to name the user's directories and do not count. */
  readonly passedOver?: Readonly<Record<string, string | undefined>>;
}

/** Who may have written a file: `root` stands for what lies in /etc, whoever it seems to belong to in a container. */
type Writer = 'root' | User;

function unusable(file: string, why: string, hint: string, cause?: unknown): ForeignError {
  return new ForeignError(`${file}: ${why}`, { code: 'configuration', hint, exitCode: 125, cause });
}

/** Whoever can write the file decides which keys are trusted. */
function refusalOf(
  file: string,
  content: Exclude<TrustedContent, { kind: 'read' | 'absent' }>,
  writer: Writer,
): ForeignError {
  if (content.kind === 'unreadable')
    return unusable(file, reasonOf(content.error), 'make it readable, or remove it', content.error);
  switch (content.why) {
    case 'no-file':
      return unusable(file, 'it is no file', 'replace it by a file, or remove it');
    case 'too-large':
      return unusable(file, 'it is larger than 1 MiB', 'make it shorter, or remove it');
    case 'owner': {
      // As for root by su(1), who is not to take the file from its owner.
      if (writer !== 'root' && !isTrustedWay(path.dirname(file), writer.uid)) return ledByOthers(file);
      const uid = writer === 'root' ? 0 : writer.uid;
      return unusable(file, 'it belongs to somebody else', `chown ${uid} ${fileWord(file)}, or remove it`);
    }
    default:
      return unusable(file, 'others can write it', `chmod go-w ${fileWord(file)}`);
  }
}

function ledByOthers(file: string): ForeignError {
  const why = 'it, or a directory on the way to it, can be replaced by others';
  return unusable(
    file,
    why,
    `see whose they are with: namei -l ${fileWord(file)}; then take the right to write from others: chmod go-w DIRECTORY; or, where it is not meant for you, unset XDG_CONFIG_HOME`,
  );
}

/**
 * home-manager makes the file a link into the store, where only Nix writes. What lies there is root's of outside, who
 * has no number in an ordinary user's view.
 */
function readOfUser(file: string, { uid, storeDir }: User): TrustedContent {
  const reading = { owners: ownersFor(uid, file), follow: true, limit: LARGEST };
  const content = readTrusted(file, reading);
  if (content.kind !== 'refused' || content.why !== 'owner') return content;
  const target = realPath(file);
  if (!target.startsWith(`${realPath(storeDir)}/`)) return content;
  return readTrusted(target, { ...reading, owners: [...reading.owners, ...ownersOfRoot()], follow: false });
}

/**
 * The text; undefined when there is no such file, for the price of one open(2). @throws ForeignError `configuration`.
 */
function readConfigFile({ file, writer, isOthers = false }: ConfigFile): string | undefined {
  const content =
    writer === 'root'
      ? readTrusted(file, { owners: 'anybody', follow: true, limit: LARGEST })
      : readOfUser(file, writer);
  if (content.kind === 'absent') return undefined;
  if (isOthers && content.kind === 'unreadable' && errnoOf(content.error) === 'EACCES') return undefined;
  if (content.kind !== 'read') throw refusalOf(file, content, writer);
  // A link that somebody else put there may lead to a file of root's, whose text is not root's.
  if (writer !== 'root' && !isTrustedWay(file, writer.uid)) throw ledByOthers(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content.bytes);
  } catch (error) {
    throw unusable(file, 'it is not UTF-8', 'save it as UTF-8', error);
  }
}
