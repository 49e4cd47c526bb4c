// `nix-foreign doctor`: what the machine offers, and what to do about each lack.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { findMachine } from '../../elf/machine.ts';
import { elfFileAt } from '../../elf/open-elf.ts';
import { dataDirectory } from '../../host/directories.ts';
import { errnoOf, ForeignError, reasonOf } from '../../host/errors.ts';
import { printJson, printLine } from '../../host/output.ts';
import { runProgram } from '../../host/run-program.ts';
import { ruleFor } from '../../integrations/binfmt/binfmt-registry.ts';
import type { LaunchPlan } from '../../plan/plan-format.ts';
import type { Context } from '../../resolve/context.ts';
import { LAUNCHER_REMEDY } from '../../resolve/own-package.ts';
import { everyPlace, patchPlaces } from '../../resolve/writable-directories.ts';
import { openNixDatabase } from '../../store/nix-database.ts';
import { remedyOfStore } from '../../store/open-catalogue.ts';
import { isStoreObjectName } from '../../store/store-location.ts';
import { interpreterOfChildren, reportOfChildren } from '../../view/children.ts';
import { whyNoView } from '../../view/make-view.ts';
import type { EntryProcess } from '../command.ts';
import { shellName } from '../hook.ts';
import { resolve } from '../resolve.ts';
import {
  type Check,
  checkCatalogue,
  checkConfiguration,
  checkNix,
  checkPatchedFiles,
  checkPlaces,
  checkVariables,
} from './checks.ts';
import { checkHooks } from './hook-checks.ts';
import { checkInterpreters } from './interpreter-checks.ts';
import { checkStarts, copiesCheck, wayToLauncher } from './summary.ts';

function emptyStore(storeDir: string): Check {
  return {
    subject: 'store',
    state: 'lack',
    detail: `${storeDir} holds nothing, not even a C library`,
    remedy: 'install any program with Nix, e.g. nix-env -f channel:nixpkgs-unstable -iA hello',
  };
}

function checkStore({ location }: Context): Check[] {
  try {
    const count = readdirSync(location.storeDir).filter(isStoreObjectName).length;
    if (count === 0) return [emptyStore(location.storeDir)];
    const store: Check = {
      subject: 'store',
      state: 'ok',
      detail: `${location.storeDir}, ${count} store objects`,
    };
    const database = openNixDatabase(location);
    database?.close();
    if (database !== undefined) return [store];
    const detail = `${location.stateDir}/db cannot be read, so hashes are left out of fingerprints`;
    return [store, { subject: 'database', state: 'note', detail }];
  } catch (error) {
    const detail = `${location.storeDir}: ${reasonOf(error)}`;
    return [{ subject: 'store', state: 'lack', detail, remedy: remedyOfStore(errnoOf(error)) }];
  }
}

type OfEntry = Pick<EntryProcess, 'context' | 'arch' | 'launcher' | 'shellHooks'>;

async function checkLauncher(launcher: string): Promise<Check> {
  const ended = await runProgram(launcher, ['--version'], { env: {}, timeout: 5000 });
  if (ended.status === 0)
    return { subject: 'launcher', state: 'ok', detail: `${launcher}, ${ended.stdout.trim()}` };
  return {
    subject: 'launcher',
    state: 'lack',
    detail: `${launcher} is not there, or does not run: nothing can be started`,
    remedy: LAUNCHER_REMEDY,
  };
}

/** The shims' directory; undefined for a user without a home directory. */
async function shimsPlace(): Promise<string | undefined> {
  try {
    return path.join(await dataDirectory(), 'shims');
  } catch (error) {
    if (error instanceof ForeignError) return undefined;
    throw error;
  }
}

/** Looks at everything. */
async function examine({ context, arch, launcher, shellHooks }: OfEntry): Promise<Check[]> {
  const { uid } = context.host;
  const session = { arch, env: context.env };
  const { dirs, checks: places } = checkPlaces(await everyPlace(uid), uid);
  const facts = {
    ...session,
    parent: shellName(process.ppid),
    launcher,
    shims: await shimsPlace(),
    hooks: shellHooks,
    etc: '/etc',
  };
  const checks = [
    ...(await checkConfiguration(context)),
    ...checkVariables(context.host),
    await checkNix(context),
    ...checkStore(context),
    ...checkInterpreters(session, dirs),
    await checkLauncher(launcher),
    ...places,
    ...(dirs === undefined ? [] : [checkCatalogue(dirs, context.location)]),
    ...(dirs === undefined ? [] : copiesCheck(dirs)),
    ...checkPatchedFiles(await patchPlaces(uid), context),
    ...checkHooks(facts, wayToLauncher(session)),
  ];
  return [checkStarts(checks, session), ...checks];
}

/** A program that was asked about, and the plan that it has. */
interface ExaminedProgram {
  readonly plan: LaunchPlan;
  readonly checks: readonly Check[];
  /** What mends it where its children do not start. */
  readonly remedy: string | undefined;
}

/** How one program is started, and what that means for the programs that it starts. */
async function examineProgram(typedName: string, context: Context): Promise<ExaminedProgram> {
  const plan = await resolve(typedName, context, 'as-needed');
  const [own] = context.host.hostMachines;
  const elf = elfFileAt(plan.program);
  const machine = (elf && findMachine(elf)) ?? (own && findMachine(own));
  const named = elf?.interpreter;
  const isOfNix = named?.startsWith(`${context.location.storeDir}/`) === true;
  const interpreter = interpreterOfChildren(
    (isOfNix ? undefined : named) ?? machine?.interpreter ?? '/lib/ld.so',
    machine,
  );
  const key = elf ?? own;
  const rule = key && ruleFor(key);
  const { what, remedy } = reportOfChildren(typedName, { ...plan, rule }, interpreter, () =>
    whyNoView(context.launcher),
  );
  const start: Check = {
    subject: 'start',
    state: 'ok',
    detail: `strategy ${plan.strategy}; see nix-foreign explain`,
  };
  const children: Check = { subject: 'children', state: remedy === undefined ? 'ok' : 'note', detail: what };
  return { plan, remedy, checks: [start, remedy === undefined ? children : { ...children, remedy }] };
}

interface DoctorOptions {
  readonly json?: boolean;
  readonly program?: string | undefined;
  /** The program's arguments, when it is to be run. */
  readonly args?: readonly string[] | undefined;
}

async function checksFor(options: DoctorOptions, entry: OfEntry): Promise<readonly Check[]> {
  const { program, args, json } = options;
  const { context, launcher } = entry;
  if (program === undefined) return await examine(entry);
  const { plan, checks, remedy } = await examineProgram(program, context);
  if (args === undefined) return checks;
  const { examineRun } = await import('./examine-run.ts');
  const watched = { typedName: program, args, plan, remedyOfChildren: remedy };
  return [...checks, ...(await examineRun(watched, context, launcher, json ? 'stderr' : 'stdout'))];
}

/** Prints the findings; true when nothing is lacking. */
export async function doctorCommand(options: DoctorOptions, examined: OfEntry): Promise<boolean> {
  const checks = await checksFor(options, examined);
  if (options.json) printJson(checks);
  else {
    const width = Math.max(...checks.map(({ subject }) => subject.length));
    for (const { subject, state, detail, remedy } of checks) {
      printLine(`${state.padEnd(4)}  ${subject.padEnd(width)}  ${detail}`);
      if (remedy !== undefined) printLine(`${' '.repeat(width + 8)}${remedy}`);
    }
  }
  return checks.every(({ state }) => state !== 'lack');
}
