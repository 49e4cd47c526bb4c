// A root link → the store path that it names; the link made a root that no running collector misses, or set back.
// A root link → what a Nix that was killed left beside it.
import { existsSync, lstatSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { replaceLink } from '../host/atomic-file.ts';
import { errnoOf } from '../host/errors.ts';
import { namesIn } from '../host/files.ts';
import { FOREIGN_LEFTOVER_AGE } from '../host/mutex.ts';
import { addRoot, type Nix, type NixRefusal } from './nix.ts';
import { isRegistered, SILENT, spareFromCollector } from './spare-from-collector.ts';

/** Undefined where there is no such link. @throws Node's errors for one that cannot be read: it may hold something. */
export function readRoot(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

async function addOnce(nix: Nix, link: string, storePath: string): Promise<{ kind: 'rooted' } | NixRefusal> {
  const rooted = await addRoot(nix, link, storePath);
  if (rooted.kind !== 'rooted') return rooted;
  if ((await spareFromCollector(nix, [storePath])) === 'unanswered') return { kind: 'refused', why: SILENT };
  return existsSync(storePath) ? rooted : { kind: 'vanished', why: `${storePath} is gone`, storePath };
}

/** Makes `link` an indirect root of a valid store path, also for a collector that is running (`isRegistered`). */
export async function addKeptRoot(
  nix: Nix,
  link: string,
  storePath: string,
): Promise<{ kind: 'rooted' } | NixRefusal> {
  const rooted = await addOnce(nix, link, storePath);
  const isLost = rooted.kind === 'rooted' && !isRegistered(nix, link);
  return isLost ? await addOnce(nix, link, storePath) : rooted;
}

/** A collector that looked at the link in between has seen only what it named then. */
export async function setRootBack(nix: Nix | undefined, link: string, before: string): Promise<void> {
  if (readRoot(link) === before) return;
  replaceLink(link, before);
  if (nix !== undefined) await spareFromCollector(nix, [before]);
}

/** What Nix, 2.3 to 2.34, calls a link until it renames it: `LINK.tmp-PID-NUMBER` (src/libstore, `makeSymlink`). */
const HALF_MADE = /^(.+)\.tmp-(\d+)-\d+$/;

export function isHalfMadeRoot(file: string): boolean {
  return HALF_MADE.test(path.basename(file));
}

/** For who holds the lock under which the link is made, or wants it gone. @throws Node's errno errors. */
export function removeHalfMade(link: string): void {
  const [directory, own] = [path.dirname(link), path.basename(link)];
  for (const name of namesIn(directory))
    if (HALF_MADE.exec(name)?.[1] === own) rmSync(path.join(directory, name), { force: true });
}

/** Nix renames it within the millisecond; its process id may be one of another namespace, so only the age tells. */
function isAbandoned(file: string): boolean {
  const made = lstatSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return made !== undefined && Date.now() - made > FOREIGN_LEFTOVER_AGE;
}

/** The same of every link in a directory in which somebody may be making one now. Never throws. */
export function removeAbandonedHalves(directory: string): void {
  for (const name of namesIn(directory).filter(isHalfMadeRoot)) {
    const file = path.join(directory, name);
    try {
      if (isAbandoned(file)) rmSync(file, { force: true });
    } catch {} // somebody else's
  }
}
