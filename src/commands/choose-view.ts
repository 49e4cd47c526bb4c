// What could be chosen → plain facts for JSON and for people.
import type { Alternatives } from '../choices/alternatives.ts';
import { type Choices, choiceLines } from '../choices/choices.ts';
import type { Change } from '../choices/try-candidate.ts';
import type { Candidate, Needer } from '../choices/weigh-candidates.ts';
import { nameOfStoreObject } from '../store/store-location.ts';

/** One candidate of a name, as `--json` prints it. */
export interface CandidateView {
  readonly file: string;
  readonly storePath: string;
  /** Name of the store object, with its version. */
  readonly object: string;
  readonly glibc: string | null;
  readonly chosen: boolean;
  /** Why the chosen one won; null for the chosen one. */
  readonly lost: { readonly criterion: string; readonly detail: string } | null;
}

export function candidateView({ provider, chosen, loss }: Candidate): CandidateView {
  return {
    file: provider.path,
    storePath: provider.storePath,
    object: nameOfStoreObject(provider.storePath),
    glibc: provider.builtWith === undefined ? null : nameOfStoreObject(provider.builtWith),
    chosen,
    lost: loss ?? null,
  };
}

export function neederView({ object, versions }: Needer) {
  const names = versions.map(({ name, weak }) => (weak ? `${name} (weak)` : name));
  return { name: object.label, file: object.path, versions: names };
}

export function alternativesView({ name, neededBy, candidates }: Alternatives) {
  return { name, neededBy: neededBy.map(neederView), candidates: candidates.map(candidateView) };
}

/** `openssl-3.0.20/lib/libssl.so.3` of a store path: short, and still telling. */
export function shortPath(file: string): string {
  const match = /\/[0-9a-z]{32}-([^/]+\/.*)$/.exec(file);
  return match?.[1] ?? file;
}

export function changeLine({ name, from, to }: Change): string {
  const side = (file: string | undefined) => (file === undefined ? 'not needed' : shortPath(file));
  return `  ${name}: ${side(from)} → ${side(to)}`;
}

export function choicesText(choices: Choices): string[] {
  const lines = choiceLines(choices);
  return lines.length === 0
    ? ['nothing is chosen by hand']
    : ['chosen by hand:', ...lines.map((each) => `  ${each}`)];
}

function candidateLines(candidate: Candidate): string[] {
  const { object, glibc, chosen, lost } = candidateView(candidate);
  const built = glibc === null ? '' : `, built with ${glibc}`;
  const why = lost === null ? '' : `: ${lost.criterion === 'path' ? 'the same otherwise' : lost.detail}`;
  return [`  ${chosen ? '*' : ' '} ${object}${built}${why}`, `      ${candidate.provider.path}`];
}

/** What could be chosen, for people; `given` is the program as it was typed. */
export function alternativesText(
  given: string,
  choices: Choices,
  alternatives: readonly Alternatives[],
): string {
  const blocks = alternatives.flatMap(({ name, candidates }) => [
    '',
    name,
    ...candidates.flatMap(candidateLines),
  ]);
  const count = alternatives.length;
  const summary =
    count === 0
      ? 'there is nothing to choose: no library has an alternative in the store'
      : `${count} ${count === 1 ? 'library has' : 'libraries have'} alternatives in the store (* is taken now):`;
  const [first] = alternatives;
  const other = first?.candidates.find(({ chosen }) => !chosen);
  const how =
    first === undefined || other === undefined
      ? []
      : ['', `choose with: nix-foreign choose ${given} --pin ${first.name}=${other.provider.storePath}`];
  return [...choicesText(choices), '', summary, ...blocks, ...how].join('\n');
}
