// A problem and the user's choices → the problem in which the choices hold.
import type { Problem, Provider } from '../candidates/problem.ts';
import { toProvider, whyNotLoaded } from '../candidates/providers.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import { type Choices, namePattern } from './choices.ts';
import { type Chooser, libraryAt } from './find-pin.ts';

/** A test for store paths that the user never wants. */
export function isExcludedBy(choices: Choices): (storePath: string) => boolean {
  const patterns = choices.exclude.map(namePattern);
  return (storePath) => patterns.some((pattern) => pattern.test(nameOfStoreObject(storePath)));
}

/** The library at a pinned path, whatever it calls itself; undefined where there is none that could be loaded. */
function providerAt(
  file: string,
  catalogue: Catalogue,
  program: Chooser,
  libcObjects: ReadonlySet<string>,
): Provider | undefined {
  const library = libraryAt(file, catalogue, program.elf);
  if (library === undefined || whyNotLoaded(library.elf, program.libc) !== undefined) return undefined;
  return toProvider(library, catalogue.storeDir, libcObjects, new Map());
}

function preferred(providers: readonly Provider[], beginnings: readonly string[]): readonly Provider[] {
  for (const beginning of beginnings) {
    const found = providers.filter(({ storePath }) => nameOfStoreObject(storePath).startsWith(beginning));
    if (found.length > 0) return found;
  }
  return [];
}

/** What was added from the store, by name. */
function storePins({ add = {} }: Choices, storeDir: string): [string, string][] {
  return Object.entries(add).flatMap(([name, file]): [string, string][] =>
    file?.startsWith(`${storeDir}/`) ? [[name, file]] : [],
  );
}

/** The user wants the library, whichever it is. */
function asAdded(provider: Provider): Provider {
  return provider.match === 'closest' ? provider : { ...provider, match: 'pinned' };
}

/** The store that is chosen from, and the program that is chosen for. */
interface AppliedTo {
  readonly catalogue: Catalogue;
  readonly program: Chooser;
}

/**
 * Applies choices. Pins and exclusions are constraints of the solver's; where some provider of a name is preferred,
 * the others of that name are left out, so the problem is to be stated again with fewer preferences if it has no
 * solution. `every`: the providers before any other preference left some out.
 */
export function applyChoices(
  problem: Problem,
  every: Problem['providersOf'],
  choices: Choices,
  { catalogue, program }: AppliedTo,
): Problem {
  const isExcluded = isExcludedBy(choices);
  const added = Object.keys(choices.add ?? {}).filter((name) => !problem.bundled.has(name));
  const pins = new Map([...Object.entries(choices.pins), ...storePins(choices, catalogue.storeDir)]);
  const libcObjects = new Set(problem.loaders.map(({ storePath }) => storePath));
  const known = new Map<string, readonly Provider[]>();
  const provide = (name: string): readonly Provider[] => {
    const pin = pins.get(name);
    const pinned = pin === undefined ? undefined : providerAt(pin, catalogue, program, libcObjects);
    if (pinned === undefined) {
      const wanted = preferred(every(name), choices.prefer).filter(({ storePath }) => !isExcluded(storePath));
      const providers = wanted.length > 0 ? wanted : problem.providersOf(name);
      return added.includes(name) ? providers.map(asAdded) : providers;
    }
    const others = every(name).filter((each) => each.path !== pinned.path);
    return [{ ...pinned, match: 'pinned' }, ...others];
  };
  const [root, ...otherRoots] = problem.roots;
  return {
    ...problem,
    roots: root === undefined ? [] : [{ ...root, needed: [...root.needed, ...added] }, ...otherRoots],
    pins,
    excluded: (provider) => isExcluded(provider.storePath) || (problem.excluded?.(provider) ?? false),
    providersOf: (name) => {
      const providers = known.get(name) ?? provide(name);
      known.set(name, providers);
      return providers;
    },
    loaders: preferredLoaders(problem, choices),
  };
}

/** A preferred libc comes first by leaving out the others, as with libraries. */
function preferredLoaders({ loaders }: Problem, { prefer }: Choices): Problem['loaders'] {
  for (const beginning of prefer) {
    const found = loaders.filter(({ storePath }) => nameOfStoreObject(storePath).startsWith(beginning));
    if (found.length > 0) return found;
  }
  return loaders;
}
