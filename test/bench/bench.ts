// `npm run bench`: every figure the project promises, with the floor beside it, each comparison within one run.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openCatalogue } from '../../src/store/catalogue.ts';
import { refreshCatalogue } from '../../src/store/open-catalogue.ts';
import { ensureRig, type Rig } from '../rig/rig.ts';
import { type BenchRoot, copiesOf, copyName, DRIVER, openBenchRoot, PROGRAMS, TOOL } from './bench-root.ts';
import { makeFortyLibraries } from './forty-libraries.ts';
import { benchHooks } from './hooks.ts';
import { benchIndex } from './index.ts';
import { benchInterpreter } from './interpreter.ts';
import { type Case, measure, report } from './measure.ts';
import { benchPatch } from './patch-large.ts';
import { benchReach } from './reach.ts';
import { benchRunTime } from './run-time.ts';
import { benchSolver } from './solve.ts';
import { makeSyntheticStore } from './synthetic-store.ts';
import { benchTravel } from './travel.ts';

const HIT_ROUNDS = 1500;
const MISS_ROUNDS = 25;
const OBJECTS = 20_000;
const PROMPTS = 200;

const HOME = { HOME: '/home/tester' };

interface Plan {
  readonly loader?: string;
  readonly libraryPath?: string;
  readonly launcherVariables?: readonly string[];
  readonly environment: readonly (readonly [string, string])[];
  readonly argv: readonly { readonly kind: string; readonly text?: string; readonly list?: string }[];
}

/** Starts a program once and returns its plan. */
async function planOf(bench: BenchRoot, rig: Rig, program: string): Promise<Plan> {
  const { stdout, stderr } = await bench.root.run({
    argv: [rig.node, '/opt/tool/dist/nix-foreign.cjs', 'resolve', '--json', program],
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Plan;
}

/** What the plan makes the launcher execute, written out: the floor that a hit is compared with. */
function bareCase(label: string, plan: Plan, program: string): Case {
  const argv = plan.argv.map(({ kind, text, list }) => {
    if (kind === 'literal') return text ?? '';
    return kind === 'library-path' ? (list ?? '') : program;
  });
  const entering = (plan.launcherVariables ?? []).map((name) => [name, TOOL] as const);
  const env = { ...Object.fromEntries([...entering, ...plan.environment]), ...HOME };
  return { label, env, argv: argv.length > 0 ? argv : [program] };
}

function launched(label: string, program: string): Case {
  return { label, env: HOME, argv: [TOOL, program] };
}

function compileNothing(directory: string): void {
  const source = path.join(directory, 'nothing.c');
  writeFileSync(source, 'int main(void) { return 0; }\n');
  execFileSync('cc', ['-O1', '-o', path.join(directory, 'nothing'), source]);
  execFileSync('cc', ['-O1', '-static', '-o', path.join(directory, 'nothing-static'), source]);
}

async function benchHits(rig: Rig, interpreter: 'none' | 'nix-ld', strategy: string): Promise<boolean> {
  const bench = await openBenchRoot(rig, interpreter);
  try {
    compileNothing(bench.programs);
    const directories = await makeFortyLibraries(bench.root, path.join(bench.programs, 'forty'));
    const results: boolean[] = [];
    for (const name of ['nothing', 'nothing-static']) {
      const program = `${PROGRAMS}/${name}`;
      const plan = await planOf(bench, rig, program);
      const cases = [
        bareCase('bare execve, same target and environment', plan, program),
        launched('hit', program),
      ];
      const times = await measure(bench.root, DRIVER, HIT_ROUNDS, cases);
      const limit = { of: 1, to: 0, at: 1.25 };
      results.push(report(`hit, strategy ${strategy}, ${name}`, cases, times, limit));
    }
    const forty = `${PROGRAMS}/forty`;
    const plan = await planOf(bench, rig, forty);
    const cases = [
      withDirectories(bareCase('library path of 40 directories', withLibraryPath(plan), forty), directories),
      bareCase('bare execve with the farm', plan, forty),
      launched('hit', forty),
    ];
    const times = await measure(bench.root, DRIVER, HIT_ROUNDS / 3, cases);
    const limit = { of: 2, to: 0, at: 0.65 };
    results.push(report(`40 libraries in 40 store paths, strategy ${strategy}`, cases, times, limit));
    return results.every(Boolean);
  } finally {
    await bench.close();
  }
}

/** What nix-ld is told where nobody gives each program its own libraries. */
function withLibraryPath(plan: Plan): Plan {
  const { loader, libraryPath, launcherVariables = [] } = plan;
  if (launcherVariables.length === 0 || loader === undefined || libraryPath === undefined) return plan;
  const environment = [['NIX_LD', loader] as const, ['NIX_LD_LIBRARY_PATH', libraryPath] as const];
  return { environment, argv: plan.argv };
}

/** The same start with one directory for each library in place of the farm, before what follows it. */
function withDirectories(bare: Case, directories: readonly string[]): Case {
  const replace = (text: string) => text.replace(/[^:=]*\/farms\/[0-9a-f]{32}/, directories.join(':'));
  return {
    label: bare.label,
    argv: bare.argv.map(replace),
    env: Object.fromEntries(Object.entries(bare.env ?? {}).map(([name, value]) => [name, replace(value)])),
  };
}

/** First starts of copies of one program, each new to the tool, against an empty script of the same Node. */
async function benchFirstStarts(
  bench: BenchRoot,
  rig: Rig,
  name: string,
  program: string,
  args: readonly string[],
): Promise<boolean> {
  const directory = path.join(bench.programs, name);
  mkdirSync(directory);
  copiesOf(program, directory, MISS_ROUNDS + 1);
  await planOf(bench, rig, `${PROGRAMS}/${name}/${copyName(MISS_ROUNDS)}`);
  const env = { ...HOME, PATH: rig.nixBin };
  const cases: Case[] = [
    { label: 'empty script, same Node', env: HOME, argv: [rig.node, `${PROGRAMS}/empty.cjs`] },
    { label: `first start of ${name}`, env, argv: [TOOL, `${PROGRAMS}/${name}/${copyName('{}')}`, ...args] },
  ];
  const times = await measure(bench.root, DRIVER, MISS_ROUNDS, cases);
  return report(`miss, catalogue filled: ${name}`, cases, times, { of: 1, to: 0, at: 4 });
}

async function benchMiss(rig: Rig): Promise<boolean> {
  const bench = await openBenchRoot(rig, 'none');
  try {
    const curl = rig.foreign.find(({ name }) => name === 'curl');
    if (curl === undefined) throw new Error('the rig has no curl');
    compileNothing(bench.programs);
    writeFileSync(path.join(bench.programs, 'empty.cjs'), '');
    const nothing = path.join(bench.programs, 'nothing');
    return [
      await benchFirstStarts(bench, rig, 'nothing-dynamic', nothing, []),
      await benchFirstStarts(bench, rig, 'curl', curl.path, ['--version']),
    ].every(Boolean);
  } finally {
    await bench.close();
  }
}

async function benchCatalogue(): Promise<boolean> {
  const store = makeSyntheticStore(OBJECTS);
  try {
    const catalogue = openCatalogue(
      path.join(store.location.stateDir, 'catalogue.sqlite'),
      store.location.storeDir,
    );
    const timed = async () => {
      const start = performance.now();
      await refreshCatalogue(catalogue, store.location, () => {});
      return performance.now() - start;
    };
    const filling = await timed();
    const rate = (OBJECTS / filling) * 1000;
    const again: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      catalogue.setMemo('store-directory', 'forgotten');
      again.push(await timed());
    }
    const listing = again.sort((a, b) => a - b)[3] ?? Number.NaN;
    const unchanged = await timed();
    catalogue.close();
    process.stdout.write(`\ncatalogue, ${OBJECTS} store paths\n`);
    process.stdout.write(`  filling                ${rate.toFixed(0)} store paths a second, at least 2000\n`);
    process.stdout.write(
      `  refresh, nothing new   ${listing.toFixed(1)} ms with a full listing, at most 150\n`,
    );
    process.stdout.write(
      `                         ${unchanged.toFixed(2)} ms when the directory did not change\n`,
    );
    return rate >= 2000 && listing < 150;
  } finally {
    store.remove();
  }
}

const rig = await ensureRig('full');
const parts: Record<string, () => Promise<boolean>> = {
  'hit-nix-ld': () => benchHits(rig, 'nix-ld', 'interpreter'),
  'hit-loader': () => benchHits(rig, 'none', 'loader'),
  interpreter: () => benchInterpreter(rig, compileNothing),
  'run-time': () => benchRunTime(rig),
  miss: () => benchMiss(rig),
  catalogue: benchCatalogue,
  hooks: async () => benchHooks(PROMPTS),
  index: () => benchIndex(),
  patch: () => benchPatch(rig),
  reach: () => benchReach(rig, HIT_ROUNDS),
  solve: benchSolver,
  travel: () => benchTravel(rig, compileNothing),
};
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
const results: boolean[] = [];
for (const name of wanted) results.push((await parts[name]?.()) ?? false);
process.stdout.write(`\n${results.every(Boolean) ? 'every limit was met' : 'a limit was MISSED'}\n`);
process.exitCode = results.every(Boolean) ? 0 : 1;
