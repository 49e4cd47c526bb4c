// A program that Nix built → its plan: as it is, with the audit module where it may open foreign plug-ins.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import type { Directories } from '../host/directories.ts';
import { identityOf } from '../host/file-identity.ts';
import { isDirectory, isGone } from '../host/files.ts';
import { withLock } from '../host/mutex.ts';
import { debug } from '../host/output.ts';
import { askLoader } from '../ldso/ask-loader.ts';
import { directPlan, runTimeConditions } from '../plan/make-plan.ts';
import { readPlan } from '../plan/plan-files.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import { addAnswers } from '../plan/run-time-files.ts';
import { runTimeDirectoryOf } from '../plan/run-time-record.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import { libcOf } from '../program/libc.ts';
import { programOfWrapper } from '../program/nix-wrapper.ts';
import { withStore } from '../store/open-catalogue.ts';
import { sonameTableFile } from '../store/soname-table.ts';
import type { Context } from './context.ts';
import { driversBeside } from './opened-drivers.ts';
import { isOld, type LoadedProgram, openRunTime, type RunTime, whyNoModule } from './run-time.ts';

/** What its own loader loads for it, without the libc family. */
function objectsOf(program: string, elf: ElfFile | undefined, loader: string): string[] {
  if (elf === undefined) return [];
  const { isFamily } = libcOf(elf, 'glibc');
  const { objects } = askLoader({ loader, libc: 'glibc', libraryPath: '', program });
  return objects.filter(({ name }) => !isFamily(path.basename(name))).flatMap(({ path: file }) => file ?? []);
}

/** Of a wrapper, what is loaded for the program that it executes in its place. */
function executedBy(itself: LoadedProgram, { location }: Context): LoadedProgram {
  const executed = programOfWrapper(itself.program.path, location.storeDir);
  // The module is for one machine, and is loaded in the wrapper too.
  if (executed === undefined || isOld(itself.loader)) return itself;
  const { file, elf, wrappers } = executed;
  const { elf: own } = itself.program;
  if (elf.machine !== own?.machine || elf.class !== own.class) return itself;
  const loader = elf.interpreter ?? itself.loader;
  return { ...itself, loader, objects: [file, ...objectsOf(file, elf, loader)], wrappers };
}

/** The table is made with the catalogue: once for a store, and kept up to date by every first start. */
async function haveSonameTable(program: ProgramFile, context: Context, dirs: Directories): Promise<void> {
  const { location } = context;
  const file = sonameTableFile(dirs.catalogues, location.storeDir, program.elf?.machine ?? 0);
  if (!existsSync(file)) await withStore(dirs.catalogues, location, () => {});
}

async function runTimeOf(
  program: ProgramFile,
  interpreter: string,
  context: Context,
  dirs: Directories,
): Promise<RunTime | undefined> {
  const libc = path.basename(interpreter).startsWith('ld-musl-') ? 'musl' : 'glibc';
  const loader = interpreter;
  if (libc === 'musl') return undefined;
  const itself = { program, libc, loader, objects: objectsOf(program.path, program.elf, loader) } as const;
  const loaded = executedBy(itself, context);
  if (whyNoModule(loaded, context, dirs) !== undefined) return undefined;
  await haveSonameTable(program, context, dirs);
  // A process of the program may be asking at this moment (extend-plan.ts).
  return await withLock(path.join(dirs.locks, planKey(program.path)), async () => {
    const before = runTimeDirectoryOf(readPlan(dirs, program.path));
    const set = [program.identity, loader];
    const runTime = openRunTime(loaded, { set, before, plugIns: [] }, context, dirs);
    if (runTime !== undefined) answerDrivers(runTime, loaded);
    return runTime;
  });
}

/**
 * A library path that has their directories would change what the program has, and its children. The store may have
 * none of their names, as on WSL: then nobody would be asked.
 */
function answerDrivers({ directory }: RunTime, { program, loader }: LoadedProgram): void {
  const drivers = driversBeside(loader, program);
  // No state of the catalogue: only what cannot be had goes with one.
  if (drivers.size > 0) addAnswers(directory, drivers, 0n);
}

/** What is answered of drivers is asked anew when another one runs. */
function driverConditions({ host }: Context): Pick<LaunchPlan, 'watched' | 'absent'> {
  const { driverDirectories = [] } = host;
  const watch = (directory: string) => ({ identity: identityOf(directory), path: directory });
  return {
    watched: driverDirectories.filter(isDirectory).map(watch),
    absent: driverDirectories.filter(isGone),
  };
}

/**
 * Coherent with the running libc is what fits beside what is loaded, so nothing is chosen before. Without a store that
 * can be looked at it starts as it is.
 */
export async function planNixProgram(
  program: ProgramFile,
  interpreter: string,
  context: Context,
  dirs: Directories,
): Promise<LaunchPlan> {
  const plain = directPlan(program);
  const runTime = await runTimeOf(program, interpreter, context, dirs).catch((error: unknown) => {
    debug(`no audit module: ${String(error)}`);
    return undefined;
  });
  if (runTime === undefined) return plain;
  const { directories, files } = runTimeConditions(runTime);
  const environment = [['LD_AUDIT', runTime.moduleOnce]] as const;
  return { ...plain, directories, files, environment, ...driverConditions(context) };
}
