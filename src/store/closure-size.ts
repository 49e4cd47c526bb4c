// A store path → how large it is with everything it refers to, as Nix's database knows it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StoreLocation } from './store-location.ts';

/** `ValidPaths.narSize` over the transitive `Refs` (Nix: src/libstore/schema.sql). */
const CLOSURE = `
with recursive closure (id) as (
  select id from ValidPaths where path = ?
  union select reference from Refs join closure on Refs.referrer = closure.id)
select sum(narSize) as size from ValidPaths join closure on closure.id = ValidPaths.id`;

export interface ClosureSizes {
  /** Bytes; undefined for a path that is not valid, or without a database. */
  bytesOf(storePath: string): number | undefined;
  /** The same in words: `4.1 MiB`. */
  textOf(storePath: string): string | undefined;
  close(): void;
}

function open(file: string): DatabaseSync | undefined {
  try {
    return existsSync(file) ? new DatabaseSync(file, { readOnly: true, timeout: 5000 }) : undefined;
  } catch {
    return undefined;
  }
}

/** `4.1 MiB`. */
export function sizeText(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes / 1024;
  let unit = 0;
  for (; size >= 1024 && unit < units.length - 1; unit += 1) size /= 1024;
  return `${size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}

/** Sizes in one store; where the database cannot be read none is known. */
export function closureSizes({ stateDir }: StoreLocation): ClosureSizes {
  const database = open(path.join(stateDir, 'db/db.sqlite'));
  const bytesOf = (storePath: string): number | undefined => {
    try {
      const size = database?.prepare(CLOSURE).get(storePath)?.['size'];
      return typeof size === 'number' && size > 0 ? size : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    bytesOf,
    textOf: (storePath) => {
      const bytes = bytesOf(storePath);
      return bytes === undefined ? undefined : sizeText(bytes);
    },
    close: () => database?.close(),
  };
}
