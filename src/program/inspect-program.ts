// The path of a program → what it is: identity, ELF facts, kind. Everything wrong with the file itself is said here.
import { accessSync, type BigIntStats, constants, realpathSync, statSync } from 'node:fs';
import { type AppImage, readAppImage } from '../elf/app-image.ts';
import { type Classification, classify } from '../elf/classify.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import type { MachineKey } from '../elf/machine.ts';
import { type FileSource, openFileSource } from '../elf/open-elf.ts';
import { readElf } from '../elf/read-elf.ts';
import { readScriptLine } from '../elf/script-line.ts';
import { type ExitCode, errnoOf, ForeignError, reasonOf } from '../host/errors.ts';
import { identityOfStats } from '../host/file-identity.ts';
import { isDirectory } from '../host/files.ts';
import { libraryPathDirectories_ } from './run-directories.ts';

export interface ProgramFile {
  /** As the user gave it, for messages. */
  readonly typedName: string;
  /** Real path: no symlinks. */
  readonly path: string;
  readonly identity: string;
  readonly size: number;
  readonly kind: Classification;
  /** Undefined for what is not ELF. */
  readonly elf: ElfFile | undefined;
  /** What it is then started for lies in the file system behind it. */
  readonly appImage?: AppImage;
  /** The directories of the user's LD_LIBRARY_PATH, absolute, `$ORIGIN` being the program's directory. */
  readonly libraryPathDirs?: readonly string[];
  /** Directories of the running graphics driver, those that exist. */
  readonly driverDirectories?: readonly string[];
}

export interface Host {
  readonly storeDir: string;
  readonly hostMachines: readonly MachineKey[];
  readonly uid: number;
  readonly gid: number;
  /** Whether the file has capabilities (capabilities(7)), where the launcher could ask; Node cannot. */
  readonly capabilities?: 'some' | 'none';
  /** The user's LD_LIBRARY_PATH, and what its relative directories begin at. */
  readonly libraryPath?: string | undefined;
  readonly workingDirectory?: string | undefined;
  /** Absolute; those that do not exist are left out of what is told of a program. */
  readonly driverDirectories?: readonly string[];
}

function refuse(
  typedName: string,
  cause: string,
  hint: string,
  exitCode: ExitCode,
  code: string,
): ForeignError {
  return new ForeignError(`${typedName}: ${cause}`, { code, hint, exitCode });
}

function remedyOfPath(errno: string | undefined): string {
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'check the spelling of the path';
    case 'ELOOP':
      return 'correct the symbolic links on its path, which lead to one another';
    case 'ENAMETOOLONG':
      return 'name it by a shorter path';
    case 'EACCES':
      return 'check the permissions of the directories above it';
    default:
      return 'check the file system that it is on: ls -lL says more';
  }
}

function locate(typedName: string): { path: string; stats: BigIntStats } {
  try {
    const path = realpathSync.native(typedName);
    return { path, stats: statSync(path, { bigint: true }) };
  } catch (error) {
    const missing = errnoOf(error) === 'ENOENT';
    throw new ForeignError(`${typedName}: ${reasonOf(error)}`, {
      code: missing ? 'not-found' : 'unreachable',
      hint: remedyOfPath(errnoOf(error)),
      exitCode: missing ? 127 : 126,
      cause: error,
    });
  }
}

function refuseUnrunnable(typedName: string, path: string, stats: BigIntStats): void {
  if (stats.isDirectory()) {
    throw refuse(typedName, 'it is a directory', 'name the program inside it', 126, 'directory');
  }
  if (!stats.isFile())
    throw refuse(typedName, 'it is not a regular file', 'name a program', 126, 'not-a-file');
  try {
    accessSync(path, constants.X_OK);
  } catch {
    if ((Number(stats.mode) & 0o111) === 0) {
      throw refuse(typedName, 'it is not executable', `make it so: chmod +x ${path}`, 126, 'not-executable');
    }
    const hint = 'check its owner and modes, and whether its file system is mounted noexec';
    throw refuse(typedName, 'you may not execute it', hint, 126, 'not-executable');
  }
}

function open(typedName: string, path: string): FileSource {
  try {
    return openFileSource(path);
  } catch (error) {
    throw refuse(
      typedName,
      `it cannot be read: ${reasonOf(error)}`,
      `its needs are read from the file: chmod u+r ${path}`,
      126,
      'unreadable',
    );
  }
}

/** True when starting it would change the user, group or capabilities: ld.so then ignores every library path (ld.so(8), AT_SECURE). */
function changesCredentials(stats: BigIntStats, { uid, gid, capabilities }: Host): boolean {
  const mode = Number(stats.mode);
  const setuid = (mode & constants.S_IXUSR) !== 0 && (mode & 0o4000) !== 0 && Number(stats.uid) !== uid;
  const setgid = (mode & constants.S_IXGRP) !== 0 && (mode & 0o2000) !== 0 && Number(stats.gid) !== gid;
  return setuid || setgid || (capabilities === 'some' && uid !== 0);
}

/** A script whose interpreter's name ends in a carriage return is the only one that `classify` takes for no program. */
function remedyOfNoProgram(head: Uint8Array): string {
  if (readScriptLine(head).kind === 'script') return 'give the file Unix line ends';
  return 'start it with the program that reads such files, e.g. sh FILE for a shell script without a #! line';
}

function refuseKind(typedName: string, kind: Classification, head: Uint8Array): void {
  switch (kind.kind) {
    case 'bad-elf':
      throw refuse(
        typedName,
        `the ELF file is damaged: ${kind.why}`,
        'download or unpack it again',
        126,
        'bad-elf',
      );
    case 'not-a-program':
      throw refuse(
        typedName,
        `it is not a program: ${kind.why}`,
        remedyOfNoProgram(head),
        126,
        'not-a-program',
      );
    case 'library':
      throw refuse(
        typedName,
        'it is a shared library, not a program (no interpreter, no entry for the kernel)',
        'name the program that loads it',
        126,
        'library',
      );
    case 'other-machine':
      throw refuse(
        typedName,
        `it is built for ${kind.machine}, and this machine is ${kind.host}`,
        'get the build for this machine, or run it with an emulator such as qemu-user',
        126,
        'other-machine',
      );
  }
}

/**
 * Looks at a program. Nothing of it is executed.
 * @throws ForeignError for everything that keeps it from being a program that could be started here.
 */
export function inspectProgram(typedName: string, host: Host): ProgramFile {
  const { path, stats } = locate(typedName);
  refuseUnrunnable(typedName, path, stats);
  const source = open(typedName, path);
  try {
    const reading = readElf(source);
    const head = source.read(0, 4096);
    const kind = classify(reading, head, host);
    refuseKind(typedName, kind, head);
    if (kind.kind === 'dynamic' && changesCredentials(stats, host)) {
      throw refuse(
        typedName,
        'it is setuid or setgid or has file capabilities, and the loader ignores every library path in such a program',
        'start it with the rights it needs (sudo, AmbientCapabilities= of systemd), or package it for Nix',
        126,
        'secure-mode',
      );
    }
    const appImage = readAppImage(source);
    return {
      ...(appImage === undefined ? {} : { appImage }),
      typedName,
      path,
      identity: identityOfStats(stats),
      size: Number(stats.size),
      kind,
      elf: reading.kind === 'elf' ? reading.file : undefined,
      driverDirectories: (host.driverDirectories ?? []).filter(isDirectory),
      libraryPathDirs: libraryPathDirectories_(host.libraryPath, host.workingDirectory, path),
    };
  } finally {
    source.close();
  }
}
