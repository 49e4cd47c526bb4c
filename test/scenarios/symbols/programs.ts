// Libraries in the store, without versions or with one, in builds that differ in what they define, and programs that need them.
import type { Made, Shop } from '../diamonds/shop.ts';
import { returns } from '../diamonds/sources.ts';

/** Everything is bound before the program starts, as distributions that harden their programs have it. */
export const NOW = ['-Wl,-z,now'];

/** Two builds of one soname; the newer one dropped `gone` and nobody changed the soname. */
export async function twoBuilds(
  shop: Shop,
  name: string,
  flags: readonly string[] = [],
): Promise<{ old: Made; recent: Made }> {
  const soname = `lib${name}.so.1`;
  const old = await shop.library(`${name}-1.0`, {
    soname,
    source: `${returns('kept', 1)} ${returns('gone', 2)}`,
    flags,
  });
  const recent = await shop.library(`${name}-2.0`, { soname, source: returns('kept', 3), flags });
  return { old, recent };
}

/** Calls `gone` only when it has an argument. */
export const callsOnDemand = `#include <stdio.h>
  int kept(void); int gone(void);
  int main(int c, char **v) { printf("%d\\n", c > 1 ? gone() : kept()); return 0; }`;

/** Has a pointer to `gone`, which is filled in before the start. */
export const pointsTo = `#include <stdio.h>
  int kept(void); int gone(void); int (*volatile pointer)(void) = gone;
  int main(int c, char **v) { printf("%d\\n", c > 1 ? pointer() : kept()); return 0; }`;
