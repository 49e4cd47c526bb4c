// A plan's set → the files beside the audit module: settings, answers, what was learned (audit/RUN-TIME.md).
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { removeLeftovers, replaceLink, writeFileAtomically } from '../host/atomic-file.ts';
import { makeDirectories } from '../host/files.ts';
import { ANY_MACHINE, type NameTable, nameTableBytes, readNameTable } from '../store/name-table.ts';

/** The module's name. */
export const AUDIT_MODULE = 'nix-foreign-audit.so';

/** A name by which it leaves LD_AUDIT: at once, or in the program that is executed after so many others, at most 9. */
export function auditModuleOnce(after = 0): string {
  return after === 0 ? 'nix-foreign-audit-once.so' : `nix-foreign-audit-in-${after}.so`;
}

/** Whether a path ends in a name of the module. */
export function isAuditModule(file: string): boolean {
  return /^nix-foreign-audit(?:-once|-in-[1-9])?\.so$/.test(path.basename(file));
}

/** A word of the resolver's command line: literal, or what the module fills in. */
type ResolverWord = { readonly text: string } | 'name' | 'requester' | 'process';

export interface RunTimeSettings {
  /** Path of the soname table. Without it only answers count. */
  readonly sonameTable?: string;
  /** What is executed, and its argv. Without it nothing is ever asked. */
  readonly resolver?: { readonly file: string; readonly argv: readonly ResolverWord[] };
  /** Seconds that it may take; 20 when left out, 3600 at most. */
  readonly limit?: number;
  /** The loader's default directories: what lies there is never answered for. */
  readonly defaultDirectories: readonly string[];
  /** Store directory: objects below it are not noted as plug-ins. Without it none are noted. */
  readonly storeDir?: string;
  /** More directories of which that is true: farms, drivers. */
  readonly notLearned?: readonly string[];
  /** Environment of the resolver where the process's own, as it can be read, has neither HOME nor PATH. */
  readonly environment: Readonly<Record<string, string>>;
}

const WORD_TAGS = { name: 'N', requester: 'R', process: 'I' } as const;

function wordRecord(word: ResolverWord): string {
  return typeof word === 'string' ? WORD_TAGS[word] : `A${word.text}`;
}

/** The text of `settings`. `learned`: path of the list of plug-ins, with a store directory. */
export function settingsText(settings: RunTimeSettings, learned: string): string {
  const { sonameTable, resolver, limit, defaultDirectories, storeDir, environment } = settings;
  const { notLearned = [] } = settings;
  const records = [
    'nix-run-foreign run-time 1',
    ...(sonameTable === undefined ? [] : [`t${sonameTable}`]),
    ...(resolver === undefined ? [] : [`x${resolver.file}`, ...resolver.argv.map(wordRecord)]),
    ...(limit === undefined ? [] : [`T${limit}`]),
    ...defaultDirectories.map((directory) => `D${directory}`),
    ...(storeDir === undefined
      ? []
      : [...[storeDir, ...notLearned].map((each) => `S${each}/`), `l${learned}`]),
    ...Object.entries(environment).map(([name, value]) => `e${name}=${value}`),
    '.',
  ];
  if (records.some((record) => record.includes('\0'))) throw new RangeError('a setting holds a NUL');
  return `${records.join('\0')}\0`;
}

/**
 * Makes the directory, or what is missing in it; answers that are there stay. `wrappers`: how many programs execute
 * each other before the one that it is for.
 * @throws Node's errno errors.
 */
export function makeRunTimeDirectory(
  directory: string,
  module: string,
  settings: RunTimeSettings,
  wrappers = 0,
): void {
  makeDirectories(directory);
  removeLeftovers(directory);
  const learned = path.join(directory, 'learned');
  writeFileSync(learned, '', { flag: 'a', mode: 0o600 });
  const once = Array.from({ length: wrappers + 1 }, (_, after) => auditModuleOnce(after));
  for (const name of [AUDIT_MODULE, ...once]) {
    replaceLink(path.join(directory, name), module); // a start at this moment needs it
  }
  writeFileAtomically(path.join(directory, 'settings'), settingsText(settings, learned));
}

/** Name → path of the file that serves it, or `undefined`: it cannot be had as the catalogue is. */
export type Answers = ReadonlyMap<string, string | undefined>;

/** What was answered up to now; nothing where there is no whole file. */
export function readAnswers(directory: string): NameTable {
  const none: NameTable = { machine: ANY_MACHINE, catalogue: 0n, entries: new Map() };
  try {
    return readNameTable(readFileSync(path.join(directory, 'answers'))) ?? none;
  } catch {
    return none;
  }
}

/** As the module reads it (audit/known-names.c, look_up). `state`: of the catalogue, by the soname table. */
export function isAnswered(directory: string, name: string, state: bigint | undefined): boolean {
  const { entries, catalogue } = readAnswers(directory);
  const file = entries.get(name);
  return file === '' ? catalogue === state : file !== undefined;
}

/**
 * Adds answers; absent ones of another state of the catalogue go. Whoever calls it holds the program's lock.
 * @throws Node's errno errors.
 */
export function addAnswers(directory: string, answers: Answers, catalogue: bigint): void {
  const before = readAnswers(directory);
  const known = [...before.entries].filter(
    ([, value]) => value !== '' || BigInt.asUintN(64, catalogue) === before.catalogue,
  );
  const entries = new Map(known);
  for (const [name, file] of answers) entries.set(name, file ?? '');
  const bytes = nameTableBytes(entries.keys(), entries, { machine: ANY_MACHINE, catalogue });
  writeFileAtomically(path.join(directory, 'answers'), bytes);
}

/**
 * The plug-ins that the program loaded from outside the store, each once, in the order in which they were first seen.
 */
export function readLearned(directory: string): readonly string[] {
  try {
    const text = readFileSync(path.join(directory, 'learned'), 'utf8');
    return [...new Set(text.split('\0').slice(0, -1))].filter((file) => path.isAbsolute(file));
  } catch {
    return [];
  }
}

/** The module takes no more than 64 KiB (audit/RUN-TIME.md). */
const MOST_LEARNED_BYTES = 60_000;

/**
 * Lists plug-ins that the set counts, where there is room for them all: the module notes them no more when they are
 * opened. @throws Node's errno errors.
 */
export function addLearned(directory: string, files: readonly string[]): void {
  if (files.length === 0) return;
  const list = path.join(directory, 'learned');
  const text = files.map((file) => `${file}\0`).join('');
  if (statSync(list).size + Buffer.byteLength(text) < MOST_LEARNED_BYTES) appendFileSync(list, text);
}
