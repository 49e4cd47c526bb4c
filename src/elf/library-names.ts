// A name → whether it is one of glibc's own libraries, and whether ld.so looks for it in directories, or why not.
// An object → the names without which it is not loaded; a program → the libc it is for.
import type { ElfFile } from './elf-file.ts';

/**
 * Everything that one build of glibc installs (Makefiles of glibc 2.31 to 2.42, `extra-libs` and `libnss_*`); they
 * share GLIBC_PRIVATE symbols and data layouts, so two builds cannot be mixed.
 * Not among them: libcrypt.so.1 (libxcrypt in every current distribution), libgcc_s.so.1 (GCC's, glibc's directory
 * has a copy at most), libnsl.so.2 and .3 (the libnsl project), libnss_systemd.so.2, libnss_nis.so.2 and the like.
 */
const MEMBERS: ReadonlySet<string> = new Set([
  'libBrokenLocale.so.1',
  'libSegFault.so',
  'libanl.so.1',
  'libc.so.6',
  'libc_malloc_debug.so.0',
  'libcidn.so.1',
  'libdl.so.2',
  'libm.so.6',
  'libmemusage.so',
  'libmvec.so.1',
  'libnsl.so.1',
  'libnss_compat.so.2',
  'libnss_db.so.2',
  'libnss_dns.so.2',
  'libnss_files.so.2',
  'libnss_hesiod.so.2',
  'libpcprofile.so',
  'libpthread.so.0',
  'libresolv.so.2',
  'librt.so.1',
  'libthread_db.so.1',
  'libutil.so.1',
]);

/** True for the soname of a library of glibc or of its loader. */
export function isLibcFamily(soname: string): boolean {
  return MEMBERS.has(soname) || isLoaderName(soname);
}

/** True for the file name of a glibc loader: `ld-linux-x86-64.so.2`, `ld64.so.2`, `ld.so.1` (shlib-versions files). */
export function isLoaderName(name: string): boolean {
  return /^ld(?:64|-linux(?:-[\w-]+)?)?\.so\.\d+$/.test(name);
}

/** True for the file name or soname of a loader of glibc or musl; musl's is its libc, by whatever name. */
export function isNameOfLoader(name: string): boolean {
  return isLoaderName(name) || name.startsWith('ld-musl-') || isMuslLibc(name);
}

/** True for the names by which objects need musl's libc: Alpine's, and everybody else's. */
export function isMuslLibc(name: string): boolean {
  return /^libc\.(?:so$|musl-)/.test(name);
}

/** Of a dynamic program, which may name its loader by a path of its own. */
export function libcKindOf({
  interpreter,
  needed,
}: Pick<ElfFile, 'interpreter' | 'needed'>): 'glibc' | 'musl' {
  const isLoader = interpreter?.slice(interpreter.lastIndexOf('/') + 1).startsWith('ld-musl-') === true;
  return isLoader || needed.some((name) => name.startsWith('libc.musl-')) ? 'musl' : 'glibc';
}

/**
 * What it filters is needed like the rest, and loaded before it (glibc elf/dl-deps.c, _dl_map_object_deps). musl reads
 * DT_NEEDED alone (ldso/dynlink.c, load_direct_deps).
 */
export function requiredNames({ needed, filter }: Pick<ElfFile, 'needed' | 'filter'>): readonly string[] {
  return filter.length === 0 || needed.some(isMuslLibc) ? needed : [...new Set([...needed, ...filter])];
}

/** NAME_MAX (limits.h): no directory has a longer name. */
const LONGEST = 255;

/** ld.so replaces these before it looks (glibc elf/dl-load.c, is_dst). */
const TOKEN = /\$(?:(?:ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_])|\{(?:ORIGIN|LIB|PLATFORM)\})/;

/**
 * One clause on why a name cannot be served out of a directory of links; undefined where it can. Printable ASCII only,
 * as in fingerprints (fingerprint/FORMAT.md): messages and documents then show a name as it is, and two names never
 * look alike. A name with a slash is opened as a path and searched for nowhere (glibc elf/dl-load.c,
 * _dl_map_new_object).
 */
export function whyNoLibraryName(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.includes('/')) return 'it is a path, which the loader opens as it is';
  if (name === '.' || name === '..') return 'it is the name of a directory';
  if (name === 'glibc-hwcaps') return 'it is the name of the directory with variants for processors';
  if (/[^ -~]/.test(name)) return 'it has other characters than printable ASCII';
  if (name.length > LONGEST) return `it is longer than ${LONGEST} bytes`;
  return TOKEN.test(name) ? 'it has a token that the loader replaces' : undefined;
}
