// A name → the right to do a piece of work once, among processes that started at the same moment.
// This process → a name by which others can tell whether it still runs, and the answer.
import {
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.ts';
import { namesIn } from './files.ts';
import { debug } from './output.ts';

/**
 * After this many milliseconds without a sign of life a lock counts as left behind. Who works without turns of the
 * event loop gives none, on a busy machine for seconds.
 */
const STALE = 20_000;
/** Milliseconds; who takes a lock says at once who it is, unless it was killed just then. */
const LONGEST_UNSAID = 2000;
/** Milliseconds; then what a process left that cannot be asked counts as left behind. Who works gives signs of life. */
export const FOREIGN_LEFTOVER_AGE = 60 * 60 * 1000;
/** Each is about a second; after it is looked whether the holder is gone. */
const ROUNDS = 120;
const ATTEMPTS = { retries: 10, factor: 1.2, minTimeout: 20, maxTimeout: 200 };

/**
 * What a lock without turns of the event loop calls. Of the whole module a copy would be made, which loads all of its
 * parts.
 */
const SYNC_FS = { mkdirSync, realpathSync, rmdirSync, statSync, utimesSync };

type Release = () => Promise<void> | void;

/**
 * Who holds a lock, so that nobody waits for a process that was killed. Beside the lock: that is an empty directory.
 */
function ownerFile(name: string): string {
  return `${name}.owner`;
}

/** No empty file stays where nothing can be written. @throws Node's errors. */
function sayOwner(name: string): void {
  try {
    writeFileSync(ownerFile(name), processIdentity());
  } catch (error) {
    rmSync(ownerFile(name), { force: true });
    throw error;
  }
}

/** After the lock: a name without one is seen to be nobody's at once. The next holder may have written his already. */
function removeOwnName(name: string): void {
  if (readFileSync(ownerFile(name), 'utf8') === processIdentity()) rmSync(ownerFile(name), { force: true });
}

/** Empty also where who took it was killed before it had written who it is. */
function ownerOf(name: string): string {
  try {
    return readFileSync(ownerFile(name), 'utf8');
  } catch {
    return '';
  }
}

/** Why a lock counts as left behind; undefined where it does not, or cannot be told. */
function whyLeftBehind(name: string): string | undefined {
  const owner = ownerOf(name);
  const state = owner === '' ? 'unsaid' : stateOfProcess(owner);
  if (state === 'running') return undefined;
  if (state === 'gone') return `process ${owner}, which is gone`;
  const lock = statSync(`${name}.lock`, { throwIfNoEntry: false }) ?? statSync(ownerFile(name));
  const age = Date.now() - lock.mtimeMs;
  if (age <= (state === 'unsaid' ? LONGEST_UNSAID : FOREIGN_LEFTOVER_AGE)) return undefined;
  return `${owner === '' ? 'nobody' : owner}, for ${Math.round(age)} ms`;
}

/** When two take over a lock at the same time both work: correctness does not rest on it. */
function removeStaleLock(name: string): void {
  try {
    const isAlone = statSync(`${name}.lock`, { throwIfNoEntry: false }) === undefined;
    const why = whyLeftBehind(name);
    if (why === undefined) return;
    debug(`lock ${name} was held by ${why}`);
    if (!isAlone) rmSync(`${name}.lock`, { recursive: true, force: true });
    rmSync(ownerFile(name), { force: true });
  } catch {} // it is gone, or another's
}

/** Takes away the locks in a directory that were left behind: nobody may want the same again. Never throws. */
export function removeStaleLocks(directory: string): void {
  const names = namesIn(directory).map((name) => /^(.+)\.(?:lock|owner)$/.exec(name)?.[1]);
  for (const name of new Set(names)) if (name !== undefined) removeStaleLock(path.join(directory, name));
}

async function acquire(name: string): Promise<Release> {
  const { lock, lockSync } = (await import('proper-lockfile')).default;
  const options = {
    realpath: false,
    stale: STALE,
    onCompromised: (error: Error) => debug(`lock ${name} was taken over: ${error.message}`),
  };
  // Mostly nobody else wants it: without turns of the event loop that takes 1 ms instead of 7.
  let take: () => Release | Promise<Release> = () => lockSync(name, { ...options, fs: SYNC_FS });
  for (let round = 0; ; round += 1) {
    try {
      return await take();
    } catch (error) {
      // proper-lockfile would try again where no lock can be made at all.
      if (errnoOf(error) !== 'ELOCKED' || round === ROUNDS) throw error;
      removeStaleLock(name);
      take = () => lock(name, { ...options, retries: ATTEMPTS });
    }
  }
}

/**
 * Runs `work` while holding the lock `name` (an absolute path; the lock is the directory `name.lock`).
 * The lock only saves work: where it cannot be had, `work` runs all the same, since correctness rests on rename.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  let release: Release = () => {};
  try {
    const unlock = await acquire(name);
    release = async () => {
      await unlock();
      removeOwnName(name);
    };
    sayOwner(name);
  } catch (error) {
    debug(`lock ${name} not taken, or not named: ${String(error)}`);
  }
  try {
    return await work();
  } finally {
    try {
      await release();
    } catch (error) {
      debug(`lock ${name} not released: ${String(error)}`);
    }
  }
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** The first namespace has the same number on every machine, and a home may be on several: this boot (random(4)). */
function bootNumber(): string {
  try {
    const digits = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').replaceAll('-', '').slice(0, 12);
    return String(Number.parseInt(digits, 16) || 0).padStart(15, '0');
  } catch {
    return '0';
  }
}

let identity: string | undefined;

/** `<pid namespace and boot>.<pid>`: digits and one dot; the same for as long as the process runs. */
export function processIdentity(): string {
  identity ??= `${pidNamespace()}${bootNumber()}.${process.pid}`;
  return identity;
}

/** `unknown` for processes of another pid namespace, machine or boot, which cannot be asked. */
export function stateOfProcess(other: string): 'running' | 'gone' | 'unknown' {
  const [namespace, pid] = other.split('.');
  if (namespace !== processIdentity().split('.')[0] || !/^\d+$/.test(pid ?? '')) return 'unknown';
  try {
    process.kill(Number(pid), 0);
    return 'running';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'gone' : 'running';
  }
}
