// A shop → programs whose libraries only fit together in one way, and what a person would try first for each.
import type { Made, Shop } from './shop.ts';

export interface Diamond {
  readonly name: string;
  build(shop: Shop): Promise<Built>;
  readonly output: string;
  /** What of the load map must hold: needed name → the file that serves it. */
  readonly loads?: Readonly<Record<string, RegExp>>;
}

export interface Built {
  readonly program: string;
  /** The set that takes the first or the newest of each name: a loader and directories. */
  readonly naive: { readonly libc: Made; readonly directories: readonly Made[] };
}

const calls = (...names: readonly string[]): string =>
  `#include <stdio.h>\n${names.map((name) => `int ${name}(void);`).join('\n')}
   int main(void) { printf("${names.map(() => '%d').join(' ')}\\n", ${names.map((name) => `${name}()`).join(', ')}); return 0; }`;

const returns = (name: string, value: number): string => `int ${name}(void) { return ${value}; }`;
const glibc = (shop: Shop, version: string): Made =>
  shop.existing(new RegExp(`^glibc-2\\.${version}$`), 'libc.so.6');

export const diamonds: readonly Diamond[] = [
  {
    name: 'two glibcs',
    output: '1 2',
    build: async (shop) => {
      const [old, recent] = [glibc(shop, '36'), glibc(shop, '41')];
      const left = await shop.library('left-1.0', {
        soname: 'libleft.so.1',
        source: 'int atoi(const char *); int left(void) { return atoi("1"); }',
        needs: [old],
      });
      const right = await shop.library('right-1.0', {
        soname: 'libright.so.1',
        source:
          'long strlcpy(char *, const char *, long); int right(void) { char s[9]; return strlcpy(s, "ab", 9); }',
        needs: [recent],
      });
      const program = shop.program('two-glibcs', calls('left', 'right'), [left, right]);
      return { program, naive: { libc: old, directories: [left, right] } };
    },
  },
  {
    name: 'two OpenSSLs through two parents',
    output: '3 1',
    loads: { 'libcrypto.so.3': /-libssl3t64-3\.[56]/ },
    build: async (shop) => {
      const [old, recent] = [
        shop.existing(/^libssl3-3\.0/, 'libcrypto.so.3'),
        shop.existing(/^libssl3t64-3\.5/, 'libcrypto.so.3'),
      ];
      const left = await shop.library('tls-client-1.0', {
        soname: 'libtlsclient.so.1',
        source: 'int OPENSSL_version_major(void); int client(void) { return OPENSSL_version_major(); }',
        needs: [old],
      });
      const right = await shop.library('tls-server-1.0', {
        soname: 'libtlsserver.so.1',
        source: `int ASYNC_get_mem_functions(void *, void *);
          int server(void) { void *a, *b; ASYNC_get_mem_functions(&a, &b); return 1; }`,
        needs: [recent],
      });
      const program = shop.program('two-openssls', calls('client', 'server'), [left, right]);
      return { program, naive: { libc: glibc(shop, '41'), directories: [left, right, old] } };
    },
  },
  {
    name: 'an old libstdc++ of one parent, a new one needed by the other',
    output: '1 2',
    build: async (shop) => {
      const old = shop.existing(/^libstdc\+\+6-10/, 'libstdc++.so.6');
      const recent = shop.existing(/^libstdc\+\+6-14/, 'libstdc++.so.6');
      const left = await shop.library('old-engine-1.0', {
        soname: 'liboldengine.so.1',
        source: 'void *_Znwm(unsigned long); int engine(void) { return _Znwm(8) != 0; }',
        needs: [old],
      });
      const right = await shop.library('new-view-1.0', {
        soname: 'libnewview.so.1',
        source:
          'void _ZSt21ios_base_library_initv(void); int view(void) { _ZSt21ios_base_library_initv(); return 2; }',
        needs: [recent],
      });
      const program = shop.program('two-libstdcxx', calls('engine', 'view'), [left, right]);
      return { program, naive: { libc: glibc(shop, '41'), directories: [left, right, old] } };
    },
  },
  {
    name: 'a bundled old libstdc++ rules out the newest build of what needs it',
    output: '1',
    loads: { 'libplot.so.1': /-plot-1\.0\// },
    build: async (shop) => {
      const old = shop.existing(/^libstdc\+\+6-10/, 'libstdc++.so.6');
      const recent = shop.existing(/^libstdc\+\+6-14/, 'libstdc++.so.6');
      const first = await shop.library('plot-1.0', {
        soname: 'libplot.so.1',
        source: 'void *_Znwm(unsigned long); int plot(void) { return _Znwm(8) != 0; }',
        needs: [old],
      });
      const second = await shop.library('plot-2.0', {
        soname: 'libplot.so.1',
        source:
          'void _ZSt21ios_base_library_initv(void); int plot(void) { _ZSt21ios_base_library_initv(); return 2; }',
        needs: [recent],
      });
      const program = shop.program(
        'bundled-libstdcxx',
        calls('plot'),
        [old, first],
        // An old program: its rpath counts for all that is loaded.
        ['-Wl,-rpath,$ORIGIN/lib', '-Wl,--disable-new-dtags'],
      );
      shop.bundle(program, old, 'lib/libstdc++.so.6');
      return { program, naive: { libc: glibc(shop, '41'), directories: [second, recent] } };
    },
  },
  {
    name: 'GLIBC_PRIVATE holds the whole set to one old glibc',
    output: '3 1',
    build: async (shop) => {
      const old = glibc(shop, '36');
      const inner = await shop.library('inner-1.0', {
        soname: 'libinner.so.1',
        source:
          'int __snprintf(char *, unsigned long, const char *, ...); int inner(void) { char s[9]; return __snprintf(s, 9, "abc"); }',
        needs: [old],
      });
      const other = await shop.library('other-1.0', {
        soname: 'libother.so.1',
        source: 'int atoi(const char *); int other(void) { return atoi("1"); }',
        needs: [glibc(shop, '43')],
      });
      const program = shop.program('private', calls('inner', 'other'), [inner, other]);
      return { program, naive: { libc: glibc(shop, '43'), directories: [inner, other] } };
    },
  },
  {
    name: "a run path leads to another glibc's libpthread",
    output: '7',
    build: async (shop) => {
      const threads = shop.existing(/^glibc-2\.31$/, 'libpthread.so.0');
      const pool = await shop.library('pool-1.0', {
        soname: 'libpool.so.1',
        source:
          'int sem_init(void *, int, unsigned); int pool(void) { long s[8]; return 7 + sem_init(s, 0, 0); }',
        needs: [threads],
      });
      const program = shop.program('libpthread', calls('pool'), [pool]);
      return { program, naive: { libc: glibc(shop, '41'), directories: [pool, threads] } };
    },
  },
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
        source: 'int more(void); int top(void) { return more(); }',
        needs: [newer],
      });
      const program = shop.program('backtrack', calls('top', 'base'), [old, child]);
      await shop.forget(newer);
      return { program, naive: { libc: glibc(shop, '41'), directories: [recent, child] } };
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
        source: 'int gone(void); int tail(void) { return gone(); }',
        needs: [gone],
      });
      const program = shop.program('tail', calls('tail'), [old]);
      await shop.forget(gone);
      return { program, naive: { libc: glibc(shop, '41'), directories: [recent] } };
    },
  },
  {
    name: 'one library under two names, of which there are two builds',
    output: '1 2',
    build: async (shop) => {
      const counter = 'static int n; int count(void) { return ++n; }';
      const linked = await shop.library('count-1.0', { soname: 'libcount.so.2', source: counter });
      // The program was linked with a file that called itself libcount.so: the same library to its authors.
      const stub = await shop.library('count-stub', { soname: 'libcount.so', source: counter });
      const named = await shop.library('count-2.0', {
        soname: 'libcount.so.2',
        source: counter,
        file: 'libcount.so',
      });
      const parent = await shop.library('counting-1.0', {
        soname: 'libcounting.so.1',
        source: 'int count(void); int counting(void) { return count(); }',
        needs: [linked],
      });
      const program = shop.program(
        'two-names',
        `#include <stdio.h>
         int count(void); int counting(void);
         int main(void) { int a = count(); int b = counting(); printf("%d %d\\n", a, b); return 0; }`,
        [stub, parent],
      );
      await shop.forget(stub);
      return { program, naive: { libc: glibc(shop, '36'), directories: [named, parent] } };
    },
  },
  {
    name: 'the newest build is for another C library',
    output: '1',
    loads: { 'libplain.so.1': /-plain-1\.0\// },
    build: async (shop) => {
      const musl = shop.existing(/^musl-/, 'libc.musl-x86_64.so.1');
      const old = await shop.library('plain-1.0', { soname: 'libplain.so.1', source: returns('plain', 1) });
      const recent = await shop.library('plain-2.0', {
        soname: 'libplain.so.1',
        source: 'int atoi(const char *); int plain(void) { return atoi("2"); }',
        needs: [musl],
      });
      const program = shop.program('other-libc', calls('plain'), [old]);
      return { program, naive: { libc: glibc(shop, '41'), directories: [recent] } };
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
      return { program, naive: { libc: glibc(shop, '41'), directories: [recent] } };
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
        source:
          'int __snprintf(char *, unsigned long, const char *, ...); int hold(void) { char s[9]; return __snprintf(s, 9, "abc"); }',
        needs: [glibc(shop, '36')],
      });
      const program = shop.program('unversioned', calls('hold', 'plainer'), [inner, old]);
      return { program, naive: { libc: glibc(shop, '36'), directories: [inner, recent] } };
    },
  },
];
