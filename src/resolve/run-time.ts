// A program and its verified set → the run-time directory with the audit module, where the program can have one.
// A set's objects → whether any of them can open a library while the program runs.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DYNAMIC_TAG, readDynamicTable } from '../elf/dynamic.ts';
import { openImage } from '../elf/image.ts';
import { findMachine } from '../elf/machine.ts';
import { type FileSource, openFileSource } from '../elf/open-elf.ts';
import { readHeader } from '../elf/reader.ts';
import { readSegments, SEGMENT_TYPE } from '../elf/segments.ts';
import { leavesUndefined } from '../elf/symbols.ts';
import { removeLeftovers } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { debug } from '../host/output.ts';
import { libcVersionOf, loaderFactsOf } from '../ldso/search-paths.ts';
import {
  AUDIT_MODULE,
  addLearned,
  auditModuleOnce,
  makeRunTimeDirectory,
  type RunTimeSettings,
} from '../plan/run-time-files.ts';
import {
  againFile,
  besideCopy,
  type LearnedPlugIn,
  learnedIn,
  opensPassingFiles,
  runTimeDirectoryFor,
  writeRunTimeRecord,
} from '../plan/run-time-record.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import { sonameTableFile } from '../store/soname-table.ts';
import type { Context } from './context.ts';

/** Before, auditing slows every call, and breaks some on 64-bit ARM (audit/NOTES.md). */
const OLDEST_GLIBC = [2, 35];

const OPENING = ['dlopen', 'dlmopen'];

/** What is there when the program starts. */
export interface LoadedProgram {
  readonly program: ProgramFile;
  readonly libc: 'glibc' | 'musl';
  readonly loader: string;
  /** Paths of what is loaded at the start, without the libc family. */
  readonly objects: readonly string[];
  /** How many wrappers of Nix execute each other before what is loaded. */
  readonly wrappers?: number;
}

/** What is known of what it opens. */
interface OpenedBefore {
  /** What names the set. */
  readonly set: readonly string[];
  /** The directory that the program had before, whose memory goes on. */
  readonly before?: string | undefined;
  /** Plug-ins that the set was solved with. */
  readonly plugIns: readonly LearnedPlugIn[];
  /** The patched copy that is started in its place, which opens plug-ins beside itself. */
  readonly copy?: string | undefined;
}

export interface RunTime {
  readonly directory: string;
  readonly module: string;
  /** By this name the module takes itself out of the environment. */
  readonly moduleOnce: string;
}

/** Whether an audit module costs too much with a loader, or breaks something. */
export function isOld(loader: string): boolean {
  const [major = 0, minor = 0] = libcVersionOf(loader) ?? [];
  const [least = 0, second = 0] = OLDEST_GLIBC;
  return major < least || (major === least && minor < second);
}

/** A file that cannot be read opens nothing. */
function opensLibraries(file: string): boolean {
  return readingOf(file, (source) => leavesUndefined(source, OPENING), false);
}

/** What is read of a file; `otherwise` where it cannot be read. */
function readingOf<T>(file: string, read: (source: FileSource) => T, otherwise: T): T {
  try {
    const source = openFileSource(file);
    try {
      return read(source);
    } finally {
      source.close();
    }
  } catch {
    return otherwise;
  }
}

function moduleFile({ elf }: ProgramFile, { modules }: Context): string | undefined {
  const machine = elf && findMachine(elf);
  if (machine === undefined || modules === undefined) return undefined;
  const file = path.join(modules, machine.system, AUDIT_MODULE);
  return existsSync(file) ? file : undefined;
}

/**
 * Bytes of static thread storage that libraries find where a module audits: the loader then sets the storage up before
 * it loads them, with what rtld.optional_static_tls leaves, 512 (glibc elf/rtld.c, dl_main; elf/dl-tls.c). Without a
 * module it counts them first. jemalloc alone needs more: "cannot allocate memory in static TLS block".
 */
const MOST_THREAD_STORAGE = 512;

/** DF_STATIC_TLS: who lacks it gets its storage when a thread first asks, as libsodium (elf/dl-reloc.c). */
const STATIC_TLS = 0x10;

/** Of what is loaded at the start, without the libc and the program. A file that cannot be read counts nothing. */
function threadStorageOf(objects: readonly string[]): number {
  return objects.map(threadStorageIn).reduce((sum, bytes) => sum + bytes, 0);
}

function threadStorageIn(file: string): number {
  return readingOf(
    file,
    (source) => {
      const read = readHeader(source, 4);
      const segments = read === undefined ? [] : readSegments(read.fields, read.header);
      const table = read && readDynamicTable(openImage(read.fields, segments), segments);
      if (((table?.last(DYNAMIC_TAG.flags) ?? 0) & STATIC_TLS) === 0) return 0;
      return segments.find(({ type }) => type === SEGMENT_TYPE.tls)?.memorySize ?? 0;
    },
    0,
  );
}

/** Why a program has no module, in a clause; undefined where it has one. Asked too by `explain`. */
export function whyNoModule(
  { program, libc, loader, objects }: LoadedProgram,
  context: Context,
  dirs: Directories,
): string | undefined {
  if (libc === 'musl') return 'musl asks nobody for libraries that it has not found';
  if (isOld(loader))
    return `its glibc is older than ${OLDEST_GLIBC.join('.')}, which audit modules slow down`;
  if (dirs.shared === true)
    return 'its plan is for everybody; for one of your own, which has it: nix-foreign resolve --refresh PROGRAM';
  if (moduleFile(program, context) === undefined) return 'there is no audit module for its machine';
  if (threadStorageOf(objects) > MOST_THREAD_STORAGE)
    return 'its libraries need more static thread storage than a loader with an audit module has';
  const opening = [program.path, ...objects].some(opensLibraries);
  return opening ? undefined : 'neither it nor what it loads opens libraries while it runs';
}

function passedOn({ env }: Context): Record<string, string> {
  const names = ['HOME', 'PATH', 'XDG_CACHE_HOME', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'NIX_REMOTE'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function settingsOf(
  { program, loader }: LoadedProgram,
  context: Context,
  dirs: Directories,
  directory: string,
): RunTimeSettings {
  const { location, resolver } = context;
  const words = (text: string) => ({ text });
  const command = resolver && {
    file: resolver.node,
    argv: [
      ...[resolver.node, resolver.script, 'extend', '--run-time', directory, '--process'].map(words),
      'process',
      words('--requester'),
      'requester',
      words('--'),
      'name',
    ] as const,
  };
  return {
    sonameTable: sonameTableFile(dirs.catalogues, location.storeDir, program.elf?.machine ?? 0),
    ...(command === undefined ? {} : { resolver: command }),
    defaultDirectories: loaderFactsOf(loader)?.defaultDirectories ?? [],
    storeDir: location.storeDir,
    notLearned: [dirs.farms, ...(program.driverDirectories ?? []), '/run', '/usr/lib/wsl'],
    environment: passedOn(context),
  };
}

/** Answers of an earlier solution that has the same set are asked for anew. What killed processes left goes. */
function beginAnew(directory: string, before = directory): void {
  rmSync(path.join(directory, 'answers'), { force: true });
  for (const each of [directory, before]) removeLeftovers(each);
}

/** The module writes nothing down that is known already. */
function writeKnown(directory: string, files: readonly string[]): void {
  writeFileSync(path.join(directory, 'learned'), '', { mode: 0o600 });
  addLearned(directory, files);
}

/**
 * Makes the directory, or brings it up to date. Undefined where the program has no module, or nothing can be written:
 * then it finds what its plan has.
 */
export function openRunTime(
  loaded: LoadedProgram,
  { set, before, plugIns, copy }: OpenedBefore,
  context: Context,
  dirs: Directories,
): RunTime | undefined {
  const { program } = loaded;
  const why = whyNoModule(loaded, context, dirs);
  const file = moduleFile(program, context);
  if (why !== undefined || file === undefined) {
    debug(`no audit module: ${why}`);
    return undefined;
  }
  const directory = runTimeDirectoryFor(dirs, program.path, set);
  try {
    const learned = learnedIn(before ?? directory, new Date().toISOString());
    const all = new Map([...plugIns, ...learned.plugIns].map((each) => [each.path, each]));
    const passing = opensPassingFiles(before ?? directory);
    makeRunTimeDirectory(directory, file, settingsOf(loaded, context, dirs, directory), loaded.wrappers);
    beginAnew(directory, before);
    const paths = [...all.keys()];
    const byCopy = copy === undefined ? [] : besideCopy(program.path, copy, paths);
    writeKnown(directory, [...paths, ...byCopy]);
    writeRunTimeRecord(directory, {
      program: program.path,
      names: learned.names,
      plugIns: [...all.values()],
      ...(passing ? { passing } : {}),
    });
    rmSync(againFile(directory), { force: true });
  } catch (error) {
    debug(`no audit module: ${String(error)}`);
    return undefined;
  }
  const at = (name: string) => path.join(directory, name);
  return { directory, module: at(AUDIT_MODULE), moduleOnce: at(auditModuleOnce(loaded.wrappers)) };
}
