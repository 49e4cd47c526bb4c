// Real programs, and what is taken out of the store so that they have no set: by construction, and only that.

export interface Loss {
  readonly name: string;
  readonly suite: string;
  readonly program: string;
  /** Names of the store objects that go. */
  readonly gone: RegExp;
  /** Only objects that have this file. */
  readonly having?: string;
  /** What the conflict consists of, as `kind name`. */
  readonly reasons: readonly string[];
  /** In the sentences. */
  readonly says: RegExp;
}

const newerOpenSsl = /^(libssl3t64-|libcurl4-7\.|libcurl4t64-8\.1)/;

export const losses: readonly Loss[] = [
  {
    name: 'the library of a library is gone, in all releases',
    suite: 'bookworm',
    program: 'jq',
    gone: /^libonig5-/,
    reasons: ['no-provider libonig.so.5'],
    says: /^libjq\.so\.1 needs libonig\.so\.5; the store has no library of that name$/,
  },
  {
    name: 'one of thirty libraries is gone',
    suite: 'bookworm',
    program: 'curl',
    gone: /^libnghttp2-14-/,
    reasons: ['no-provider libnghttp2.so.14'],
    says: /^libcurl\.so\.4 needs libnghttp2\.so\.14;/,
  },
  {
    name: 'a library of its own is gone',
    suite: 'bookworm',
    program: 'psql',
    gone: /^libpq5-/,
    reasons: ['no-provider libpq.so.5'],
    says: /^psql needs libpq\.so\.5;/,
  },
  {
    name: 'OpenSSL 1.1 is gone, and 3 does not take its place',
    suite: 'bullseye',
    program: 'socat',
    gone: /^libssl1\.1-/,
    reasons: ['no-provider libssl.so.1.1'],
    says: /^socat needs libssl\.so\.1\.1;/,
  },
  {
    name: 'only older OpenSSLs, which lack a version',
    suite: 'sid',
    program: 'curl',
    gone: newerOpenSsl,
    reasons: ['missing-version libssl.so.3'],
    says: /libssl3-3\.0\.\S+, which defines up to OPENSSL_3\.0\./,
  },
  {
    name: 'only older glibcs',
    suite: 'sid',
    program: 'git',
    gone: /^glibc-2\.4/,
    reasons: ['missing-version libc.so.6'],
    says: /^git needs libc\.so\.6 \(GLIBC_2\.38\); the store has libc\.so\.6 only from glibc-2\.3\d and glibc-2\.3\d, which define up to GLIBC_2\.36$/,
  },
  {
    name: 'a newer glibc than three others',
    suite: 'sid',
    program: 'curl',
    gone: /^glibc-2\.43/,
    reasons: ['missing-version libc.so.6'],
    says: /GLIBC_2\.43/,
  },
  {
    name: 'only older libstdc++',
    suite: 'sid',
    program: 'gdb',
    gone: /^libstdc\+\+6-1[46]/,
    reasons: ['missing-version libstdc++.so.6'],
    says: /^gdb needs libstdc\+\+\.so\.6 \(\S+\); the store has libstdc\+\+\.so\.6 only from/,
  },
  {
    name: 'no C library for 32 bits',
    suite: 'bookworm',
    program: 'bzip2-32',
    gone: /^glibc-/,
    having: 'lib/ld-linux.so.2',
    reasons: ['no-loader'],
    says: /^the store has no dynamic loader for this kind of program$/,
  },
];
