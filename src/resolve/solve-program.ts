// A program, the store and the user's choices → one coherent set as a fingerprint, or what each alternative would do.
import { buildProblem, type InspectedProgram } from '../candidates/build-problem.ts';
import type { ClosestMatches, Problem, Provider } from '../candidates/problem.ts';
import { applyChoices } from '../choices/apply.ts';
import { addedFiles, type Choices, digestOfChoices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import { isEvident } from '../choices/evident-set.ts';
import type { ChosenLibrary } from '../farm/layout.ts';
import { type Fingerprint, fingerprintOf } from '../fingerprint/fingerprint.ts';
import type { ForeignError } from '../host/errors.ts';
import { debug, notice } from '../host/output.ts';
import type { LearnedPlugIn } from '../plan/run-time-record.ts';
import { unprovidedNames } from '../solver/explain-conflict.ts';
import type { Choice, Conflict, Solution, Undecided } from '../solver/solution.ts';
import { solve } from '../solver/solve.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { openNixDatabase } from '../store/nix-database.ts';
import { withStore } from '../store/open-catalogue.ts';
import {
  aroundProgram,
  type ClosestSentence,
  closestSentences,
  conflictError,
  hintForAround,
} from './conflict-error.ts';
import { explained, type FetchRounds } from './fetch-rounds.ts';
import type { DynamicProgram, Job } from './job.ts';
import { absentNames, type LackingName, lackingNames } from './lacking-names.ts';
import { besideSet, withLearned } from './learned.ts';
import {
  type OptionalReport,
  type OptionalSet,
  type ToldReport,
  told,
  withOptionalLibraries,
} from './optional-libraries.ts';

export interface SolvedSet {
  readonly fingerprint: Fingerprint;
  /** The same libraries, with what the layout asks of each. */
  readonly libraries: readonly ChosenLibrary[];
  /** Sentences that name the libraries of another version than the needed one. */
  readonly closest: readonly ClosestSentence[];
  /**
   * Whether `--list` of the loader tells all; it does not see a processor that lacks something, nor what pins bring.
   */
  readonly listTells: 'all' | 'part';
  /** What the program may open from outside the store, as it is counted in the set. */
  readonly plugIns: readonly LearnedPlugIn[];
  /** Libraries that a note calls required, and that cannot be had. */
  readonly wanting: readonly ToldReport[];
  readonly drivers: OptionalSet['drivers'];
}

function isWanting({ source, priority, taken }: OptionalReport): boolean {
  return source === 'note' && priority === 'required' && taken === undefined;
}

/** What must not be chosen. */
export interface Excluded {
  /** Store objects that vanished, or that the loader does not come to. */
  readonly objects: ReadonlySet<string>;
  /** Names of optional libraries that the loader refused. */
  readonly optional: ReadonlySet<string>;
}

/**
 * What the store has for a program. `lacking`: names that it has not, though another version may serve; `lookedAt`:
 * milliseconds since 1970, before the store was read.
 */
type FromStore = { readonly lacking: readonly LackingName[]; readonly lookedAt: number } & (
  | {
      readonly kind: 'solved';
      readonly outcome: Solution;
      readonly added: readonly Choice[];
      readonly closest: readonly ClosestSentence[];
      readonly beyond: number;
      readonly plugIns: SolvedSet['plugIns'];
      readonly drivers: SolvedSet['drivers'];
      readonly wanting: readonly ToldReport[];
    }
  /** `isBeside`: what is lacking lies around the program, or was added and is gone; the error says what to do. */
  | { readonly kind: 'unsolved'; readonly error: ForeignError; readonly isBeside: boolean }
);

/** Looks in the store as it is now. */
async function lookInStore(job: Job, { objects, optional }: Excluded): Promise<FromStore> {
  const { program, context, dirs } = job;
  const choices = job.choices?.choices ?? NO_CHOICES;
  const lookedAt = Date.now();
  return await withStore(dirs.catalogues, context.location, (catalogue): FromStore => {
    debug('the catalogue is up to date');
    const result = withLearned(solveProgram(program, catalogue, objects, choices), job);
    const { outcome, problem, lacking = [] } = result;
    debug(`solved: ${outcome.kind}`);
    if (outcome.kind !== 'solution') {
      const { closest } = result;
      const missing = unprovidedNames(problem);
      const error = conflictError(program, outcome, { missing, catalogue, closest });
      const isBeside = hintForAround(program, missing, catalogue) !== undefined;
      return { kind: 'unsolved', error, isBeside, lacking, lookedAt };
    }
    const optionals = withOptionalLibraries(program, { problem, solution: outcome }, job.learned, optional);
    const { added, plugIns, reports, solution, drivers } = optionals;
    const closest = closestSentences(solution, problem);
    const beyond = problem.beyondProcessor?.length ?? 0;
    const wanting = reports.filter(isWanting);
    // A note may say anything; what has a slash is no name that is searched for.
    const required = wanting.flatMap(({ sonames }) => sonames).filter((name) => !name.includes('/'));
    const absent = [...lacking, ...absentNames(required, besideSet(problem, solution))];
    return {
      kind: 'solved',
      outcome: solution,
      added,
      plugIns,
      drivers,
      wanting: wanting.map(told),
      closest,
      beyond,
      lacking: absent,
      lookedAt,
    };
  });
}

/** Fetches what the store lacks, where an index has it, and looks again. What it takes instead is said in one line. */
async function withFetched(
  job: Job,
  excluded: Excluded,
  rounds: FetchRounds,
): Promise<Extract<FromStore, { kind: 'solved' }>> {
  for (;;) {
    const found = await lookInStore(job, excluded);
    if (found.lacking.length === 0 && found.kind === 'solved') return found;
    const { fetchLacking } = await import('./fetch-absent-libraries.ts');
    const isSolved = found.kind === 'solved';
    const came =
      found.lacking.length > 0 &&
      (await fetchLacking(job, { ...found, excluded: excluded.objects, rounds, isSolved }));
    if (came) continue;
    if (found.kind === 'unsolved') throw explained(found, rounds);
    const { word } = rounds;
    if (word?.kind === 'not-fetched' && word !== rounds.told)
      notice([`${job.program.typedName}: ${word.why.join('; ')}`, word.remedy ?? []].flat().join('; '));
    rounds.told = word;
    return found;
  }
}

/**
 * Chooses among what is in the store and what a file index has.
 * @throws ForeignError that explains itself when there is no coherent set.
 */
export async function chooseLibraries(job: Job, excluded: Excluded, rounds: FetchRounds): Promise<SolvedSet> {
  const { program, sha256, context } = job;
  const choices = job.choices?.choices ?? NO_CHOICES;
  const { outcome, added, closest, beyond, plugIns, drivers, wanting } = await withFetched(
    job,
    excluded,
    rounds,
  );
  const database = openNixDatabase(context.location);
  try {
    const narHashOf = (storePath: string) => database?.narHashOf(storePath);
    const libraries = [...outcome.choices, ...added].map(({ name, provider }) => ({
      name,
      path: provider.path,
      usesOrigin: provider.usesOrigin ?? false,
    }));
    return {
      fingerprint: fingerprintOf(
        program,
        sha256,
        { loader: outcome.loader, choices: outcome.choices, optional: added },
        narHashOf,
        context.toolVersion,
        digestOfChoices(choices),
      ),
      libraries,
      closest,
      plugIns,
      wanting,
      drivers,
      listTells: beyond === 0 && Object.keys(choices.pins).length === 0 ? 'all' : 'part',
    };
  } finally {
    database?.close();
  }
}

export interface SolvedProblem {
  readonly problem: Problem;
  readonly outcome: Solution | Conflict | Undecided;
  /** With a conflict over names that nobody has: what other versions of these libraries were found to lack. */
  readonly closest?: ClosestMatches;
  /** What nobody has exactly, whether something else serves or not; absent where all is there. */
  readonly lacking?: readonly LackingName[];
}

/** Each round takes one more library from the store; programs bring a few along that others need too. */
const MOST_ROUNDS = 8;

/**
 * Solves. A bundled library that is too old for a library of the store, as libstdc++ may be, gives way to the store's
 * where the farm comes before the run path that leads to it. If that helps nothing, the outcome is the first one.
 */
export function solveProgram(
  program: DynamicProgram,
  catalogue: Catalogue,
  excluded: ReadonlySet<string>,
  choices: Choices = NO_CHOICES,
): SolvedProblem {
  const question = { program, catalogue, excluded, choices };
  const first = solveAll(question);
  const fromStore = new Set<string>();
  let result = first;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const before = fromStore.size;
    for (const name of tooOldIn(result.outcome)) fromStore.add(name);
    if (fromStore.size === before) break;
    result = solveAll({ ...question, fromStore });
    if (result.outcome.kind === 'solution') return result;
  }
  // With the store's in place of bundled ones it is seen what the store lacks.
  return result.lacking === undefined ? first : { ...first, lacking: result.lacking };
}

/** Names of bundled libraries that lack versions. */
function tooOldIn(outcome: SolvedProblem['outcome']): string[] {
  if (outcome.kind !== 'conflict') return [];
  return outcome.reasons.flatMap((reason) => {
    const isVersion = reason.kind === 'missing-version' || reason.kind === 'unversioned';
    return isVersion && reason.offeredIn === undefined ? [reason.name] : [];
  });
}

/**
 * With exact matches only and, where some name has no provider at all, once more with other versions of the missing
 * libraries. If these do not serve either, or nothing but the name shows that they would, the outcome is the
 * first one and `closest` has what was found of them. What lies around the program is not replaced: the user is told.
 */
function solveAll(question: StoreQuestion): SolvedProblem {
  const exact = solveWithin('exact', question);
  const { outcome } = exact;
  if (outcome.kind !== 'conflict') return exact;
  const lacking = lackingNames(exact.problem, outcome, question.program.libc.loaderName);
  if (!outcome.reasons.some(({ kind }) => kind === 'no-provider')) return { ...exact, lacking };
  const around = aroundProgram(question.program, unprovidedNames(exact.problem), question.catalogue);
  if (around.size > 0) return { ...exact, lacking };
  const near = solveWithin('closest', question);
  const { closest } = near.problem;
  if (near.outcome.kind === 'solution' && isEvident(near.outcome, near.problem)) return { ...near, lacking };
  return closest === undefined ? { ...near, lacking } : { ...exact, closest, lacking };
}

/** What is asked of the store: for which program, by which choices, without which store objects. */
interface StoreQuestion {
  readonly program: DynamicProgram;
  readonly catalogue: Catalogue;
  /** Store objects that vanished. */
  readonly excluded: ReadonlySet<string>;
  readonly choices: Choices;
  /** Names of bundled libraries that the store serves instead. */
  readonly fromStore?: ReadonlySet<string>;
}

/**
 * Solves. What is only a preference gives way where it leaves no set: first that for libraries of the program's own
 * source, then the user's, the least important first.
 */
function solveWithin(reach: 'exact' | 'closest', question: StoreQuestion): SolvedProblem {
  const { program, catalogue, choices, fromStore } = question;
  const asked = { ...inspected(program, choices, catalogue), fromStore };
  const build = (preference: 'same-source' | 'none') =>
    buildProblem(asked, catalogue, question.excluded, { preference, reach });
  if (!hasChoices(choices)) {
    const sameSource = solved(build('same-source'));
    return sameSource.outcome.kind === 'solution' ? sameSource : solved(build('none'));
  }
  const [sameSource, none] = [build('same-source'), build('none')];
  let result: SolvedProblem | undefined;
  for (let count = choices.prefer.length; count >= 0; count -= 1) {
    const fewer = { ...choices, prefer: choices.prefer.slice(0, count) };
    for (const problem of [sameSource, none]) {
      result = solved(applyChoices(problem, none.providersOf, fewer, { catalogue, program }));
      if (result.outcome.kind === 'solution') return result;
    }
  }
  return result ?? solved(none);
}

/** What the problem of a program is stated from. */
export function inspected(
  { path, elf, libc, libraryPathDirs, driverDirectories }: Omit<DynamicProgram, 'interpreter'>,
  choices: Choices,
  { storeDir }: Catalogue,
): InspectedProgram {
  const added = addedFiles(choices, storeDir);
  return { path, elf, libc: libc.kind, libraryPathDirs, driverDirectories, added };
}

function solved(problem: Problem): SolvedProblem {
  return { problem, outcome: solve(problem) };
}

export interface StoreAlternatives extends SolvedProblem {
  /** All providers of a name, whatever is preferred; other versions of the library where nobody has the name. */
  readonly every: (name: string) => readonly Provider[];
}

/** Looks at the whole of what could be taken. Providers are read from the catalogue while it is open. */
export function openAlternatives(
  program: DynamicProgram,
  catalogue: Catalogue,
  choices: Choices,
): StoreAlternatives {
  const result = solveProgram(program, catalogue, new Set(), choices);
  const whole = { preference: 'none', reach: 'closest' } as const;
  const all: Problem = buildProblem(inspected(program, choices, catalogue), catalogue, new Set(), whole);
  const every = (name: string): readonly Provider[] => {
    const known = result.problem.providersOf(name);
    const paths = new Set(known.map(({ path }) => path));
    const pinned = known.filter(({ match }) => match === 'pinned');
    const rest = all.providersOf(name).filter(({ path }) => !pinned.some((each) => each.path === path));
    // What the problem has and the store as a whole has not: nothing but what was pinned under another name.
    return [
      ...pinned,
      ...rest.map((each) =>
        paths.has(each.path) ? (known.find(({ path }) => path === each.path) ?? each) : each,
      ),
    ];
  };
  return { ...result, every };
}
