// The path of a loader → its version, and which directories it searches on this processor, as glibc's says itself.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../host/errors.ts';
import { runProgramNow } from '../host/run-program.ts';

interface LoaderFacts {
  /** E.g. [2, 36]. */
  readonly version: readonly number[];
  /** Without slashes at their end, in the order they are searched. */
  readonly defaultDirectories: readonly string[];
  /** hwcaps subdirectories of every searched directory, in the order they are tried. */
  readonly subdirectories: readonly string[];
  readonly lib: string | undefined;
  readonly platform: string | undefined;
}

/** A start that loads nothing takes 2 ms. */
const TIMEOUT = 20_000;
const PLAIN = '/-plain';
const LIB = '/-lib/';
const PLATFORM = '/-platform/';

const known = new Map<string, LoaderFacts | undefined>();

/**
 * What has a loader print every list of directories before it is searched, whatever it is asked: a preload that is
 * nowhere makes it search them all (glibc elf/dl-load.c, print_search_path). The directories go at the end of its
 * library path; there is nothing in them. It complains of the preload, see `withoutSearchReport`.
 */
export const REPORT_SEARCH_PATHS = {
  env: { LD_DEBUG: 'libs', LD_PRELOAD: 'no-such-library.so' },
  directories: `${PLAIN}:${LIB}$LIB:${PLATFORM}$PLATFORM`,
} as const;

/** Lines of stderr without those that come of `REPORT_SEARCH_PATHS` alone. */
export function withoutSearchReport(stderr: string): string {
  const isReport = (line: string) =>
    /^\s*\d+:\t/.test(line) || line.startsWith("ERROR: ld.so: object 'no-such-library.so' from LD_PRELOAD");
  return stderr
    .split('\n')
    .filter((line) => !isReport(line))
    .join('\n');
}

/** Whether it was asked already. */
export function isLoaderKnown(loader: string): boolean {
  return known.has(loader);
}

/**
 * Remembers what a loader printed when it was asked something else with `REPORT_SEARCH_PATHS`, so that it need not be
 * asked again.
 */
export function rememberLoader(loader: string, stderr: string): void {
  if (known.has(loader)) return;
  const version = libcVersionOf(loader);
  const facts = version && readSearchPaths(stderr, version);
  if (facts !== undefined) known.set(loader, facts);
}

/** Asked once per path and process. Undefined when it does not answer as a glibc loader does. */
export function loaderFactsOf(loader: string): LoaderFacts | undefined {
  if (!known.has(loader)) known.set(loader, askLoader(loader));
  return known.get(loader);
}

/** The loader itself is a program without needs. */
function askLoader(loader: string): LoaderFacts | undefined {
  const version = libcVersionOf(loader);
  const args = ['--inhibit-cache', '--library-path', REPORT_SEARCH_PATHS.directories, '--list', loader];
  const { stderr } = runProgramNow(loader, args, { env: REPORT_SEARCH_PATHS.env, timeout: TIMEOUT });
  return version && readSearchPaths(stderr, version);
}

/** Reads what LD_DEBUG=libs printed for the question above. */
export function readSearchPaths(debug: string, version: readonly number[]): LoaderFacts | undefined {
  const lists = [...debug.matchAll(/^ *\d+:\t search path=(.*?)\t\t\((.*)\)$/gm)].map(
    ([, paths = '', what = '']) => ({ paths: paths.split(':'), what }),
  );
  const given = lists.find(({ what }) => what === '--library-path' || what === 'LD_LIBRARY_PATH')?.paths;
  const system = lists.find(({ what }) => what === 'system search path')?.paths;
  const begin = given?.findIndex((directory) => directory.startsWith(PLAIN)) ?? -1;
  const end = given?.indexOf(PLAIN) ?? -1;
  if (given === undefined || end < 0) return undefined;
  const count = end - begin;
  const tokenOf = (marker: string) =>
    given.findLast((directory) => directory.startsWith(marker))?.slice(marker.length);
  return {
    version,
    // Each directory stands behind its subdirectories.
    defaultDirectories: (system ?? []).filter((_, index) => index % (count + 1) === count),
    subdirectories: given.slice(begin, end).map((directory) => directory.slice(PLAIN.length + 1)),
    lib: tokenOf(LIB),
    platform: tokenOf(PLATFORM),
  };
}

/**
 * The directories that a musl loader searches last. `name` is the path it goes by: the program's PT_INTERP when the
 * kernel starts the program or `--list` is asked for, else the loader's own path (musl ldso/dynlink.c, load_library).
 */
export function muslDirectoriesOf(name: string, architecture: string): readonly string[] {
  const prefix = name.startsWith('/') ? path.dirname(path.dirname(name)) : '/';
  try {
    const text = readFileSync(path.join(prefix, 'etc', `ld-musl-${architecture}.path`), 'latin1');
    return text.split(/[:\n]/).filter((directory) => directory !== '');
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? ['/lib', '/usr/local/lib', '/usr/lib'] : [];
  }
}

function versionIn(text: string, pattern: RegExp): readonly number[] | undefined {
  return pattern.exec(text)?.[1]?.split('.').map(Number);
}

/** E.g. [2, 40]; undefined when neither the name nor the content tells. */
export function libcVersionOf(loader: string): readonly number[] | undefined {
  const byName = versionIn(loader, /-(?:glibc|musl)-(\d+(?:\.\d+)+)/);
  if (byName !== undefined) return byName;
  try {
    // glibc's loader prints `... release version 2.36.` for --version (elf/rtld.c).
    return versionIn(readFileSync(loader, 'latin1'), /(?:stable|development) release version (\d+\.\d+)/);
  } catch {
    return undefined;
  }
}
