// How the loader comes to an object → a few words for the tree and for --why.
import path from 'node:path';
import type { HowFound } from '../launch/how-found.ts';
import type { MapEntry } from '../launch/load-map.ts';
import { nameOfStoreObject } from '../store/store-location.ts';

type Entry = Pick<MapEntry, 'name'> & { readonly found: string; readonly how: HowFound | null };

/** `the default directory of glibc-2.36` for `/nix/store/<hash>-glibc-2.36/lib`; any other directory as it is. */
function defaultDirectory(directory: string | null): string {
  const object = /\/([0-9a-z]{32}-[^/]+)\//.exec(`${directory}/`)?.[1];
  return `the default directory ${object === undefined ? directory : `of ${nameOfStoreObject(object)}`}`;
}

function ruleOf({ by, of, directory }: HowFound): string {
  switch (by) {
    case 'rpath':
    case 'runpath':
      return `, by the ${by} of ${path.basename(of ?? '')}`;
    case 'library path':
      return ', by the library path';
    case 'default directory':
      return `, in ${defaultDirectory(directory)}`;
    case 'slash name':
      return ', named by its path';
    default:
      return '';
  }
}

/** E.g. `bundled, by the runpath of curl`, `farm, in glibc-hwcaps/x86-64-v3`. */
export function foundText({ found, how }: Entry): string {
  if (how === null) return found;
  return `${found}${ruleOf(how)}${how.hwcaps === null ? '' : `, in ${how.hwcaps}`}`;
}

const AGAIN: Record<HowFound['requests'][number]['how'], string> = {
  opened: 'by its first name',
  'loaded by name': 'by a name it had before',
  'loaded by path': 'by its path',
  'loaded by soname': 'by its soname',
  'loaded by inode': 'as the same file',
};

/** Requests under another name that ended at this object: `libx.so of prog is this too, as the same file`. */
export function otherNames({ name, how }: Entry): string[] {
  const others = (how?.requests ?? []).slice(1).filter((each) => path.basename(each.name) !== name);
  return others.map((each) => `${each.name} of ${path.basename(each.from)} is this too, ${AGAIN[each.how]}`);
}

/** What the loader met first and could not take: `/old/libx.so.1 (wrong class)`. */
export function passedOver({ how }: Entry): string[] {
  return (how?.passedOver ?? []).map((each) => `${each.path} (${each.why})`);
}
