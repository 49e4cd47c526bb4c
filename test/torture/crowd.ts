// Many at once → starts beside a collector, first starts at the same time, programs replaced meanwhile, and a steady load.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { seededRandom } from '../elf/seeded-random.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, type Root } from '../rig/root.ts';
import { copyHome, foreign, onHost } from '../scenarios/foreign-files.ts';
import { farmNames, planFiles, rootLinks } from '../scenarios/saved-state.ts';
import { launcher, openToolRoot, type ToolRoot } from '../scenarios/tool.ts';
import type { Effort, Finding, Part, Result } from './results.ts';

type Round = (number: number, random: (below: number) => number) => Promise<string | undefined>;

interface Crowd {
  /** A round; what is wrong, or undefined. */
  readonly round: Round;
  readonly end?: () => Promise<string>;
}

/** Starts in one round, of the crowds. */
const AT_ONCE = 64;
const SUM = ['-n', '6*7'];
const PROGRAM = path.join(homeInRoot, 'jq');

async function openCrowdRoot(
  binds: readonly { from: string; to: string; mode: 'read-only' }[] = [],
): Promise<ToolRoot> {
  const rig = await ensureRig('full');
  const root = await openToolRoot(rig, { binds });
  copyHome(root, foreign(rig, 'bookworm', 'jq'), 'jq');
  return root;
}

const shell = (root: ToolRoot, script: string) =>
  root.run({ argv: [root.rig.bash, '-c', script], env: { PATH: toolsOf(root) }, timeoutMs: 300_000 });

function toolsOf(root: ToolRoot): string {
  return `${path.dirname(root.rig.bash)}:${root.rig.nixBin}`;
}

/** One set that serves the program cannot be collected; whatever else the solver would rather take can. */
function protectOneSet(root: ToolRoot): void {
  const { libraryDirectories, loader } = foreign(root.rig, 'bookworm', 'jq');
  const protector = path.join(root.nixDir, 'var/nix/gcroots/kept-by-the-torture');
  mkdirSync(protector);
  const objects = new Set(
    [...libraryDirectories, loader].map((each) => each.split('/').slice(0, 4).join('/')),
  );
  for (const object of objects) symlinkSync(object, path.join(protector, path.basename(object)));
}

/** Hits, forced misses and first starts, while everything unrooted goes, a bite at a time. */
async function besideCollector(): Promise<Crowd> {
  const root = await openCrowdRoot();
  protectOneSet(root);
  let collected = 0;
  const round: Round = async (number, random) => {
    const collecting = root.run({
      argv: ['nix-store', '--gc', '--max-freed', '4000000'],
      timeoutMs: 300_000,
    });
    const forms = [[], ['--refresh'], ['--rehash']] as const;
    const starts = [0, 1, 2].map(() => root.start([...(forms[random(3)] ?? []), PROGRAM, ...SUM]));
    const outcomes = await Promise.all(starts);
    const gone = await collecting;
    collected += Number(/^(\d+) store paths deleted/m.exec(gone.stdout)?.[1] ?? 0);
    if (number % 4 === 3) await root.manage(['forget', PROGRAM]);
    const wrong = outcomes.find(({ stdout, stderr }) => stdout !== '42\n' || stderr !== '');
    return wrong === undefined ? undefined : `${wrong.status}: ${wrong.stdout}${wrong.stderr}`;
  };
  return { round, end: async () => `3 starts a round, ${collected} store paths collected meanwhile` };
}

function forgetAll(root: Root): void {
  for (const name of ['.cache', '.local'])
    rmSync(path.join(root.homeDir, name), { recursive: true, force: true });
}

async function firstStartsAtOnce(): Promise<Crowd> {
  const root = await openCrowdRoot();
  const script = `for i in {1..${AT_ONCE}}; do ${launcher} ${PROGRAM} ${SUM.join(' ')} & done; wait`;
  const round: Round = async (number) => {
    if (number % 8 === 0) forgetAll(root);
    else await root.manage(['forget', PROGRAM]);
    const { stdout, stderr } = await shell(root, script);
    if (stdout !== '42\n'.repeat(AT_ONCE) || stderr !== '')
      return `${stdout.length / 3} of ${AT_ONCE}: ${stderr}`;
    const kept = [planFiles(root), rootLinks(root), farmNames(root)].map(({ length }) => length).join(' ');
    return kept === '1 1 1' ? undefined : `plans, roots and farms: ${kept}`;
  };
  return { round, end: async () => `${AT_ONCE} starts a round` };
}

/** Its file becomes another version at a moment of its first start: it is one or the other, and the next start is right. */
async function replacedMeanwhile(): Promise<Crowd> {
  const root = await openCrowdRoot();
  const versions = ['bookworm', 'bullseye'].map((suite) => foreign(root.rig, suite, 'jq').path);
  const round: Round = async (number, random) => {
    const next = onHost(root, `${PROGRAM}.next`);
    copyFileSync(versions[number % 2] as string, next);
    const wait = random(900) / 1000;
    const script = `${launcher} ${random(2) === 0 ? '--refresh ' : ''}${PROGRAM} ${SUM.join(' ')} & sleep ${wait}; mv ${PROGRAM}.next ${PROGRAM}; wait $!`;
    const first = await shell(root, script);
    const second = await root.start([PROGRAM, ...SUM]);
    const isTold = first.status === 125 && /^nix-run-foreign: .+\n {2}.+\n$/.test(first.stderr);
    if (first.stdout !== '42\n' && !isTold) return `meanwhile: ${first.status} ${first.stderr}`;
    return second.stdout === '42\n' && second.stderr === ''
      ? undefined
      : `afterwards: ${second.status} ${second.stderr}`;
  };
  return { round };
}

/** Programs with plans, of which each is started in turn. */
const PLANNED = 40;
const RATE = 200;
const SECONDS = 5;

async function steadyLoad(): Promise<Crowd> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'torture-load-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const source = path.join(import.meta.dirname, 'programs/start-many.c');
  execFileSync('gcc', ['-O1', '-static', '-o', path.join(scratch, 'start-many'), source]);
  const root = await openCrowdRoot([{ from: scratch, to: '/opt/torture', mode: 'read-only' }]);
  for (let number = 0; number < PLANNED; number += 1) {
    const program = copyHome(root, foreign(root.rig, 'bookworm', 'jq'), `apps/jq-${number}`);
    const { stdout, stderr } = await root.start([program, ...SUM]);
    if (stdout !== '42\n') throw new Error(stderr);
  }
  const before = bytesBelow(root.homeDir);
  const worst = { p50: 0, p99: 0, slowest: 0, memory: 0 };
  const program = path.join(homeInRoot, 'apps/jq-{}');
  const words = [String(RATE), String(SECONDS), String(PLANNED), launcher, program, ...SUM];
  const round: Round = async () => {
    const { stdout, stderr } = await root.run({
      argv: ['/opt/torture/start-many', ...words],
      timeoutMs: 300_000,
    });
    const [, failed, p50, p99, slowest, memory] = stdout.trim().split(' ').map(Number);
    for (const [name, value] of Object.entries({ p50, p99, slowest, memory }))
      worst[name as keyof typeof worst] = Math.max(worst[name as keyof typeof worst], value ?? 0);
    return failed === 0 && stderr === '' ? undefined : `${failed} failed: ${stderr.slice(0, 200)}`;
  };
  const end = async () => {
    const { p50, p99, slowest, memory } = worst;
    const times = [p50, p99, slowest].map((each) => (each / 1000).toFixed(1)).join(' / ');
    const grown = bytesBelow(root.homeDir) - before;
    return `${RATE} starts a second of ${PLANNED} programs for ${SECONDS} s a round; p50 / p99 / slowest at most ${times} ms, ${memory} kB, files grew by ${grown} bytes`;
  };
  return { round, end };
}

function bytesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
}

const CROWDS: Readonly<Record<string, () => Promise<Crowd>>> = {
  'beside a collector': besideCollector,
  'first starts at once': firstStartsAtOnce,
  'replaced meanwhile': replacedMeanwhile,
  'steady load': steadyLoad,
};

async function runCrowd(target: string, { seed, seconds, inputs }: Effort): Promise<Result> {
  const crowd = await (CROWDS[target] as () => Promise<Crowd>)();
  const random = seededRandom(seed);
  const begin = performance.now();
  const findings: Finding[] = [];
  let tried = 0;
  for (; tried < inputs && (performance.now() - begin) / 1000 < seconds; tried += 1) {
    const what = await crowd.round(tried, random);
    if (what !== undefined)
      findings.push({ what: what.slice(0, 400), again: `${target}: seed ${seed}, round ${tried}` });
  }
  const took = (performance.now() - begin) / 1000;
  const figures = (await crowd.end?.()) ?? '';
  return { part: 'many at once', target, tried, seconds: took, figures, findings };
}

export const crowds: Part = {
  name: 'crowd',
  what: 'starts beside a collector, first starts at the same time, programs replaced meanwhile, a steady load',
  targets: Object.keys(CROWDS),
  run: runCrowd,
};
