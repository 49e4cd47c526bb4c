// The programs of a tree → as few farms as their sets allow: programs whose names lead to the same files share one.
import { realpathSync } from 'node:fs';
import type { LibrarySurvey } from './patch-library.ts';
import { farmFor, type PatchSurvey, type SharedFarm } from './plan-patch.ts';

/** Programs that name one farm. */
export type SurveyGroup = [PatchSurvey, ...PatchSurvey[]];

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
function sameUndo({ undo: one }: PatchSurvey, { undo: other }: PatchSurvey): boolean {
  return one.sha256 !== other.sha256 || (one.mode === other.mode && one.mtime === other.mtime);
}

function agree(one: PatchSurvey, other: PatchSurvey): boolean {
  if (one.kind !== other.kind || one.verified.loader !== other.verified.loader) return false;
  if (one.set.directories.join(':') !== other.set.directories.join(':')) return false;
  return sameLinks(one.set.links, other.set.links) && sameUndo(one, other);
}

/** In the order of the surveys, so that the same tree has the same farms. By method `interpreter` each has its own. */
export function groupsOf(surveys: readonly PatchSurvey[]): SurveyGroup[] {
  const groups: SurveyGroup[] = [];
  for (const survey of surveys) {
    const group =
      survey.wish.method === 'interpreter'
        ? undefined
        : groups.find((each) => each.every((member) => agree(member, survey)));
    if (group === undefined) groups.push([survey]);
    else group.push(survey);
  }
  return groups;
}

/** The farm of each program and library, by its real path. */
export async function sharedFarms(
  groups: readonly SurveyGroup[],
  libraries: readonly LibrarySurvey[],
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
