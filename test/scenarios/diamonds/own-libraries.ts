// Diamonds over libraries of one's own, of which the store has several builds.
import type { Diamond } from './diamond.ts';
import { calls, callsPrivate, copiesOf, forwards, glibc, returns } from './sources.ts';

export const ownLibraries: readonly Diamond[] = [
  {
    name: 'the newest parent does not go with the only child',
    output: '1 5',
    loads: { 'libtop.so.1': /-top-1\.0\// },
    build: async (shop) => {
      const child = await shop.library('base-1.0', {
        soname: 'libbase.so.1',
        source: returns('base', 5),
        versions: 'BASE_1 { global: *; };',
      });
      // What the newer one was built with was collected since: only a stand-in to link with.
      const newer = await shop.library('base-stand-in', {
        soname: 'libbase.so.1',
        source: `${returns('base', 5)} ${returns('more', 6)}`,
        versions: 'BASE_1 { global: base; }; BASE_2 { global: more; } BASE_1;',
      });
      const old = await shop.library('top-1.0', {
        soname: 'libtop.so.1',
        source: 'int base(void); int top(void) { return base() - 4; }',
        needs: [child],
      });
      const recent = await shop.library('top-2.0', {
        soname: 'libtop.so.1',
        source: forwards('top', 'more'),
        needs: [newer],
      });
      const program = shop.program('backtrack', calls('top', 'base'), [old, child]);
      await shop.forget(newer);
      return {
        program,
        naive: { libc: glibc(shop, '41'), directories: [recent, child], fails: /BASE_2' not found/ },
      };
    },
  },
  {
    name: 'the newest build needs a library that nobody has any more',
    output: '1',
    loads: { 'libtail.so.1': /-tail-1\.0\// },
    build: async (shop) => {
      const gone = await shop.library('gone-1.0', { soname: 'libgone.so.9', source: returns('gone', 9) });
      const old = await shop.library('tail-1.0', { soname: 'libtail.so.1', source: returns('tail', 1) });
      const recent = await shop.library('tail-2.0', {
        soname: 'libtail.so.1',
        source: forwards('tail', 'gone'),
        needs: [gone],
      });
      const program = shop.program('tail', calls('tail'), [old]);
      await shop.forget(gone);
      return {
        program,
        naive: { libc: glibc(shop, '41'), directories: [recent], fails: /libgone\.so\.9: cannot open/ },
      };
    },
  },
  {
    name: 'one library under two names, of which there are two builds',
    output: '1',
    build: async (shop) => {
      const counter = 'static int n; int count(void) { return ++n; }';
      const linked = await shop.library('count-1.0', { soname: 'libcount.so.2', source: counter });
      // Whose authors call the same library by its development name.
      const stub = await shop.library('count-stub', { soname: 'libcount.so', source: counter });
      const named = await shop.library('count-2.0', {
        soname: 'libcount.so.2',
        source: counter,
        file: 'libcount.so',
      });
      const left = await shop.library('counting-1.0', {
        soname: 'libcounting.so.1',
        source: forwards('counting', 'count'),
        needs: [linked],
      });
      const right = await shop.library('tallying-1.0', {
        soname: 'libtallying.so.1',
        source: forwards('tallying', 'count'),
        needs: [stub],
      });
      const program = shop.program('two-names', copiesOf('/libcount.so', 'counting', 'tallying'), [
        left,
        right,
      ]);
      await shop.forget(stub);
      return {
        program,
        naive: { libc: glibc(shop, '41'), directories: [left, right, linked, named], fails: /^2$/m },
      };
    },
  },
  {
    name: 'the newest build is for another C library',
    output: '0',
    loads: { 'libplain.so.1': /-plain-1\.0\// },
    build: async (shop) => {
      const musl = await shop.library('musl-stub', {
        soname: 'libc.musl-x86_64.so.1',
        source: 'int puts(const char *s) { return *s; }',
      });
      const old = await shop.library('plain-1.0', { soname: 'libplain.so.1', source: returns('plain', 1) });
      const recent = await shop.library('plain-2.0', {
        soname: 'libplain.so.1',
        source: 'int puts(const char *); int plain(void) { return puts("2"); }',
        needs: [musl],
      });
      const program = shop.program('other-libc', copiesOf('-musl-', 'plain'), [old]);
      await shop.forget(musl);
      const real = shop.existing(/^musl-/, 'libc.musl-x86_64.so.1');
      return {
        program,
        naive: {
          libc: glibc(shop, '41'),
          directories: [recent, real],
          // Two C libraries in one process.
          fails: /^1$/m,
        },
      };
    },
  },
  {
    name: 'the newest build is for a processor that nobody has',
    output: '1',
    loads: { 'libfast.so.1': /-fast-1\.0\// },
    build: async (shop) => {
      const old = await shop.library('fast-1.0', { soname: 'libfast.so.1', source: returns('fast', 1) });
      const recent = await shop.library('fast-2.0', {
        soname: 'libfast.so.1',
        source: `${returns('fast', 2)} asm(".pushsection .note.gnu.property,\\"a\\",@note; .p2align 3; .long 4, 16, 5;"
          ".asciz \\"GNU\\"; .long 0xc0008002, 4, 0x40000000, 0; .popsection");`,
      });
      const program = shop.program('processor', calls('fast'), [old]);
      return { program, naive: { libc: glibc(shop, '41'), directories: [recent], fails: /CPU ISA level/ } };
    },
  },
  {
    name: 'versions are needed of a library whose newest build has none, and the glibc is an old one',
    output: '3 4',
    loads: { 'libplainer.so.1': /-plainer-1\.0\// },
    build: async (shop) => {
      const old = await shop.library('plainer-1.0', {
        soname: 'libplainer.so.1',
        source: returns('plainer', 4),
        versions: 'PLAINER_1 { global: *; };',
      });
      const recent = await shop.library('plainer-2.0', {
        soname: 'libplainer.so.1',
        source: returns('plainer', 4),
      });
      const inner = await shop.library('hold-1.0', {
        soname: 'libhold.so.1',
        source: callsPrivate('hold'),
        needs: [glibc(shop, '36')],
      });
      const program = shop.program('unversioned', calls('hold', 'plainer'), [inner, old]);
      return {
        program,
        naive: { libc: glibc(shop, '36'), directories: [inner, recent], fails: /Assertion/ },
      };
    },
  },
];
