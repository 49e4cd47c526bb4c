// A needed name and directories of a program's tree → the library in them that is meant, though ld.so does not find it.
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { isLibcFamily, isMuslLibc } from '../elf/library-names.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { compareVersions } from '../elf/versions.ts';
import { pathOfElfString, runDirectories } from './run-directories.ts';

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/**
 * Names of files that may be versions of one library: `libmine.so.1.2.3` and `libmine-1.2.so` for `libmine.so.1`; not
 * `libmine.so.1.old`, which somebody put aside.
 */
function filesLike(name: string, directory: string): string[] {
  const stem = name.slice(0, name.indexOf('.so'));
  const isLike = (file: string) =>
    file.startsWith(stem) && /^[-_.\d]/.test(file.slice(stem.length)) && /\.so(\.\d+[a-z]?)*$/.test(file);
  return entriesOf(directory).filter(isLike).sort(compareVersions).reverse();
}

function isFor(file: string, like: ElfFile): ElfFile | undefined {
  const elf = elfFileAt(file);
  return elf?.class === like.class && elf.machine === like.machine && elf.loadError === undefined
    ? elf
    : undefined;
}

/**
 * The library whose DT_SONAME is wanted, under another file name: packages that carry no symbolic links (npm, zip)
 * leave it to an installer to make `libmine.so.1` beside `libmine.so.1.2.3`. The newest of several. Never one of a
 * libc, which comes with its loader.
 */
export function underAnotherName(
  name: string,
  directories: readonly string[],
  like: ElfFile,
): string | undefined {
  if (!name.includes('.so') || name.includes('/') || isLibcFamily(name) || isMuslLibc(name)) return undefined;
  const wanted = pathOfElfString(name);
  for (const directory of new Set(directories.filter((each) => path.isAbsolute(each)))) {
    const file = filesLike(wanted, directory).find(
      (each) => isFor(path.join(directory, each), like)?.soname === name,
    );
    if (file !== undefined) return path.join(directory, file);
  }
  return undefined;
}

/** Where programs have their libraries when a script is meant to set LD_LIBRARY_PATH; relative to the program. */
const USUAL_PLACES = [
  '.',
  '../lib',
  '../lib64',
  '../libs',
  'lib',
  'lib64',
  'libs',
  '../../lib',
  '../../lib64',
  // Of an unpacked package of Debian.
  ...['x86_64', 'i386', 'aarch64'].map((machine) => `../lib/${machine}-linux-gnu`),
];

/** What lies there belongs to the machine, not to a program in /usr/bin. */
const OF_MACHINE = /^(?:\/usr(?:\/local)?)?\/lib(?:64|32|x32|s|\/\w+-linux-gnu)?$/;

/** More is no run path that somebody wrote. */
const MOST_DIRECTORIES = 32;

/** As /tmp: what lies there may be anybody's. */
function isForEverybody(directory: string): boolean {
  return ((statSync(directory, { throwIfNoEntry: false })?.mode ?? 0) & 0o002) !== 0;
}

/** The directory of a file and those above it, up to the first that everybody may write to. */
function directoriesAbove(file: string): string[] {
  const names = path.dirname(file).split('/').slice(1);
  const above = names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`).reverse();
  const end = above.findIndex(isForEverybody);
  return end < 0 ? above : above.slice(0, end);
}

/** A package unpacked at `/home/me/x` has there what its run path names: `/home/me/x/usr/lib/vendor`. */
function movedRunPaths(
  { path: file, elf }: { readonly path: string; readonly elf: ElfFile },
  own: readonly string[],
): string[] {
  return runDirectories(elf.runpath ?? elf.rpath, file, elf)
    .filter((directory) => path.isAbsolute(directory))
    .slice(0, MOST_DIRECTORIES)
    .flatMap((directory) => own.map((each) => path.join(each, directory)));
}

/**
 * Name → file in the usual places around a program, and where its run path leads in an unpacked package, for missing
 * names; also for what these files need, as far as `isMissing`. Only a message comes of it: no loader looks there.
 */
export function librariesAround(
  program: { readonly path: string; readonly elf: ElfFile },
  names: readonly string[],
  isMissing: (name: string) => boolean,
): ReadonlyMap<string, string> {
  const own = directoriesAbove(program.path);
  const isOwn = (place: string): boolean =>
    own.some((each) => place === each || place.startsWith(`${each}/`));
  const usual = USUAL_PLACES.map((each) => path.resolve(path.dirname(program.path), each)).filter(isOwn);
  const places = [...usual, ...movedRunPaths(program, own)].filter((each) => !OF_MACHINE.test(each));
  const found = new Map<string, string>();
  const queue = [...names];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (found.has(name) || name.includes('/')) continue;
    const wanted = pathOfElfString(name);
    const exact = places.map((each) => path.join(each, wanted)).find((each) => isFor(each, program.elf));
    const file = exact ?? underAnotherName(name, places, program.elf);
    if (file === undefined) continue;
    found.set(name, file);
    queue.push(...(elfFileAt(file)?.needed ?? []).filter(isMissing));
  }
  return found;
}
