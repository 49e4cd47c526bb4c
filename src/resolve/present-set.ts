// A process that looks for a library → what its program has now, as a solution that stays as it is.
import path from 'node:path';
import { buildProblem } from '../candidates/build-problem.ts';
import type { Problem, Provider } from '../candidates/problem.ts';
import { toProvider } from '../candidates/providers.ts';
import { applyChoices } from '../choices/apply.ts';
import { addedFiles, type Choices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { readSavedFingerprint } from '../fingerprint/saved-fingerprints.ts';
import type { Directories } from '../host/directories.ts';
import { sha256OfFile } from '../host/file-identity.ts';
import { plannedContent, readPlan } from '../plan/plan-files.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { runTimeDirectoryOf } from '../plan/run-time-record.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import { libcOf } from '../program/libc.ts';
import type { Choice, Solution } from '../solver/solution.ts';
import { missingVersion } from '../solver/version-needs.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { withStore } from '../store/open-catalogue.ts';
import { storeObjectOf } from '../store/store-location.ts';
import type { Context } from './context.ts';
import { choicesOfProgram, type DynamicProgram, dynamicOf } from './job.ts';
import { loadedElsewhere, loadedObjectsOf, type ProcessObjects, wholePathOf } from './running-process.ts';
import { inspected } from './solve-program.ts';

/** What the audit module asks (audit/RUN-TIME.md). */
export interface RunTimeQuestion {
  readonly directory: string;
  readonly processId: number;
  /** Path of the object that needs it, as ld.so calls it; empty for the program. */
  readonly requester: string;
  /** The name that was found nowhere; the path of a plug-in that the loader refused. */
  readonly name: string;
}

/** Everything that a question is answered by. */
export interface Extension {
  /** The requester's path is absolute, but where its file cannot be told. */
  readonly question: RunTimeQuestion;
  readonly program: ProgramFile & { readonly elf: ElfFile };
  /** The program where its libraries are ours to find, with what the user added. */
  readonly dynamic: DynamicProgram | undefined;
  readonly choices: Choices;
  readonly context: Context;
  readonly dirs: Directories;
  readonly loaded: ProcessObjects;
  /** The plan that the process was started by, unless there is another by now. */
  readonly plan: LaunchPlan | undefined;
  readonly fingerprint: Fingerprint | undefined;
}

/** The plan that the process was started by: another one has another run-time directory. */
function ownPlan(dirs: Directories, program: string, directory: string): LaunchPlan | undefined {
  const plan = readPlan(dirs, program);
  return runTimeDirectoryOf(plan) === directory ? plan : undefined;
}

/** LD_LIBRARY_PATH as the user has it: for nix-ld, the plan puts its own directories there. */
function withUsersPath<T extends ProgramFile>(program: T, plan: LaunchPlan | undefined, farms: string): T {
  const ours = new Set(plan?.libraryPath?.split(':'));
  const isOurs = (directory: string): boolean => ours.has(directory) || directory.startsWith(`${farms}/`);
  const libraryPathDirs = (program.libraryPathDirs ?? []).filter((directory) => !isOurs(directory));
  return { ...program, libraryPathDirs };
}

/** `asking`: the program, with the library path of the process. */
export async function openExtension(
  asked: RunTimeQuestion,
  asking: Extension['program'],
  context: Context,
  dirs: Directories,
): Promise<Extension> {
  const { storeDir } = context.location;
  const requester = wholePathOf(asked.processId, asked.requester, context.host.workingDirectory);
  const question = { ...asked, requester };
  const plan = ownPlan(dirs, asking.path, question.directory);
  // The process waits, and reading a program of gigabytes would take all of its time.
  const sha256 = plan && (plannedContent(dirs, plan, asking) ?? sha256OfFile(asking.path));
  const fingerprint =
    plan?.root === undefined || sha256 === undefined || plan.sha256 !== sha256
      ? undefined
      : (await readSavedFingerprint(plan.root, sha256, storeDir))?.fingerprint;
  const loaded = loadedObjectsOf(question.processId, storeDir);
  const program = withUsersPath(asking, plan, dirs.farms);
  const choices = (await choicesOfProgram(program, context))?.choices ?? NO_CHOICES;
  const found = dynamicOf(program);
  const dynamic = found && { ...found, added: addedFiles(choices, storeDir) };
  return { question, program, dynamic, choices, context, dirs, loaded, plan, fingerprint };
}

/** A file of the set as the solver knows it; undefined for one that the catalogue does not have. */
function providerAt(catalogue: Catalogue, like: ElfFile, file: string): Provider | undefined {
  const object = storeObjectOf(catalogue.storeDir, file);
  if (object === undefined) return undefined;
  const library = catalogue
    .librariesIn(object, like.class, like.machine)
    .find((each) => path.join(object, each.file) === file);
  return library && toProvider(library, catalogue.storeDir, new Set(), new Map());
}

/** Name → file, of the fingerprint and of what the process has loaded. */
export function presentFiles({ fingerprint, loaded }: Extension): Map<string, string> {
  const files = new Map(loaded.store.map(({ soname, path: file }) => [soname, file]));
  for (const each of fingerprint?.libraries ?? [])
    files.set(each.soname, path.join(each.storePath, each.file));
  return files;
}

/** What is there, as a solution that stays as it is. Undefined where the loader is not in the catalogue. */
function presentSolution(extension: Extension, problem: Problem, catalogue: Catalogue): Solution | undefined {
  const { program, loaded, fingerprint } = extension;
  const loaderObject =
    fingerprint?.loader.storePath ?? storeObjectOf(catalogue.storeDir, loaded.loader ?? '');
  const loader = problem.loaders.find(({ storePath }) => storePath === loaderObject);
  if (loader === undefined) return undefined;
  const choices = [...presentFiles(extension)].flatMap(([name, file]): Choice[] => {
    if (problem.isFamily(name)) return [];
    const provider =
      problem.providersOf(name).find((each) => each.path === file) ??
      providerAt(catalogue, program.elf, file);
    return provider === undefined ? [] : [{ name, provider, neededBy: [] }];
  });
  const cost = { closest: 0, foreign: 0, overrides: 0 };
  return {
    kind: 'solution',
    loader,
    choices,
    familyNames: [],
    cost,
    undefinedSymbols: [],
    proven: true,
  };
}

/**
 * Of each name those providers that go with what the process has from outside the store, where some do: ld.so serves a
 * name by what is loaded, and refuses an object that needs a version which that lacks.
 */
function besideLoaded(problem: Problem, loaded: ProcessObjects): Problem {
  const there = loadedElsewhere(loaded);
  const known = new Map<string, readonly Provider[]>();
  const goes = ({ verneed, match }: Provider): boolean =>
    match === 'pinned' ||
    verneed.every(({ file, versions }) => {
      const elf = there.get(file);
      return elf === undefined || missingVersion(versions, elf) === undefined;
    });
  const provide = (name: string): readonly Provider[] => {
    const all = problem.providersOf(name);
    const fitting = all.filter(goes);
    return fitting.length > 0 ? fitting : all;
  };
  return {
    ...problem,
    providersOf: (name) => {
      const providers = known.get(name) ?? provide(name);
      known.set(name, providers);
      return providers;
    },
  };
}

interface PresentSet {
  readonly catalogue: Catalogue;
  readonly problem: Problem;
  /** Undefined where the loader is not in the catalogue. */
  readonly present: Solution | undefined;
}

/**
 * Reads the catalogue while `use` runs. The problem is that of the start: what lies beside the program is the same, but
 * for names that the set has from the store all the same, and what was loaded since counts.
 */
export async function withPresentSet<T>(extension: Extension, use: (situation: PresentSet) => T): Promise<T> {
  const { dynamic, choices, context, dirs, fingerprint } = extension;
  const program = dynamic ?? { ...extension.program, libc: libcOf(extension.program.elf, 'glibc') };
  const fromStore = new Set(fingerprint?.libraries.map(({ soname }) => soname));
  return await withStore(dirs.catalogues, context.location, (catalogue) => {
    const asked = { ...inspected(program, choices, catalogue), fromStore };
    const build = (preference: 'same-source' | 'none') =>
      buildProblem(asked, catalogue, new Set(), { preference, reach: 'exact' });
    const plain = build('same-source');
    const stated = !hasChoices(choices)
      ? plain
      : applyChoices(plain, build('none').providersOf, choices, { catalogue, program });
    const present = presentSolution(extension, stated, catalogue);
    return use({ catalogue, problem: besideLoaded(stated, extension.loaded), present });
  });
}
