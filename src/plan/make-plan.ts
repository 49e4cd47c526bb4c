// A verified set → the launch plan of one program.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { findMachine } from '../elf/machine.ts';
import type { VerifiedSet } from '../farm/verify-set.ts';
import { identityOf } from '../host/file-identity.ts';
import { absentLibraries } from '../program/absent-libraries.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import type { Libc } from '../program/libc.ts';
import type { PlainNames } from '../program/needed-paths.ts';
import { pathOfElfString } from '../program/run-directories.ts';
import type { LoaderCopy } from './loader-copy.ts';
import type { Argument, LaunchPlan, Strategy } from './plan-format.ts';
import { againFile, opensPassingFiles } from './run-time-record.ts';
import type { Interpreter } from './strategy.ts';

/** The plan for what needs nothing: exec and nothing else. */
export function directPlan(program: ProgramFile): LaunchPlan {
  return {
    program: program.path,
    identity: program.identity,
    strategy: 'direct',
    files: [],
    watched: [],
    absent: [],
    directories: [],
    environment: [],
    argv: [],
  };
}

/** The plan for what needs nothing but to be started under another path: an AppImage that binfmt_misc hands over. */
export function copyPlan(program: ProgramFile, copy: { directory: string; file: string }): LaunchPlan {
  return {
    ...directPlan(program),
    strategy: 'patched',
    directories: [copy.directory],
    watched: [{ identity: identityOf(copy.file), path: copy.file }],
    execute: copy.file,
  };
}

/** glibc's loader knows --argv0 since 2.33, musl's since 1.2.? (ldso/dynlink.c): ask the file itself. */
function knowsArgv0(loader: string): boolean {
  return readFileSync(loader).includes('argv0');
}

interface LoaderCall {
  /** What is executed: the set's loader, or a copy of it. */
  readonly executed: string;
  /** The audit module. */
  readonly module: string | undefined;
}

function loaderArguments({ set, program }: PlanInputs, { executed, module }: LoaderCall): Argument[] {
  const libc = program.libc.kind;
  const { loader, libraryPath } = set;
  const literal = (text: string): Argument => ({ kind: 'literal', text });
  return [
    literal(executed),
    ...(libc === 'glibc' ? [literal('--inhibit-cache')] : []),
    // Before --argv0: the module finds its own path in front of argv[0] (audit/NOTES.md).
    ...(module === undefined ? [] : [literal('--audit'), literal(module)]),
    ...(knowsArgv0(loader) ? [literal('--argv0'), { kind: 'argv0' } as const] : []),
    literal('--library-path'),
    { kind: 'library-path', list: libraryPath },
    ...(libc === 'musl' ? [literal('--')] : []),
    { kind: 'program' },
  ];
}

/**
 * With the system, which wins over NIX_LD in nix-ld 1 and 2 (1.2.3, src/nix-ld.c, init_ld_ctx; 2.0.6, src/main.rs), and
 * says nothing to the nix-ld of another machine.
 */
function launcherVariables(
  { start: { strategy }, machine: { interpreter, otherLauncher } }: PlanInputs,
  suffix: string,
): {
  readonly entering: readonly string[];
  readonly environment: LaunchPlan['environment'];
} {
  const name = `NIX_LD_${suffix}`;
  if (strategy !== 'interpreter' || interpreter.kind !== 'nix-ld') return { entering: [], environment: [] };
  return otherLauncher === undefined
    ? { entering: [name], environment: [] }
    : { entering: [], environment: [[name, otherLauncher]] };
}

/**
 * nix-ld 2 takes the names with the system, which win; nix-ld 1 knows the generic names as well. Neither passes options
 * to the loader, so the module comes by the environment, and leaves it.
 */
function nixLdEdits(
  { loader, libraryPath }: VerifiedSet,
  runTime: RunTimePlace | undefined,
  suffix: string,
): Pick<LaunchPlan, 'environment' | 'nixLdLists'> {
  const module = runTime?.moduleOnce;
  return {
    nixLdLists: [
      [`NIX_LD_LIBRARY_PATH_${suffix}`, libraryPath],
      ['NIX_LD_LIBRARY_PATH', libraryPath],
    ],
    environment: [
      [`NIX_LD_${suffix}`, loader],
      ['NIX_LD', loader],
      ...(module === undefined ? [] : [['LD_AUDIT', module] as const]),
    ],
  };
}

/** Libraries beside the program, found or linked in the farm: a plan made with others must not be followed. */
function bundledFiles(set: VerifiedSet, storeDir: string): string[] {
  const inFarm = new Set([...set.links.keys()].map((name) => path.join(set.farm, name)));
  const loaded = set.objects.flatMap(({ path: file }) =>
    file === undefined || inFarm.has(file) ? [] : [file],
  );
  const files = [...loaded, ...set.links.values()].filter((file) => !file.startsWith(`${storeDir}/`));
  return [...new Set(files.map((file) => (path.isAbsolute(file) ? file : path.resolve(file))))].sort();
}

/** What the store serves, and nothing beside the program may begin to serve unnoticed. */
function vacantBeside({ program, set, machine }: PlanInputs, bundled: readonly string[]) {
  const { path: file, elf } = program;
  if (elf === undefined) return { absent: [], watched: [] };
  const served = set.objects
    .filter(({ path: opened }) => opened !== undefined && opened !== set.loader && !bundled.includes(opened))
    .map(({ name }) => path.basename(name));
  return absentLibraries({ path: file, elf }, bundled, served, machine.storeDir);
}

/** Where the audit module of a plan is. */
export interface RunTimePlace {
  readonly directory: string;
  readonly module: string;
  /** By this name the module takes itself out of the environment. */
  readonly moduleOnce?: string;
}

/**
 * What a plan with a module depends on; what was learned since the plan was made is to be counted at the next start.
 */
export function runTimeConditions({
  directory,
  module,
}: RunTimePlace): Pick<LaunchPlan, 'directories' | 'files' | 'watched' | 'absent'> {
  const learned = path.join(directory, 'learned');
  const watched = opensPassingFiles(directory) ? [] : [{ identity: identityOf(learned), path: learned }];
  return { directories: [directory], files: [module], watched, absent: [againFile(directory)] };
}

const NO_CONDITIONS = { directories: [], files: [], watched: [], absent: [] };

/** The way that was chosen, and what was prepared for it. */
export interface PreparedStart {
  readonly strategy: Strategy;
  /** The patched copy, with that strategy. */
  readonly copy?: { readonly directory: string; readonly file: string } | undefined;
  /** The loader to execute, with that strategy, where it is not the store's own. */
  readonly loaderCopy?: LoaderCopy | undefined;
  /** What the view shows, with that strategy. */
  readonly view?:
    | Pick<LaunchPlan, 'view' | 'directories' | 'files' | 'watchedOutside' | 'absentOutside'>
    | undefined;
}

/** What this machine has for a start of the program. */
interface StartedBy {
  readonly interpreter: Interpreter;
  /** The launcher for a program that is not of this machine. */
  readonly otherLauncher: string | undefined;
  readonly storeDir: string;
}

interface PlanInputs {
  readonly program: ProgramFile & {
    readonly libc: Pick<Libc, 'kind'>;
    /** By paths where nothing is: there a copy of the program does not look for its libraries as the program does. */
    readonly plainNames?: PlainNames | undefined;
  };
  readonly set: VerifiedSet;
  readonly start: PreparedStart;
  readonly machine: StartedBy;
  /** The run-time directory, and the audit module by its name in there. */
  readonly runTime: RunTimePlace | undefined;
  /**
   * `root`: the link, or the plain file where there is no Nix. `sha256`: of the program. `origin`: where the set came
   * from, for people.
   */
  readonly names: Required<Pick<LaunchPlan, 'root' | 'sha256' | 'origin'>>;
}

/**
 * Makes the plan. It names every file the start depends on, so that the launcher notices when one is gone; who sits
 * at the interpreter path is watched too, since it decides the strategy.
 * @throws Node's errors when a bundled library vanished in between.
 */
export function makePlan(inputs: PlanInputs): LaunchPlan {
  const { program, set, start, runTime, names } = inputs;
  const { strategy } = start;
  const { interpreter, storeDir } = inputs.machine;
  const suffix = program.elf === undefined ? '' : (findMachine(program.elf)?.nixLdSuffix ?? '');
  const watch = (file: string) => ({ identity: identityOf(file), path: file });
  const bundled = bundledFiles(set, storeDir);
  const { entering, environment } = launcherVariables(inputs, suffix);
  const interpreterPath =
    interpreter.kind === 'missing' || !existsSync(interpreter.path) ? undefined : watch(interpreter.path);
  const copy = strategy === 'patched' ? start.copy : undefined;
  const conditions = runTime === undefined ? NO_CONDITIONS : runTimeConditions(runTime);
  const view = strategy === 'view' ? start.view : undefined;
  const vacant = interpreter.kind === 'missing' ? [interpreter.path] : [];
  // What was learned counts when the view is entered. In it, the launcher as interpreter would plan for the view alone.
  const [inside, outside] = strategy === 'view' ? [NO_CONDITIONS, conditions] : [conditions, NO_CONDITIONS];
  // A view has directories that the machine lacks, such as /usr.
  const beside = vacantBeside(inputs, bundled);
  const neededPaths = [...(program.plainNames?.keys() ?? [])].map(pathOfElfString);
  const [besideInside, besideOutside] =
    strategy === 'view' ? [NO_CONDITIONS, beside] : [beside, NO_CONDITIONS];
  const absentOutside = [
    ...new Set([...vacant, ...(view?.absentOutside ?? []), ...outside.absent, ...besideOutside.absent]),
  ];
  const watchedOutside = [...(view?.watchedOutside ?? []), ...outside.watched, ...besideOutside.watched];
  const loaderCopy = strategy === 'loader' ? start.loaderCopy : undefined;
  const copies = [copy, loaderCopy].filter((each) => each !== undefined);
  const execute = strategy === 'loader' ? (loaderCopy?.file ?? set.loader) : copy?.file;
  return {
    program: program.path,
    identity: program.identity,
    strategy,
    ...names,
    // The farm last: its files are looked up from the directory that was checked just before (launcher/plan.c).
    directories: [
      ...(view?.directories ?? []),
      ...copies.map(({ directory }) => directory),
      ...conditions.directories,
      set.farm,
    ],
    files: [
      set.loader,
      names.root,
      ...[...set.links.keys()].sort().map((name) => path.join(set.farm, name)),
      ...set.outside,
      ...conditions.files,
      ...(view?.files ?? []),
    ],
    watched: [
      ...bundled.map(watch),
      ...copies.map(({ file }) => watch(file)),
      ...besideInside.watched,
      ...inside.watched,
    ],
    ...(interpreterPath === undefined ? {} : { interpreterPath }),
    absent: [...besideInside.absent, ...(strategy === 'view' ? [] : neededPaths), ...inside.absent],
    ...(absentOutside.length === 0 ? {} : { absentOutside }),
    ...(watchedOutside.length === 0 ? {} : { watchedOutside }),
    ...(view?.view === undefined ? {} : { view: view.view }),
    ...(execute === undefined ? {} : { execute }),
    ...(strategy === 'namespace' ? { interpreterInNamespace: interpreter.path } : {}),
    loader: set.loader,
    libraryPath: set.libraryPath,
    ...(runTime === undefined ? {} : { auditModule: runTime.module }),
    ...(entering.length === 0 ? {} : { launcherVariables: entering }),
    ...(strategy === 'nix-ld' ? nixLdEdits(set, runTime, suffix) : { environment }),
    argv:
      strategy === 'loader'
        ? loaderArguments(inputs, { executed: execute ?? set.loader, module: runTime?.module })
        : [],
  };
}

/**
 * The same start with a set that has more libraries, for what may be opened: nothing that decides the way has changed.
 * `farms`: the directory that farms are in. @throws Node's errors when the run-time directory vanished in between.
 */
export function extendedPlan(
  plan: LaunchPlan,
  set: VerifiedSet,
  runTime: RunTimePlace,
  farms: string,
): LaunchPlan {
  const isInFarm = (file: string): boolean => file.startsWith(`${farms}/`);
  const { watched } = runTimeConditions(runTime);
  const isElsewhere = ({ path: file }: { readonly path: string }) => path.dirname(file) !== runTime.directory;
  const kept = plan.watched.filter(isElsewhere);
  const outside = (plan.watchedOutside ?? []).filter(isElsewhere);
  const files = [
    ...plan.files.filter((file) => !isInFarm(file)),
    ...[...set.links.keys()].sort().map((name) => path.join(set.farm, name)),
    ...set.outside,
  ];
  // A view has links to the farm that it was made with.
  const shown = plan.view === undefined ? [] : plan.directories.filter(isInFarm).slice(0, 1);
  const { nixLdLists } = plan;
  return {
    ...plan,
    directories: [...new Set([...plan.directories.filter((each) => !isInFarm(each)), ...shown, set.farm])],
    files: [...new Set(files)],
    watched: plan.view === undefined ? [...kept, ...watched] : kept,
    ...(plan.view === undefined ? {} : { watchedOutside: [...outside, ...watched] }),
    libraryPath: set.libraryPath,
    ...(nixLdLists === undefined
      ? {}
      : { nixLdLists: nixLdLists.map(([name]) => [name, set.libraryPath] as const) }),
    argv: plan.argv.map((argument) =>
      argument.kind === 'library-path' ? { kind: 'library-path', list: set.libraryPath } : argument,
    ),
  };
}

/**
 * The plan of a patched copy, which the launcher looks for when the copy has entered it: the same libraries, whoever
 * sits at the program's own interpreter path.
 */
export function planOfCopy(plan: LaunchPlan, copy: string): LaunchPlan {
  const { interpreterPath: _, execute: __, absentOutside: ___, rule: ____, ...rest } = plan;
  return {
    ...rest,
    program: copy,
    identity: identityOf(copy),
    strategy: 'interpreter',
    watched: plan.watched.filter(({ path: file }) => file !== copy),
  };
}

/**
 * What binfmt_misc hands over is the launcher's whoever sits at its interpreter path. Where the rule can be seen, the
 * plan holds for a prefix as long as that is there.
 */
export function handedOver(
  { interpreterPath: _, absentOutside: __, ...plan }: LaunchPlan,
  rule?: string,
): LaunchPlan {
  return rule === undefined ? plan : { ...plan, rule };
}

/**
 * The launcher as its interpreter starts the copy: in no loader would the program itself find its libraries. The audit
 * module stays, by which the run-time directory is found.
 */
export function withoutLoader({ loader: _, libraryPath: __, ...plan }: LaunchPlan): LaunchPlan {
  return plan;
}
