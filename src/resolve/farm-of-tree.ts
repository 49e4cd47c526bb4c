// The programs of a tree → as few farms as their sets allow: programs whose names lead to the same files share one.
import { realpathSync } from 'node:fs';
import { hidesOwnLibrary } from '../integrations/patch/patched-farm.ts';
import type { LibraryOutline } from './patch-library.ts';
import { farmFor, type PatchOutline, type SharedFarm } from './plan-patch.ts';

/** Programs that name one farm. */
export type OutlineGroup = [PatchOutline, ...PatchOutline[]];

function leadsTo(target: string): string {
  try {
    return realpathSync(target);
  } catch {
    return target;
  }
}

function sameLinks(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return [...other].every(([name, target]) => {
    const known = one.get(name);
    return known === undefined || known === target || leadsTo(known) === leadsTo(target);
  });
}

/** Undo goes by the content: the same content with other times or modes needs a farm of its own. */
function sameUndo({ undo: one }: PatchOutline, { undo: other }: PatchOutline): boolean {
  return one.sha256 !== other.sha256 || (one.mode === other.mode && one.mtime === other.mtime);
}

function agree(one: PatchOutline, other: PatchOutline): boolean {
  if (one.kind !== other.kind || one.verified.loader !== other.verified.loader) return false;
  if (one.set.directories.join(':') !== other.set.directories.join(':')) return false;
  if (hidesOwnLibrary(one.set.links, other) || hidesOwnLibrary(other.set.links, one)) return false;
  return sameLinks(one.set.links, other.set.links) && sameUndo(one, other);
}

/** In the order of the outlines, so that the same tree has the same farms. By method `interpreter` each has its own. */
export function groupsOf(outlines: readonly PatchOutline[]): OutlineGroup[] {
  const groups: OutlineGroup[] = [];
  for (const outline of outlines) {
    const group =
      outline.manner.method === 'interpreter'
        ? undefined
        : groups.find((each) => each.every((member) => agree(member, outline)));
    if (group === undefined) groups.push([outline]);
    else group.push(outline);
  }
  return groups;
}

/** The farm of each program and library, by its real path. */
export async function sharedFarms(
  groups: readonly OutlineGroup[],
  libraries: readonly LibraryOutline[],
): Promise<Map<string, SharedFarm>> {
  const farms = new Map<string, SharedFarm>();
  for (const group of groups) {
    const own = libraries.filter(({ base }) => group.includes(base));
    const firsts = new Map([...group, ...own].map(({ undo }) => [undo.sha256, undo] as const).reverse());
    const fit = own.filter(({ undo }) => firsts.get(undo.sha256)?.mtime === undo.mtime);
    const shared = await farmFor(
      group,
      fit.map(({ undo }) => undo),
    );
    for (const { target } of [...group, ...fit]) farms.set(target.path, shared);
    for (const { target, undo } of own)
      if (!farms.has(target.path)) farms.set(target.path, await farmFor(group, [undo]));
  }
  return farms;
}
