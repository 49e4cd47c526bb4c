// A solved set and its program → the set with the libraries that the program may open while it runs.
import path from 'node:path';
import type { Problem } from '../candidates/problem.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { realPath } from '../host/files.ts';
import { debug } from '../host/output.ts';
import type { LearnedPlugIn } from '../plan/run-time-record.ts';
import { type OptionalLibrary, type OptionalNames, optionalNames } from '../program/optional-names.ts';
import { type PlugIn, treeOf } from '../program/plug-ins.ts';
import type { ExtendedSet, OptionalNeed } from '../solver/extend-set.ts';
import { withBestLoader } from '../solver/loader-for-optional.ts';
import type { Choice, Solution } from '../solver/solution.ts';
import { namesLibraryPath } from '../view/wants-view.ts';
import type { DynamicProgram, Job } from './job.ts';
import {
  besideSet,
  learnedPlugIns,
  librariesOfTree,
  namesOfPlugIns,
  needOfPlugIn,
  opening,
} from './learned.ts';
import { driverNames, openedDrivers, type ServedDrivers, servingDrivers } from './opened-drivers.ts';

/** An optional library, or what a plug-in needs, and whether the set has it. */
export interface OptionalReport {
  /** The name, or the path of the plug-in. */
  readonly name: string;
  /** What the first choice of an optional library consists of; empty of a plug-in. */
  readonly sonames: readonly string[];
  /** The file in which the name was read; of a plug-in itself. */
  readonly readIn: string;
  readonly source: OptionalLibrary['source'] | 'plug-in';
  readonly priority: OptionalLibrary['priority'];
  /** The name that was taken, where several would do; undefined where none was. */
  readonly taken: string | undefined;
  /** Why it was left out, in a clause; undefined where it was taken. Asked while the catalogue is open. */
  readonly why: (() => string) | undefined;
}

/** A report that somebody is to read. */
export interface ToldReport extends Omit<OptionalReport, 'why'> {
  readonly why: string | undefined;
}

export function told(report: OptionalReport): ToldReport {
  return { ...report, why: report.why?.() };
}

export interface OptionalSet {
  /** The same worth; another loader where more fits beside that one, or where a driver needs it. */
  readonly solution: Solution;
  readonly added: readonly Choice[];
  readonly reports: readonly OptionalReport[];
  /** Those that were counted. */
  readonly plugIns: readonly LearnedPlugIn[];
  readonly drivers: Pick<ServedDrivers, 'files' | 'unserved'>;
}

function needOfLibrary({ alternatives }: OptionalLibrary): OptionalNeed {
  return { alternatives: alternatives.map((names) => names.map(opening)) };
}

/**
 * The program is the first root, its bundled libraries are the others, and those of drivers, which look after
 * themselves.
 */
function bundledObjects(
  { roots }: Problem,
  { driverDirectories = [] }: DynamicProgram,
): { path: string; elf: ElfFile }[] {
  return roots.slice(1).flatMap(({ path: file }) => {
    if (driverDirectories.includes(path.dirname(file))) return [];
    const elf = elfFileAt(file);
    return elf === undefined ? [] : [{ path: file, elf }];
  });
}

function isServed(problem: Problem, solution: Solution): (name: string) => boolean {
  const chosen = new Set(solution.choices.map(({ name }) => name));
  return (name) => chosen.has(name) || problem.bundled.has(name) || problem.isFamily(name);
}

function reportsOf({ libraries, plugIns }: OptionalNames, outcomes: ExtendedSet['outcomes']) {
  const named = [
    ...libraries.map(({ alternatives: [first = []], ...rest }) => ({
      ...rest,
      name: first.join(', '),
      sonames: first,
    })),
    ...plugIns.map(({ path: file }) => ({
      name: file,
      sonames: [],
      readIn: file,
      source: 'plug-in' as const,
      priority: 'recommended' as const,
    })),
  ];
  return named.map(({ name, sonames, readIn, source, priority }, index): OptionalReport => {
    const outcome = outcomes[index];
    const taken =
      outcome?.kind === 'taken' ? outcome.by.flatMap(({ needed }) => needed).join(', ') : undefined;
    return {
      name,
      sonames,
      readIn,
      source,
      priority,
      taken,
      why: outcome?.kind === 'left-out' ? outcome.why : undefined,
    };
  });
}

/**
 * Names that were asked for in earlier starts, and plug-ins that were opened, beside what is to be seen in the files.
 */
function withEarlier(
  { libraries, plugIns }: OptionalNames,
  learned: Job['learned'],
  program: DynamicProgram,
  isKnown: (name: string) => boolean,
): OptionalNames {
  const seen = new Set(libraries.flatMap(({ alternatives }) => alternatives.flat()));
  const names = (learned?.names ?? []).filter(({ name }) => !seen.has(name) && !isKnown(name));
  const paths = new Set(plugIns.map((each) => each.path));
  return {
    libraries: [
      ...libraries,
      ...names.map(({ name, requester }): OptionalLibrary => {
        const readIn = requester === '' ? program.path : requester;
        return { alternatives: [[name]], readIn, source: 'learned', priority: 'recommended' };
      }),
    ],
    plugIns: [...plugIns, ...learnedPlugIns(learned, program).filter((each) => !paths.has(each.path))],
  };
}

/** With what each brings along, which the program loads from there too. */
function counted(plugIns: readonly PlugIn[], learned: Job['learned']): LearnedPlugIn[] {
  const earlier = new Map(learned?.plugIns.map((each) => [each.path, each]));
  const paths = plugIns.flatMap((each) => [each.path, ...each.bundled.map((library) => library.path)]);
  return [...new Set(paths)].map((file) => earlier.get(file) ?? { path: file });
}

/**
 * The same problem in which nobody offers these names. A plug-in brings them up as well as a name of its own, and the
 * loader would refuse the same set again and again.
 */
export function withoutNames(problem: Problem, excluded: ReadonlySet<string>): Problem {
  if (excluded.size === 0) return problem;
  return { ...problem, providersOf: (name) => (excluded.has(name) ? [] : problem.providersOf(name)) };
}

function withoutDrivers(names: OptionalNames, isDriver: (name: string) => boolean): OptionalNames {
  const libraries = names.libraries.filter(({ alternatives }) => !alternatives.flat().some(isDriver));
  return { ...names, libraries };
}

/** Whether LD_LIBRARY_PATH leads to the program's own tree: for this start, or since the program sets it itself. */
function leadsToItself({ path: file, libraryPathDirs = [] }: DynamicProgram): boolean {
  const tree = treeOf(file);
  if (tree === undefined) return false;
  return (
    libraryPathDirs.some((each) => `${realPath(each)}/`.startsWith(`${tree}/`)) || namesLibraryPath(file)
  );
}

function noDrivers(solution: Solution): ServedDrivers {
  return { solution, files: [], unserved: undefined };
}

/** A problem and its solution. */
interface SolvedFor {
  readonly problem: Problem;
  readonly solution: Solution;
}

/**
 * Looks for what the program may open and adds what fits. Nothing of the solution changes but a loader of equal worth,
 * and nothing here ends a start. `excluded`: names that the loader refused before.
 */
export function withOptionalLibraries(
  program: DynamicProgram,
  { problem: solved, solution }: SolvedFor,
  learned: Job['learned'],
  excluded: ReadonlySet<string> = new Set(),
): OptionalSet {
  const problem = besideSet(solved, solution);
  const isThere = isServed(problem, solution);
  const isKnown = (name: string): boolean => isThere(name) || excluded.has(name);
  const isDriver = driverNames(program);
  const own = optionalNames(
    program,
    bundledObjects(problem, program),
    (name) => isKnown(name) && !isDriver(name),
  );
  const found = withEarlier(withoutDrivers(own, isDriver), learned, program, isKnown);
  const inTree = namesOfPlugIns(found.plugIns);
  const ownFirst = leadsToItself(program) ? librariesOfTree(own.plugIns, isThere) : undefined;
  const needs = [
    ...found.libraries.map(needOfLibrary),
    ...found.plugIns.map((each) => needOfPlugIn(each, inTree, ownFirst)),
  ];
  const chosen = solution.choices.map(({ name }) => name);
  const drivers = openedDrivers(program, chosen, own.libraries, learned);
  const served = drivers.length === 0 ? noDrivers(solution) : servingDrivers(problem, solution, drivers);
  const best = withBestLoader(withoutNames(problem, excluded), served.solution, needs);
  const { added, outcomes } = best.extended;
  debug(`optional libraries: ${needs.length} looked for, ${added.length} added`);
  const reports = reportsOf(found, outcomes);
  return {
    solution: best.solution,
    added,
    reports,
    plugIns: counted(found.plugIns, learned),
    drivers: served,
  };
}
