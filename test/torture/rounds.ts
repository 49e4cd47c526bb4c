// Something that can be done again and again → a row of the table.
import { seededRandom } from '../elf/seeded-random.ts';
import type { Effort, Finding, Result } from './results.ts';

/** What is wrong after it, or undefined. */
export type Round = (number: number, random: (below: number) => number) => Promise<string | undefined>;

export interface Crowd {
  readonly round: Round;
  /** Figures of all rounds. */
  readonly end?: () => Promise<string>;
}

/** Rounds until the time is over. */
export async function runRounds(
  part: string,
  target: string,
  crowd: Crowd,
  { seed, seconds, inputs }: Effort,
): Promise<Result> {
  const random = seededRandom(seed);
  const begin = performance.now();
  const findings: Finding[] = [];
  let tried = 0;
  for (; tried < inputs && (performance.now() - begin) / 1000 < seconds; tried += 1) {
    const what = await crowd.round(tried, random);
    if (what !== undefined)
      findings.push({ what: what.slice(0, 400), again: `${target}: seed ${seed}, round ${tried}` });
  }
  const took = (performance.now() - begin) / 1000;
  const figures = (await crowd.end?.()) ?? '';
  return { part, target, tried, seconds: took, figures, findings };
}
