// A program → why it would start other foreign programs, or itself, and so wants a view.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { PF_W, PF_X } from '../elf/gabi.ts';
import { elfFileAt, openFileSource } from '../elf/open-elf.ts';
import { type ByteSource, fillFrom, Malformed, readHeader } from '../elf/reader.ts';
import { hasConstantsInCode, readSegments, SEGMENT_TYPE } from '../elf/segments.ts';
import { leavesUndefined } from '../elf/symbols.ts';
import { isExecutable, realPath } from '../host/files.ts';
import { isVacant } from './shown-libraries.ts';
import { PROGRAM_PLACES } from './shown-programs.ts';

/** Also put together with the process id by Qt 5, which may be brought along (qcoreapplication.cpp, qAppFileName). */
const SELF = ['/proc/self/exe', '/proc/%1/exe'];
/**
 * Functions that tell a program its path by /proc/self/exe, wherever their library lies: libuv, SDL, Perl within
 * another program ($^X), LLVM, D, wxWidgets (src/unix/stdpaths.cpp), Allegro 5 (src/unix/upath.c).
 */
const SELF_BY_FUNCTION = [
  'uv_exepath',
  'SDL_GetBasePath',
  'perl_parse',
  '_ZN4llvm3sys2fs17getMainExecutableEPKcPv',
  '_ZN4llvm3sys2fs17getMainExecutableB5cxx11EPKcPv',
  '_D3std4file11thisExePathFNeZAya',
  '_ZN19wxStandardPathsBase3GetEv',
  'al_get_standard_path',
];
/** Libraries whose programs do: Node as a library (process.execPath), and Qt, which looks for plug-ins beside it. */
const SELF_BY_LIBRARY = /^lib(?:node\.so\.|Qt[56]Core\.so\.)/;
/**
 * Of programs that know their path by the name they were called by, and start themselves by it: Python's
 * sys.executable (before and since 3.8), PHP's PHP_BINARY.
 */
const KNOWN_BY_NAME = ['\0Py_Main\0', '\0Py_BytesMain\0', '\0PHP_BINARY\0'];
const LONGEST = 16;
const PIECE = 1 << 18;

/** What is not written to, without the code where that holds no constants. */
function constantRanges(source: ByteSource): { from: number; to: number }[] {
  const read = readHeader(source, 4);
  if (read === undefined) return [];
  const segments = readSegments(read.fields, read.header);
  const inCode = hasConstantsInCode(segments);
  return segments
    .filter(({ type, flags }) => type === SEGMENT_TYPE.load && (flags & PF_W) === 0)
    .filter(({ flags }) => inCode || (flags & PF_X) === 0)
    .map(({ offset, fileSize }) => ({ from: offset, to: Math.min(source.size, offset + fileSize) }));
}

/** Whether one of the texts stands in what it loads as constants. False for what is no ELF file. */
function hasConstant(source: ByteSource, texts: readonly string[]): boolean {
  try {
    const piece = Buffer.allocUnsafeSlow(PIECE + LONGEST);
    return constantRanges(source).some(({ from, to }) => {
      for (let at = from; at < to; at += PIECE) {
        const { length } = fillFrom(source, piece.subarray(0, to - at), at);
        const read = piece.subarray(0, length);
        if (texts.some((text) => read.includes(text))) return true;
      }
      return false;
    });
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

/** False for what is gone or cannot be read. */
function isSo(file: string, ask: (source: ByteSource) => boolean): boolean {
  try {
    const source = openFileSource(file);
    try {
      return ask(source);
    } finally {
      source.close();
    }
  } catch {
    return false;
  }
}

/** By which of these files, of a program and of what it brings along, it reads /proc/self/exe, as one clause. */
export function whyItReadsItself(files: readonly string[]): string | undefined {
  // One text is looked for in less time than all.
  const isNaming = (source: ByteSource): boolean =>
    hasConstant(source, ['/exe']) && hasConstant(source, SELF);
  const naming = files.find((file) => isSo(file, isNaming));
  if (naming !== undefined) return `its name stands in ${path.basename(naming)}`;
  for (const file of files) {
    const library = elfFileAt(file)?.needed.find((each) => SELF_BY_LIBRARY.test(each));
    if (library !== undefined) return `${path.basename(file)} uses ${library}`;
    const leaves = (names: readonly string[]) => isSo(file, (source) => leavesUndefined(source, names));
    const name = leaves(SELF_BY_FUNCTION) ? SELF_BY_FUNCTION.find((each) => leaves([each])) : undefined;
    if (name !== undefined) return `${path.basename(file)} uses ${name}`;
  }
  return undefined;
}

/** Whether it starts itself again by the name it was called by, as Python and PHP do. */
export function startsItselfByName(program: string): boolean {
  return isSo(program, (source) => hasConstant(source, KNOWN_BY_NAME));
}

/** Whether it may set LD_LIBRARY_PATH and execute itself again, as PyInstaller's bootloader does. */
export function namesLibraryPath(program: string): boolean {
  return isSo(program, (source) => hasConstant(source, ['LD_LIBRARY_PATH']));
}

/**
 * What is there to start other programs: shells, build tools, interpreters of scripts. Not what looks at processes or
 * owners of files, as strace, tmux and find do: for a user a view is a user namespace of its own, from which others'
 * processes cannot be traced, and whose owners have no names.
 */
const STARTERS = new RegExp(
  `^(?:${[
    '(?:ba|da|a|z|k|mk|lk|tc|c|fi)?sh|bsd-csh|elvish|nu|xonsh|bwrap|proot',
    'g?make|ninja|samu|cmake|ctest|meson|bazel|cargo|rustc|go',
    // Of cross compilers behind the target's name: arm-none-eabi-, x86_64-conda-linux-gnu-.
    '(?:[a-z0-9_.]+-){0,4}(?:cc|c\\+\\+|cpp|gcc(?:-(?:ar|nm|ranlib))?|g\\+\\+|gfortran|clang(?:\\+\\+)?)',
    'env|xargs|nohup|nice|ionice|timeout|setsid|stdbuf|time|watch|parallel|entr|flock|script|expect',
    'vim?|nvim|emacs|lua|luajit|tclsh|wish|ruby|irb|[gmn]?awk|R|Rscript|julia|guile',
  ].join('|')})[-.\\d]*(?:[-.](?:basic|tiny|nox|gtk|static))?$`,
);

/** By its name, as `zsh`, `lua5.4` or `x86_64-conda-linux-gnu-gcc-12`. */
export function startsOthers(program: string): boolean {
  return STARTERS.test(path.basename(program));
}

/** A directory with more entries is that of many packages, as an environment of conda: neighbours say nothing there. */
const MOST_ENTRIES = 200;

/**
 * Directories for commands of many packages: the machine's, and those of a home (file-hierarchy(7), `cargo install`,
 * `go install`). Neighbours there have nothing to do with one another, and each would lose sudo and ssh in a view.
 */
const SHARED = [...PROGRAM_PLACES, '/usr/local/bin', '/usr/local/sbin'];
const SHARED_IN_HOME = ['.local/bin', '.cargo/bin', 'go/bin'];
/** Where PATH has it; else a vendor's tree was unpacked into the home. */
const OFTEN_SHARED = 'bin';

type Variables = Readonly<Record<string, string | undefined>>;

function sharedDirectories({ HOME: home, PATH: searched = '' }: Variables): string[] {
  if (home === undefined || !path.isAbsolute(home)) return SHARED;
  const real = (name: string) => realPath(path.join(home, name));
  const commands = searched.split(':').filter(path.isAbsolute).map(realPath);
  const often = commands.includes(real(OFTEN_SHARED)) ? [real(OFTEN_SHARED)] : [];
  return [...SHARED, ...SHARED_IN_HOME.map(real), ...often];
}

function isForeign(file: string): boolean {
  if (!isExecutable(file)) return false;
  const interpreter = elfFileAt(file)?.interpreter;
  return interpreter?.startsWith('/') === true && isVacant(interpreter);
}

/** No links; none of what cannot be looked at. */
function filesIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    if (entries.length > MOST_ENTRIES) return [];
    return entries.filter((each) => each.isFile()).map(({ name }) => path.join(directory, name));
  } catch {
    return [];
  }
}

/** Directories in which programs of one package lie; beside `bin/` also `libexec/`. */
function ownDirectories(program: string): string[] {
  const directory = path.dirname(program);
  const above = path.dirname(directory);
  return path.basename(directory) === 'bin' ? [directory, path.join(above, 'libexec')] : [directory];
}

/**
 * A foreign program in the program's own tree, whether that is in PATH or not: a vendor's `bin` often is.
 * @param program without links on its way
 */
export function foreignRelative(program: string, env: Variables): string | undefined {
  const shared = sharedDirectories(env);
  const directories = ownDirectories(program).filter((each) => !shared.includes(each));
  return directories
    .flatMap(filesIn)
    .sort()
    .find((file) => file !== program && isForeign(file));
}
