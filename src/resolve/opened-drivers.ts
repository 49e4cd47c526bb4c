// What a program may open → the drivers among it, and a set whose libc serves them.
import { driverRequirer } from '../candidates/build-problem.ts';
import type { Problem } from '../candidates/problem.ts';
import { type DriverLibrary, driverLibraries } from '../program/drivers.ts';
import { extendSet } from '../solver/extend-set.ts';
import type { Solution } from '../solver/solution.ts';
import type { DynamicProgram } from './job.ts';
import { solvedBeside } from './learned.ts';

/** They open whatever driver is installed (libglvnd, README; Vulkan-Loader, LoaderDriverInterface). */
const LOADERS_OF_DRIVERS = /^lib(?:GL|GLX|EGL|GLESv1_CM|GLESv2|OpenGL|vulkan|OpenCL|vdpau|va|gbm)\.so\.\d+$/;

/** `names`: what is chosen or may be opened. */
export function openedDrivers(
  { driverDirectories = [], elf }: DynamicProgram,
  names: ReadonlySet<string>,
): DriverLibrary[] {
  if (driverDirectories.length === 0) return [];
  const all = driverLibraries(driverDirectories, elf, names);
  const opensAny = [...names].some((name) => LOADERS_OF_DRIVERS.test(name));
  return opensAny ? all : all.filter(({ name }) => names.has(name));
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
  const other = solvedBeside({ problem, outcome: solution }, objects);
  if (other.kind === 'solution') return { solution: other, files, unserved: undefined };
  const each = objects.map((object) => ({ alternatives: [[object]] }));
  const unfit = extendSet(problem, solution, each).outcomes.findIndex(({ kind }) => kind === 'left-out');
  return { solution, files, unserved: files[Math.max(unfit, 0)] };
}
