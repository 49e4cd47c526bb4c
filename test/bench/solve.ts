// Names and providers → how long the first solve() of a process takes: the curve on stdout, and whether it keeps its limits.
import path from 'node:path';
import { execa } from 'execa';
import { printProven } from './solve-proven.ts';

const SIZES = [30, 100, 300];
const DEPTHS = [5, 10, 20, 40];
const SEEDS = [1, 2, 3, 4, 5];
/** Of so many runs the fastest counts: whatever else runs on the machine only makes one slower. */
const REPEATS = 1;
const REPEATS_FOR_LIMIT = 5;

/** For 300 names x 20 providers, with conflicts or without. */
const LIMIT_MS = 150;
/** Without conflicts four times the providers may take four times as long, and a quarter more for what else goes on. */
const LIMIT_GROWTH = 4 * 1.25;

interface Run {
  readonly milliseconds: number;
  readonly outcome: string;
}

interface Cell {
  readonly names: number;
  readonly providers: number;
  /** Of ten names, how many are picky. */
  readonly conflicts: number;
  /** One for each seed, fastest first; each in a process of its own, as a first start has it. */
  readonly runs: readonly Run[];
}

async function runOnce(words: readonly string[]): Promise<Run> {
  const script = path.join(import.meta.dirname, 'solve-once.ts');
  return JSON.parse((await execa(process.execPath, ['--expose-gc', script, ...words])).stdout) as Run;
}

async function runCell(names: number, providers: number, conflicts: number): Promise<Cell> {
  const repeats = names === 300 && providers === 20 ? REPEATS_FOR_LIMIT : REPEATS;
  const runs: Run[] = [];
  for (const seed of SEEDS) {
    const words = [names, providers, conflicts, seed].map(String);
    let best = await runOnce(words);
    for (let i = 1; i < repeats; i++) {
      const again = await runOnce(words);
      if (again.milliseconds < best.milliseconds) best = again;
    }
    runs.push(best);
  }
  runs.sort((a, b) => a.milliseconds - b.milliseconds);
  return { names, providers, conflicts, runs };
}

const median = ({ runs }: Cell): number => runs[runs.length >> 1]?.milliseconds ?? Number.NaN;

function row(cell: Cell): string {
  const { names, providers, conflicts, runs } = cell;
  const extremes = [runs[0], runs.at(-1)].map((run) => run?.milliseconds ?? Number.NaN);
  const times = [median(cell), ...extremes].map((each) => each.toFixed(1));
  const cells = [names, providers, conflicts, ...times].map((each) => String(each).padStart(9));
  const outcomes = [...new Set(runs.map(({ outcome }) => outcome))].sort();
  return `${cells.join(' ')}  ${outcomes.join(', ')}`;
}

function verdict(what: string, value: number, limit: number): boolean {
  const met = value <= limit;
  const said = `${value.toFixed(1)}, at most ${limit.toFixed(0)}: ${met ? 'met' : 'MISSED'}`;
  process.stdout.write(`  ${what.padEnd(60)} ${said}\n`);
  return met;
}

/** Prints the curve. False if a limit was missed. */
export async function benchSolver(): Promise<boolean> {
  const count = `${SEEDS.length} problems, each in a fresh process; for 300 x 20 the fastest of ${REPEATS_FOR_LIMIT}`;
  process.stdout.write(`\nsolver, ${count} (*: not proven the best)\n`);
  process.stdout.write('    names providers conflicts median ms   fastest   slowest  outcome\n');
  const cells: Cell[] = [];
  for (const conflicts of [0, 1, 4]) {
    for (const names of SIZES) {
      for (const providers of DEPTHS) {
        const cell = await runCell(names, providers, conflicts);
        process.stdout.write(`${row(cell)}\n`);
        cells.push(cell);
      }
    }
  }
  const at = (names: number, providers: number, conflicts: number): number => {
    const of = (cell: Cell) => [cell.names, cell.providers, cell.conflicts].join();
    const cell = cells.find((each) => of(each) === [names, providers, conflicts].join());
    return cell === undefined ? Number.NaN : median(cell);
  };
  const met = [
    verdict('300 x 20 without conflicts, ms', at(300, 20, 0), LIMIT_MS),
    verdict('300 x 20, one of ten names picky, ms', at(300, 20, 1), LIMIT_MS),
    verdict('300 x 20, four of ten names picky, ms', at(300, 20, 4), LIMIT_MS),
    verdict('300 x 40 over 300 x 10, without conflicts', at(300, 40, 0) / at(300, 10, 0), LIMIT_GROWTH),
    verdict('100 x 40 over 100 x 10, without conflicts', at(100, 40, 0) / at(100, 10, 0), LIMIT_GROWTH),
  ].every(Boolean);
  printProven();
  return met;
}
