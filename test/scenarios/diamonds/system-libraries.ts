// Diamonds over libc, libstdc++ and OpenSSL: two releases of Debian in one process.
import type { Diamond } from './diamond.ts';
import { allocates, calls, callsPrivate, copiesText, glibc, libstdcxx, startsStreams } from './sources.ts';

export const systemLibraries: readonly Diamond[] = [
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
        source: copiesText('right'),
        needs: [recent],
      });
      const program = shop.program('two-glibcs', calls('left', 'right'), [left, right]);
      return { program, naive: { libc: old, directories: [left, right], fails: /GLIBC_2\.38' not found/ } };
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
      return {
        program,
        naive: {
          libc: glibc(shop, '41'),
          directories: [left, right, old],
          fails: /OPENSSL_3\.2\.0' not found/,
        },
      };
    },
  },
  {
    name: 'an old libstdc++ of one parent, a new one needed by the other',
    output: '1 2',
    build: async (shop) => {
      const old = libstdcxx(shop, '10');
      const recent = libstdcxx(shop, '14');
      const left = await shop.library('old-engine-1.0', {
        soname: 'liboldengine.so.1',
        source: allocates('engine'),
        needs: [old],
      });
      const right = await shop.library('new-view-1.0', {
        soname: 'libnewview.so.1',
        source: startsStreams('view'),
        needs: [recent],
      });
      const program = shop.program('two-libstdcxx', calls('engine', 'view'), [left, right]);
      return {
        program,
        naive: {
          libc: glibc(shop, '41'),
          directories: [left, right, old],
          fails: /GLIBCXX_3\.4\.32' not found/,
        },
      };
    },
  },
  {
    name: 'a bundled old libstdc++ rules out the newest build of what needs it',
    output: '1',
    loads: { 'libplot.so.1': /-plot-1\.0\// },
    build: async (shop) => {
      const old = libstdcxx(shop, '10');
      const recent = libstdcxx(shop, '14');
      const first = await shop.library('plot-1.0', {
        soname: 'libplot.so.1',
        source: allocates('plot'),
        needs: [old],
      });
      const second = await shop.library('plot-2.0', {
        soname: 'libplot.so.1',
        source: startsStreams('plot'),
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
      return {
        program,
        naive: {
          libc: glibc(shop, '41'),
          directories: [second, recent],
          fails: /GLIBCXX_3\.4\.32' not found/,
        },
      };
    },
  },
  {
    name: 'GLIBC_PRIVATE holds the whole set to one old glibc',
    output: '3 1',
    build: async (shop) => {
      const old = glibc(shop, '36');
      const inner = await shop.library('inner-1.0', {
        soname: 'libinner.so.1',
        source: callsPrivate('inner'),
        needs: [old],
      });
      const other = await shop.library('other-1.0', {
        soname: 'libother.so.1',
        source: 'int atoi(const char *); int other(void) { return atoi("1"); }',
        needs: [glibc(shop, '43')],
      });
      const program = shop.program('private', calls('inner', 'other'), [inner, other]);
      return {
        program,
        naive: {
          libc: glibc(shop, '43'),
          directories: [inner, other],
          fails: /undefined symbol: __snprintf, version GLIBC_PRIVATE/,
        },
      };
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
      return {
        program,
        naive: { libc: glibc(shop, '41'), directories: [pool, threads], fails: /GLIBC_2\.34' not found/ },
      };
    },
  },
];
