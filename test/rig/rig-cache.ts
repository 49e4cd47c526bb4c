// A level and the rig's own definition → the directory in which a finished rig is kept, built by one process at a time.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { say, sayDone } from './progress.ts';

/** The rig's home: `$XDG_CACHE_HOME/nix-run-foreign-rig`, or the same below `~/.cache`. */
export function rigCacheDirectory(): string {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const directory = join(base, 'nix-run-foreign-rig');
  mkdirSync(directory, { recursive: true });
  return directory;
}

/** First 12 hex digits over every file that decides what is in the rig, and over `extra`. */
export function definitionHash(extra: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of ['packages', 'store']) {
    const directory = join(import.meta.dirname, folder);
    for (const name of readdirSync(directory).sort()) {
      if (name.endsWith('.test.ts')) continue;
      hash.update(`${name}\0`).update(readFileSync(join(directory, name)));
    }
  }
  for (const text of extra) hash.update(`${text}\0`);
  return hash.digest('hex').slice(0, 12);
}

/**
 * Calls `build` unless `marker` exists, one process at a time: others wait and then find the marker.
 * The lock only saves work; `build` must end with a rename that makes the marker appear.
 */
export async function buildOnce(marker: string, build: () => Promise<void>): Promise<void> {
  if (existsSync(marker)) return touch(marker);
  const release = await lockBuilding();
  try {
    if (existsSync(marker)) return;
    removeLeftovers();
    await build();
  } finally {
    await release();
  }
}

async function lockBuilding(): Promise<() => Promise<void>> {
  const lock = (retries: number) =>
    lockfile.lock(rigCacheDirectory(), {
      lockfilePath: join(rigCacheDirectory(), 'build.lock'),
      stale: 120_000,
      update: 5_000,
      retries: { retries, factor: 1, minTimeout: 1_000, maxTimeout: 1_000 },
    });
  try {
    return await lock(0);
  } catch {
    say('waiting for the rig that another process builds');
  }
  const release = await lock(1_800);
  sayDone('going on');
  return release;
}

const unusedAfterMs = 2 * 24 * 3600 * 1000;

/** Rigs of other definitions that nobody used for two days, and what killed builds left; call under the lock. */
function removeLeftovers(): void {
  for (const name of readdirSync(rigCacheDirectory())) {
    const path = join(rigCacheDirectory(), name);
    const marker = join(path, 'rig.json');
    const unused = existsSync(marker) && Date.now() - statSync(marker).mtimeMs > unusedAfterMs;
    if (name.includes('.building-') || unused) rmSync(path, { recursive: true, force: true });
  }
}

/** Marks a rig as used. Another user's cannot be marked, which does no harm. */
function touch(marker: string): void {
  try {
    utimesSync(marker, new Date(), new Date());
  } catch {}
}
