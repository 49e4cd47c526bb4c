// Random sets full of conflicts → how often the set found is proven to be the best, by size: a table on stdout.
import { solve } from '../../src/solver/solve.ts';
import { largeProblem } from '../solver/large-problem.ts';

const SEEDS = Array.from({ length: 10 }, (_, i) => i + 1);

interface Tally {
  readonly solved: number;
  readonly proven: number;
  readonly conflicts: number;
}

function tallyOf(names: number, providers: number): Tally {
  const results = [1, 2, 4].flatMap((conflicts) =>
    SEEDS.map((seed) => solve(largeProblem({ names, providers, conflicts }, seed))),
  );
  const solutions = results.filter((result) => result.kind === 'solution');
  const proven = solutions.filter((solution) => solution.proven).length;
  return { solved: solutions.length, proven, conflicts: results.length - solutions.length };
}

/** Prints; there is no limit to keep: a set that is not proven the best is still coherent. */
export function printProven(): void {
  process.stdout.write('\nsolver, random sets with many conflicts: how many are proven the best\n');
  process.stdout.write('    names providers    solved    proven without a set\n');
  for (const names of [10, 20, 30, 60]) {
    for (const providers of [3, 5, 10]) {
      const { solved, proven, conflicts } = tallyOf(names, providers);
      const cells = [names, providers, solved, proven].map((cell) => String(cell).padStart(9));
      process.stdout.write(`${cells.join(' ')} ${String(conflicts).padStart(13)}\n`);
    }
  }
}
