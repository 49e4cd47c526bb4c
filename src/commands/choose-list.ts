// What could be chosen → the list that is printed where nobody can be asked.
import type { Alternatives } from '../choices/alternatives.ts';
import type { Choices } from '../choices/choices.ts';
import type { Offers } from '../choices/offers.ts';
import type { Candidate } from '../choices/weigh-candidates.ts';
import { type ClosureSize, candidateView, choicesText, factLines, sourceWords } from './choose-view.ts';

function candidateLines(offers: Offers, of: Alternatives, candidate: Candidate, size: ClosureSize): string[] {
  const { chosen, lost } = candidateView(candidate);
  const why = lost === null ? '' : `: ${lost.criterion === 'path' ? 'the same otherwise' : lost.detail}`;
  return [
    `  ${chosen ? '*' : ' '} ${sourceWords(candidate, size).join(', ')}${why}`,
    `      ${candidate.provider.path}`,
    ...factLines(of.name, offers.factsOf(of, candidate)).map((line) => `      ${line}`),
  ];
}

function summaryOf({ kind, alternatives }: Offers): string {
  const count = alternatives.length;
  if (kind === 'lack') {
    const what = count === 1 ? 'a library that nobody has' : `${count} libraries that nobody has`;
    return `there is no set: the program needs ${what}; the nearest in the store:`;
  }
  if (count === 0) return 'there is nothing to choose: no library has an alternative in the store';
  return `${count} ${count === 1 ? 'library has' : 'libraries have'} alternatives in the store (* is taken now):`;
}

function exampleOf(given: string, offers: Offers): string[] {
  const first = offers.alternatives.map((each) => ({
    name: each.name,
    other: each.candidates.find(({ chosen }) => !chosen),
  }));
  // Of what nobody has every name is to be chosen; of the others any.
  const words = (offers.kind === 'lack' ? first : first.slice(0, 1)).flatMap(({ name, other }) =>
    other === undefined ? [] : [`--pin ${name}=${other.provider.storePath}`],
  );
  return words.length === 0 ? [] : ['', `choose with: nix-foreign choose ${given} ${words.join(' ')}`];
}

/** For people; `given` is the program as it was typed. */
export function offersText(given: string, choices: Choices, offers: Offers, size: ClosureSize): string {
  const blocks = offers.alternatives.flatMap((each) => [
    '',
    each.name,
    ...each.candidates.flatMap((candidate) => candidateLines(offers, each, candidate, size)),
  ]);
  return [...choicesText(choices), '', summaryOf(offers), ...blocks, ...exampleOf(given, offers)].join('\n');
}
