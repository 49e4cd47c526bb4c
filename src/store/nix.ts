// Requests to the store → Nix command lines; the only code that runs Nix.
// A Nix command that may take long → how it ended, and what it says meanwhile once it has taken a second.
import { existsSync, writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { ForeignError } from '../host/errors.ts';
import { isExecutable } from '../host/files.ts';
import { debug, printable, withoutSecrets } from '../host/output.ts';
import { type Ended, runProgram } from '../host/run-program.ts';
import { absoluteDirectories, type Environment, toolEnvironment } from '../host/tool-environment.ts';
import { hasNixDatabase } from './nix-state.ts';
import { storeLocation } from './store-location.ts';

/** Looked at after PATH, so that a wiped environment still finds Nix (NixOS, single and multi user installs). */
const USUAL_DIRECTORIES = [
  '/run/current-system/sw/bin',
  '/nix/var/nix/profiles/default/bin',
  '/usr/bin',
  '/usr/local/bin',
];

/** Milliseconds; a substituter may be slow. */
export const TIMEOUT = 10 * 60 * 1000;

/** A Nix that can be run: where its commands are, and the environment they get. */
export interface Nix {
  readonly bin: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Nix gives up for a user who has neither HOME nor an entry in /etc/passwd, though it needs nothing of a home here. */
function homeForNix(env: Environment): Record<string, string> {
  if (env['HOME'] !== undefined) return {};
  try {
    userInfo();
    return {};
  } catch {
    return { HOME: '/homeless-shelter' };
  }
}

/** Profiles of the user: the usual one, that of `use-xdg-base-directories` (nix.conf(5)), home-manager's on NixOS. */
function profilesOf(env: Environment): string[] {
  const { HOME: home, USER: user, XDG_STATE_HOME: state = home && `${home}/.local/state` } = env;
  return [
    home && `${home}/.nix-profile/bin`,
    state && `${state}/nix/profile/bin`,
    user && path.basename(user) === user && `/etc/profiles/per-user/${user}/bin`,
  ].filter((each): each is string => typeof each === 'string' && path.isAbsolute(each));
}

/** Finds Nix on PATH, in the user's profiles, or where it usually is. */
export function findNix(env: Environment): Nix | undefined {
  const directories = [...absoluteDirectories(env['PATH'] ?? ''), ...profilesOf(env), ...USUAL_DIRECTORIES];
  const bin = directories.find((directory) => isExecutable(path.join(directory, 'nix-store')));
  if (bin === undefined) return undefined;
  return { bin, env: { ...toolEnvironment(env), ...homeForNix(env) } };
}

/** What Nix would make where it is started without it, or undefined: then it can be asked. */
export function missingForNix({ env }: Nix): 'store' | 'database' | undefined {
  const location = storeLocation(env);
  if (!existsSync(location.storeDir)) return 'store';
  const isElsewhere = !['', 'auto', 'local'].includes(env['NIX_REMOTE'] ?? '');
  const isServed = isElsewhere || existsSync(path.join(location.stateDir, 'daemon-socket'));
  return isServed || hasNixDatabase(location) ? undefined : 'database';
}

/** The files that requests to the store are made by. */
export function programsOfNix({ bin }: Nix): string[] {
  return ['nix-store', 'nix-instantiate', 'nix-daemon'].map((name) => path.join(bin, name));
}

/** A command that answers at once unless it waits for others, as for a collector's lock: it says so on stderr then. */
function runNix(nix: Nix, command: string, args: readonly string[]): Promise<Ended> {
  return runShowing(nix, [command, ...args], { show: showWaiting, timeout: TIMEOUT });
}

/** What Nix printed, line by line, without its colours. */
export function linesOf(text: string): string[] {
  return stripVTControlCharacters(text).split(/\r?\n/);
}

/** The last line that says `error:`: what Nix thinks went wrong. */
export function complaintOf(ended: Ended): string {
  if (ended.failure !== undefined) return `it could not be started (${ended.failure})`;
  if (ended.timedOut) return 'it took too long';
  const lines = linesOf(ended.stderr);
  const line =
    lines.findLast((each) => each.includes('error:')) ?? lines.findLast((each) => each.trim() !== '');
  return line?.replace(/^.*?error:\s*/, '').trim() || `it ended with status ${ended.status}`;
}

/**
 * What Nix says when it does not do what it was asked for.
 * `vanished`: a store path is not valid any more; `storePath` is the one it names. `why` is for people.
 */
export type NixRefusal =
  | { readonly kind: 'vanished'; readonly why: string; readonly storePath?: string | undefined }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Nix's words, of 2.3 to 2.34, for a store path that is gone. Nix up to 2.26 says of a path that was to be rooted that
 * its build failed: a text has nothing to build.
 */
const VANISHED =
  /is not valid|path '[^']*' does not exist|don't know how to build|no substituter|^build of '[^']*' failed/;

/** Reads the complaint of a Nix command that failed: the only place where Nix's sentences decide anything. */
export function refusalOf(ended: Ended): NixRefusal {
  const why = complaintOf(ended);
  if (!VANISHED.test(why)) return { kind: 'refused', why };
  return { kind: 'vanished', why, storePath: /\/[^\s'"]+/.exec(why)?.[0] };
}

/** What Nix did not do for us, where that ends the work. */
export function nixFailed(request: string, ended: Ended): ForeignError {
  return new ForeignError(`nix-store ${request} failed: ${complaintOf(ended)}`, {
    code: 'nix-failed',
    hint: 'see whether Nix answers, and what to do where it does not: nix-foreign doctor',
    exitCode: 125,
  });
}

/** Makes `link` an indirect GC root of a store path (nix-store(1), --add-root; --indirect is for Nix 2.3). */
export async function addRoot(
  nix: Nix,
  link: string,
  storePath: string,
): Promise<{ kind: 'rooted' } | NixRefusal> {
  const ended = await runNix(nix, 'nix-store', ['--realise', storePath, '--add-root', link, '--indirect']);
  return ended.status === 0 ? { kind: 'rooted' } : refusalOf(ended);
}

/**
 * Takes dead paths from the store, also those that only its database has, and what refers to them, without which Nix
 * takes none (NOTES.md). What Nix refuses stays.
 */
export async function deletePaths(nix: Nix, storePaths: readonly string[]): Promise<void> {
  const asked = await runNix(nix, 'nix-store', ['-q', '--referrers-closure', ...storePaths]);
  const referring = asked.status === 0 ? asked.stdout.split('\n').filter((line) => line !== '') : [];
  await runNix(nix, 'nix-store', ['--delete', ...new Set([...storePaths, ...referring])]);
}

/** Those of the given store paths that Nix does not hold valid. */
export async function invalidPaths(nix: Nix, storePaths: readonly string[]): Promise<ReadonlySet<string>> {
  const invalid = new Set<string>();
  const BATCH = 1000;
  for (let i = 0; i < storePaths.length; i += BATCH) {
    const args = ['--check-validity', '--print-invalid', ...storePaths.slice(i, i + BATCH)];
    const ended = await runNix(nix, 'nix-store', args);
    if (ended.status !== 0) throw nixFailed('--check-validity', ended);
    for (const line of ended.stdout.split('\n')) if (line !== '') invalid.add(line);
  }
  return invalid;
}

/**
 * What Nix says of its version, e.g. `2.8.0`; undefined when it cannot be run. Asked of nix-instantiate: for root,
 * `nix-store --version` of Nix 2.8 makes a store where there is none.
 */
export async function nixVersion(nix: Nix): Promise<string | undefined> {
  const ended = await runNix(nix, 'nix-instantiate', ['--version']);
  return ended.status === 0 ? /([0-9][0-9.a-z_+-]*)\s*$/.exec(ended.stdout)?.[1] : undefined;
}

/** Gets Nix's own words as they come, line ends included. */
export type Show = (text: string) => void;

/** Milliseconds. Nothing is shown of work that ends before. */
const SILENCE = 1000;

/** An hour: a closure over a slow line takes its time, and who waits sees that it goes on. */
export const LONGEST = 60 * 60 * 1000;

/** Shows on stderr. Names and messages come from a remote cache, so control characters become `?`. */
export function showOnStderr(text: string): void {
  try {
    writeSync(2, printable(text));
  } catch {} // a stderr that is closed is nobody's failure
}

/**
 * The same of lines that say what Nix waits for, and of no warning: a first start is silent on a slow machine too
 * (Nix: src/libstore/gc.cc, local-store.cc, pathlocks.cc).
 */
export function showWaiting(text: string): void {
  const lines = text.split('\n').filter((line) => /\bwaiting for\b/.test(line));
  for (const line of lines) showOnStderr(`${line}\n`);
}

/** Text that waits until a second after `begin`, then shown as it comes, without passwords. */
export function heldBack(show: Show): { begin: () => void; take: Show; end: () => void } {
  let waiting: string | undefined = '';
  let timer: NodeJS.Timeout | undefined;
  const showNow = (): void => {
    const text = waiting ?? '';
    waiting = undefined;
    if (text !== '') show(withoutSecrets(text));
  };
  return {
    begin: () => {
      timer ??= setTimeout(showNow, SILENCE);
    },
    take: (text) => {
      if (waiting === undefined) show(withoutSecrets(text));
      else waiting += text;
    },
    end: () => clearTimeout(timer),
  };
}

/** Runs a Nix command. Its stderr is returned for a message, and shown where it takes longer than a second. */
export function runWatched(nix: Nix, command: string, args: readonly string[], show: Show): Promise<Ended> {
  return runShowing(nix, [command, ...args], { show, timeout: LONGEST });
}

async function runShowing(
  nix: Nix,
  [command, ...args]: readonly [string, ...string[]],
  { show, timeout }: { readonly show: Show; readonly timeout: number },
): Promise<Ended> {
  const { begin, take, end } = heldBack(show);
  begin();
  try {
    const file = path.join(nix.bin, command);
    const ended = await runProgram(file, args, { env: nix.env, timeout, onStderr: take });
    debug(withoutSecrets(`${command} ${args.join(' ')}: ${ended.status ?? ended.failure ?? 'killed'}`));
    if (ended.status !== 0) debug(withoutSecrets(`it said: ${printable(ended.stderr)}`));
    return ended;
  } finally {
    end();
  }
}
