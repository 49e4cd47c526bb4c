// What the real loader said of a set → one line of what the user can do about it.
import { type Choices, hasChoices } from '../choices/choices.ts';
import { nameOfStoreObject } from '../store/store-location.ts';

const BRING = "into the store, e.g. nix-build '<nixpkgs>' -A PACKAGE, and try again";

/** The store object that the complaint is about. */
function objectIn(complaint: string): string | undefined {
  const found = /^\/\S*?\/[0-9a-z]{32}-[^/\s:']+/.exec(complaint)?.[0];
  return found && nameOfStoreObject(found);
}

/**
 * The likeliest cause first: the user's own choices, then libraries of another version, then the library that the
 * loader names. The solver knows nothing against the set, so choosing among the same candidates would be guessing.
 */
export function remedyOfRejection(
  given: string,
  complaints: readonly string[],
  closest: readonly unknown[],
  choices: Choices,
): string {
  if (hasChoices(choices))
    return `choose again, or take your choices back: nix-foreign choose ${given} --reset`;
  if (closest.length > 0) return `bring the exact ${closest.length === 1 ? 'library' : 'libraries'} ${BRING}`;
  const object = objectIn(complaints[0] ?? '');
  return object === undefined
    ? `bring other builds of these libraries ${BRING}`
    : `leave that library out: nix-foreign choose ${given} --exclude '${object}'; or bring another build of it ${BRING}`;
}
