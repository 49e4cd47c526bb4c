// A program's fingerprint and the store as it is now → for each library, what else there was and why it lost.
import type { Provider } from '../../candidates/problem.ts';
import { tryCandidate } from '../../choices/alternatives.ts';
import type { Choices } from '../../choices/choices.ts';
import {
  type Candidate,
  type ChosenSet,
  LOSSES_BY_COST,
  type Loss,
  type Needer,
  needersOf,
  wantsOf,
  weighCandidates,
  weighFamily,
} from '../../choices/compare.ts';
import { pathOfStoreFile } from '../../farm/verify-set.ts';
import type { Fingerprint } from '../../fingerprint/fingerprint.ts';
import type { DynamicProgram } from '../../resolve/job.ts';
import { openAlternatives, type StoreAlternatives } from '../../resolve/solve-program.ts';
import { dearerBy } from '../../solver/objective.ts';
import type { UnboundSymbol } from '../../solver/solution.ts';
import { undefinedSymbolsIn } from '../../solver/undefined-symbols.ts';
import type { Catalogue } from '../../store/catalogue.ts';
import { nameOfStoreObject } from '../../store/store-location.ts';

/** Who needs a name, and what there is for it. */
export interface SonameReport {
  readonly neededBy: readonly Needer[];
  /** The chosen one first, then the others by rank. */
  readonly candidates: readonly Candidate[];
}

export interface CandidateReport {
  /** Undefined for names that the store does not serve. */
  of(name: string): SonameReport | undefined;
  /** The same, with every loss that only shows in the whole set found out by solving with that candidate. */
  inFull(name: string): SonameReport | undefined;
  /** Objects whose own run paths lead to another file for this name than others', each with that file. */
  wantsOf(name: string): readonly { readonly by: string; readonly path: string }[];
  /** Symbols that nobody in the set defines and that are looked up when they are first called. */
  readonly undefinedSymbols: readonly UnboundSymbol[];
  /** Name of the store object of the glibc that a library was built with. */
  glibcOf(name: string): string | undefined;
}

/** The providers that a fingerprint names, among those that the store offers now. */
function setOf(fingerprint: Fingerprint, seen: StoreAlternatives): ChosenSet | undefined {
  const loader = seen.problem.loaders.find(({ path }) => path === pathOfStoreFile(fingerprint.loader));
  if (loader === undefined) return undefined;
  const providers = new Map<string, Provider>();
  for (const library of fingerprint.libraries) {
    const file = pathOfStoreFile(library);
    const provider = seen.every(library.soname).find(({ path }) => path === file);
    if (provider !== undefined) providers.set(library.soname, provider);
  }
  return { loader, providers };
}

/** Why the whole set with a candidate is worse, by the solver's own costs. */
function lossInSet(seen: StoreAlternatives, name: string, { provider }: Candidate): Loss | undefined {
  const { problem, outcome } = seen;
  if (outcome.kind !== 'solution') return undefined;
  const trial = tryCandidate(problem, outcome, name, provider);
  if (trial.kind === 'impossible') {
    return { criterion: 'whole set', detail: `no set has it: ${trial.sentences.join('; ')}` };
  }
  const dearer = dearerBy(
    (kind) => outcome.cost[kind],
    (kind) => trial.solution.cost[kind],
  );
  if (dearer === undefined) {
    const others = trial.changes.filter((change) => change.name !== name).length;
    return others === 0
      ? undefined
      : { criterion: 'whole set', detail: `would change ${others} other libraries, none for the better` };
  }
  const { criterion, inSet } = LOSSES_BY_COST[dearer];
  return { criterion, detail: `the set with it ${inSet}` };
}

/** What is known of a set. The catalogue is read when a name is first asked for. */
export function candidateReportOf(
  dynamic: DynamicProgram,
  fingerprint: Fingerprint,
  catalogue: Catalogue,
  choices: Choices,
): CandidateReport | undefined {
  const seen = openAlternatives(dynamic, catalogue, choices);
  const set = setOf(fingerprint, seen);
  if (set === undefined) return undefined;
  const of = (name: string): SonameReport | undefined => {
    if (!set.providers.has(name)) return undefined;
    const candidates = weighCandidates(seen.problem, seen.every(name), set, name);
    return { neededBy: needersOf(seen.problem, set, name), candidates };
  };
  const family = (name: string): SonameReport | undefined => {
    if (!set.loader.family.has(name)) return undefined;
    const candidates = weighFamily(seen.problem, set, name);
    return { neededBy: needersOf(seen.problem, set, name), candidates };
  };
  const full = (name: string, candidate: Candidate): Candidate =>
    candidate.loss?.criterion === 'whole set'
      ? { ...candidate, loss: lossInSet(seen, name, candidate) ?? candidate.loss }
      : candidate;
  return {
    of,
    undefinedSymbols: undefinedSymbolsIn(
      seen.problem,
      set.loader,
      new Map([...set.loader.family, ...set.providers]),
    ),
    inFull: (name) => {
      const report = of(name) ?? family(name);
      return report && { ...report, candidates: report.candidates.map((each) => full(name, each)) };
    },
    wantsOf: (name) => wantsOf(set, name),
    glibcOf: (name) => {
      const builtWith = set.providers.get(name)?.builtWith;
      return builtWith === undefined ? undefined : nameOfStoreObject(builtWith);
    },
  };
}
