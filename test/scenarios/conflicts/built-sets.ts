// Small sets of libraries without a coherent choice, each with what to bring into the store so that there is one.

import type { Shop } from '../diamonds/shop.ts';
import {
  allocates,
  calls,
  copiesText,
  forwards,
  glibc,
  libstdcxx,
  returns,
  startsStreams,
} from '../diamonds/sources.ts';

export interface BuiltConflict {
  readonly name: string;
  /** What the conflict consists of, as `kind name`. */
  readonly reasons: readonly string[];
  /** In the sentences. */
  readonly says: RegExp;
  /** Returns the program, and what adds the missing build. */
  build(shop: Shop): Promise<{ readonly program: string; remedy(): Promise<unknown> }>;
  /** Of the program, after that. */
  readonly output: string;
}

/** A function of libc's own use, in every glibc from 2.36 on; it returns 3. */
const privateCall = (name: string): string =>
  `char *__libc_secure_getenv(const char *); int ${name}(void) { return 3 + (__libc_secure_getenv("no such name") != 0); }`;

export const builtConflicts: readonly BuiltConflict[] = [
  {
    name: 'two libraries need different versions of a third, and no build has both',
    reasons: ['missing-version libpivot.so.1'],
    says: /libeast\.so\.1 needs libpivot\.so\.1 \(PIVOT_2\); libpivot\.so\.1 from pivot-1\.0 does not define it, only up to PIVOT_1; libwest\.so\.1 needs libpivot\.so\.1 \(PIVOT_1\); libpivot\.so\.1 from pivot-2\.0 does not/,
    output: '1 2',
    build: async (shop) => {
      const pivot = (object: string, text: string, versions: string) =>
        shop.library(object, { soname: 'libpivot.so.1', source: text, versions });
      const first = await pivot('pivot-1.0', returns('one', 1), 'PIVOT_1 { global: *; };');
      const second = await pivot('pivot-2.0', returns('two', 2), 'PIVOT_2 { global: *; };');
      const west = await shop.library('west-1.0', {
        soname: 'libwest.so.1',
        source: forwards('west', 'one'),
        needs: [first],
      });
      const east = await shop.library('east-1.0', {
        soname: 'libeast.so.1',
        source: forwards('east', 'two'),
        needs: [second],
      });
      const program = shop.program('pivot', calls('west', 'east'), [west, east]);
      const both = 'PIVOT_1 { global: one; }; PIVOT_2 { global: two; };';
      return { program, remedy: () => pivot('pivot-3.0', `${returns('one', 1)} ${returns('two', 2)}`, both) };
    },
  },
  {
    name: 'GLIBC_PRIVATE of two glibcs',
    reasons: ['missing-version libc.so.6', 'private-version libc.so.6'],
    says: /libsouth\.so\.1 needs libc\.so\.6 \(GLIBC_PRIVATE\) of the libc it was built with, which is not glibc-2\.36/,
    output: '3 3',
    build: async (shop) => {
      const north = await shop.library('north-1.0', {
        soname: 'libnorth.so.1',
        source: privateCall('north'),
        needs: [glibc(shop, '36')],
      });
      const southOf = (object: string, version: string) =>
        shop.library(object, {
          soname: 'libsouth.so.1',
          source: privateCall('south'),
          needs: [glibc(shop, version)],
        });
      const south = await southOf('south-1.0', '41');
      const program = shop.program('poles', calls('north', 'south'), [north, south]);
      return { program, remedy: () => southOf('south-0.9', '36') };
    },
  },
  {
    name: 'GLIBC_PRIVATE of an old glibc, and a function of a newer one',
    reasons: ['missing-version libc.so.6', 'private-version libc.so.6'],
    says: /libcopying\.so\.1 needs libc\.so\.6 \(GLIBC_2\.38\)/,
    output: '3 2',
    build: async (shop) => {
      const heldBy = (object: string, version: string) =>
        shop.library(object, {
          soname: 'libheld.so.1',
          source: privateCall('held'),
          needs: [glibc(shop, version)],
        });
      const held = await heldBy('held-1.0', '36');
      const copying = await shop.library('copying-1.0', {
        soname: 'libcopying.so.1',
        source: copiesText('copying'),
        needs: [glibc(shop, '41')],
      });
      const program = shop.program('held', calls('held', 'copying'), [held, copying]);
      return { program, remedy: () => heldBy('held-1.1', '41') };
    },
  },
  {
    name: 'a bundled old libstdc++, and the only build of a library that needs a newer one',
    reasons: ['missing-version libstdc++.so.6'],
    says: /libdrawing\.so\.1 needs libstdc\+\+\.so\.6 \(GLIBCXX_3\.4\.32\); the program brings its own, /,
    output: '1',
    build: async (shop) => {
      const old = libstdcxx(shop, '10');
      const recent = libstdcxx(shop, '14');
      const drawing = await shop.library('drawing-2.0', {
        soname: 'libdrawing.so.1',
        source: startsStreams('drawing'),
        needs: [recent],
      });
      const beside = ['-Wl,-rpath,$ORIGIN/lib', '-Wl,--disable-new-dtags'];
      const program = shop.program('drawing', calls('drawing'), [old, drawing], beside);
      shop.bundle(program, old, 'lib/libstdc++.so.6');
      const older = {
        soname: 'libdrawing.so.1',
        source: allocates('drawing'),
        needs: [old],
      };
      return { program, remedy: () => shop.library('drawing-1.0', older) };
    },
  },
];
