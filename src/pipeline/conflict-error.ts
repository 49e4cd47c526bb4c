// A conflict → the error that tells the user which library is missing, who needs it, and what was looked at.
import type { Program } from '../candidates/program.ts';
import { ForeignError } from '../errors.ts';
import { explainConflict } from '../solve/explain-conflict.ts';
import type { Conflict, Reason, Undecided } from '../solve/solution.ts';
import type { Catalogue } from '../store/catalogue.ts';

/** `libssl.so` of `libssl.so.1.1`. */
function stemOf(name: string): string {
  return /^(.*?\.so)/.exec(name)?.[1] ?? name;
}

function missingNames(reasons: readonly Reason[]): string[] {
  return [...new Set(reasons.filter((each) => each.kind === 'no-provider').map((each) => each.name))].sort();
}

const BRING = "e.g. nix-build '<nixpkgs>' -A PACKAGE, and try again";

/** Libraries that are there, but in builds that do not go with the rest. */
function hintForClash(reasons: readonly Reason[]): string {
  const lacking = reasons.filter((each) => each.kind === 'missing-version').map((each) => each.name);
  return lacking.length === 0
    ? `bring libraries into the store that fit together, ${BRING}`
    : `bring another build of ${[...new Set(lacking)].sort().join(', ')} into the store, ${BRING}`;
}

function hintFor(program: Program, conflict: Conflict, catalogue: Catalogue): string {
  const missing = missingNames(conflict.reasons);
  if (missing.length === 0) return hintForClash(conflict.reasons);
  const similar = missing.flatMap((name) =>
    catalogue.namesBeginning(stemOf(name), program.elf?.class ?? 64, program.elf?.machine ?? 0),
  );
  const { libraries, objects } = catalogue.counts();
  const looked = `looked at ${libraries} libraries in ${objects} store objects of ${catalogue.storeDir}`;
  const near = similar.length === 0 ? '' : `, which has ${similar.slice(0, 4).join(', ')}`;
  return `${looked}${near}; bring the missing package into the store, ${BRING}`;
}

/** States why no coherent set exists. */
export function conflictError(
  program: Program,
  outcome: Conflict | Undecided,
  catalogue: Catalogue,
): ForeignError {
  if (outcome.kind === 'undecided') {
    return new ForeignError(`${program.given}: no set of libraries was found within ${outcome.steps} steps`, {
      code: 'undecided',
      hint: 'please report it, with the output of nix-foreign explain',
      exitCode: 125,
    });
  }
  return new ForeignError(`${program.given}: ${explainConflict(outcome).join('; ')}`, {
    code: outcome.reasons.some(({ kind }) => kind === 'no-provider') ? 'no-provider' : 'conflict',
    hint: hintFor(program, outcome, catalogue),
    exitCode: 126,
  });
}
