// How long solve() takes, by names and providers: a table on stdout.
import { solve } from '../../src/solve/solve.ts';
import { largeProblem } from '../solve/large-problem.ts';

const sizes = [30, 100, 300];
const depths = [5, 10, 20, 40];

function milliseconds(names: number, providers: number, conflicts: number): readonly [number, string] {
  const problem = largeProblem({ names, providers, conflicts });
  const start = performance.now();
  const result = solve(problem);
  return [
    performance.now() - start,
    result.kind === 'solution' && !result.proven ? 'solution*' : result.kind,
  ];
}

console.log('names  providers  conflicts   first ms  median ms  outcome (*: not proven the best)');
for (const conflicts of [0, 1, 4]) {
  for (const names of sizes) {
    for (const providers of depths) {
      const runs = Array.from({ length: 7 }, () => milliseconds(names, providers, conflicts));
      const times = runs.map(([time]) => time);
      const median = times.toSorted((a, b) => a - b)[3] as number;
      const cells = [names, providers, conflicts, (times[0] as number).toFixed(1), median.toFixed(1)];
      console.log(`${cells.map((cell) => String(cell).padStart(9)).join(' ')}  ${runs[0]?.[1]}`);
    }
  }
}
