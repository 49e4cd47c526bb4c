// What a program may open → the drivers among it, and a set whose libc serves them.
// A program of Nix → the drivers that load beside the libc that it has.
import path from 'node:path';
import { driverRequirer } from '../candidates/build-problem.ts';
import type { Problem, Requirer } from '../candidates/problem.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { leadsToAnotherLibc } from '../farm/another-libc.ts';
import { pathOfStoreFile } from '../farm/verify-set.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { notice } from '../host/output.ts';
import { findBundled } from '../program/bundled.ts';
import { type DriverLibrary, driverLibraries } from '../program/drivers.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import { libcOf } from '../program/libc.ts';
import { type OptionalLibrary, optionalLibraries } from '../program/optional-names.ts';
import { extendSet } from '../solver/extend-set.ts';
import type { Solution } from '../solver/solution.ts';
import { missingVersion } from '../solver/version-needs.ts';
import type { DynamicProgram, Job, Unserving } from './job.ts';
import { solvedBeside } from './learned.ts';

/** They open whatever driver is installed (libglvnd, README; Vulkan-Loader, LoaderDriverInterface). */
const LOADERS_OF_DRIVERS = /^lib(?:GL|GLX|EGL|GLESv1_CM|GLESv2|OpenGL|vulkan|OpenCL|vdpau|va|gbm)\.so\.\d+$/;

/** Among what is chosen, what the files name that may be opened, and what was opened in earlier starts. */
export function openedDrivers(
  { driverDirectories = [], elf }: DynamicProgram,
  chosen: readonly string[],
  named: readonly OptionalLibrary[],
  learned: Job['learned'],
): DriverLibrary[] {
  if (driverDirectories.length === 0) return [];
  const opened = named.flatMap(({ alternatives }) => alternatives.flat());
  const earlier = (learned?.names ?? []).map(({ name }) => name);
  const names = new Set([...chosen, ...opened, ...earlier]);
  const all = driverLibraries(driverDirectories, elf, names);
  const opensAny = [...names].some((name) => LOADERS_OF_DRIVERS.test(name));
  return opensAny ? all : all.filter(({ name }) => names.has(name));
}

/** Names that come from the directories of drivers, whatever the store has. */
export function driverNames({ driverDirectories = [], elf }: DynamicProgram): (name: string) => boolean {
  const names = new Set(driverLibraries(driverDirectories, elf, new Set()).map(({ name }) => name));
  return (name) => names.has(name);
}

/** With a set that was solved before, maybe on another machine. */
function driversOfSet(
  { libraries }: Fingerprint,
  { program, learned }: Pick<Job, 'program' | 'learned'>,
): DriverLibrary[] {
  const { driverDirectories = [] } = program;
  if (driverDirectories.length === 0) return [];
  const isDriver = driverNames(program);
  const beside = findBundled(program, program.libc.kind);
  const bundled = beside.filter((each) => !driverDirectories.includes(path.dirname(each.path)));
  const needed = libraries.filter(({ match }) => match !== 'dlopen').map(({ soname }) => soname);
  const there = new Set([...needed, ...bundled.flatMap(({ answersTo }) => answersTo)]);
  const named = optionalLibraries(program, bundled, (name) => there.has(name) && !isDriver(name));
  const chosen = libraries.map(({ soname }) => soname);
  return openedDrivers(program, chosen, named, learned);
}

/** What a set that was solved before is to open. */
interface DriversOfSet {
  /** Paths. */
  readonly files: readonly string[];
  /** The first that the libc of the set does not serve. */
  readonly unserved: string | undefined;
}

/** Of a set whose files are there. */
export function judgeDrivers(
  fingerprint: Fingerprint,
  job: Pick<Job, 'program' | 'learned' | 'unservedDrivers'>,
): DriversOfSet | Unserving {
  const drivers = driversOfSet(fingerprint, job);
  const unserved = unservedBeside(pathOfStoreFile(fingerprint.loader), drivers, job.program)?.path;
  if (unserved !== undefined && job.unservedDrivers === 'refused')
    return { kind: 'unserving', why: `the driver ${unserved} needs another glibc` };
  return { files: drivers.map((each) => each.path), unserved };
}

/** Told when the plan is made: it starts without. */
export function noticeUnserved(typedName: string, driver: string | undefined): void {
  if (driver === undefined) return;
  notice(
    `${typedName}: the driver ${driver} needs another glibc than its libraries go with, and will not load`,
  );
}

/** The first driver that needs a version which the libc beside this loader lacks. */
function unservedBeside(
  loader: string,
  drivers: readonly DriverLibrary[],
  { libc }: Pick<DynamicProgram, 'libc'>,
): DriverLibrary | undefined {
  return drivers.find(({ elf }) =>
    elf.verneed.some(({ file, versions }) => {
      if (!libc.isFamily(file)) return false;
      const library = elfFileAt(path.join(path.dirname(loader), file));
      return library === undefined || missingVersion(versions, library) !== undefined;
    }),
  );
}

/** The running driver where it serves the name: what is to be opened, since its needs count too. */
export function driverFor(name: string, { bundled }: Pick<Problem, 'bundled'>): Requirer[] {
  const found = bundled.get(name);
  return found?.isDriver === true ? [found] : [];
}

/** Name → file, of those that only a driver may serve. `loader`: of glibc. */
export function driversBeside(
  loader: string,
  { driverDirectories = [], elf }: Pick<ProgramFile, 'driverDirectories' | 'elf'>,
): Map<string, string> {
  if (elf === undefined) return new Map();
  const libc = libcOf(elf, 'glibc');
  const fitting = driverLibraries(driverDirectories, elf, new Set()).filter(
    (driver) =>
      unservedBeside(loader, [driver], { libc }) === undefined &&
      !leadsToAnotherLibc(driver.path, { loader, isFamily: libc.isFamily }),
  );
  return new Map(fitting.map((driver) => [driver.name, driver.path]));
}

export interface ServedDrivers {
  readonly solution: Solution;
  /** Files that are to be opened; another driver may need another set. */
  readonly files: readonly string[];
  /** One that no set serves, though some serve the program. */
  readonly unserved: string | undefined;
}

/** The same solution where its libc serves the drivers; else one whose libc does, where there is one. */
export function servingDrivers(
  problem: Problem,
  solution: Solution,
  drivers: readonly DriverLibrary[],
): ServedDrivers {
  const files = drivers.map((each) => each.path);
  const objects = drivers.map((each) => driverRequirer(each, problem));
  const [outcome] = extendSet(problem, solution, [{ alternatives: [objects] }]).outcomes;
  if (outcome?.kind === 'taken') return { solution, files, unserved: undefined };
  const other = solvedBeside(problem, objects);
  if (other.kind === 'solution') return { solution: other, files, unserved: undefined };
  const each = objects.map((object) => ({ alternatives: [[object]] }));
  const unfit = extendSet(problem, solution, each).outcomes.findIndex(({ kind }) => kind === 'left-out');
  return { solution, files, unserved: files[Math.max(unfit, 0)] };
}
