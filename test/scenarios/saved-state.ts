// A root's home → what the tool keeps there, as a person would look at it.
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Fingerprint } from '../../src/fingerprint/fingerprint.ts';
import type { Root } from '../rig/root.ts';

/** `.cache/nix-run-foreign/v1` of the root's user, as a path of the host. */
export function cacheOf(root: Root): string {
  return path.join(root.homeDir, '.cache/nix-run-foreign/v1');
}

/** `.local/state/nix-run-foreign/v1`. */
export function stateOf(root: Root): string {
  return path.join(root.homeDir, '.local/state/nix-run-foreign/v1');
}

function entries(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

export function planFiles(root: Root): string[] {
  return entries(path.join(cacheOf(root), 'plans')).map((name) => path.join(cacheOf(root), 'plans', name));
}

export function farmNames(root: Root): string[] {
  return entries(path.join(cacheOf(root), 'farms'));
}

/** Every root link, as a path of the host. */
export function rootLinks(root: Root): string[] {
  const roots = path.join(stateOf(root), 'roots');
  return entries(roots).flatMap((sha256) =>
    entries(path.join(roots, sha256)).map((key) => path.join(roots, sha256, key)),
  );
}

/** The store object a link names. */
export function targetOf(link: string): string {
  return readlinkSync(link);
}

/** Removes the catalogue. Who then starts without one being made did not look into the store. */
export function removeCatalogues(root: Root): void {
  rmSync(path.join(cacheOf(root), 'catalogues'), { recursive: true, force: true });
}

export function hasCatalogue(root: Root): boolean {
  return entries(path.join(cacheOf(root), 'catalogues')).some((name) => name.endsWith('.sqlite'));
}

/** The fingerprint behind a root link. */
export function fingerprintBehind(root: Root, link: string): Fingerprint {
  return JSON.parse(readFileSync(storeFileOnHost(root, targetOf(link)), 'utf8')) as Fingerprint;
}

/** A path below /nix as a path of the host. */
export function storeFileOnHost(root: Root, file: string): string {
  return path.join(root.nixDir, path.relative('/nix', file));
}
