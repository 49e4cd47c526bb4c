// What could be chosen → plain facts for JSON, and the list that is printed where nobody can be asked.
import type {
  Alternatives,
  CandidateFacts,
  CandidateTrial,
  SetChange,
  SonameCandidates,
  SymbolCoverage,
} from '../../choices/alternatives.ts';
import { type Choices, choiceLines } from '../../choices/choices.ts';
import type { Candidate, Needer } from '../../choices/compare.ts';
import { listText } from '../../host/output.ts';
import { fileWord, shellWord } from '../../host/shell-words.ts';
import { sizeText } from '../../store/sizes.ts';
import { nameOfStoreObject, objectNameIn } from '../../store/store-location.ts';

/** One candidate of a name, as `--json` prints it. */
export interface CandidateRow {
  readonly file: string;
  readonly storePath: string;
  /** Name of the store object, with its version. */
  readonly object: string;
  readonly glibc: string | null;
  readonly chosen: boolean;
  /** Why the chosen one won; null for the chosen one, and where none is chosen. */
  readonly lost: { readonly criterion: string; readonly detail: string } | null;
}

/** A store object's size in bytes with everything it refers to; undefined where Nix does not know it. */
export type ClosureSize = (storePath: string) => number | undefined;

export function candidateRow({ provider, chosen, loss }: Candidate): CandidateRow {
  return {
    file: provider.path,
    storePath: provider.storePath,
    object: nameOfStoreObject(provider.storePath),
    glibc: provider.builtWith === undefined ? null : nameOfStoreObject(provider.builtWith),
    chosen,
    lost: loss ?? null,
  };
}

export function neederRow({ object, versions }: Needer) {
  const names = versions.map(({ name, weak }) => (weak ? `${name} (weak)` : name));
  return { name: object.label, file: object.path, versions: names };
}

/** `forces`: what else would change; `impossible`: why no set has it; both null for what is taken. */
function weighedRow(
  candidates: SonameCandidates,
  alternatives: Alternatives,
  candidate: Candidate,
  closureSize: ClosureSize,
) {
  const { coverage, trial } = candidates.factsOf(alternatives, candidate);
  return {
    ...candidateRow(candidate),
    closureSize: closureSize(candidate.provider.storePath) ?? null,
    symbols: coverage,
    forces: trial?.kind === 'possible' ? othersIn(alternatives.name, trial.changes) : null,
    impossible: trial?.kind === 'impossible' ? trial.sentences : null,
  };
}

/** Every name there is something to choose for, with all that is known of each candidate. */
export function candidateRows(candidates: SonameCandidates, closureSize: ClosureSize) {
  return candidates.alternatives.map((each) => ({
    name: each.name,
    neededBy: each.neededBy.map(neederRow),
    candidates: each.candidates.map((candidate) => weighedRow(candidates, each, candidate, closureSize)),
  }));
}

/** `openssl-3.0.20/lib/libssl.so.3` of a store path: short, and still telling. */
export function shortPath(file: string): string {
  const name = objectNameIn(file);
  return name === undefined ? file : nameOfStoreObject(name) + file.slice(file.indexOf(name) + name.length);
}

export function changeLine({ name, from, to }: SetChange): string {
  const side = (file: string | undefined) => (file === undefined ? 'not needed' : shortPath(file));
  return `  ${name}: ${side(from)} → ${side(to)}`;
}

function othersIn(name: string, changes: readonly SetChange[]): SetChange[] {
  return changes.filter((change) => change.name !== name);
}

const LISTED = 3;
const SYMBOLS = 8;

/** `all 43 symbols that are needed are there`, or the share and what is missing. */
function symbolsText({ needed, missing }: SymbolCoverage): string {
  if (missing.length === 0) {
    if (needed === 0) return 'no symbol of it is needed by name';
    return needed === 1
      ? 'the symbol that is needed is there'
      : `all ${needed} symbols that are needed are there`;
  }
  const are = needed === 1 ? 'is' : 'are';
  return `${shareText({ needed, missing })} that ${are} needed; lacks ${listText(missing, SYMBOLS)}`;
}

/** `3 of 4 symbols`. Versions are among what is missing, but symbols are counted. */
export function shareText({ needed, missing }: SymbolCoverage): string {
  return `${Math.max(0, needed - missing.length)} of ${needed} ${needed === 1 ? 'symbol' : 'symbols'}`;
}

function forcedText(name: string, trial: CandidateTrial): string {
  if (trial.kind === 'impossible') return `cannot be: ${trial.sentences.join('; ')}`;
  const others = othersIn(name, trial.changes);
  if (others.length === 0) return 'changes nothing else';
  const lines = others.map((change) => changeLine(change).trim());
  return `changes ${others.length} more: ${listText(lines, LISTED)}`;
}

/** What is to be said of a candidate: its symbols, and what choosing it leads to. */
export function factLines(name: string, { coverage, trial }: CandidateFacts): string[] {
  return [symbolsText(coverage), trial === undefined ? 'as it is now' : forcedText(name, trial)];
}

export function choicesText(choices: Choices): string[] {
  const lines = choiceLines(choices);
  return lines.length === 0
    ? ['nothing is chosen by hand']
    : ['chosen by hand:', ...lines.map((each) => `  ${each}`)];
}

/** `glibc-2.36`, `4.1 MiB`; what is not known is left out. */
export function sourceWords(candidate: Candidate, closureSize: ClosureSize): string[] {
  const { object, glibc } = candidateRow(candidate);
  const bytes = closureSize(candidate.provider.storePath);
  return [object, ...(glibc === null ? [] : [glibc]), ...(bytes === undefined ? [] : [sizeText(bytes)])];
}

function candidateLines(
  candidates: SonameCandidates,
  of: Alternatives,
  candidate: Candidate,
  size: ClosureSize,
): string[] {
  const { chosen, lost } = candidateRow(candidate);
  const why = lost === null ? '' : `: ${lost.criterion === 'path' ? 'the same otherwise' : lost.detail}`;
  return [
    `  ${chosen ? '*' : ' '} ${sourceWords(candidate, size).join(', ')}${why}`,
    `      ${candidate.provider.path}`,
    ...factLines(of.name, candidates.factsOf(of, candidate)).map((line) => `      ${line}`),
  ];
}

function summaryOf({ kind, alternatives }: SonameCandidates): string {
  const count = alternatives.length;
  if (kind === 'lack') {
    const what = count === 1 ? 'a library that nobody has' : `${count} libraries that nobody has`;
    return `there is no set: the program needs ${what}; the nearest in the store:`;
  }
  if (count === 0) return 'there is nothing to choose: no library has an alternative in the store';
  return `${count} ${count === 1 ? 'library has' : 'libraries have'} alternatives in the store (* is taken now):`;
}

function exampleOf(typedName: string, candidates: SonameCandidates): string[] {
  const first = candidates.alternatives.map((each) => ({
    name: each.name,
    other: each.candidates.find(({ chosen }) => !chosen),
  }));
  // Of what nobody has every name is to be chosen; of the others any.
  const words = (candidates.kind === 'lack' ? first : first.slice(0, 1)).flatMap(({ name, other }) =>
    other === undefined ? [] : [`--pin ${shellWord(`${name}=${other.provider.storePath}`)}`],
  );
  return words.length === 0
    ? []
    : ['', `choose with: nix-foreign choose ${fileWord(typedName)} ${words.join(' ')}`];
}

/** For people; `given` is the program as it was typed. */
export function candidatesText(
  typedName: string,
  choices: Choices,
  candidates: SonameCandidates,
  size: ClosureSize,
): string {
  const blocks = candidates.alternatives.flatMap((each) => [
    '',
    each.name,
    ...each.candidates.flatMap((candidate) => candidateLines(candidates, each, candidate, size)),
  ]);
  return [
    ...choicesText(choices),
    '',
    summaryOf(candidates),
    ...blocks,
    ...exampleOf(typedName, candidates),
  ].join('\n');
}
