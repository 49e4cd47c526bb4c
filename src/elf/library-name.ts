// A needed name → whether ld.so looks for it in directories, as one plain file name, or why not.

/** NAME_MAX (limits.h): no directory has a longer name. */
const LONGEST = 255;

/** ld.so replaces these before it looks (glibc elf/dl-load.c, is_dst). */
const TOKEN = /\$(?:(?:ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_])|\{(?:ORIGIN|LIB|PLATFORM)\})/;

/**
 * One clause on why a name cannot be served out of a directory of links; undefined where it can. Printable ASCII only, as
 * in fingerprints (fingerprint/FORMAT.md): messages and documents then show a name as it is, and two names never look
 * alike. A name with a slash is opened as a path and searched for nowhere (glibc elf/dl-load.c, _dl_map_new_object).
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
