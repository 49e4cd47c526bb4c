// A root link → the store path that it names, and the link set back to an earlier one.
import { readlinkSync } from 'node:fs';
import { replaceLink } from '../host/atomic-file.ts';
import { errnoOf } from '../host/errors.ts';
import type { Nix } from './nix.ts';
import { spareFromCollector } from './spare-from-collector.ts';

/** Undefined where there is no such link. @throws Node's errors for one that cannot be read: it may hold something. */
export function readRoot(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** A collector that looked at the link in between has seen only what it named then. */
export async function setRootBack(nix: Nix | undefined, link: string, before: string): Promise<void> {
  if (readRoot(link) === before) return;
  replaceLink(link, before);
  if (nix !== undefined) await spareFromCollector(nix, [before]);
}
