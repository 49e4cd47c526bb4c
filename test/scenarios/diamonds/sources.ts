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

/** The 64-bit libc of one release, `36` for 2.36. */
export const glibc = (shop: Shop, version: string): Made =>
  shop.existing(new RegExp(`^glibc-2\\.${version}$`), 'libc.so.6');
