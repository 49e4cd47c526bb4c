// A program and the store → the fingerprint of one coherent set.
import { buildProblem } from '../candidates/build-problem.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { fingerprintOf } from '../fingerprint/from-solution.ts';
import type { Place } from '../platform/places.ts';
import { solve } from '../solve/solve.ts';
import { openNixDatabase } from '../store/nix-database.ts';
import { openStore } from '../store/open-store.ts';
import { conflictError } from './conflict-error.ts';
import type { Context } from './context.ts';
import type { Dynamic } from './subject.ts';

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
): Promise<Fingerprint> {
  const catalogue = await openStore(place.catalogues, context.location);
  const database = openNixDatabase(context.location);
  try {
    const { program, elf, libc } = subject;
    const problem = buildProblem({ path: program.path, elf, libc: libc.kind }, catalogue, excluded);
    const outcome = solve(problem);
    if (outcome.kind !== 'solution') throw conflictError(program, outcome, catalogue);
    const narHashOf = (storePath: string) => database?.narHashOf(storePath);
    return fingerprintOf(program, sha256, outcome, narHashOf, context.toolVersion);
  } finally {
    catalogue.close();
    database?.close();
  }
}
