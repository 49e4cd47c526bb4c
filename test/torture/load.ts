// Many programs, plans and store paths → how long starts take, at a steady rate, and what grows.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { readPlanFile, writePlan } from '../../src/plan/plan-files.ts';
import { fillStore, storeRows } from '../bench/synthetic-store.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot } from '../rig/root.ts';
import { copyHome, foreign } from '../scenarios/foreign-files.ts';
import { cacheOf, planFiles } from '../scenarios/saved-state.ts';
import { launcher, openToolRoot, type ToolRoot } from '../scenarios/tool.ts';
import type { Effort, Part } from './results.ts';
import { type Crowd, type Round, runRounds } from './rounds.ts';

interface Scale {
  /** With plans, each of which is started in turn. */
  readonly programs: number;
  /** Of programs that are gone. */
  readonly plans: number;
  readonly storePaths: number;
}

const LARGE: Scale = { programs: 1_000, plans: 20_000, storePaths: 100_000 };
const SMALL: Scale = { programs: 40, plans: 1_000, storePaths: 5_000 };
/** Seconds of a target from which all is large. */
const LONG = 300;
const RATE = 200;
const SUM = ['-n', '6*7'];
const PROGRAMS = path.join(homeInRoot, 'apps/jq-{}');
const STARTER = '/opt/torture/start-many';

interface Load {
  readonly root: ToolRoot;
  readonly scale: Scale;
}

async function openLoad({ seconds }: Effort): Promise<Load> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'torture-load-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const source = path.join(import.meta.dirname, 'programs/start-many.c');
  execFileSync('gcc', ['-O1', '-static', '-o', path.join(scratch, 'start-many'), source]);
  const binds = [{ from: scratch, to: '/opt/torture', mode: 'read-only' }] as const;
  const root = await openToolRoot(await ensureRig('full'), { binds, catalogue: 'none' });
  return { root, scale: seconds >= LONG ? LARGE : SMALL };
}

async function planPrograms({ root, scale }: Load): Promise<void> {
  for (let number = 0; number < scale.programs; number += 1) {
    const program = copyHome(root, foreign(root.rig, 'bookworm', 'jq'), `apps/jq-${number}`);
    const { stdout, stderr } = await root.start([program, ...SUM]);
    if (stdout !== '42\n') throw new Error(stderr);
  }
}

/** As the last plan, for programs that are nowhere. */
function writeMorePlans({ root, scale }: Load): void {
  const plan = readPlanFile(planFiles(root).at(-1) as string);
  if (plan === undefined) throw new Error('there is no plan');
  const dirs = { ...temporaryDirectories(0), plans: path.join(cacheOf(root), 'plans') };
  for (let number = 0; number < scale.plans; number += 1)
    writePlan(dirs, { ...plan, program: path.join(homeInRoot, `gone/program-${number}`) });
}

async function fillStoreOf({ root, scale }: Load): Promise<void> {
  const library = path.join(root.nixDir, 'libsynthetic.so'); // links do not cross file systems
  execFileSync('gcc', [
    '-shared',
    '-fPIC',
    '-Wl,-soname,libsynthetic.so.1',
    '-o',
    library,
    '-xc',
    '/dev/null',
  ]);
  const filled = fillStore(path.join(root.nixDir, 'store'), scale.storePaths, library);
  const paths = filled.map((each) => path.join('/nix/store', path.basename(each)));
  const { status, stderr } = await root.run({
    argv: ['nix-store', '--load-db'],
    stdin: storeRows(paths),
    timeoutMs: 600_000,
  });
  if (status !== 0) throw new Error(stderr);
}

interface Times {
  readonly failed: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
  /** Kilobytes of the largest process. */
  readonly memory: number;
  readonly stderr: string;
}

async function startMany(
  root: ToolRoot,
  numbers: readonly [rate: number, seconds: number, programs: number],
  words: readonly string[],
): Promise<Times> {
  const argv = [STARTER, ...numbers.map(String), ...words] as [string, ...string[]];
  const { stdout, stderr } = await root.run({ argv, timeoutMs: 600_000 });
  const [, failed = -1, p50 = 0, p99 = 0, slowest = 0, memory = 0] = stdout.trim().split(' ').map(Number);
  return { failed, p50, p99, slowest, memory, stderr };
}

const milliseconds = (times: readonly number[]): string =>
  times.map((each) => (each / 1000).toFixed(1)).join(' / ');

const megabytes = (kilobytes: number): string => (kilobytes / 1024).toFixed(0);

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const SECONDS = 5;

/** Hits, of all programs in turn. */
async function steadyLoad(effort: Effort): Promise<Crowd> {
  const load = await openLoad(effort);
  const { root, scale } = load;
  await planPrograms(load);
  const before = bytesBelow(root.homeDir);
  const all: Times[] = [];
  const round: Round = async () => {
    const times = await startMany(root, [RATE, SECONDS, scale.programs], [launcher, PROGRAMS, ...SUM]);
    all.push(times);
    const { failed, stderr } = times;
    return failed === 0 && stderr === '' ? undefined : `${failed} failed: ${stderr.slice(0, 200)}`;
  };
  const end = async () => {
    const slowest = Math.max(...all.map((each) => each.slowest));
    const [p50, p99] = [median(all.map((each) => each.p50)), median(all.map((each) => each.p99))];
    const memory = Math.max(...all.map((each) => each.memory));
    const grown = bytesBelow(root.homeDir) - before;
    return `${RATE} a second of ${scale.programs} programs, ${SECONDS} s a round; p50 / p99 / slowest ${milliseconds([p50, p99, slowest])} ms, ${memory} kB, ${grown} bytes more`;
  };
  return { round, end };
}

/** Misses, hits, and what reads all plans, where there is much of everything. */
async function muchOfEverything(effort: Effort): Promise<Crowd> {
  const load = await openLoad(effort);
  const { root, scale } = load;
  await planPrograms(load);
  writeMorePlans(load);
  await fillStoreOf(load);
  const first = await startMany(root, [1, 1, 1], [launcher, '--refresh', PROGRAMS, ...SUM]);
  const before = bytesBelow(root.homeDir);
  const [misses, hits, lists]: [Times[], Times[], Times[]] = [[], [], []];
  const manager = [root.rig.node, '/opt/tool/dist/nix-foreign.cjs'];
  const round: Round = async () => {
    const miss = await startMany(root, [1, 4, scale.programs], [launcher, '--refresh', PROGRAMS, ...SUM]);
    const hit = await startMany(root, [RATE, SECONDS, scale.programs], [launcher, PROGRAMS, ...SUM]);
    const list = await startMany(root, [1, 1, 1], [...manager, 'list']);
    misses.push(miss);
    hits.push(hit);
    lists.push(list);
    const wrong = [miss, hit, list].find(({ failed, stderr }) => failed !== 0 || stderr !== '');
    return wrong && `${wrong.failed} failed: ${wrong.stderr.slice(0, 200)}`;
  };
  const end = async () => {
    const grown = bytesBelow(root.homeDir) - before;
    const prune = await startMany(root, [1, 1, 1], [...manager, 'prune']);
    if (prune.failed !== 0 || grown > 0) throw new Error(`prune: ${prune.stderr}; ${grown} bytes more`);
    const of = (all: readonly Times[], key: 'p50' | 'p99') => median(all.map((each) => each[key])) / 1000;
    const memoryOf = (all: readonly Times[]) => `${megabytes(median(all.map((each) => each.memory)))} MB`;
    const timeAndMemory = (all: readonly Times[]) => `${of(all, 'p50').toFixed(0)} ms ${memoryOf(all)}`;
    return [
      `${scale.storePaths} paths, ${scale.plans} plans: first ${timeAndMemory([first])}`,
      `miss ${timeAndMemory(misses)}`,
      `hit ${of(hits, 'p50').toFixed(1)}/${of(hits, 'p99').toFixed(0)} ms`,
      `list ${timeAndMemory(lists)}`,
      `prune ${of([prune], 'p50').toFixed(0)} ms`,
    ].join(', ');
  };
  return { round, end };
}

const LOADS: Readonly<Record<string, (effort: Effort) => Promise<Crowd>>> = {
  'steady load': steadyLoad,
  'much of everything': muchOfEverything,
};

export const loads: Part = {
  name: 'load',
  what: `${RATE} starts a second; programs, plans and store paths in large numbers`,
  targets: Object.keys(LOADS),
  run: async (target, effort) => {
    const crowd = await (LOADS[target] as (effort: Effort) => Promise<Crowd>)(effort);
    return await runRounds('load', target, crowd, effort);
  },
};
