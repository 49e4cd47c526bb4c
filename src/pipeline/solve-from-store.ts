// A program and the store → the fingerprint of one coherent set.
import { type Choices, digestOfChoices } from '../choices/choices.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { fingerprintOf } from '../fingerprint/from-solution.ts';
import type { ChosenLibrary } from '../launch/layout.ts';
import type { Place } from '../platform/places.ts';
import { debug } from '../platform/report.ts';
import { unprovidedNames } from '../solve/unprovided.ts';
import { openNixDatabase } from '../store/nix-database.ts';
import { withStore } from '../store/open-store.ts';
import { type ClosestSentence, closestSentences } from './closest-notice.ts';
import { conflictError } from './conflict-error.ts';
import type { Context } from './context.ts';
import { poseProblem } from './pose-problem.ts';
import type { Dynamic } from './subject.ts';

export interface ChosenSet {
  readonly fingerprint: Fingerprint;
  /** The same libraries, with what the layout asks of each. */
  readonly libraries: readonly ChosenLibrary[];
  /** Sentences that name the libraries of another version than the needed one. */
  readonly closest: readonly ClosestSentence[];
  /** Whether `--list` of the loader tells all; it does not see a processor that lacks something, nor what pins bring. */
  readonly listTells: 'all' | 'part';
}

/**
 * Looks in the store as it is now.
 * @throws ForeignError that explains itself when there is no coherent set.
 */
export async function solveFromStore(
  subject: Dynamic,
  sha256: string,
  context: Context,
  place: Place,
  excluded: ReadonlySet<string>,
  choices: Choices,
): Promise<ChosenSet> {
  const { program } = subject;
  const { outcome, closest, beyond } = await withStore(place.catalogues, context.location, (catalogue) => {
    debug('the catalogue is up to date');
    const posed = poseProblem(subject, catalogue, excluded, choices);
    const { outcome: solved, problem } = posed;
    debug(`solved: ${solved.kind}`);
    if (solved.kind !== 'solution') {
      throw conflictError(program, solved, unprovidedNames(problem), catalogue, posed.closest);
    }
    const beyond = problem.beyondProcessor?.length ?? 0;
    return { outcome: solved, closest: closestSentences(solved, problem), beyond };
  });
  const database = openNixDatabase(context.location);
  try {
    const narHashOf = (storePath: string) => database?.narHashOf(storePath);
    const libraries = outcome.choices.map(({ name, provider }) => ({
      name,
      path: provider.path,
      usesOrigin: provider.usesOrigin ?? false,
    }));
    return {
      fingerprint: fingerprintOf(
        program,
        sha256,
        outcome,
        narHashOf,
        context.toolVersion,
        digestOfChoices(choices),
      ),
      libraries,
      closest,
      listTells: beyond === 0 && Object.keys(choices.pins).length === 0 ? 'all' : 'part',
    };
  } finally {
    database?.close();
  }
}
