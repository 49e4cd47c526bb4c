// Closest matches of a solved or an unsolvable problem → the sentences that name them.
import path from 'node:path';
import type { ClosestMatches, Judgement, Problem, Provider } from '../candidates/problem.ts';
import type { Choice, Solution } from '../solve/solution.ts';
import { nameOfStoreObject } from '../store/store-location.ts';

const LISTED = 3;

/** What several objects together need of one library. */
interface Sum {
  readonly provider: Provider;
  readonly needed: ReadonlySet<string>;
  readonly missing: readonly string[];
  readonly versions: readonly string[];
}

function sumOf(provider: Provider, judgements: readonly Judgement[]): Sum {
  const each = judgements.filter((judgement) => judgement.provider.path === provider.path);
  return {
    provider,
    needed: new Set(each.flatMap(({ coverage }) => coverage.needed)),
    missing: [...new Set(each.flatMap(({ coverage }) => coverage.missing))].sort(),
    versions: [...new Set(each.flatMap(({ coverage }) => coverage.missingVersions))].sort(),
  };
}

/** `libffi.so.8 (libffi-3.4.4)`. */
function nameOf({ soname, file, storePath }: Provider): string {
  return `${soname ?? path.basename(file)} (${nameOfStoreObject(storePath)})`;
}

function countOfSymbols(count: number): string {
  if (count === 0) return 'it is loaded anyway, under its own name';
  return count === 1
    ? 'the symbol that is needed is there'
    : `all ${count} symbols that are needed are there`;
}

/** `libffi.so.7 is served by libffi.so.8 (libffi-3.4.4)`, and why that is good enough. */
export interface ClosestSentence {
  readonly what: string;
  readonly why: string;
}

function neededOf({ name, provider, neededBy }: Choice, closest: ClosestMatches): number {
  const judgements = closest.judged(name).filter(({ by }) => neededBy.includes(by.label));
  return sumOf(provider, judgements).needed.size;
}

function served(choice: Choice, closest: ClosestMatches): ClosestSentence {
  return {
    what: `${choice.name} is served by ${nameOf(choice.provider)}`,
    why: countOfSymbols(neededOf(choice, closest)),
  };
}

/**
 * True if something speaks for every closest match of a set besides its name: a symbol that is needed of it, or that it
 * is loaded anyway, for those who need it by its own name.
 */
export function isEvident({ choices }: Solution, { closest }: Problem): boolean {
  const isLoadedAnyway = ({ provider }: Choice): boolean =>
    choices.some((other) => other.provider.path === provider.path && other.provider.match !== 'closest');
  return choices.every(
    (choice) =>
      choice.provider.match !== 'closest' ||
      closest === undefined ||
      neededOf(choice, closest) > 0 ||
      isLoadedAnyway(choice),
  );
}

/** One sentence for each name that another version of the library serves. */
export function closestSentences(solution: Solution, problem: Problem): ClosestSentence[] {
  const { closest } = problem;
  if (closest === undefined) return [];
  return solution.choices
    .filter(({ provider }) => provider.match === 'closest')
    .map((choice) => served(choice, closest));
}

/** The nearest: fewest missing versions, then symbols; the first of those that come nearest by name. */
function nearestOf(name: string, closest: ClosestMatches): Sum | undefined {
  const judgements = closest.judged(name);
  const providers = new Map(judgements.map(({ provider }) => [provider.path, provider]));
  return [...providers.values()]
    .map((provider) => sumOf(provider, judgements))
    .sort((a, b) => a.versions.length - b.versions.length || a.missing.length - b.missing.length)[0];
}

function firstFew(symbols: readonly string[]): string {
  const more = symbols.length - LISTED;
  return `${symbols.slice(0, LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function lackOf({ needed, missing, versions }: Sum): string {
  const lacks: string[] = [];
  if (missing.length > 0)
    lacks.push(`${missing.length} of the ${needed.size} symbols needed (${firstFew(missing)})`);
  if (versions.length > 0)
    lacks.push(`the ${versions.length === 1 ? 'version' : 'versions'} ${firstFew(versions)}`);
  return lacks.join(' and ');
}

/** For each name that nobody has, the nearest version of the library and what keeps it from being taken. */
export function nearestSentences(
  names: readonly string[],
  closest: ClosestMatches | undefined,
): readonly { readonly text: string; readonly byHand: 'possible' | 'refused' }[] {
  if (closest === undefined) return [];
  return names.flatMap((name) => {
    const nearest = nearestOf(name, closest);
    if (nearest === undefined) return [];
    const lack = lackOf(nearest);
    if (lack === '' && nearest.needed.size > 0) return [];
    const doubt =
      lack === '' ? 'and nothing that is needed of it shows that it would do' : `which lacks ${lack}`;
    const text = `the nearest to ${name} is ${nameOf(nearest.provider)}, ${doubt}`;
    return [
      {
        text,
        byHand: nearest.versions.length > 0 && nearest.provider.hasVerdef ? 'refused' : 'possible',
      } as const,
    ];
  });
}
