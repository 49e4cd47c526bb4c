// What a program opened in earlier starts → objects for the solver, and a set that serves them too where there is one.
import path from 'node:path';
import { closestOnlyFor } from '../candidates/closest.ts';
import type { Problem, Requirer } from '../candidates/problem.ts';
import type { ElfFile, Verneed } from '../elf/elf-file.ts';
import { requiredNames } from '../elf/library-names.ts';
import { debug } from '../host/output.ts';
import { type PlugIn, plugInAt } from '../program/plug-ins.ts';
import { asManyAsFit, type Fit, fitOf } from '../solver/as-many-as-fit.ts';
import type { OptionalNeed } from '../solver/extend-set.ts';
import type { Choice, Solution, Undecided } from '../solver/solution.ts';
import { bestSet, type NoSet } from '../solver/solve.ts';
import { missingVersion, needsOf, type VersionTable } from '../solver/version-needs.ts';
import type { Job } from './job.ts';
import type { SolvedProblem } from './solve-program.ts';

/** An object that needs nothing but one name, as a call of dlopen(3) does. */
export function opening(name: string): Requirer {
  return { label: 'dlopen', path: `dlopen:${name}`, needed: [name], verneed: [] };
}

/** What these objects need of the store, without `there`: names that are found elsewhere. */
export function needingWithout(objects: readonly Requirer[], there: ReadonlySet<string>): Requirer[] {
  return objects.map((each) => ({
    ...each,
    needed: each.needed.filter((name) => !there.has(name)),
    verneed: each.verneed.filter(({ file }) => !there.has(file)),
  }));
}

/** A plug-in with what it brings along: what these need of the store, without what they have among themselves. */
export function objectsOfPlugIn({ path: file, elf, bundled }: PlugIn): Requirer[] {
  const own = new Set(bundled.flatMap(({ answersTo }) => answersTo));
  const objects = [{ name: file, path: file, elf }, ...bundled].map(
    (each): Requirer => ({
      label: each.name,
      path: each.path,
      needed: requiredNames(each.elf),
      verneed: each.elf.verneed,
    }),
  );
  return needingWithout(objects, own);
}

/** As plug-ins call each other: `libjvm.so` is loaded before what needs it, by a path that no run path names. */
export function namesOfPlugIns(plugIns: readonly PlugIn[]): ReadonlySet<string> {
  return new Set(
    plugIns.flatMap(({ path: file, elf: { soname } }) => [path.basename(file), ...(soname ? [soname] : [])]),
  );
}

/** Libraries of a program's own tree, by the names that they answer to. */
type TreeLibraries = ReadonlyMap<string, PlugIn>;

/**
 * What the tree serves where its start has LD_LIBRARY_PATH lead there: names that are not found before that, of which
 * no plug-in needs a version that the tree's file lacks.
 */
export function librariesOfTree(
  plugIns: readonly PlugIn[],
  isFoundBefore: (name: string) => boolean,
): TreeLibraries {
  const libraries = new Map(
    [...plugIns]
      .reverse()
      .flatMap((each) => [...namesOfPlugIns([each])].map((name) => [name, each] as const)),
  );
  const isUnfit = ({ file, versions }: Verneed): boolean => {
    const library = libraries.get(file);
    return library !== undefined && missingVersion(versions, library.elf) !== undefined;
  };
  const unfit = new Set(plugIns.flatMap(({ elf }) => elf.verneed.filter(isUnfit)).map(({ file }) => file));
  return new Map([...libraries].filter(([name]) => !unfit.has(name) && !isFoundBefore(name)));
}

/** With what the tree has of what they need, and with the needs of that. */
function withTree(objects: readonly Requirer[], tree: TreeLibraries): Requirer[] {
  const all = [...objects];
  const served = new Set<string>();
  // The list grows while it is gone through.
  for (const { needed } of all)
    for (const name of needed) {
      const library = served.has(name) ? undefined : tree.get(name);
      if (library === undefined) continue;
      served.add(name);
      all.push(...objectsOfPlugIn(library));
    }
  return needingWithout(all, served);
}

/**
 * From `own` what that has; the rest from the store where it has all; else what the tree has may be loaded from there.
 */
export function needOfPlugIn(
  plugIn: PlugIn,
  inTree: ReadonlySet<string>,
  own: TreeLibraries = new Map(),
): OptionalNeed {
  const objects = objectsOfPlugIn(plugIn);
  const needs = (isThere: (name: string) => boolean) => objects.some(({ needed }) => needed.some(isThere));
  const first = needs((name) => own.has(name)) ? [withTree(objects, own)] : [];
  const last = needs((name) => inTree.has(name)) ? [needingWithout(objects, inTree)] : [];
  return { alternatives: [...first, objects, ...last] };
}

/** A program, and the directories of LD_LIBRARY_PATH, without our own. */
interface PlugInHost {
  readonly elf: ElfFile;
  readonly libraryPathDirs?: readonly string[];
}

/** Without what lacks a version and lies in LD_LIBRARY_PATH: most ways have the farm before that. */
export function withoutUnfit(plugIn: PlugIn, { libraryPathDirs = [] }: PlugInHost): PlugIn {
  const needs = [plugIn, ...plugIn.bundled].flatMap(({ elf }) => elf.verneed);
  const isUnfit = ({ path: file, elf, answersTo }: PlugIn['bundled'][number]): boolean =>
    libraryPathDirs.some((directory) => file.startsWith(`${directory}/`)) &&
    needs.some((need) => answersTo.includes(need.file) && missingVersion(need.versions, elf) !== undefined);
  return { ...plugIn, bundled: plugIn.bundled.filter((each) => !isUnfit(each)) };
}

/** With what it finds by LD_LIBRARY_PATH, too, which is nothing for the store to serve. */
export function plugInOf(file: string, program: PlugInHost): PlugIn | undefined {
  const plugIn = plugInAt(file, program.elf, program.libraryPathDirs);
  return plugIn && withoutUnfit(plugIn, program);
}

/** Those that are there. */
export function learnedPlugIns(learned: Job['learned'], program: PlugInHost): PlugIn[] {
  return (learned?.plugIns ?? []).flatMap((each) => plugInOf(each.path, program) ?? []);
}

/** Names that could not be had beside what was loaded; with a plug-in's other needs where one asked. */
function wantedNames(learned: Job['learned']): Requirer[] {
  return (learned?.names ?? []).filter(({ why }) => why !== undefined).map(({ name }) => opening(name));
}

/** What the roots come to by the choices: the rest is there only for what may be opened. */
function reachable(roots: readonly Requirer[], choices: readonly Choice[]): Choice[] {
  const byName = new Map(choices.map((choice) => [choice.name, choice]));
  const found = new Map<string, Choice>();
  const queue = roots.flatMap(({ needed }) => needed);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const choice = byName.get(name);
    if (choice === undefined || found.has(name)) continue;
    found.set(name, choice);
    queue.push(...choice.provider.needed);
  }
  return choices.filter(({ name }) => found.has(name));
}

/** For what is looked for beside a set: other versions of libraries serve names of the set alone. */
export function besideSet(problem: Problem, { choices }: Solution): Problem {
  return closestOnlyFor(problem, new Set(choices.map(({ name }) => name)));
}

/** The best set that serves these objects too, with what the program itself needs of it. */
export function solvedBeside(problem: Problem, objects: readonly Requirer[]): Solution | Undecided | NoSet {
  const outcome = bestSet({ ...problem, roots: [...problem.roots, ...objects] });
  if (outcome.kind !== 'solution') return outcome;
  return { ...outcome, choices: reachable(problem.roots, outcome.choices) };
}

/** Searches, of hundreds of milliseconds each where there are many plug-ins. */
const MOST_SEARCHES = 24;

/** Whether nobody offers what one of these objects needs, or only without a version of it: no set serves it. */
function lacksOffer(problem: Problem, objects: readonly Requirer[]): boolean {
  const offersOf = (name: string): readonly VersionTable[] => {
    const bundled = problem.bundled.get(name);
    if (bundled !== undefined) return [bundled];
    return problem.isFamily(name)
      ? problem.loaders.flatMap(({ family }) => family.get(name) ?? [])
      : problem.providersOf(name);
  };
  return objects.some((each) =>
    [...needsOf(each)].some(([name, versions]) => {
      const offers = offersOf(name);
      if (offers.length === 0) return !problem.isFamily(name);
      return offers.every((offer) => missingVersion(versions, offer) !== undefined);
    }),
  );
}

/**
 * What was opened and did not fit may need another version of a library, or another libc, than the best set has. Where
 * there is a set for it all it is taken; else one for the first, and each later one that fits beside those before it.
 */
export function withLearned(result: SolvedProblem, { learned, program }: Job): SolvedProblem {
  if (result.outcome.kind !== 'solution') return result;
  const problem = besideSet(result.problem, result.outcome);
  const groups = [
    ...learnedPlugIns(learned, program).map(objectsOfPlugIn),
    ...wantedNames(learned).map((each) => [each]),
  ].filter((objects) => !lacksOffer(problem, objects));
  let best = result.outcome;
  let searches = 0;
  const fits = (some: readonly Requirer[][]): Fit<Requirer[]> => {
    if (searches >= MOST_SEARCHES) return { kind: 'undecided' };
    searches += 1;
    const outcome = solvedBeside(problem, some.flat());
    if (outcome.kind === 'solution') best = outcome;
    return fitOf(outcome, some, (objects) => objects);
  };
  const taken = asManyAsFit(groups, fits);
  if (groups.length > 0)
    debug(`learned: ${taken.length} of ${groups.length} served, in ${searches} searches`);
  return { ...result, outcome: best };
}

/** Whether a set that is solved from the beginning serves the plug-in. */
export function wouldServe({ problem, outcome }: SolvedProblem, plugIn: PlugIn): boolean {
  if (outcome.kind !== 'solution') return false;
  return solvedBeside(besideSet(problem, outcome), objectsOfPlugIn(plugIn)).kind === 'solution';
}
