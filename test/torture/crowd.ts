// Many at once → starts beside a collector, first starts at the same time, programs replaced meanwhile, starts killed.
import { appendFileSync, copyFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { providerOf } from '../rig/binary-cache.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, type Outcome, type Root } from '../rig/root.ts';
import { copyHome, foreign, onHost } from '../scenarios/foreign-files.ts';
import { farmNames, planFiles, rootLinks } from '../scenarios/saved-state.ts';
import { launcher, openToolRoot, type ToolRoot } from '../scenarios/tool.ts';
import { exchangeForTests, fetching, openMachine, startOver } from '../scenarios/travelling/machines.ts';
import { publishJq } from '../scenarios/travelling/publish-jq.ts';
import type { Part } from './results.ts';
import { type Crowd, type Round, runRounds } from './rounds.ts';

/** Starts in one round, of the crowds. */
const AT_ONCE = 64;
const SUM = ['-n', '6*7'];
const PROGRAM = path.join(homeInRoot, 'jq');

async function openCrowdRoot(): Promise<ToolRoot> {
  const root = await openToolRoot(await ensureRig('full'), { catalogue: 'none' });
  copyHome(root, foreign(root.rig, 'bookworm', 'jq'), 'jq');
  return root;
}

/** Programs of different content, `jq-0` and on. Their paths. */
function copiesFor(root: ToolRoot, count: number): string[] {
  return Array.from({ length: count }, (_, number) => {
    const program = copyHome(root, foreign(root.rig, 'bookworm', 'jq'), `jq-${number}`);
    appendFileSync(onHost(root, program), ` ${number}`);
    return program;
  });
}

/** Runs a script of bash, with the coreutils of the default profile. */
async function shell(root: ToolRoot, script: string): Promise<Outcome> {
  const { bash, nixBin } = root.rig;
  const env = { PATH: [path.dirname(bash), '/nix/var/nix/profiles/default/bin', nixBin].join(':') };
  return await root.run({ argv: [bash, '-c', `set -e; ${script}`], env, timeoutMs: 300_000 });
}

/** Starts in a round beside a collector: each of these is one process after the other. */
const LANES = 3;
const IN_LANE = 10;

/** Hits, forced misses and first starts, while all that is unrooted goes, and is fetched again; one set that serves stays. */
async function besideCollector(): Promise<Crowd> {
  const exchange = exchangeForTests();
  const rig = await ensureRig('full');
  const { cache, cacheKey, libraries } = await publishJq(await openMachine(rig, exchange), exchange);
  const root = await openMachine(rig, exchange);
  const settings = fetching([cache], [cacheKey.publicKey]);
  const held = ['libjq.so.1', 'libonig.so.5'].map((soname) => providerOf(rig, 'trixie', soname).path);
  await startOver(root, held);
  let [collected, fetched] = [0, 0];
  const form = 'case $((RANDOM % 6)) in 0) f=--refresh;; 1) f=--rehash;; *) f=;; esac';
  const lane = `for i in {1..${IN_LANE}}; do ${form}; ${launcher} $f ${root.program} ${SUM.join(' ')}; done`;
  const run = (argv: readonly [string, ...string[]]) => root.run({ ...settings, argv, timeoutMs: 300_000 });
  const collect = async (): Promise<void> => {
    const { stdout } = await run(['nix-store', '--gc']);
    collected += Number(/^(\d+) store paths deleted/m.exec(stdout)?.[1] ?? 0);
    const brought = await run(['nix-store', '--realise', ...libraries]);
    fetched += [...brought.stderr.matchAll(/^copying path/gm)].length;
  };
  const round: Round = async (number, random) => {
    if (number % 2 === 1) await root.manage(['forget', root.program]);
    let isOver = false;
    const collecting = (async () => {
      while (!isOver) await collect();
    })();
    const lanes = Array.from({ length: LANES }, () => `(RANDOM=${random(32_768)}; ${lane}) &`).join(' ');
    const { status, stdout, stderr } = await shell(root, `${lanes} wait`);
    isOver = true;
    await collecting;
    // Nix waits for its collector, and says so after a second.
    const words = stderr.replace(/^waiting for .*\n/gm, '');
    if (stdout === '42\n'.repeat(LANES * IN_LANE) && words === '') return undefined;
    return `${status}: ${stdout.length / 3} of ${LANES * IN_LANE}: ${stderr}`;
  };
  const end = async () =>
    `${LANES * IN_LANE} starts a round, ${collected} store paths collected and ${fetched} fetched meanwhile`;
  return { round, end };
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

/** Programs of a new user that are started for the first time together, as a session does it. */
const SEVERAL = 8;

async function firstSession(): Promise<Crowd> {
  const root = await openCrowdRoot();
  copiesFor(root, SEVERAL);
  const script = `for i in {1..${2 * SEVERAL}}; do ${launcher} ${PROGRAM}-$((i % ${SEVERAL})) ${SUM.join(' ')} & done; wait`;
  const round: Round = async () => {
    forgetAll(root);
    const { stdout, stderr } = await shell(root, script);
    if (stdout !== '42\n'.repeat(2 * SEVERAL) || stderr !== '')
      return `${stdout.length / 3} of ${2 * SEVERAL}: ${stderr}`;
    const kept = [planFiles(root), rootLinks(root)].map(({ length }) => length).join(' ');
    return kept === `${SEVERAL} ${SEVERAL}` ? undefined : `plans and roots: ${kept}`;
  };
  return { round, end: async () => `${2 * SEVERAL} starts of ${SEVERAL} programs a round, in a new home` };
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

/** In a round, of each of the programs. */
const KILLS = 50;
const KILLED = 4;

/** Starts in a process group of their own that are killed at any moment; the next start after each is right. */
async function killedAtRandom(): Promise<Crowd> {
  const root = await openCrowdRoot();
  const programs = copiesFor(root, KILLED);
  const lane = (words: string, seed: number) => `set -m; RANDOM=${seed}
    for i in {1..${KILLS}}; do
      case $((RANDOM % 4)) in 0) f=--rehash; d=9000;; 1) f=; d=3000;; *) f=--refresh; d=32768;; esac
      ${launcher} $f ${words} > /dev/null 2>&1 & p=$!
      printf -v wait '0.%06d' $((RANDOM % d * 10)); sleep $wait; kill -9 -- -$p || :; wait $p || :
      said=$(${launcher} ${words} 2>&1) || said="$said (status $?)"; test "$said" = 42 || echo "killed after $wait s of '$f': $said"
    done 2> /dev/null; echo end`;
  const round: Round = async (number, random) => {
    if (number % 8 === 7) await root.manage(['forget', ...programs]);
    const lanes = programs.map((program) => `(${lane(`${program} ${SUM.join(' ')}`, random(32_768))}) &`);
    const { status, stdout } = await shell(root, `${lanes.join('\n')} wait`);
    if (status !== 0 || stdout !== 'end\n'.repeat(KILLED)) return `${status}: ${stdout}`;
    for (const program of programs) await root.start(['--refresh', program, ...SUM]);
    const kept = [planFiles(root), rootLinks(root), farmNames(root)].map(({ length }) => length).join(' ');
    return kept === `${KILLED} ${KILLED} 1` ? undefined : `plans, roots and farms: ${kept}`;
  };
  return { round, end: async () => `${KILLED} × ${KILLS} kills a round` };
}

const CROWDS: Readonly<Record<string, () => Promise<Crowd>>> = {
  'beside a collector': besideCollector,
  'first starts at once': firstStartsAtOnce,
  'first session': firstSession,
  'replaced meanwhile': replacedMeanwhile,
  'killed at random': killedAtRandom,
};

export const crowds: Part = {
  name: 'crowd',
  what: 'starts beside a collector, first starts at the same time, programs replaced meanwhile, starts killed',
  targets: Object.keys(CROWDS),
  run: async (target, effort) =>
    await runRounds('many at once', target, await (CROWDS[target] as () => Promise<Crowd>)(), effort),
};
