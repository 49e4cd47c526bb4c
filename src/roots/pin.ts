// A fingerprint's store object → one indirect GC root, and its removal.
import { mkdirSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { addRoot, type Nix } from '../store/nix-commands.ts';
import { repoint } from '../store/pinned-text.ts';

/** The store object a root link names; undefined when there is no such link. */
export function pinned(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

/**
 * Makes `link` an indirect root of `storePath`: from then on no collector takes what it references.
 * @throws Node's errors when the link's directory cannot be made.
 */
export async function pin(
  nix: Nix,
  link: string,
  storePath: string,
): Promise<{ kind: 'rooted' } | { kind: 'refused'; why: string }> {
  mkdirSync(path.dirname(link), { recursive: true, mode: 0o700 });
  return await addRoot(nix, link, storePath);
}

/** Sets a root link back to what it named before a new set was tried; without one it is removed. */
export function restore(link: string, before: string | undefined): void {
  if (before === undefined) unpin(link);
  else if (pinned(link) !== before) repoint(link, before);
}

/** Removes a root link; Nix drops its own entry for it at the next collection (nix-store(1), --add-root). */
export function unpin(link: string): void {
  rmSync(link, { recursive: true, force: true });
  try {
    rmdirSync(path.dirname(link)); // only when this was the last
  } catch {}
}
