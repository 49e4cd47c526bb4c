// The run-time directory of a plan → what was learned of its program: names that it opened, plug-ins that it loaded.
import { readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { sha256OfText } from '../host/file-identity.ts';
import { copiesDirectory } from './copy-directories.ts';
import type { LaunchPlan } from './plan-format.ts';
import { isAuditModule, readLearned } from './run-time-files.ts';

/** A name that the program asked for while it ran. */
export interface LearnedName {
  readonly name: string;
  /** File of the object that needed it; empty for the program. */
  readonly requester: string;
  /** ISO 8601. */
  readonly when: string;
  /** Why it could not be had beside what was loaded; undefined where it was found. */
  readonly why?: string;
}

/** An object from outside the store that the program opened, or may open. */
export interface LearnedPlugIn {
  readonly path: string;
  /** ISO 8601; undefined where it was seen beside the program before it was ever opened. */
  readonly when?: string;
}

export interface RunTimeRecord {
  /** Real path of the program. */
  readonly program: string;
  readonly names: readonly LearnedName[];
  /** Those whose needs the set was solved with. */
  readonly plugIns: readonly LearnedPlugIn[];
  /** Whether it opens files that are gone when it ends: then nothing that it opens makes a start a miss. */
  readonly passing?: boolean;
  /** Directories whose plug-ins were counted before they were opened: none is scanned twice for one set. */
  readonly scanned?: readonly string[];
}

/** More are not remembered: of a program that opens a new file each time. */
const MOST = 500;

/** Holds one directory for each set that was solved, named by program and set. */
export function runTimesDirectory({ cache }: Pick<Directories, 'cache'>): string {
  return path.join(cache, 'run-time');
}

/**
 * `<cache>/run-time/<32 hex digits>`, of the SHA-256 of the program's real path and the set; need not be there
 * (audit/RUN-TIME.md). `set`: what tells it from others of the program.
 */
export function runTimeDirectoryFor(dirs: Directories, program: string, set: readonly string[]): string {
  const name = sha256OfText(JSON.stringify([program, ...set])).slice(0, 32);
  return path.join(runTimesDirectory(dirs), name);
}

/** The module that a plan names, by any of its names. */
function moduleOf({ auditModule, environment }: LaunchPlan): string | undefined {
  const inEnvironment = environment.find(([name]) => name === 'LD_AUDIT')?.[1];
  return [auditModule, inEnvironment].find((file) => file !== undefined && isAuditModule(file));
}

/** Undefined where the plan has no module. */
export function runTimeDirectoryOf(plan: LaunchPlan | undefined): string | undefined {
  const module = plan && moduleOf(plan);
  return module === undefined ? undefined : path.dirname(module);
}

function isRecord(value: unknown): value is RunTimeRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { program, names, plugIns } = value as Partial<RunTimeRecord>;
  return typeof program === 'string' && Array.isArray(names) && Array.isArray(plugIns);
}

/** Undefined where there is none, or a damaged one. */
export function readRunTimeRecord(directory: string): RunTimeRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path.join(directory, 'record.json'), 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @throws Node's errno errors. */
export function writeRunTimeRecord(directory: string, record: RunTimeRecord): void {
  const names = record.names.slice(-MOST);
  const plugIns = record.plugIns.slice(-MOST);
  const scanned = record.scanned?.slice(-MOST);
  writeFileAtomically(
    path.join(directory, 'record.json'),
    `${JSON.stringify({ ...record, names, plugIns, scanned })}\n`,
  );
}

/**
 * A file that is not there as long as the plan counts all that is known; its being there makes the next start a miss.
 */
export function againFile(directory: string): string {
  return path.join(directory, 'again');
}

/** The next start solves anew. @throws Node's errno errors. */
export function solveAgain(directory: string): void {
  writeFileSync(againFile(directory), '', { mode: 0o600 });
}

/** Whether something was learned that the set was not solved with. */
export function hasNews(directory: string): boolean {
  if (statSync(againFile(directory), { throwIfNoEntry: false }) !== undefined) return true;
  const counted = new Set(readRunTimeRecord(directory)?.plugIns.map((each) => each.path));
  return openedIn(directory).some((file) => !counted.has(file));
}

function existing(files: readonly string[]): string[] {
  return files.filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

/** Those that are there; what a patched copy opened beside itself is where the copy's link leads. */
function openedIn(directory: string): string[] {
  const copies = `${copiesDirectory({ cache: path.resolve(directory, '../..') })}/`;
  const opened = existing(readLearned(directory));
  return [...new Set(opened.map((file) => (file.startsWith(copies) ? realpathSync(file) : file)))];
}

/** The same files, by the paths by which a patched copy opens them from beside itself. */
export function besideCopy(program: string, copy: string, files: readonly string[]): string[] {
  const from = path.dirname(program);
  return existing(files.map((file) => path.resolve(path.dirname(copy), path.relative(from, file)))).filter(
    (file) => !files.includes(file),
  );
}

/** What the program has opened up to now, each once; what is gone is forgotten. */
export function learnedIn(directory: string, now: string): Pick<RunTimeRecord, 'names' | 'plugIns'> {
  const record = readRunTimeRecord(directory);
  const known = new Map(record?.plugIns.map((each) => [each.path, each]));
  const opened = openedIn(directory);
  return {
    names: record?.names ?? [],
    plugIns: opened.map((file) => known.get(file) ?? { path: file, when: now }),
  };
}

/**
 * Files that are opened and removed at once, as by programs that unpack their plug-ins, would make each start a miss.
 */
export function opensPassingFiles(directory: string): boolean {
  if (readRunTimeRecord(directory)?.passing === true) return true;
  return readLearned(directory).some((file) => existing([file]).length === 0);
}

/** Processes that run keep their answers; the next start solves anew. @throws Node's errno errors. */
export function forgetLearned(directory: string): void {
  const record = readRunTimeRecord(directory);
  if (record === undefined) return;
  writeRunTimeRecord(directory, { ...record, names: [], plugIns: [] });
  writeFileSync(path.join(directory, 'learned'), '', { mode: 0o600 });
  solveAgain(directory);
}
