// A program started with no prefix through the launcher, below nix-ld and at the interpreter path: against the same without it, and the command.
import path from 'node:path';
import type { Rig } from '../rig/rig.ts';
import { type BenchRoot, DRIVER, openBenchRoot, PROGRAMS, TOOL } from './bench-root.ts';
import { makeFortyLibraries } from './forty-libraries.ts';
import { type Case, measure, milliseconds, type Timed } from './measure.ts';

const ROUNDS = 1500;
const HOME = { HOME: '/home/tester' };

/** Over nix-ld with the same farm: so many times, or so many microseconds more. */
const LIMIT = { ratio: 1.2, more: 150 };

interface Plan {
  readonly loader: string;
  readonly libraryPath: string;
}

function casesOf(program: string, { loader, libraryPath }: Plan): Case[] {
  const plain = { NIX_LD: loader, NIX_LD_LIBRARY_PATH: libraryPath };
  return [
    { label: 'nix-ld with the same farm', env: { ...plain, ...HOME }, argv: [program] },
    { label: 'nix-ld, then the launcher as the loader', env: { NIX_LD: TOOL, ...HOME }, argv: [program] },
    { label: 'the command', env: HOME, argv: [TOOL, program] },
  ];
}

/** Where the launcher itself sits at the interpreter path. */
function casesAtSeat(program: string, { loader, libraryPath }: Plan): Case[] {
  const words = ['--inhibit-cache', '--argv0', program, '--library-path', libraryPath, program];
  return [
    { label: 'bare: execve of ld.so with the program', env: HOME, argv: [loader, ...words] },
    { label: 'the launcher at the interpreter path', env: HOME, argv: [program] },
    { label: 'the command', env: HOME, argv: [TOOL, program] },
  ];
}

/** Prints one comparison. @returns whether the middle case meets the limit and is cheaper than the command. */
function reportWays(title: string, floor: string, cases: readonly Case[], times: readonly Timed[]): boolean {
  process.stdout.write(`\n${title}\n`);
  const median = (i: number) => times[i]?.median ?? Number.NaN;
  for (const [i, { label }] of cases.entries())
    process.stdout.write(
      `  ${milliseconds(median(i)).padStart(11)} median  ${milliseconds(times[i]?.tenth ?? Number.NaN).padStart(11)} p10  ${label}\n`,
    );
  const more = median(1) - median(0);
  const met = more <= LIMIT.more || median(1) <= median(0) * LIMIT.ratio;
  const cheaper = median(1) < median(2);
  process.stdout.write(
    `  over ${floor} ${milliseconds(more)} (${(median(1) / median(0)).toFixed(3)} times), at most ${milliseconds(LIMIT.more)} or ${LIMIT.ratio} times: ${met ? 'met' : 'MISSED'}\n` +
      `  against the command ${(median(1) / median(2)).toFixed(3)} times, below 1: ${cheaper ? 'met' : 'MISSED'}\n`,
  );
  return met && cheaper;
}

async function planOf(bench: BenchRoot, rig: Rig, program: string): Promise<Plan> {
  const argv = [rig.node, '/opt/tool/dist/nix-foreign.cjs', 'resolve', '--json', program] as const;
  const { stdout, stderr } = await bench.root.run({ argv });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Plan;
}

async function benchSeat(
  rig: Rig,
  interpreterAt: Parameters<typeof openBenchRoot>[1],
  floor: string,
  casesOfSeat: typeof casesOf,
  compileNothing: (directory: string) => void,
): Promise<boolean> {
  const bench = await openBenchRoot(rig, interpreterAt);
  try {
    compileNothing(bench.programs);
    await makeFortyLibraries(bench.root, path.join(bench.programs, 'forty'));
    const results: boolean[] = [];
    for (const [name, rounds] of [
      ['nothing', ROUNDS],
      ['forty', ROUNDS / 3],
    ] as const) {
      const program = `${PROGRAMS}/${name}`;
      const cases = casesOfSeat(program, await planOf(bench, rig, program));
      const times = await measure(bench.root, DRIVER, rounds, cases);
      results.push(reportWays(`with no prefix, ${name}`, floor, cases, times));
    }
    return results.every(Boolean);
  } finally {
    await bench.close();
  }
}

/** The real nix-ld can be measured in place of the double: NIX_LD_UNDER_TEST. */
export async function benchInterpreter(
  rig: Rig,
  compileNothing: (directory: string) => void,
): Promise<boolean> {
  const real = process.env['NIX_LD_UNDER_TEST'];
  const nixLd = real?.startsWith('/') ? (real as `/${string}`) : 'nix-ld';
  const below = await benchSeat(rig, nixLd, 'nix-ld', casesOf, compileNothing);
  const itself = await benchSeat(rig, 'launcher', 'bare', casesAtSeat, compileNothing);
  return below && itself;
}
