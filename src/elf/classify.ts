// A reading and the first bytes of a file → what kind of program it is, and so how it can be started; or what else it
// is, for the message that refuses it.

import type { ElfFile } from './elf-file.ts';
import { DF_1_PIE, ET_CORE, ET_DYN, ET_EXEC, ET_REL } from './gabi.ts';
import { isNameOfLoader, libcKindOf } from './library-names.ts';
import { type MachineKey, machineName, sameMachine } from './machine.ts';
import type { ElfReading } from './read-elf.ts';
import { readScriptLine } from './script-line.ts';

export type Classification =
  /** `interpreter` is its PT_INTERP. */
  | {
      readonly kind: 'dynamic';
      readonly file: ElfFile;
      readonly interpreter: string;
      readonly libc: 'glibc' | 'musl';
    }
  | { readonly kind: 'static'; readonly file: ElfFile }
  | { readonly kind: 'static-pie'; readonly file: ElfFile }
  /** PT_INTERP lies in the store. */
  | { readonly kind: 'already-nix'; readonly file: ElfFile; readonly interpreter: string }
  /** A shared object that is not made to be started: a library or a plugin. */
  | { readonly kind: 'library'; readonly file: ElfFile }
  | { readonly kind: 'script'; readonly interpreter: string; readonly argument: string | undefined }
  /** Names for people, of the file's machine and of the host's own. */
  | { readonly kind: 'other-machine'; readonly machine: string; readonly host: string }
  | { readonly kind: 'not-a-program'; readonly why: string }
  | { readonly kind: 'bad-elf'; readonly why: string };

interface HostFacts {
  /** `/nix/store`, without a slash at its end. */
  readonly storeDir: string;
  /** The host's own machine first; see `machinesRunBy`. */
  readonly hostMachines: readonly MachineKey[];
}

const LAUNCHER_NAME = 'nix-run-foreign';
/** Loaders of a libc that is neither glibc nor musl: Android, uClibc, the BSDs. */
const OTHER_LIBC_LOADER = /^(?:linker(?:64)?|ld-uClibc.*|ld64-uClibc.*|ld-elf.*|ld\.elf_so)$/;

/** `head`: at least the first 256 bytes of the file, or all of it. `fileName`: without directories. */
export function classify(
  reading: ElfReading,
  head: Uint8Array,
  facts: HostFacts,
  fileName = '',
): Classification {
  if (reading.kind === 'bad-elf') return reading;
  if (reading.kind === 'not-elf') return classifyText(head);
  const { file } = reading;
  const why = whyNotLoadable(file);
  if (why !== undefined) return { kind: 'not-a-program', why };
  if (!facts.hostMachines.some((host) => sameMachine(host, file))) {
    const [host] = facts.hostMachines;
    return {
      kind: 'other-machine',
      machine: machineName(file),
      host: host ? machineName(host) : 'an unknown machine',
    };
  }
  if (file.interpreter !== undefined) return classifyInterpreted(file, file.interpreter, facts.storeDir);
  return classifyAlone(file, fileName);
}

function classifyText(head: Uint8Array): Classification {
  const line = readScriptLine(head);
  if (line.kind === 'no-script') return { kind: 'not-a-program', why: whyNotProgram(head) };
  if (line.kind === 'bad-script') return { kind: 'not-a-program', why: line.why };
  if (line.interpreter.endsWith('\r')) {
    // The kernel looks for a file of that very name and answers ENOENT.
    return { kind: 'not-a-program', why: 'its #! line ends in a carriage return (CRLF line ends)' };
  }
  return line;
}

function whyNotLoadable({ type }: ElfFile): string | undefined {
  if (type === ET_EXEC || type === ET_DYN) return undefined;
  if (type === ET_REL) return 'it is an object file that is not linked yet';
  if (type === ET_CORE) return 'it is a core dump';
  return `its ELF type ${type} is not that of a program`;
}

function classifyInterpreted(file: ElfFile, interpreter: string, storeDir: string): Classification {
  const name = interpreter.slice(interpreter.lastIndexOf('/') + 1);
  // What names our own launcher was made to: it needs libraries as before.
  if (interpreter.startsWith(`${storeDir}/`) && name !== LAUNCHER_NAME)
    return { kind: 'already-nix', file, interpreter };
  if (OTHER_LIBC_LOADER.test(name)) {
    return { kind: 'not-a-program', why: `its interpreter ${interpreter} is neither glibc's nor musl's` };
  }
  return { kind: 'dynamic', file, interpreter, libc: libcKindOf(file) };
}

/** Whether a linker has marked it as a program: gold and lld before 2020 write no DF_1_PIE for static ones. */
export function isMarkedAsProgram({ flags1, entry = 0, hasDebug }: ElfFile): boolean {
  return (flags1 & DF_1_PIE) !== 0 || (entry !== 0 && hasDebug);
}

/**
 * A library that tells of itself when it is started, as Qt's and libc.so.6: with an interpreter and a soname, and
 * without the marks of a program. Programs that linkers of before DF_1_PIE made have DT_DEBUG.
 */
export function isStartableLibrary(elf: ElfFile): boolean {
  const { type, interpreter, soname } = elf;
  return type === ET_DYN && interpreter !== undefined && soname !== undefined && !isMarkedAsProgram(elf);
}

/** Nothing marks a libc's loader, and `ld.so PROGRAM` starts it; GNU ld once gave every library an entry. */
function isLoader({ soname = '', entry = 0 }: ElfFile, fileName: string): boolean {
  return entry !== 0 && (isNameOfLoader(soname) || isNameOfLoader(fileName));
}

/** Without an interpreter the kernel jumps to the entry point itself, and looks for no mark (fs/binfmt_elf.c). */
function classifyAlone(file: ElfFile, fileName: string): Classification {
  if (file.type === ET_DYN && file.dynamic)
    return { kind: isMarkedAsProgram(file) || isLoader(file, fileName) ? 'static-pie' : 'library', file };
  if (file.entry === 0) return { kind: 'not-a-program', why: 'it has no code to start' };
  // Packers leave no dynamic table.
  return { kind: file.type === ET_EXEC ? 'static' : 'static-pie', file };
}

const FORMATS: readonly (readonly [magic: string, name: string])[] = [
  ['MZ', 'a Windows program'],
  ['\xcf\xfa\xed\xfe', 'a macOS program'],
  ['\xce\xfa\xed\xfe', 'a macOS program'],
  ['\xca\xfe\xba\xbe', 'a macOS program or a Java class'],
  ['PK\x03\x04', 'a zip archive'],
  ['\x1f\x8b', 'a gzip archive'],
  ['\xfd7zXZ\0', 'an xz archive'],
  ['\x28\xb5\x2f\xfd', 'a zstd archive'],
  ['BZh', 'a bzip2 archive'],
  ['!<arch>\n', 'a static library or Debian package'],
  ['\0asm', 'a WebAssembly module'],
];

/** One clause for people, without a full stop. */
function whyNotProgram(head: Uint8Array): string {
  if (head.length === 0) return 'it is empty';
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 16)).toString('latin1');
  const known = FORMATS.find(([magic]) => text.startsWith(magic));
  return known ? `it is ${known[1]}` : 'it is neither an ELF program nor a script with a #! line';
}
