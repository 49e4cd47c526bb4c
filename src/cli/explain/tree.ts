// The load map and the report on each name → a tree for people: who loaded what, how, and why this file.
import path from 'node:path';
import { listText, wrapWords } from '../../host/output.ts';
import { nameOfStoreObject, objectNameIn } from '../../store/store-location.ts';
import type { HowFound, MapEntry } from './load-map.ts';

/** One object of the process, in load order; all that the tree says of it. */
export interface TreeObject {
  readonly name: string;
  readonly file: string;
  readonly found: string;
  readonly how: HowFound | null;
  readonly match: string | null;
  /** In load order; the first loaded it. */
  readonly neededBy: readonly string[];
  readonly glibc: string | null;
  readonly runnerUp: { readonly object: string; readonly detail: string; readonly criterion: string } | null;
}

const WIDTH = 100;
const LISTED = 6;

/** `a, b and 3 more`; a single one more is named. */
export function cutList(items: readonly string[]): string {
  return listText(items, items.length === LISTED + 1 ? items.length : LISTED);
}

/**
 * Why it won over the next best; the detail may be about that one or about others: `the run path of x names another`.
 */
function runnerUpText({ object, criterion, detail }: NonNullable<TreeObject['runnerUp']>): string {
  return `taken over ${object}: ${criterion === 'path' ? 'as good, but its path sorts later' : detail}`;
}

function notesOf(object: TreeObject): string[] {
  const { file, match, neededBy, glibc, runnerUp } = object;
  const found = foundText(object);
  const how = match === null || match === 'exact' ? found : `${found}, ${match} match`;
  const passed = passedOver(object);
  const built = glibc === null ? '' : `; built with ${glibc}`;
  const others = neededBy.slice(1);
  return [
    file,
    `${how}${built}${neededBy.length === 0 ? '; needed by the kernel' : ''}`,
    ...(others.length === 0 ? [] : [`needed by ${cutList(others)} too`]),
    ...otherNames(object),
    ...(passed.length === 0 ? [] : [`passed over: ${cutList(passed)}`]),
    ...(runnerUp === null ? [] : [runnerUpText(runnerUp)]),
  ];
}

/** Objects by the one that loaded them first; those nobody in the map needs stand beside the program. */
function childrenOf(program: string, objects: readonly TreeObject[]): ReadonlyMap<string, readonly number[]> {
  const names = new Set(objects.map(({ name }) => name));
  const children = new Map<string, number[]>();
  for (const [i, { name, neededBy }] of objects.entries()) {
    const [first] = neededBy;
    const parent = first !== undefined && first !== name && names.has(first) ? first : program;
    children.set(parent, [...(children.get(parent) ?? []), i]);
  }
  return children;
}

/**
 * Lines of the tree, at most about 100 columns where words allow it. Numbers are the load order, in which ld.so goes
 * through the tree breadth first.
 */
export function treeLines(program: string, objects: readonly TreeObject[]): string[] {
  const children = childrenOf(program, objects);
  const lines = [program];
  const shown = new Set<number>();
  const draw = (parent: string, indent: string): void => {
    const own = (children.get(parent) ?? []).filter((i) => !shown.has(i));
    for (const [at, i] of own.entries()) {
      const object = objects[i];
      if (object === undefined) continue;
      shown.add(i);
      const last = at === own.length - 1;
      const below = `${indent}${last ? '   ' : '│  '}`;
      lines.push(`${indent}${last ? '└─ ' : '├─ '}${object.name}  [${i + 1}]`);
      const hasChildren = (children.get(object.name) ?? []).length > 0;
      const noteIndent = `${below}${hasChildren ? '│  ' : '   '}`;
      for (const note of notesOf(object)) {
        for (const line of wrapWords(note, WIDTH - noteIndent.length, '  '))
          lines.push(`${noteIndent}${line}`);
      }
      draw(object.name, below);
    }
  };
  draw(program, '');
  return lines;
}

type TreeEntryLine = Pick<MapEntry, 'name'> & { readonly found: string; readonly how: HowFound | null };

/** `the default directory of glibc-2.36` for `/nix/store/<hash>-glibc-2.36/lib`; any other directory as it is. */
function defaultDirectory(directory: string | null): string {
  const object = objectNameIn(directory ?? '');
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
export function foundText({ found, how }: TreeEntryLine): string {
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
export function otherNames({ name, how }: TreeEntryLine): string[] {
  const others = (how?.requests ?? []).slice(1).filter((each) => path.basename(each.name) !== name);
  return others.map((each) => `${each.name} of ${path.basename(each.from)} is this too, ${AGAIN[each.how]}`);
}

/** What the loader met first and could not take: `/old/libx.so.1 (wrong class)`. */
export function passedOver({ how }: TreeEntryLine): string[] {
  return (how?.passedOver ?? []).map((each) => `${each.path} (${each.why})`);
}
