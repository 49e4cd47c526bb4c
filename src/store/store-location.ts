// The environment → which Nix store this is and where Nix keeps its state.
// A path → the store object that it lies in, and that object's name.

import path from 'node:path';
import type { Environment } from '../host/tool-environment.ts';

/** The store and the state directory of the Nix in use (nix.conf(5), "Common environment variables"). */
export interface StoreLocation {
  /** Usually `/nix/store`. */
  readonly storeDir: string;
  /** Usually `/nix/var/nix`; the database is `db/db.sqlite` below it. */
  readonly stateDir: string;
}

function absolute(value: string | undefined, fallback: string): string {
  return value?.startsWith('/') ? path.resolve(value) : fallback;
}

export function storeLocation(env: Environment): StoreLocation {
  return {
    storeDir: absolute(env['NIX_STORE_DIR'] ?? env['NIX_STORE'], '/nix/store'),
    stateDir: absolute(env['NIX_STATE_DIR'], '/nix/var/nix'),
  };
}

/** The store object that a path lies in, or undefined when it is not below the store. */
export function storeObjectOf(storeDir: string, file: string): string | undefined {
  if (!file.startsWith(`${storeDir}/`)) return undefined;
  const name = file.slice(storeDir.length + 1).split('/', 1)[0] ?? '';
  return isStoreObjectName(name) ? `${storeDir}/${name}` : undefined;
}

/** 32 digits of Nix's base 32, a dash, a name (Nix manual, "Store path"). */
export function isStoreObjectName(name: string): boolean {
  return /^[0-9abcdfghijklmnpqrsvwxyz]{32}-[0-9A-Za-z+\-._?=]{1,211}$/.test(name);
}

/** `openssl-3.0.11` of `/nix/store/<hash>-openssl-3.0.11`. */
export function nameOfStoreObject(storePath: string): string {
  return path.basename(storePath).slice(33);
}

/**
 * `<hash>-openssl-3.0.11` of a path in any store, such as one that another program names; undefined for other paths.
 */
export function objectNameIn(file: string): string | undefined {
  return file.split('/').find(isStoreObjectName);
}

/** `openssl-3.0.11` of such a path; any other path as it is. */
export function originOf(file: string): string {
  const name = objectNameIn(file);
  return name === undefined ? file : nameOfStoreObject(name);
}
