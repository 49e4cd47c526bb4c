// Commands → their times, measured in turn in one run, and the table that is printed.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type { Root } from '../rig/root.ts';

export interface Timed {
  /** Microseconds. */
  readonly median: number;
  readonly tenth: number;
}

export interface Case {
  readonly label: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
}

/** Compiles the static driver that starts commands and takes the time. */
export function compileDriver(output: string): void {
  const source = path.join(import.meta.dirname, 'spawn-times.c');
  execFileSync('cc', ['-O2', '-static', '-Wall', '-Wextra', '-o', output, source], { stdio: 'inherit' });
}

/** The driver's arguments for some cases. */
export function driverArguments(rounds: number, cases: readonly Case[]): string[] {
  const words = cases.flatMap(({ env, argv }) => [
    ...Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`),
    ...argv,
    ';',
  ]);
  return [String(rounds), ...words];
}

/** Runs the cases in turn in a root, `rounds` times each. @throws Error with what the driver said. */
export async function measure(
  root: Root,
  driver: string,
  rounds: number,
  cases: readonly Case[],
): Promise<Timed[]> {
  const { stdout, stderr, status } = await root.run({
    argv: [driver, ...driverArguments(rounds, cases)],
    timeoutMs: 600_000,
  });
  if (status !== 0) throw new Error(`the driver ended with ${status}: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [median = Number.NaN, tenth = Number.NaN] = line.split(' ').map(Number);
      return { median, tenth };
    });
}

export function milliseconds(microseconds: number): string {
  return `${(microseconds / 1000).toFixed(microseconds < 10_000 ? 3 : 1)} ms`;
}

/** Prints one comparison: every case, its ratio to the first (the floor), and whether the last meets its limit. */
export function report(
  title: string,
  cases: readonly Case[],
  times: readonly Timed[],
  limit: { readonly of: number; readonly to: number; readonly at: number },
): boolean {
  const base = times[limit.to]?.median ?? Number.NaN;
  const ratio = (times[limit.of]?.median ?? Number.NaN) / base;
  const tenths = (times[limit.of]?.tenth ?? Number.NaN) / (times[limit.to]?.tenth ?? Number.NaN);
  const met = ratio <= limit.at;
  process.stdout.write(`\n${title}\n`);
  for (const [i, { label }] of cases.entries()) {
    const { median = Number.NaN, tenth = Number.NaN } = times[i] ?? {};
    process.stdout.write(
      `  ${milliseconds(median).padStart(11)} median  ${milliseconds(tenth).padStart(11)} p10  ${label}\n`,
    );
  }
  const verdict = met ? 'met' : 'MISSED';
  process.stdout.write(
    `  ratio ${ratio.toFixed(3)} (p10 ${tenths.toFixed(3)}), at most ${limit.at}: ${verdict}\n`,
  );
  return met;
}
