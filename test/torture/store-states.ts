// The store of a root, while nothing runs there → what is in it in each state in which works begin, kept and put back.
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { identityOf } from '../../src/host/file-identity.ts';

/** Below /nix. In these only the names count that came since the opening. */
const NAMED = ['store', 'var/nix/gcroots/auto', 'var/nix/temproots'];
const DATABASE = 'var/nix/db';

/** Without a filter cpSync makes all directories with mode 0755 (Node 24, cpSyncCopyDir). */
export const AS_IT_IS = {
  recursive: true,
  preserveTimestamps: true,
  verbatimSymlinks: true,
  filter: (_: string): boolean => true,
} as const;

export interface StoreStates {
  save(name: string): void;
  putBack(name: string): void;
}

/** @param directory for copies: the database, and the few objects that works add */
export function openStoreStates(nixDir: string, directory: string): StoreStates {
  const there = (name: string): string => path.join(nixDir, name);
  for (const name of NAMED) mkdirSync(there(name), { recursive: true });
  const first = new Map(NAMED.map((name) => [name, new Set(readdirSync(there(name)))]));
  const added = (name: string): string[] =>
    readdirSync(there(name)).filter((each) => first.get(name)?.has(each) === false);
  /** Of what changes with each object, root and row; a work that adds nothing leaves all. */
  const looks = (): string => {
    const files = readdirSync(there(DATABASE)).map((name) => path.join(DATABASE, name));
    // The names too: before Linux 6.13 two changes within a few milliseconds have the same times.
    const names = NAMED.map((name) => readdirSync(there(name)).join(' '));
    return [...NAMED, ...files]
      .map((name) => `${name} ${identityOf(there(name))}`)
      .concat(names)
      .join('\n');
  };
  let last = { name: '', looks: '' };
  return {
    save: (name) => {
      const copy = path.join(directory, name);
      cpSync(there(DATABASE), path.join(copy, DATABASE), AS_IT_IS);
      for (const each of NAMED) {
        const isAdded = (file: string): boolean => {
          const [entry = ''] = path.relative(there(each), file).split('/');
          return first.get(each)?.has(entry) === false;
        };
        cpSync(there(each), path.join(copy, each), { ...AS_IT_IS, filter: isAdded });
      }
    },
    putBack: (name) => {
      if (last.name === name && last.looks === looks()) return;
      const copy = path.join(directory, name);
      for (const each of NAMED)
        for (const entry of added(each)) rmSync(path.join(there(each), entry), { recursive: true });
      rmSync(there(DATABASE), { recursive: true });
      cpSync(copy, nixDir, AS_IT_IS);
      last = { name, looks: looks() };
    },
  };
}
