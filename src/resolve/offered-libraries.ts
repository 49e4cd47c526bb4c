// A process in a view → the libraries that it can open by their names: those of its plan, then those of the running
// driver and the others of the store.
import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { canServe } from '../candidates/providers.ts';
import { compareRanks, rankOf } from '../candidates/rank.ts';
import { findMachine, type MachineKey, sameMachine } from '../elf/machine.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { highestGlibcOf } from '../farm/library-order.ts';
import { isDirectory, namesIn, realPath } from '../host/files.ts';
import { libcVersionOf } from '../ldso/search-paths.ts';
import { readPlan } from '../plan/plan-files.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { driverLibraries, isForDriverOnly } from '../program/drivers.ts';
import { libcOf } from '../program/libc.ts';
import type { NamedLibrary } from '../store/catalogue.ts';
import { withStore } from '../store/open-catalogue.ts';
import type { Context } from './context.ts';
import { allDirectories, inWritableDirectories } from './writable-directories.ts';

export interface OfferedLibrary {
  readonly name: string;
  readonly file: string;
  readonly machine: MachineKey;
}

/** A tree is not deeper; ids of processes may be used again while we look. */
const MOST_ANCESTORS = 64;

function parentOf(processId: number): number {
  try {
    return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function fileOf(processId: number): string | undefined {
  try {
    return readlinkSync(`/proc/${processId}/exe`);
  } catch {
    return undefined;
  }
}

/** Of the nearest process above that has libraries of ours: whoever asks may do so through a shell. */
async function planOfCaller(processId: number, uid: number): Promise<LaunchPlan | undefined> {
  const all = await allDirectories(uid);
  for (let each = processId, i = 0; each > 1 && i < MOST_ANCESTORS; each = parentOf(each), i += 1) {
    const file = fileOf(each);
    const plans = file === undefined ? [] : all.map((dirs) => readPlan(dirs, file));
    const plan = plans.find((found) => found?.libraryPath !== undefined);
    if (plan !== undefined) return plan;
  }
  return undefined;
}

const LIBRARY = /^(?:lib|ld-).*\.so(?:\.|$)/;

/** Beside the loader lies its libc. A driver has the path that outlives an upgrade. */
function librariesOfPlan(
  { program, libraryPath = '', loader = '' }: LaunchPlan,
  drivers: readonly string[],
): OfferedLibrary[] {
  const machine = elfFileAt(program);
  if (machine === undefined) return [];
  return [...libraryPath.split(':'), path.dirname(loader)].flatMap((directory) =>
    namesIn(directory)
      .filter((name) => LIBRARY.test(name))
      .map((name) => ({ name, file: path.join(directory, name), machine }))
      .filter(({ file }) => isFor(machine, file))
      .map((each) => (drivers.includes(directory) ? each : { ...each, file: realPath(each.file) })),
  );
}

/** As for ld.so, which passes over files of another class: those of a 64-bit driver come before the 32-bit ones. */
function isFor(machine: MachineKey, file: string): boolean {
  const elf = elfFileAt(file);
  return elf !== undefined && sameMachine(elf, machine);
}

function librariesOfDrivers(
  machines: readonly MachineKey[],
  directories: readonly string[],
): OfferedLibrary[] {
  const names = new Set(directories.flatMap(namesIn));
  return machines.flatMap((machine) =>
    driverLibraries(directories, machine, names).map(({ name, path: file }) => ({ name, file, machine })),
  );
}

/** Ranked as for a solution, of those that the libc of the caller can load. */
function bestOf(libraries: readonly NamedLibrary[], glibc: number): NamedLibrary | undefined {
  const fitting = libraries.filter((each) => canServe(each, libcOf(each.elf, 'glibc')));
  const loaded = fitting.filter(({ elf }) => highestGlibcOf(elf) <= glibc);
  return [...(loaded.length > 0 ? loaded : fitting)].sort((a, b) => compareRanks(rankOf(a), rankOf(b)))[0];
}

/** `drivers`: directories. */
function librariesOfStore(
  { host, location }: Context,
  drivers: readonly string[],
  loaderOf: (machine: MachineKey) => string | undefined,
): Promise<OfferedLibrary[]> {
  return inWritableDirectories(host.uid, (dirs) =>
    withStore(dirs.catalogues, location, (catalogue) =>
      host.hostMachines.flatMap((machine) => {
        const [, glibc = Number.POSITIVE_INFINITY] = libcVersionOf(loaderOf(machine) ?? '') ?? [];
        const all = catalogue.librariesBySoname(machine.class, machine.machine);
        return [...Map.groupBy(all, ({ names }) => names[0] ?? '')].flatMap(([name, libraries]) => {
          const isOffered = LIBRARY.test(name) && !isForDriverOnly(name, drivers);
          const best = isOffered ? bestOf(libraries, glibc) : undefined;
          return best === undefined ? [] : [{ name, file: path.join(best.storePath, best.file), machine }];
        });
      }),
    ),
  );
}

/** `2.43`: of the newest glibc for this machine, which whoever names none gets. Undefined where the store has none. */
export async function newestGlibc({ host, location }: Context): Promise<string | undefined> {
  const [own] = host.hostMachines;
  const machine = own && findMachine(own);
  if (machine === undefined) return undefined;
  const { loaderSoname, class: elfClass, machine: number } = machine;
  const loaders = await inWritableDirectories(host.uid, (dirs) =>
    withStore(dirs.catalogues, location, (catalogue) =>
      catalogue.librariesOffering(loaderSoname, elfClass, number),
    ),
  );
  return loaders
    .flatMap(({ storePath, file }) => libcVersionOf(path.join(storePath, file))?.join('.') ?? [])
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0];
}

/** Each name once for each machine; those of the caller's plan first, both by name, the newest in front. */
export async function offeredLibraries(processId: number, context: Context): Promise<OfferedLibrary[]> {
  const plan = await planOfCaller(processId, context.host.uid);
  const drivers = (context.host.driverDirectories ?? []).filter(isDirectory);
  const own = plan === undefined ? [] : librariesOfPlan(plan, drivers);
  const isOwn = (machine: MachineKey) => own[0] !== undefined && sameMachine(own[0].machine, machine);
  const loaderOf = (machine: MachineKey) => (isOwn(machine) ? plan?.loader : undefined);
  const others = [
    ...librariesOfDrivers(context.host.hostMachines, drivers),
    ...(await librariesOfStore(context, drivers, loaderOf)),
  ];
  const byName = (a: OfferedLibrary, b: OfferedLibrary) =>
    b.name.localeCompare(a.name, 'en', { numeric: true });
  const all = new Map<string, OfferedLibrary>();
  for (const each of [...own.sort(byName), ...others.sort(byName)]) {
    const key = `${findMachine(each.machine)?.system} ${each.name}`;
    if (!all.has(key)) all.set(key, each);
  }
  return [...all.values()];
}
