// The path of a program → what it is: identity, ELF facts, kind. Everything wrong with the file itself is said here.
import { accessSync, type BigIntStats, constants, realpathSync } from 'node:fs';
import { type AppImage, readAppImage } from '../elf/app-image.ts';
import { type Classification, classify } from '../elf/classify.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { EM_386 } from '../elf/gabi.ts';
import { libcKindOf } from '../elf/library-names.ts';
import type { MachineKey } from '../elf/machine.ts';
import { type FileReading, type FileSource, openFileSource, readElfFile } from '../elf/open-elf.ts';
import { readElf } from '../elf/read-elf.ts';
import { readScriptLine } from '../elf/script-line.ts';
import { type ExitCode, errnoOf, ForeignError, reasonOf } from '../host/errors.ts';
import { distinctStats, identityOfStats } from '../host/file-identity.ts';
import { isDirectory } from '../host/files.ts';
import { printableLine } from '../host/output.ts';
import { runs32BitPrograms } from '../host/processor.ts';
import { fileWord } from '../host/shell-words.ts';
import { libraryPathDirectories_, muslLibraryPathDirectories } from './run-directories.ts';

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
  /** The directories of the user's LD_LIBRARY_PATH as the program's loader reads it, absolute. */
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
  /** Variables that were to name the user's directories and do not count. */
  readonly passedOver?: Readonly<Record<string, string | undefined>>;
}

/** Why a file cannot be started, and what to do about it. */
interface ProgramRefusal {
  readonly cause: string;
  readonly hint: string;
  readonly exitCode: ExitCode;
  readonly code: string;
}

function refuse(typedName: string, { cause, hint, exitCode, code }: ProgramRefusal): ForeignError {
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
    return { path, stats: distinctStats(path) };
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
    throw refuse(typedName, {
      cause: 'it is a directory',
      hint: 'name the program inside it',
      exitCode: 126,
      code: 'directory',
    });
  }
  if (!stats.isFile())
    throw refuse(typedName, {
      cause: 'it is not a regular file',
      hint: 'name a program',
      exitCode: 126,
      code: 'not-a-file',
    });
  try {
    accessSync(path, constants.X_OK);
  } catch {
    if ((Number(stats.mode) & 0o111) === 0) {
      throw refuse(typedName, {
        cause: 'it is not executable',
        hint: `make it so: chmod +x ${fileWord(path)}`,
        exitCode: 126,
        code: 'not-executable',
      });
    }
    const hint = 'check its owner and modes, and whether its file system is mounted noexec';
    throw refuse(typedName, { cause: 'you may not execute it', hint, exitCode: 126, code: 'not-executable' });
  }
}

function unreadable(typedName: string, path: string, error: unknown): ForeignError {
  return refuse(typedName, {
    cause: `it cannot be read: ${reasonOf(error)}`,
    hint: `its needs are read from the file: chmod u+r ${fileWord(path)}`,
    exitCode: 126,
    code: 'unreadable',
  });
}

function damaged(typedName: string, why: string): ForeignError {
  return refuse(typedName, {
    cause: `the ELF file is damaged: ${why}`,
    hint: 'download or unpack it again',
    exitCode: 126,
    code: 'bad-elf',
  });
}

function open(typedName: string, path: string): FileSource {
  try {
    return openFileSource(path);
  } catch (error) {
    throw unreadable(typedName, path, error);
  }
}

/** What a file needs, be it a program or a library. @throws ForeignError where that cannot be read. */
export function requireReadable(typedName: string): Extract<FileReading, { kind: 'elf' | 'not-elf' }> {
  const reading = readElfFile(typedName);
  if (reading.kind === 'unreadable') throw unreadable(typedName, typedName, reading.error);
  if (reading.kind === 'bad-elf') throw damaged(typedName, reading.why);
  return reading;
}

/**
 * True when starting it would change the user, group or capabilities: ld.so then ignores every library path (ld.so(8),
 * AT_SECURE). Only the bit for the group asks for the right to execute (Linux fs/exec.c, bprm_fill_uid).
 */
function changesCredentials(stats: BigIntStats, { uid, gid, capabilities }: Host): boolean {
  const mode = Number(stats.mode);
  const setuid = (mode & 0o4000) !== 0 && Number(stats.uid) !== uid;
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
      throw damaged(typedName, kind.why);
    case 'not-a-program':
      throw refuse(typedName, {
        cause: `it is not a program: ${kind.why}`,
        hint: remedyOfNoProgram(head),
        exitCode: 126,
        code: 'not-a-program',
      });
    case 'library':
      throw refuse(typedName, {
        cause: 'it is a shared library, not a program (no interpreter, and no mark of a program)',
        hint: 'name the program that loads it',
        exitCode: 126,
        code: 'library',
      });
    case 'other-machine':
      throw refuse(typedName, {
        cause: `it is built for ${kind.machine}, and this machine is ${kind.host}`,
        hint: 'get the build for this machine, or run it with an emulator such as qemu-user',
        exitCode: 126,
        code: 'other-machine',
      });
  }
}

/** What cannot be in the name of a file that anybody means; ld.so prints names as they are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Names that the kernel or the loader would take, and that no plan can be made of. */
function refuseOddNames(typedName: string, { interpreter = '', needed }: ElfFile): void {
  const refuseName = (cause: string, hint: string) =>
    refuse(typedName, { cause, hint, exitCode: 126, code: 'odd-name' });
  const again = 'download or unpack it again; such a name is damage or an attack';
  if (CONTROL.test(interpreter))
    throw refuseName(`its interpreter ${JSON.stringify(interpreter)} holds control characters`, again);
  if (!interpreter.startsWith('/')) {
    const cause = `its interpreter ${JSON.stringify(interpreter)} is a relative path, another file in each directory`;
    throw refuseName(cause, 'give it an absolute one: patchelf --set-interpreter /lib64/... PROGRAM');
  }
  const odd = needed.find((name) => CONTROL.test(name));
  if (odd !== undefined)
    throw refuseName(`it needs "${printableLine(odd)}", which is not of printable ASCII`, again);
}

/** A 64-bit kernel may run none of these, and says so only when it is asked to. */
function refuse32Bit(typedName: string, elf: ElfFile, { hostMachines }: Host): void {
  const isForOtherClass = elf.class === 32 && elf.machine === EM_386 && hostMachines[0]?.class === 64;
  if (!isForOtherClass || runs32BitPrograms()) return;
  const hint = 'start Linux with ia32_emulation=1, or it with qemu-i386';
  throw refuse(typedName, {
    cause: 'it is a 32-bit program, and this kernel runs none',
    hint,
    exitCode: 126,
    code: 'other-machine',
  });
}

function libraryPathOf(path: string, elf: ElfFile, { libraryPath, workingDirectory }: Host): string[] {
  return libcKindOf(elf) === 'musl'
    ? muslLibraryPathDirectories(libraryPath, workingDirectory)
    : libraryPathDirectories_(libraryPath, workingDirectory, path, elf);
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
    const kind = classify(reading, head, host, path.slice(path.lastIndexOf('/') + 1));
    refuseKind(typedName, kind, head);
    if (reading.kind === 'elf') refuse32Bit(typedName, reading.file, host);
    if (kind.kind === 'dynamic') refuseOddNames(typedName, kind.file);
    if (kind.kind === 'dynamic' && changesCredentials(stats, host)) {
      throw refuse(typedName, {
        cause:
          'it is setuid or setgid or has file capabilities, and the loader ignores every library path in such a program',
        hint: 'start it with the rights it needs (sudo, AmbientCapabilities= of systemd), or package it for Nix',
        exitCode: 126,
        code: 'secure-mode',
      });
    }
    const appImage = readAppImage(source);
    const elf = reading.kind === 'elf' ? reading.file : undefined;
    return {
      ...(appImage === undefined ? {} : { appImage }),
      typedName,
      path,
      identity: identityOfStats(stats),
      size: Number(stats.size),
      kind,
      elf,
      driverDirectories: (host.driverDirectories ?? []).filter(isDirectory),
      libraryPathDirs: elf === undefined ? [] : libraryPathOf(path, elf, host),
    };
  } finally {
    source.close();
  }
}
