// Store paths → fetched all at once, in parallel and rooted, with the progress told meanwhile.
import path from 'node:path';
import { debug, withoutSecrets } from '../host/output.ts';
import { type Ended, runProgram } from '../host/run-program.ts';
import { accessTo, withPassword } from './cache-password.ts';
import {
  type Copied,
  copyArguments,
  isHarmless,
  type Realised,
  realise,
  realiseBy,
  toCopied,
} from './fetch.ts';
import { LONGEST, type Nix, nixVersion, type Show } from './nix.ts';
import { type FetchProgress, nixLog } from './nix-log.ts';

export interface FetchWatch {
  /** Gets how far it is, up to some hundred times a second. */
  readonly onProgress: (progress: FetchProgress) => void;
  /** For a Nix that has no log to be read: gets its words after a second. */
  readonly show: Show;
}

/** Nix before 2.16 fetches as many paths at once as it may build, which is one. */
const AT_ONCE = ['--max-jobs', '16'];

/** `2.26.3` → 226; 0 for what has no version. */
function generation(version: string | undefined): number {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return 100 * Number(major) + Number(minor);
}

async function runLogged(
  nix: Nix,
  command: 'nix' | 'nix-store',
  args: readonly string[],
  { onProgress }: FetchWatch,
): Promise<Ended> {
  const log = nixLog(onProgress);
  const ended = await runProgram(path.join(nix.bin, command), args, {
    env: { ...nix.env, NO_COLOR: '1' },
    timeout: LONGEST,
    onStderr: log.take,
  });
  debug(withoutSecrets(`${command} ${args.join(' ')}: ${ended.status ?? ended.failure ?? 'killed'}`));
  return { ...ended, stderr: log.words() };
}

/**
 * As `realise` (realise.ts), for many paths at once: Nix fetches them and what they need in parallel. Nix 2.3 has no
 * log to be read; its own words are shown instead.
 */
export async function fetchPaths(
  nix: Nix,
  storePaths: readonly string[],
  link: string,
  watch: FetchWatch,
): Promise<Realised> {
  const version = generation(await nixVersion(nix));
  if (version < 204) return await realise(nix, storePaths, link, watch.show);
  // One path that fails is not to keep the others from coming.
  const more = ['--keep-going', '--log-format', 'internal-json', ...(version < 216 ? AT_ONCE : [])];
  return await realiseBy(
    (args) => runLogged(nix, 'nix-store', [...args, ...more], watch),
    nix,
    storePaths,
    link,
  );
}

/**
 * Copies the closure of store paths from a binary cache into the store; a signature by a key that Nix trusts is needed
 * as for every fetch, but the cache need be no substituter, and the user no trusted one. A password is in `directory`
 * meanwhile: the client reads it, whether there is a daemon or not.
 * @throws Node's errors when it cannot be written.
 */
export async function copyFrom(
  nix: Nix,
  { address, storePaths }: { readonly address: string; readonly storePaths: readonly string[] },
  directory: string,
  watch: FetchWatch,
): Promise<Copied> {
  const harmful = storePaths.find((each) => !isHarmless(each));
  if (harmful !== undefined) return { kind: 'refused', why: `${harmful} is no path of a built store object` };
  const access = accessTo(await withPassword(address, nix.env), directory);
  const from = ['--log-format', 'internal-json', ...access.options, '--from', access.address];
  try {
    return toCopied(nix, await runLogged(nix, 'nix', copyArguments([...from, ...storePaths]), watch));
  } finally {
    access.end();
  }
}
