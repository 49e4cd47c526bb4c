// A process that looks for a library → what its program has now, as a solution that stays as it is.
import path from 'node:path';
import { buildProblem } from '../candidates/build-problem.ts';
import type { Problem, Provider } from '../candidates/problem.ts';
import { toProvider } from '../candidates/providers.ts';
import { applyChoices } from '../choices/apply.ts';
import { type Choices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import type { Directories } from '../host/directories.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import { libcOf } from '../program/libc.ts';
import type { Choice, Solution } from '../solver/solution.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { withStore } from '../store/open-catalogue.ts';
import { storeObjectOf } from '../store/store-location.ts';
import type { Context } from './context.ts';
import { choicesOfProgram, dynamicOf } from './job.ts';
import type { ProcessObjects } from './running-process.ts';

/** What the audit module asks (audit/RUN-TIME.md). */
export interface RunTimeQuestion {
  readonly directory: string;
  readonly processId: number;
  /** Path of the object that needs it; empty for the program. */
  readonly requester: string;
  /** The name that was found nowhere; the path of a plug-in that the loader refused. */
  readonly name: string;
}

/** Everything that a question is answered by. */
export interface Extension {
  readonly question: RunTimeQuestion;
  readonly program: ProgramFile & { readonly elf: ElfFile };
  readonly context: Context;
  readonly dirs: Directories;
  readonly loaded: ProcessObjects;
  /** The plan that the process was started by, unless there is another by now. */
  readonly plan: LaunchPlan | undefined;
  readonly fingerprint: Fingerprint | undefined;
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

interface PresentSet {
  readonly catalogue: Catalogue;
  readonly problem: Problem;
  /** Undefined where the loader is not in the catalogue. */
  readonly present: Solution | undefined;
  readonly choices: Choices;
}

/** Reads the catalogue while `use` runs. */
export async function withPresentSet<T>(extension: Extension, use: (situation: PresentSet) => T): Promise<T> {
  const { program, context, dirs } = extension;
  const choices = (await choicesOfProgram(program, context))?.choices ?? NO_CHOICES;
  return await withStore(dirs.catalogues, context.location, (catalogue) => {
    const kind = dynamicOf(program)?.libc.kind ?? 'glibc';
    const { driverDirectories } = program;
    const inspected = { path: program.path, elf: program.elf, libc: kind, driverDirectories };
    const build = (preference: 'same-source' | 'none') =>
      buildProblem(inspected, catalogue, new Set(), { preference, reach: 'exact' });
    const plain = build('same-source');
    const problem = !hasChoices(choices)
      ? plain
      : applyChoices(plain, build('none').providersOf, choices, {
          catalogue,
          program: { ...program, libc: libcOf(program.elf, kind) },
        });
    return use({ catalogue, problem, choices, present: presentSolution(extension, problem, catalogue) });
  });
}
