// Random trees and problems → what the simulation and the solver say, against every real loader and every conceivable set.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { solve } from '../../src/solver/solve.ts';
import { judgeTree } from '../ldso/judge-tree.ts';
import { everyLoader } from '../ldso/real-loader.ts';
import { compareMerit, everySet, reasonKey } from '../solver/brute-force.ts';
import { randomProblem } from '../solver/random-problem.ts';
import { randomSymbolProblem } from '../solver/random-symbols.ts';
import type { Effort, Part, Result } from './results.ts';
import { openSets } from './set-judge.ts';

/** One round; what is wrong, or a word for the figures. */
type Round = (seed: number) => { readonly wrong: string } | { readonly kind: string };

async function treeRound(home: string): Promise<Round> {
  const loaders = await everyLoader();
  return (seed) => {
    const { simulated, real, where } = judgeTree(home, seed, seed % 2 === 0 ? 'sound' : 'rough', loaders);
    if (!isDeepStrictEqual(simulated, real))
      return {
        wrong: `${where.split('\n')[0]}: ${JSON.stringify(simulated.complaints)} but ${JSON.stringify(real.complaints)}`,
      };
    return { kind: real.status === 0 ? 'loaded' : 'refused' };
  };
}

/** The best set where there is one; where there is none, reasons that exclude each. */
const problemRound: Round = (seed) => {
  const problem = seed % 2 === 0 ? randomProblem(seed >> 1) : randomSymbolProblem(seed >> 1, 0);
  const sets = [...everySet(problem)];
  const coherent = sets.filter((set) => set.violations.size === 0);
  const result = solve(problem);
  if (result.kind === 'conflict') {
    if (coherent.length > 0) return { wrong: `seed ${seed}: a set exists, and a conflict is said` };
    const keys = result.reasons.map(reasonKey);
    const left = sets.some((set) => keys.every((key) => !set.violations.has(key)));
    return left ? { wrong: `seed ${seed}: the reasons leave a set` } : { kind: 'conflicts' };
  }
  if (result.kind === 'undecided') return { kind: 'undecided' };
  if (coherent.length === 0) return { wrong: `seed ${seed}: a set is taken, and each is excluded` };
  const best = coherent.reduce((a, b) => (compareMerit(b.merit, a.merit) < 0 ? b : a));
  const served = [...best.served].filter(([name]) => !problem.isFamily(name));
  const expected = served.map(([name, offer]) => `${name} ${offer.path}`).sort();
  const taken = result.choices.map(({ name, provider }) => `${name} ${provider.path}`);
  return isDeepStrictEqual(taken, expected) && result.loader.path === best.loader.path
    ? { kind: 'solved' }
    : { wrong: `seed ${seed}: not the best set` };
};

function rounds(target: string, round: Round, { seed, seconds, inputs }: Effort): Result {
  const begin = performance.now();
  const kinds = new Map<string, number>();
  const wrong: string[] = [];
  let tried = 0;
  for (; tried < inputs && (performance.now() - begin) / 1000 < seconds; tried += 1) {
    const answer = round((seed + tried) % 2 ** 30);
    if ('wrong' in answer) wrong.push(answer.wrong);
    else kinds.set(answer.kind, (kinds.get(answer.kind) ?? 0) + 1);
  }
  return {
    part: 'the loader as judge',
    target,
    tried,
    seconds: (performance.now() - begin) / 1000,
    figures: [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', '),
    findings: wrong.map((what) => ({ what, again: 'the seed in the line' })),
  };
}

const [TREES, SETS, PROBLEMS] = [
  'trees by each loader',
  'sets by each loader',
  'problems by each set',
] as const;

export const loaderJudge: Part = {
  name: 'judge',
  what: 'random trees and sets of libraries by each real loader, random problems by each conceivable set',
  targets: [TREES, SETS, PROBLEMS],
  run: async (target, effort) => {
    if (target === PROBLEMS) return rounds(target, problemRound, effort);
    const home = mkdtempSync(path.join(tmpdir(), 'torture-trees-'));
    try {
      return rounds(target, await (target === SETS ? openSets : treeRound)(home), effort);
    } finally {
      rmSync(home, { recursive: true });
    }
  },
};
