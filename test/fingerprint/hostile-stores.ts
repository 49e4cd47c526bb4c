// Believed documents and a store in which they do not hold.
import { checkInStore, type StoreFacts } from '../../src/fingerprint/check-store.ts';
import { good, STORE } from './documents.ts';
import { type Situation, TRUSTED, type Verdict } from './hostile-situation.ts';

const agreeable: StoreFacts = {
  validPaths: async (paths) => new Map(paths.map((each) => [each, `sha256:${'0'.repeat(64)}`])),
  realFileOf: (file) => file,
  whyNotLoaded: async () => undefined,
};

/** A document that is trusted so far, and a store in which it does not hold. */
export function inStore(cause: string, line: RegExp, facts: Partial<StoreFacts>): Situation {
  const judge = async (): Promise<Verdict> => {
    const check = await checkInStore(good, STORE, { ...agreeable, ...facts });
    return check.kind === 'refused' ? check : TRUSTED;
  };
  return { cause, line, judge };
}

export const byStore: Record<string, Situation> = {
  'a path that no cache has': inStore(
    'missing',
    /^the store has no \/nix\/store\/.*-glibc-2\.40 and 2 more$/,
    {
      validPaths: async () => new Map(),
    },
  ),
  'one path that is gone': inStore('missing', /^the store has no \/nix\/store\/.*-zlib-1\.3$/, {
    validPaths: async (paths) =>
      new Map(paths.filter((each) => !each.includes('zlib')).map((each) => [each, undefined])),
  }),
  'a valid path with another NAR hash': inStore(
    'nar-hash',
    /-zlib-1\.3 has other content here than where it was made$/,
    {
      validPaths: async (paths) => new Map(paths.map((each) => [each, `sha256:${'1'.repeat(64)}`])),
    },
  ),
  'a NAR hash that nobody can compare': inStore('nar-hash', /^Nix has no hash of .*-zlib-1\.3 to compare$/, {
    validPaths: async (paths) => new Map(paths.map((each) => [each, undefined])),
  }),
  'a file that the valid path has not': inStore(
    'no-such-file',
    /^there is no file .*-openssl-3\.0\/lib\/libssl\.so\.3$/,
    {
      realFileOf: (file) => (file.includes('libssl') ? undefined : file),
    },
  ),
  'a store object with a link to /tmp': inStore(
    'leaves-store',
    /libz\.so\.1\.3 leads out of the store, to \/tmp\/evil\.so$/,
    {
      realFileOf: (file) => (file.includes('libz') ? '/tmp/evil.so' : file),
    },
  ),
  'a library of another machine': inStore('loader', /^the loader refuses the set: libz\.so\.1: .*AArch64/, {
    whyNotLoaded: async () => 'libz.so.1: it is for AArch64',
  }),
  'a set with two libcs': inStore('loader', /^the loader refuses the set: .*GLIBC_2\.41/, {
    whyNotLoaded: async () => "version `GLIBC_2.41' not found (required by libssl.so.3)",
  }),
  'a set without one of its libraries': inStore('loader', /^the loader refuses the set: .*libcrypto/, {
    whyNotLoaded: async () => 'libcrypto.so.3: cannot open shared object file',
  }),
};
