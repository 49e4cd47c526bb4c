// A conflict → sentences for people, one for each need that cannot be met; and all names that no provider serves.

import type { Problem, Requirer } from '../candidates/problem.ts';
import { isLibcFamily } from '../elf/library-names.ts';
import { compareVersions } from '../elf/versions.ts';
import { originOf } from '../store/store-location.ts';
import type { Conflict, Reason } from './solution.ts';

type Lack = Extract<Reason, { kind: 'missing-version' }>;
type OtherReason = Exclude<Reason, Lack>;

/**
 * Sentences without a full stop, in the order of the reasons; the same lack in several files makes one sentence.
 * `whyNobody`: a clause on why none of the store's libraries of that name is a provider, where there are some.
 */
export function explainConflict(
  conflict: Conflict,
  whyNobody: (name: string) => string | undefined = () => undefined,
): string[] {
  const missing = new Map<string, Lack[]>();
  const sentences: (() => string)[] = [];
  for (const reason of conflict.reasons) {
    if (reason.kind !== 'missing-version') {
      sentences.push(() => sentenceFor(reason, whyNobody));
      continue;
    }
    const key = [reason.neededByPath, reason.name, reason.version].join('\0');
    const group = missing.get(key);
    if (group) group.push(reason);
    else {
      const started = [reason];
      missing.set(key, started);
      sentences.push(() => sentenceForLack(reason, started));
    }
  }
  return sentences.map((sentence) => sentence());
}

function sentenceForLack({ name, version, neededBy, offers }: Lack, group: readonly Lack[]): string {
  const need = `${neededBy} needs ${name} (${version})`;
  const sources = listOf(group.map(sourceOf));
  const several = group.length > 1;
  const highest = group
    .flatMap((reason) => reason.highest ?? [])
    .toSorted(compareVersions)
    .at(-1);
  const extent = highest === undefined ? '' : ` up to ${highest}`;
  if (group.every((reason) => reason.offeredIn === undefined)) {
    return `${need}; the program brings its own, ${sources}, which ${highest ? `defines${extent}` : 'lacks it'}`;
  }
  if (group.length === offers) {
    const verdict = highest ? `${several ? 'define' : 'defines'}${extent}` : several ? 'lack it' : 'lacks it';
    return `${need}; the store has ${name} only from ${sources}, which ${verdict}`;
  }
  const lack = several ? 'do not define it' : 'does not define it';
  return `${need}; ${name} from ${sources} ${lack}${highest ? `, only${extent}` : ''}`;
}

function sentenceFor(reason: OtherReason, whyNobody: (name: string) => string | undefined): string {
  switch (reason.kind) {
    case 'no-loader':
      return 'the store has no dynamic loader for this kind of program';
    case 'no-provider':
      return `${listOf(reason.neededBy)} ${reason.neededBy.length > 1 ? 'need' : 'needs'} ${reason.name}; ${whyNobody(reason.name) ?? 'the store has no library of that name'}`;
    case 'family-missing':
      return `${reason.neededBy} needs ${reason.name}; it is not beside the loader ${reason.loader}`;
    case 'private-version':
      return `${reason.neededBy} needs ${reason.name} (GLIBC_PRIVATE) of the libc it was built with, which is not ${sourceOf(reason)}`;
    case 'missing-symbols':
      return `${reason.neededBy} needs ${reason.name}; ${sourceOf(reason)}, another version, lacks ${listOfSome(reason.symbols)}`;
    case 'unbound-symbol':
      return sentenceForSymbol(reason);
    case 'unversioned':
      return `${reason.neededBy} needs versions of ${reason.name}; ${sourceOf(reason)} has none, and the loader ${reason.loader} would abort`;
    case 'soname-clash':
      return `${reason.file}, which would serve ${reason.name}, calls itself ${reason.soname}, as does ${reason.other}`;
    case 'pinned':
      return sentenceForPin(reason);
    case 'excluded':
      return `${listOf(reason.paths)} ${reason.paths.length > 1 ? 'are' : 'is'} excluded by choice`;
  }
}

/** A pin of the libc family is a pin of the loader, which people need not know. */
function sentenceForPin({ name, path }: Extract<Reason, { kind: 'pinned' }>): string {
  const pin = `${name} is pinned to ${path}`;
  return isLibcFamily(name)
    ? `${pin}, and the whole libc family comes from the one glibc of the loader`
    : pin;
}

function sentenceForSymbol({
  symbol,
  neededBy,
  definers,
  lackingLibraries,
}: Extract<Reason, { kind: 'unbound-symbol' }>): string {
  const need = `${neededBy} needs the symbol ${symbol}`;
  const without = listOf(
    lackingLibraries.slice(0, LISTED).map((each) => `${each.name} from ${sourceOf(each)}`),
  );
  const verb = lackingLibraries.length > 1 ? 'do not' : 'does not';
  if (definers.length === 0) {
    const nobody = `${need}; no library that could be loaded defines it`;
    return lackingLibraries.length === 0 ? nobody : `${nobody}; ${without} ${verb}`;
  }
  const who = listOf(definers.slice(0, LISTED).map(originOf));
  if (lackingLibraries.length === 0)
    return `${need}; only ${who} ${definers.length > 1 ? 'define' : 'defines'} it`;
  return `${need}; ${without} ${verb} define it, only ${who} ${definers.length > 1 ? 'do' : 'does'}`;
}

/** `openssl-3.0.20` of its store path; the path of a file that is in no store object. */
function sourceOf(reason: { readonly offeredIn: string | undefined; readonly offeredBy: string }): string {
  const { offeredIn, offeredBy } = reason;
  if (offeredIn === undefined) return offeredBy;
  return originOf(offeredIn.slice(offeredIn.lastIndexOf('/') + 1));
}

const LISTED = 4;

function listOfSome(symbols: readonly string[]): string {
  const more = symbols.length - LISTED;
  return more > 0 ? `${symbols.slice(0, LISTED).join(', ')} and ${more} more symbols` : listOf(symbols);
}

/** `a`, `a and b`, `a, b and c`; each once. */
function listOf(items: readonly string[]): string {
  const unique = [...new Set(items)];
  const last = unique.pop() ?? '';
  return unique.length ? `${unique.join(', ')} and ${last}` : last;
}

export interface Unprovided {
  readonly name: string;
  /** Labels of the objects that need it, in the order in which they were reached. */
  readonly neededBy: readonly string[];
}

/**
 * Follows the needs from the roots through the best provider of each name. Sorted by name. What other providers would
 * need is not followed, so the list is what a user has to bring at least, as far as can be told.
 */
export function unprovidedNames(problem: Problem): Unprovided[] {
  const missing = new Map<string, string[]>();
  const reached = new Set<string>();
  const queue: Requirer[] = [...problem.roots];
  for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
    for (const name of new Set(object.needed)) {
      if (problem.bundled.has(name) || problem.isFamily(name)) continue;
      const [best] = problem.providersOf(name);
      if (best === undefined) missing.set(name, [...(missing.get(name) ?? []), object.label]);
      else if (!reached.has(name)) queue.push(best);
      reached.add(name);
    }
  }
  return [...missing]
    .map(([name, neededBy]) => ({ name, neededBy }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
