// What each way to a program costs where there is no nix-ld: by the loader, in a namespace, as a copy, patched, by
// binfmt_misc.
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Rig } from '../rig/rig.ts';
import { type BenchRoot, DRIVER, openBenchRoot, PROGRAMS, RESOLVER, TOOL } from './bench-root.ts';
import { bubblewrapWords } from './bubblewrap-view.ts';
import { type Case, driverArguments, measure, milliseconds, report, type Timed } from './measure.ts';

const HOME = { HOME: '/home/tester' };
const OWN_BINFMT = path.resolve(import.meta.dirname, '../scenarios/binfmt/programs/own-binfmt.c');

/** A copy for each strategy, resolved; the floor is what the loader's plan executes, written out. */
async function prepare(bench: BenchRoot, rig: Rig): Promise<Case[]> {
  const { root, programs } = bench;
  const source = path.join(programs, 'nothing.c');
  writeFileSync(source, 'int main(void) { return 0; }\n');
  execFileSync('cc', ['-O1', '-o', path.join(programs, 'nothing'), source]);
  let floor: Case | undefined;
  const cases: Case[] = [];
  for (const strategy of ['loader', 'namespace', 'patched', 'view']) {
    const program = path.join(programs, strategy);
    copyFileSync(path.join(programs, 'nothing'), program);
    const words = [RESOLVER, 'resolve', '--json', '--strategy', strategy, `${PROGRAMS}/${strategy}`];
    const { stdout, stderr } = await root.run({ argv: [rig.node, ...words] });
    const plan = JSON.parse(stdout || '{}') as {
      strategy?: string;
      argv?: { text?: string; list?: string }[];
      view?: { target: string; source?: string }[];
    };
    if (plan.strategy !== strategy) throw new Error(`${strategy} is not possible here: ${stderr}`);
    const argv = (plan.argv ?? []).map(({ text, list }) => text ?? list ?? `${PROGRAMS}/${strategy}`);
    floor ??= { label: 'bare: execve of ld.so with the program', env: HOME, argv };
    cases.push({ label: `nix-run-foreign, ${strategy}`, env: HOME, argv: [TOOL, `${PROGRAMS}/${strategy}`] });
    if (strategy !== 'view') continue;
    const sameView = await bubblewrapWords(bench, plan, TOOL, floor.argv);
    // What the kernel frees later (RCU) of bubblewrap's namespaces is paid by what comes next: 0.2 ms.
    const next = { ...floor, label: 'bare, after bubblewrap: compared with nothing' };
    cases.push({ label: 'bubblewrap, the same view', env: HOME, argv: sameView }, next);
  }
  const patched = `${HOME.HOME}/patched-file`;
  const words = [RESOLVER, 'patch', '-y', `${PROGRAMS}/nothing`, '-o', patched];
  const { status, stderr } = await root.run({ argv: [rig.node, ...words] });
  if (status !== 0) throw new Error(`it cannot be patched: ${stderr}`);
  cases.push({ label: 'no prefix, patched file', env: HOME, argv: [patched] });
  return floor === undefined ? cases : [floor, ...cases];
}

async function measureByBinfmt(
  { root, programs }: BenchRoot,
  rig: Rig,
  rounds: number,
  floor: Case,
): Promise<Timed[]> {
  execFileSync('cc', ['-static', '-w', '-o', path.join(programs, 'own-binfmt'), OWN_BINFMT]);
  const cases = [floor, { label: '', env: HOME, argv: [`${PROGRAMS}/loader`] }];
  const driver = driverArguments(rounds, cases)
    .map((word) => `'${word}'`)
    .join(' ');
  const script = `${rig.node} ${RESOLVER} binfmt install > /dev/null && exec ${DRIVER} ${driver}`;
  const argv = [`${PROGRAMS}/own-binfmt`, rig.bash, '-c', script] as const;
  const { stdout, stderr, status } = await root.run({ argv, timeoutMs: 600_000 });
  if (status !== 0) throw new Error(`binfmt_misc ended with ${status}: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [median = Number.NaN, tenth = Number.NaN] = line.split(' ').map(Number);
      return { median, tenth };
    });
}

/** In microseconds, over a start by the loader. */
const MOST_FOR_A_VIEW = 1000;

function reportView(cases: readonly Case[], times: readonly Timed[], loader: Timed | undefined): boolean {
  const shorter = report('a view', cases, times, { of: 0, to: 1, at: 0.3 });
  const more = (times[0]?.median ?? Number.NaN) - (loader?.median ?? Number.NaN);
  const met = more <= MOST_FOR_A_VIEW;
  process.stdout.write(
    `  ${milliseconds(more)} over the loader, at most ${milliseconds(MOST_FOR_A_VIEW)}: ${met ? 'met' : 'MISSED'}\n`,
  );
  return shorter && met;
}

/** Prints all comparisons; true when each way stays below twice the floor. */
export async function benchReach(rig: Rig, rounds: number): Promise<boolean> {
  const bench = await openBenchRoot(rig, 'stub-ld');
  try {
    const cases = await prepare(bench, rig);
    const times = await measure(bench.root, DRIVER, rounds, cases);
    const limit = { to: 0, at: 2 };
    const prefixed = report('ways to a program without nix-ld', cases, times, { ...limit, of: 2 });
    const inView = reportView(cases.slice(4, 6), times.slice(4, 6), times[1]);
    const [floor] = cases;
    if (floor === undefined) return prefixed && inView;
    const byKernel = await measureByBinfmt(bench, rig, rounds, floor);
    const named = [floor, { label: 'no prefix, binfmt_misc, loader', argv: [] }];
    return (
      report('with no prefix, by binfmt_misc', named, byKernel, { ...limit, of: 1 }) && prefixed && inView
    );
  } finally {
    await bench.close();
  }
}
