// Names of functions → the C text of programs and libraries that the diamonds are made of.
import type { Made, Shop } from './shop.ts';

/** A program that prints what these functions return. */
export const calls = (...names: readonly string[]): string =>
  `#include <stdio.h>\n${names.map((name) => `int ${name}(void);`).join('\n')}
   int main(void) { printf("${names.map(() => '%d').join(' ')}\\n", ${names.map((name) => `${name}()`).join(', ')}); return 0; }`;

export const returns = (name: string, value: number): string => `int ${name}(void) { return ${value}; }`;

/** A program that calls these functions and prints how many files of this name the process has mapped. */
export const copiesOf = (file: string, ...names: readonly string[]): string =>
  `#include <stdio.h>
   #include <string.h>
   ${names.map((name) => `int ${name}(void);`).join(' ')}
   int main(void) {
     char line[4096]; int copies = 0; FILE *maps = fopen("/proc/self/maps", "r");
     ${names.map((name) => `${name}();`).join(' ')}
     while (fgets(line, sizeof line, maps)) copies += strstr(line, "r-xp") && strstr(line, "${file}");
     printf("%d\\n", copies); return 0; }`;

/** A function that returns what another one does. */
export const forwards = (name: string, to: string): string =>
  `int ${to}(void); int ${name}(void) { return ${to}(); }`;

/** Calls what glibc 2.36 exports for its own use only; returns 3. */
export const callsPrivate = (name: string): string =>
  `int __snprintf(char *, unsigned long, const char *, ...); int ${name}(void) { char s[9]; return __snprintf(s, 9, "abc"); }`;

/** Needs glibc 2.38; returns 2. */
export const copiesText = (name: string): string =>
  `long strlcpy(char *, const char *, long); int ${name}(void) { char s[9]; return strlcpy(s, "ab", 9); }`;

/** Does with any libstdc++; returns 1. */
export const allocates = (name: string): string =>
  `void *_Znwm(unsigned long); int ${name}(void) { return _Znwm(8) != 0; }`;

/** Needs the libstdc++ of GCC 13; returns 2. */
export const startsStreams = (name: string): string =>
  `void _ZSt21ios_base_library_initv(void); int ${name}(void) { _ZSt21ios_base_library_initv(); return 2; }`;

/** The 64-bit libc of one release, `36` for 2.36. */
export const glibc = (shop: Shop, version: string): Made =>
  shop.existing(new RegExp(`^glibc-2\\.${version}$`), 'libc.so.6');

/** The libstdc++ of one GCC, `10` or `14`. */
export const libstdcxx = (shop: Shop, version: string): Made =>
  shop.existing(new RegExp(`^libstdc\\+\\+6-${version}`), 'libstdc++.so.6');
