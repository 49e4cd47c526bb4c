// A conflict → the error that tells the user which library is missing, who needs it, and what was looked at.
import type { ClosestMatches } from '../candidates/problem.ts';
import type { Program } from '../candidates/program.ts';
import { otherVersionsOf } from '../candidates/soname-stem.ts';
import { whyUnusable } from '../choices/find-pin.ts';
import { ForeignError } from '../errors.ts';
import { explainConflict } from '../solve/explain-conflict.ts';
import type { Conflict, Reason, Undecided } from '../solve/solution.ts';
import type { Unprovided } from '../solve/unprovided.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { nearestSentences } from './closest-notice.ts';
import { dynamicOf } from './subject.ts';

const BRING = "e.g. nix-build '<nixpkgs>' -A PACKAGE, and try again";

/** Libraries that are there, but in builds that do not go with the rest. */
function hintForClash(reasons: readonly Reason[]): string {
  if (reasons.some(({ kind }) => kind === 'no-loader')) {
    return "bring the C library into the store, e.g. nix-build '<nixpkgs>' -A glibc, and try again";
  }
  const lacking = reasons.flatMap((each) => {
    if (each.kind === 'unbound-symbol') return each.lacking.map(({ name }) => name);
    return each.kind === 'missing-version' ? [each.name] : [];
  });
  return lacking.length === 0
    ? `bring libraries into the store that fit together, ${BRING}`
    : `bring another build of ${[...new Set(lacking)].sort().join(', ')} into the store, ${BRING}`;
}

function hintFor(
  program: Program,
  conflict: Conflict,
  missing: readonly Unprovided[],
  near: ReturnType<typeof nearestSentences>,
  catalogue: Catalogue,
): string {
  if (conflict.reasons.some(({ kind }) => kind === 'pinned' || kind === 'excluded')) {
    return `it is your choice that leaves no set; choose again, or take it back: nix-foreign choose ${program.given} --reset`;
  }
  if (missing.length === 0) return hintForClash(conflict.reasons);
  const similar = missing.flatMap(({ name }) =>
    otherVersionsOf(name, (letters) =>
      catalogue.namesBeginning(letters, program.elf?.class ?? 64, program.elf?.machine ?? 0),
    ),
  );
  const { libraries, objects } = catalogue.counts();
  const looked = `looked at ${libraries} libraries in ${objects} store objects of ${catalogue.storeDir}`;
  const has = similar.length === 0 ? '' : `, which has ${similar.slice(0, 4).join(', ')}`;
  const byHand =
    near.length === missing.length && near.every((each) => each.byHand === 'possible')
      ? `; the nearest can be chosen by hand: nix-foreign choose ${program.given}`
      : '';
  return `${looked}${has}; bring the missing ${missing.length === 1 ? 'package' : 'packages'} into the store, ${BRING}${byHand}`;
}

/** Of so many names the nearest library is told; `choose` lists all. */
const MOST_NEAR = 3;

/** A file that is no real program may need thousands. */
const MOST_MISSING = 20;

/** What the conflict says, and what else is missing: a minimal conflict stops at the first. */
function causeOf(
  conflict: Conflict,
  missing: readonly Unprovided[],
  near: ReturnType<typeof nearestSentences>,
): string {
  const told = new Set(conflict.reasons.flatMap((each) => ('name' in each ? [each.name] : [])));
  const more = missing.filter(({ name }) => !told.has(name));
  const sentences = explainConflict(conflict);
  if (more.length > 0) {
    const names = more
      .slice(0, MOST_MISSING)
      .map(({ name, neededBy }) => `${name} (for ${neededBy.slice(0, 3).join(', ')})`);
    const rest = more.length > MOST_MISSING ? ` and ${more.length - MOST_MISSING} more` : '';
    sentences.push(`also missing: ${names.join(', ')}${rest}`);
  }
  return [...sentences, ...near.slice(0, MOST_NEAR).map(({ text }) => text)].join('; ');
}

/** Of pins that hold no longer, as on another machine: why the pinned file cannot be loaded. */
function unusablePins(program: Program, { reasons }: Conflict, catalogue: Catalogue): string[] {
  const subject = dynamicOf(program);
  return reasons.flatMap((each) => {
    if (each.kind !== 'pinned' || subject === undefined) return [];
    const why = whyUnusable(each.path, catalogue, subject);
    return why === undefined ? [] : [`${each.path}: ${why}`];
  });
}

/**
 * States why no coherent set exists. `missing`: every name that the store does not have at all; `closest`: what was
 * found of other versions of these.
 */
export function conflictError(
  program: Program,
  outcome: Conflict | Undecided,
  missing: readonly Unprovided[],
  catalogue: Catalogue,
  closest?: ClosestMatches,
): ForeignError {
  if (outcome.kind === 'undecided') {
    return new ForeignError(`${program.given}: no set of libraries was found within ${outcome.steps} steps`, {
      code: 'undecided',
      hint: `leave less to choose from: nix-foreign choose ${program.given} --pin SONAME=PATH, or --exclude GLOB`,
      exitCode: 125,
    });
  }
  const near = nearestSentences(
    missing.map(({ name }) => name),
    closest,
  );
  const cause = [causeOf(outcome, missing, near), ...unusablePins(program, outcome, catalogue)].join('; ');
  return new ForeignError(`${program.given}: ${cause}`, {
    code: outcome.reasons.some(({ kind }) => kind === 'no-provider') ? 'no-provider' : 'conflict',
    hint: hintFor(program, outcome, missing, near, catalogue),
    exitCode: 126,
  });
}
