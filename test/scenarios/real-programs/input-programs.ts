// A root → small foreign programs in it, each like real ones that once could not be started.
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { splitStringTable } from '../../elf/split-segment.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { openShop } from '../diamonds/shop.ts';
import { onHost } from '../foreign-files.ts';
import type { ToolRoot } from '../tool.ts';

const source = (name: string) => readFileSync(path.join(import.meta.dirname, 'programs', name), 'utf8');

/** Below the home of the root; the same path on the host. */
export function placeOf(root: ToolRoot, name: string) {
  const inRoot = path.join(homeInRoot, name);
  return {
    at: (...names: string[]) => path.join(inRoot, ...names),
    on: (...names: string[]) => path.join(onHost(root, inRoot), ...names),
  };
}

/** A library to link with, of which the machine that compiles may have no development file. */
function stub(root: ToolRoot, soname: string, text: string, file = soname): string {
  return compileLibrary(path.join(root.homeDir, '..', 'stubs', file), soname, text);
}

const zlibStub = 'const char *zlibVersion(void) { return ""; }';
const mine = 'const char *mine(void) { return "mine"; }';

/** Its string table begins in one PT_LOAD and goes on in the next (patchelf; the rig's own node). */
export function bigPatched(root: ToolRoot): string {
  const { at, on } = placeOf(root, 'big');
  const functions = Array.from({ length: 400 }, (_, i) => `void a_rather_long_exported_name_${i}(void) {}`);
  const flags = ['-no-pie', '-rdynamic', '-Wl,-rpath,$ORIGIN/lib'];
  compile(on('big'), `${functions.join('\n')}\n${source('started.c')}`, flags);
  writeFileSync(on('big'), splitStringTable(readFileSync(on('big'))));
  return at('big');
}

/** Any program of another distribution: its libraries are the C library and zlib. */
export function zlibUser(root: ToolRoot): string {
  const { at, on } = placeOf(root, 'zlib');
  compile(on('zz'), source('zlib-version.c'), [stub(root, 'libz.so.1', zlibStub)]);
  return at('zz');
}

/** PT_INTERP of the Linux Standard Base. */
export function standardBase(root: ToolRoot): string {
  const { at, on } = placeOf(root, 'lsb');
  compile(on('lsb'), source('started.c'), ['-Wl,--dynamic-linker=/lib64/ld-lsb-x86-64.so.3']);
  return at('lsb');
}

/**
 * A library without DT_SONAME is needed by the path that it was linked by (Fedora's, vendors' own prefixes): `needed`, or
 * one beside the program.
 */
export function absoluteNeed(root: ToolRoot, needed?: string): string {
  const name = needed === undefined ? 'abs' : `abs${needed.replaceAll(/\W/g, '-')}`;
  const { at, on } = placeOf(root, name);
  const library = on('usr/lib64/libz.so.1');
  compile(library, zlibStub, ['-shared', '-fPIC']);
  compile(on('abs'), source('zlib-version.c'), [library]);
  if (needed !== undefined) execFileSync('patchelf', ['--replace-needed', library, needed, on('abs')]);
  rmSync(on('usr'), { recursive: true });
  return at('abs');
}

/** The library lies in the run path under its full version only, as in packages that carry no links (npm, zip). */
export function withoutLinks(root: ToolRoot): string {
  const { at, on } = placeOf(root, 'nolinks');
  const [data, library] = [on('lib/libdata.so.1.2'), on('lib/libmine.so.1.2.3')];
  compileLibrary(data, 'libdata.so.1', 'const char *data(void) { return "mine"; }');
  const own = 'const char *data(void); const char *mine(void) { return data(); }';
  compileLibrary(library, 'libmine.so.1', own, [data, '-Wl,-rpath,$ORIGIN']);
  compile(on('bin/u'), source('mine.c'), [library, data, '-Wl,-rpath,$ORIGIN/../lib']);
  return at('bin/u');
}

/** The library lies in ../lib, and a script would set LD_LIBRARY_PATH. */
export function withoutRunPath(root: ToolRoot): string {
  const { at, on } = placeOf(root, 'nb');
  const library = compileLibrary(on('lib/libmine.so.1'), 'libmine.so.1', mine);
  compile(on('bin/u'), source('mine.c'), [library]);
  return at('bin/u');
}

/**
 * The program brings a library that is older than what a library of the store was built with, as libstdc++ is brought
 * along. `tags`: whether it finds its own by DT_RUNPATH or by DT_RPATH.
 */
export async function tooOldBundled(root: ToolRoot, tags: 'runpath' | 'rpath'): Promise<string> {
  const shop = openShop(root);
  const { at, on } = placeOf(root, `cxx-${tags}`);
  const old = { source: 'int old(void) { return 3; }', versions: 'OLD_1 { old; };' };
  const text = `${old.source}\nint newer(void) { return 4; }`;
  const versions = 'OLD_1 { old; }; OLD_2 { newer; } OLD_1;';
  const soname = `libold${tags}.so.1`;
  const newer = await shop.library(`libold${tags}-2`, { soname, source: text, versions });
  const user = await shop.library(`libuser${tags}-1`, {
    soname: `libuser${tags}.so.1`,
    source: 'int newer(void); int use(void) { return newer(); }',
    needs: [newer],
  });
  const script = path.join(root.homeDir, '..', 'stubs', `${tags}.map`);
  stub(root, 'libz.so.1', zlibStub);
  writeFileSync(script, old.versions);
  compileLibrary(on('lib', soname), soname, old.source, [`-Wl,--version-script=${script}`]);
  const dtags = tags === 'runpath' ? '--enable-new-dtags' : '--disable-new-dtags';
  compile(on('bin/m'), source('answer.c'), [
    user.host,
    on('lib', soname),
    '-Wl,--allow-shlib-undefined',
    `-Wl,${dtags},-rpath,$ORIGIN/../lib`,
  ]);
  return at('bin/m');
}

/** For musl (Alpine), and so it can have no library that was built with glibc. */
export function muslUser(root: ToolRoot): string {
  const { at, on } = placeOf(root, 'musl');
  const alone = ['-nostdlib', '-fno-builtin', '-shared', '-fPIC'];
  const directory = path.join(root.homeDir, '..', 'stubs', 'musl');
  const [libc, zlib] = ['libc.musl-x86_64.so.1', 'libz.so.1'].map((soname) => path.join(directory, soname));
  compileLibrary(libc ?? '', 'libc.musl-x86_64.so.1', 'void exit(int n) {}', alone);
  compileLibrary(zlib ?? '', 'libz.so.1', zlibStub, alone);
  const start =
    'const char *zlibVersion(void); _Noreturn void exit(int);\nvoid _start(void) { exit(zlibVersion()[0]); }';
  const loader = '-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1';
  compile(on('m'), start, ['-nostdlib', '-fno-builtin', loader, libc ?? '', zlib ?? '']);
  return at('m');
}

/** Programs that are started by themselves, or start themselves, and look at what they are. Each alone in a directory. */
export function selfProgram(
  root: ToolRoot,
  name: 'argv' | 'backtrace' | 'thread' | 'itself' | 'helper',
): string {
  const { at, on } = placeOf(root, `self-${name}`);
  compile(on(name), source(`${name}.c`), ['-w', '-pthread']);
  return at(name);
}

/** Two versions of a program; the first puts what it is told in its own place. */
export function updater(root: ToolRoot, version: 1 | 2): string {
  const { at, on } = placeOf(root, `update-${version}`);
  compile(on('update'), source('update.c'), [`-DVERSION="${version}"`]);
  return at('update');
}

/** Fedora's name of a library that Debian calls libbz2.so.1.0. */
export function fedoraName(root: ToolRoot): string {
  const { at, on } = placeOf(root, 'fedora');
  const text = 'const char *BZ2_bzlibVersion(void) { return ""; }';
  compile(on('bz'), source('bzip2-version.c'), [stub(root, 'libbz2.so.1', text, 'fedora/libbz2.so.1')]);
  return at('bz');
}

/** A directory for LD_LIBRARY_PATH, with a library that needs a newer glibc than any of the store. */
export function libraryOfNewerGlibc(root: ToolRoot): string {
  const { at, on } = placeOf(root, 'newer-glibc');
  const script = path.join(root.homeDir, '..', 'stubs', 'newer.map');
  const libc = stub(root, 'libc.so.6', 'int newest(void) { return 1; }', 'newer/libc.so.6');
  writeFileSync(script, 'GLIBC_2.99 { newest; };');
  compileLibrary(libc, 'libc.so.6', 'int newest(void) { return 1; }', [
    '-nostdlib',
    `-Wl,--version-script=${script}`,
  ]);
  const text = 'int newest(void); const char *zlibVersion(void) { return newest() ? "" : "newer"; }';
  compileLibrary(on('libz.so.1'), 'libz.so.1', text, ['-nostdlib', libc]);
  return at('.');
}

export function copyTree(root: ToolRoot, from: string, to: string): void {
  const [source, target] = [placeOf(root, from).on(), placeOf(root, to).on()];
  cpSync(source, target, { recursive: true });
}
