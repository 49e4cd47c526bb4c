// Names, providers, conflicts and a seed as words → how long the first solve() of a process takes, and its outcome, as JSON.
import { solve } from '../../src/solver/solve.ts';
import { largeProblem } from '../solver/large-problem.ts';

const [names = 0, providers = 0, conflicts = 0, seed = 1] = process.argv.slice(2).map(Number);
const problem = largeProblem({ names, providers, conflicts }, seed);
// What making the problem left behind is not the solver's to clear away.
globalThis.gc?.();
const [start, used] = [performance.now(), process.cpuUsage()];
const result = solve(problem);
const wall = performance.now() - start;
const { user, system } = process.cpuUsage(used);
// Others on the machine lengthen the first, threads that compile or collect garbage the second.
const milliseconds = Math.min(wall, (user + system) / 1000);
const outcome = result.kind === 'solution' && !result.proven ? 'solution*' : result.kind;
process.stdout.write(JSON.stringify({ milliseconds, outcome }));
