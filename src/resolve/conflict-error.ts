// A conflict, and the closest matches → the error: which library is missing, who needs it, what was looked at.
import { symbolBindings } from '../candidates/candidate-symbols.ts';
import type { ClosestMatches, Judgement, Problem, Provider } from '../candidates/problem.ts';
import { whyNoneLoaded } from '../candidates/providers.ts';
import { isSameRelease, otherVersionsOf } from '../candidates/soname.ts';
import { neededOf, sonameOf } from '../choices/evident-set.ts';
import { whyUnusable } from '../choices/find-pin.ts';
import { ForeignError } from '../host/errors.ts';
import { listText } from '../host/output.ts';
import { fileWord, shellWord } from '../host/shell-words.ts';
import { bringing, type Demand, systemOf } from '../index/bring-packages.ts';
import { nixBuild } from '../index/nix-build-line.ts';
import { librariesAround } from '../program/beside.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import { explainConflict, type Unprovided } from '../solver/explain-conflict.ts';
import type { Choice, Conflict, Reason, Solution, Undecided } from '../solver/solution.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import { type DynamicProgram, dynamicOf } from './job.ts';

/** Libraries that are there, but in builds that do not go with the rest. */
function hintForClash(
  reasons: readonly Reason[],
  has: (name: string, version: string) => boolean,
  demand: Demand,
): string {
  if (reasons.some(({ kind }) => kind === 'no-loader')) {
    const libc = demand.libc?.kind ?? 'glibc';
    return `bring the C library into the store, e.g. ${nixBuild([libc], systemOf(demand))}, and try again`;
  }
  const own = reasons.find((each) => each.kind === 'missing-version' && each.offeredIn === undefined);
  if (own?.kind === 'missing-version' && has(own.name, own.version))
    return `the program's own is found before the store's, which has ${own.version}; put it aside, and the store's serves: mv ${fileWord(own.offeredBy)} ${fileWord(`${own.offeredBy}.old`)}`;
  const lacking = reasons.flatMap((each) => {
    if (each.kind === 'unbound-symbol') return each.lackingLibraries.map(({ name }) => name);
    return each.kind === 'missing-version' ? [each.name] : [];
  });
  if (lacking.length === 0) return bringing([], demand, 'bring libraries into the store that fit together, ');
  const names = [...new Set(lacking)].sort();
  return bringing(names, demand, `bring another build of ${names.join(', ')} into the store, `);
}

/** Name → file around the program, of the missing libraries and of what these need. */
export function aroundProgram(
  program: Pick<DynamicProgram, 'path' | 'elf' | 'libc'>,
  missing: readonly Unprovided[],
  catalogue: Catalogue,
): ReadonlyMap<string, string> {
  const { elf, libc } = program;
  const isMissing = (name: string) =>
    !libc.isFamily(name) && catalogue.librariesOffering(name, elf.class, elf.machine).length === 0;
  return librariesAround(
    program,
    missing.map(({ name }) => name),
    isMissing,
  );
}

/** A program of which it is known what was added for it. */
type MaybeAdded = ProgramFile & Pick<DynamicProgram, 'added'>;

/** What was added by hand from outside the store, and is no longer there. */
function hintForAdded({ added, typedName }: MaybeAdded, missing: readonly Unprovided[]): string | undefined {
  const [gone] = missing.flatMap(({ name }) => added?.get(name) ?? []);
  return gone === undefined
    ? undefined
    : `you added ${gone}, which is no library now; put it back, or take your choices back: nix-foreign choose ${fileWord(typedName)} --reset`;
}

/**
 * Where libraries lie around the program: without a run path no loader looks there, unless the user says so; and what
 * the user said before and is gone.
 */
export function hintForAround(
  file: MaybeAdded,
  missing: readonly Unprovided[],
  catalogue: Catalogue,
): string | undefined {
  const gone = hintForAdded(file, missing);
  if (gone !== undefined) return gone;
  const program = dynamicOf(file);
  if (program === undefined) return undefined;
  const names = missing.map(({ name }) => name);
  const around = aroundProgram(program, missing, catalogue);
  if (around.size === 0) return undefined;
  const rest = names.filter((name) => !around.has(name));
  const still = `${rest.slice(0, 3).join(', ')} is still missing then, bring it, `;
  const more = rest.length === 0 ? '' : `; ${bringing(rest, program, still)}`;
  const they = around.size === 1 ? 'it lies' : 'they lie';
  return `${they} beside the program, take ${around.size === 1 ? 'it' : 'them'} with: ${addLine(program, around)}${more}`;
}

/** What the user added is said again: a choice that leaves no set is not kept. */
function addLine(
  { typedName, added = new Map() }: DynamicProgram,
  files: ReadonlyMap<string, string>,
): string {
  const all = new Map([...added, ...files]);
  const words = [...all].map(([name, file]) => `--add ${shellWord(`${name}=${file}`)}`);
  return `nix-foreign choose ${fileWord(typedName)} ${words.join(' ')}`;
}

/** Where the store's builds lack a symbol and one around the program has it. */
function hintForOwnBuild(file: ProgramFile, reasons: readonly Reason[]): string | undefined {
  const program = dynamicOf(file);
  if (program === undefined) return undefined;
  const symbols = symbolBindings(program.libc.kind);
  const own = reasons.flatMap((reason) => {
    if (reason.kind !== 'unbound-symbol') return [];
    const names = reason.lackingLibraries.map(({ name }) => name);
    const around = librariesAround(program, names, () => false);
    return [...around].filter(([, found]) => symbols.definedBy(found, reason.symbol));
  });
  if (own.length === 0) return undefined;
  return `a build that has it lies beside the program, take it with: ${addLine(program, new Map(own))}`;
}

/** Names that the store does not have, the nearest to each, and where they were looked for. */
interface MissingLibraries {
  readonly missing: readonly Unprovided[];
  readonly near: ReturnType<typeof nearestSentences>;
  readonly catalogue: Catalogue;
}

function hintFor(
  program: MaybeAdded,
  conflict: Conflict,
  { missing, near, catalogue }: MissingLibraries,
): string {
  if (conflict.reasons.some(({ kind }) => kind === 'pinned' || kind === 'excluded')) {
    return `it is your choice that leaves no set; choose again, or take it back: nix-foreign choose ${fileWord(program.typedName)} --reset`;
  }
  const isInStore = (name: string, version: string) =>
    catalogue
      .librariesOffering(name, program.elf?.class ?? 64, program.elf?.machine ?? 0)
      .some(({ elf }) => elf.verdef.includes(version));
  if (missing.length === 0)
    return (
      hintForOwnBuild(program, conflict.reasons) ??
      hintForClash(conflict.reasons, isInStore, dynamicOf(program) ?? {})
    );
  const around = hintForAround(program, missing, catalogue);
  if (around !== undefined) return around;
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
      ? `; the nearest can be chosen by hand: nix-foreign choose ${fileWord(program.typedName)}`
      : '';
  const names = missing.map(({ name }) => name);
  const lead = `bring the missing ${missing.length === 1 ? 'package' : 'packages'} into the store, `;
  return `${looked}${has}; ${bringing(names, dynamicOf(program), lead)}${byHand}`;
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
  whyNobody: (name: string) => string | undefined,
): string {
  const told = new Set(conflict.reasons.flatMap((each) => ('name' in each ? [each.name] : [])));
  const more = missing.filter(({ name }) => !told.has(name));
  const sentences = explainConflict(conflict, whyNobody);
  if (more.length > 0) {
    const names = more.map(({ name, neededBy }) => `${name} (for ${neededBy.slice(0, 3).join(', ')})`);
    sentences.push(`also missing: ${listText(names, MOST_MISSING)}`);
  }
  return [...sentences, ...near.slice(0, MOST_NEAR).map(({ text }) => text)].join('; ');
}

/** Why what the store has of a name is no candidate. */
function whyNobodyOf(file: ProgramFile, catalogue: Catalogue): (name: string) => string | undefined {
  const program = dynamicOf(file);
  if (program === undefined) return () => undefined;
  const { elf, libc } = program;
  return (name) => whyNoneLoaded(catalogue.librariesOffering(name, elf.class, elf.machine), libc);
}

/** Of pins that hold no longer, as on another machine: why the pinned file cannot be loaded. */
function unusablePins(file: ProgramFile, { reasons }: Conflict, catalogue: Catalogue): string[] {
  const program = dynamicOf(file);
  return reasons.flatMap((each) => {
    if (each.kind !== 'pinned' || program === undefined) return [];
    const why = whyUnusable(each.path, catalogue, program);
    return why === undefined ? [] : [`${each.path}: ${why}`];
  });
}

/** Names that the store does not have, where they were looked for, and the nearest matches. */
interface LookedFor {
  readonly missing: readonly Unprovided[];
  readonly catalogue: Catalogue;
  readonly closest?: ClosestMatches | undefined;
}

/**
 * States why no coherent set exists. `missing`: every name that the store does not have at all; `closest`: what was
 * found of other versions of these.
 */
export function conflictError(
  program: MaybeAdded,
  outcome: Conflict | Undecided,
  { missing, catalogue, closest }: LookedFor,
): ForeignError {
  if (outcome.kind === 'undecided') {
    return new ForeignError(
      `${program.typedName}: no set of libraries was found within ${outcome.steps} steps`,
      {
        code: 'undecided',
        hint: `leave less to choose from: nix-foreign choose ${fileWord(program.typedName)} --pin SONAME=PATH, or --exclude GLOB`,
        exitCode: 125,
      },
    );
  }
  const near = nearestSentences(
    missing.map(({ name }) => name),
    closest,
  );
  const cause = [
    causeOf(outcome, missing, near, whyNobodyOf(program, catalogue)),
    ...unusablePins(program, outcome, catalogue),
  ].join('; ');
  return new ForeignError(`${program.typedName}: ${cause}`, {
    code: outcome.reasons.some(({ kind }) => kind === 'no-provider') ? 'no-provider' : 'conflict',
    hint: hintFor(program, outcome, { missing, near, catalogue }),
    exitCode: 126,
  });
}

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
function nameOf(provider: Provider): string {
  return `${sonameOf(provider)} (${nameOfStoreObject(provider.storePath)})`;
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

function served(choice: Choice, solution: Solution, problem: Problem): ClosestSentence {
  return {
    what: `${choice.name} is served by ${nameOf(choice.provider)}`,
    why: countOfSymbols(neededOf(choice, solution, problem)),
  };
}

/** One sentence for each name that another version of the library serves. */
export function closestSentences(solution: Solution, problem: Problem): ClosestSentence[] {
  if (problem.closest === undefined) return [];
  return solution.choices
    .filter(({ provider }) => provider.match === 'closest')
    .map((choice) => served(choice, solution, problem));
}

/** The nearest: fewest missing versions, then symbols; the first of those that come nearest by name. */
function nearestOf(name: string, closest: ClosestMatches): Sum | undefined {
  const judgements = closest.judged(name);
  const providers = new Map(judgements.map(({ provider }) => [provider.path, provider]));
  return [...providers.values()]
    .map((provider) => sumOf(provider, judgements))
    .sort((a, b) => a.versions.length - b.versions.length || a.missing.length - b.missing.length)[0];
}

/** A reference without a version may be of any library (glibc elf/dl-lookup.c), so of any that is missing. */
function whoseSymbols(missing: readonly string[], names: readonly string[]): string {
  if (names.length < 2 || missing.some((symbol) => symbol.includes('@'))) return '';
  return missing.length === 1
    ? ', which names no version and may be of another missing library'
    : ', which name no version and may be of another missing library';
}

/** `names`: all that nobody has. */
function lackOf({ needed, missing, versions }: Sum, names: readonly string[]): string {
  const parts: string[] = [];
  if (missing.length > 0) {
    const share = needed.size === 1 ? 'the symbol' : `${missing.length} of the ${needed.size} symbols`;
    parts.push(`${share} needed (${listText(missing, LISTED)})${whoseSymbols(missing, names)}`);
  }
  if (versions.length > 0)
    parts.push(`the ${versions.length === 1 ? 'version' : 'versions'} ${listText(versions, LISTED)}`);
  return parts.join(' and ');
}

/** What keeps the nearest from being taken. */
function doubtOf(name: string, nearest: Sum, names: readonly string[]): string | undefined {
  const lack = lackOf(nearest, names);
  if (lack !== '') return `which lacks ${lack}`;
  if (nearest.needed.size === 0) return 'and nothing that is needed of it shows that it would do';
  const isOther = !isSameRelease(name, sonameOf(nearest.provider));
  return isOther ? 'which has what is needed, and is another release' : undefined;
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
    const doubt = doubtOf(name, nearest, names);
    if (doubt === undefined) return [];
    const text = `the nearest to ${name} is ${nameOf(nearest.provider)}, ${doubt}`;
    return [
      {
        text,
        byHand: nearest.versions.length > 0 && nearest.provider.hasVerdef ? 'refused' : 'possible',
      } as const,
    ];
  });
}
