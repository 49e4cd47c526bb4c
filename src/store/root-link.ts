// A root link → the store path that it names; the link made a root that no running collector misses, or set back.
import { existsSync, readlinkSync } from 'node:fs';
import { replaceLink } from '../host/atomic-file.ts';
import { errnoOf } from '../host/errors.ts';
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
