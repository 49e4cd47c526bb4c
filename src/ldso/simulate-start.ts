// A program, a loader and a library path → what that loader would load from this machine's files, and why. Nothing of
// the program is run.

import { type BigIntStats, closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt, readElfOnce } from '../elf/open-elf.ts';
import { errnoOf } from '../host/errors.ts';
import { identityOfStats, inodeOf } from '../host/file-identity.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import type { Libc } from '../program/libc.ts';
import { pathOfElfString as text } from '../program/run-directories.ts';
import { loaderFactsOf, muslDirectoriesOf } from './search-paths.ts';
import { isErrno } from './simulation/early-errors.ts';
import type { Errno, Loader, LoaderFiles, Probe } from './simulation/request.ts';
import { simulate } from './simulation/simulate.ts';
import type { Finding, LoadTrace, OpenAttempt, Searched, TracedObject } from './simulation/trace.ts';

/** Path with no links in it, and what is in the file. */
type SimulatedProgram = Pick<ProgramFile, 'path'> & { readonly elf: ElfFile };

function loaderAt(file: string, libc: Libc, interpreter: string | undefined): Loader | undefined {
  const elf = elfFileAt(file);
  if (elf === undefined) return undefined;
  if (libc.kind === 'glibc') {
    const settings = loaderFactsOf(file);
    return settings && { libc: 'glibc', path: rawText(file), elf, settings };
  }
  const architecture = /^ld-musl-(.+)\.so\.1$/.exec(libc.loaderName)?.[1] ?? '';
  const defaultDirectories = muslDirectoriesOf(interpreter ?? file, architecture);
  const builtIn = { version: [], subdirectories: [], lib: undefined, platform: undefined };
  return { libc: 'musl', path: rawText(file), elf, settings: { ...builtIn, defaultDirectories } };
}

/** The simulation sees paths as bytes. */
function rawText(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/**
 * Simulates `loaderFile --inhibit-cache --library-path libraryPath PROGRAM` on the files that are there now; the farm
 * must have been made. A glibc loader is asked once which directories it searches; the program is not shown to it.
 * Total: a loader that does not answer, or is none, is an error in the trace. Paths in the trace are ordinary text.
 */
export function simulateStart(
  program: SimulatedProgram,
  libc: Libc,
  loaderFile: string,
  libraryPath: string,
): LoadTrace {
  const loader = loaderAt(loaderFile, libc, program.elf.interpreter);
  if (loader === undefined) return noLoader(loaderFile);
  const trace = simulate({
    program: { path: rawText(program.path), elf: program.elf },
    loader,
    libraryPath: rawText(libraryPath),
    files: filesOfMachine(),
  });
  return readableTrace(trace);
}

function noLoader(file: string): LoadTrace {
  const message = `${file}: does not tell which directories it searches`;
  const error = { stage: 'load', kind: 'refused', about: file, neededBy: undefined, message } as const;
  return { objects: [], errors: [error], warnings: [], status: 127, listStatus: 127 };
}

/** Paths are latin1, so that no byte of them is lost. */
function bytesOf(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

/** The rare others end a list of directories as EIO does. */
function loaderErrno(error: unknown): Errno {
  const errno = errnoOf(error) ?? 'EIO';
  return isErrno(errno) ? errno : 'EIO';
}

/**
 * What lies on this machine, each path looked at once. `elves` belongs to the caller: by device, inode, size and
 * times, over many simulations.
 */
export function filesOfMachine(elves = new Map<string, Probe>()): LoaderFiles {
  const directories = new Map<string, boolean>();
  const probes = new Map<string, Probe>();
  const probeNow = (path: string): Probe => {
    try {
      const status = statusOf(path);
      if (status.isDirectory()) return { kind: 'directory' };
      const key = identityOfStats(status);
      const probe = elves.get(key) ?? readProbe(path, status);
      elves.set(key, probe);
      return probe;
    } catch (error) {
      return { kind: 'unopened', errno: loaderErrno(error) };
    }
  };
  return {
    workingDirectory: workingDirectory(),
    probe(path) {
      const probe = probes.get(path) ?? probeNow(path);
      probes.set(path, probe);
      return probe;
    },
    isDirectory(path) {
      const known = directories.get(path) ?? directoryNow(path);
      directories.set(path, known);
      return known;
    },
  };
}

/** One that is gone is nowhere (getcwd(2), ENOENT). */
function workingDirectory(): string {
  try {
    return Buffer.from(process.cwd()).toString('latin1');
  } catch {
    return '/';
  }
}

/** Opened and not only looked at: the loader opens too. @throws Node's errno errors. */
function statusOf(path: string): BigIntStats {
  const fd = openSync(bytesOf(path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return fstatSync(fd, { bigint: true });
  } finally {
    closeSync(fd);
  }
}

function directoryNow(path: string): boolean {
  try {
    return statSync(bytesOf(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}

/** @throws Node's errno errors. */
function readProbe(path: string, status: BigIntStats): Probe {
  // Node opens by bytes as well, whatever its callers say.
  const reading = readElfOnce(bytesOf(path) as unknown as string);
  const identity = inodeOf(status);
  const size = status.isFile() ? Number(status.size) : 0;
  switch (reading.kind) {
    case 'unreadable':
      throw reading.error;
    case 'elf':
      return { kind: 'elf', elf: reading.file, identity };
    case 'bad-elf':
      return { kind: 'bad-elf', why: reading.why, size, identity };
    case 'not-elf':
      return { kind: 'not-elf', size, identity };
  }
}

function findingOf(found: Finding): Finding {
  return 'of' in found ? { ...found, of: text(found.of) } : found;
}

function attemptOf({ path, why }: OpenAttempt): OpenAttempt {
  return { path: text(path), why };
}

function searchedOf({ found, directories }: Searched): Searched {
  return { found: findingOf(found), directories: directories.map(text) };
}

function objectOf(object: TracedObject): TracedObject {
  const { name, path, found, tried, requests } = object;
  return {
    ...object,
    name: text(name),
    path: path === undefined ? undefined : text(path),
    found: findingOf(found),
    tried: tried.map(attemptOf),
    requests: requests.map((each) => ({ ...each, name: text(each.name), from: text(each.from) })),
  };
}

function complaintOf<T extends { about: string; neededBy: string | undefined; message: string }>(said: T): T {
  const neededBy = said.neededBy === undefined ? undefined : text(said.neededBy);
  return { ...said, about: text(said.about), neededBy, message: text(said.message) };
}

/** What the ELF files say stays as it is read. */
function readableTrace(trace: LoadTrace): LoadTrace {
  return {
    ...trace,
    objects: trace.objects.map(objectOf),
    errors: trace.errors.map((error) => ({
      ...complaintOf(error),
      ...(error.searched && { searched: error.searched.map(searchedOf) }),
      ...(error.tried && { tried: error.tried.map(attemptOf) }),
    })),
    warnings: trace.warnings.map(complaintOf),
  };
}
