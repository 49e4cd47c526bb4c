// A root with the tool → each work that changes files there, begun anew from the same state, with something done to it.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot } from '../rig/root.ts';
import { copyHome, foreign } from '../scenarios/foreign-files.ts';
import { launcher, openToolRoot, type ToolRoot } from '../scenarios/tool.ts';

const SOURCE = path.join(import.meta.dirname, 'programs/inject-at-call.c');
const INJECTOR = '/opt/torture/inject-at-call';
const SCRIPT = '/opt/tool/dist/nix-foreign.cjs';
/** What is written beside a file before it has its name, and locks. */
const LEFTOVER = /\.tmp$|\.lock$|\.owner$|\.new$/;

export interface Works {
  readonly root: ToolRoot;
  /**
   * Puts the state back in which the work begins, begins it with something done to it (`how`, `number`, `calls` as
   * inject-at-call.c has them), lets it run to its end once more, and starts the program twice. All in one process
   * namespace, as on a real machine, where the dead can be told from the living.
   */
  run(name: string, injection: Injection): Promise<Injected>;
}

export interface Injection {
  readonly how: string;
  readonly number: number;
  readonly calls: 'changes' | 'all';
}

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Injected extends Ended {
  /** How many calls there were, and the name of the one that something happened at; empty when the work ended before. */
  readonly count: number;
  readonly at: string;
  /** What is wrong afterwards, or undefined. */
  readonly afterwards: string | undefined;
}

interface Work {
  /** Words of nix-foreign; undefined: the program is started. */
  readonly words?: readonly string[];
  /** The state in which it begins. */
  readonly from: 'nothing' | 'catalogue' | 'plan';
}

const PROGRAM = path.join(homeInRoot, 'jq');
const SUM = ['-n', '6*7'];

const WORKS: Readonly<Record<string, Work>> = {
  hit: { from: 'plan' },
  miss: { from: 'catalogue' },
  'miss without a catalogue': { from: 'nothing' },
  prune: { from: 'plan', words: ['prune'] },
  forget: { from: 'plan', words: ['forget', PROGRAM] },
  patch: { from: 'catalogue', words: ['patch', '-y', '--no-lift', PROGRAM] },
  export: { from: 'plan', words: ['fingerprint', 'export', PROGRAM] },
  publish: {
    from: 'plan',
    words: ['publish', PROGRAM, '--to', `file://${homeInRoot}/cache`],
  },
};

/** A snapshot of the home for each state. */
async function takeStates(root: ToolRoot, directory: string): Promise<void> {
  const save = (name: string) => cpSync(root.homeDir, path.join(directory, name), copying);
  save('nothing');
  const started = await root.start([PROGRAM, ...SUM], { timeoutMs: 300_000 });
  if (started.stdout !== '42\n') throw new Error(`the program does not start: ${started.stderr}`);
  save('plan');
  await root.manage(['forget', PROGRAM]);
  save('catalogue');
}

const copying = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true } as const;

function putBack(root: ToolRoot, state: string): void {
  for (const name of readdirSync(root.homeDir)) rmSync(path.join(root.homeDir, name), { recursive: true });
  cpSync(state, root.homeDir, copying);
}

/** Plans name the program by its inode, so its file stays; only what a work may have made of it is put back. */
async function makePlan(root: ToolRoot, state: Work['from']): Promise<void> {
  if (state === 'plan') await root.start([PROGRAM, ...SUM]);
}

function leftoversIn(root: ToolRoot): string[] {
  return ['.cache', '.local', '.']
    .map((name) => path.join(root.homeDir, name))
    .filter(existsSync)
    .flatMap((place) => readdirSync(place, { recursive: true }).map(String))
    .filter((name) => LEFTOVER.test(name));
}

function wordsOf({ words }: Work, node: string): [string, ...string[]] {
  return words === undefined ? [launcher, PROGRAM, ...SUM] : [node, SCRIPT, ...words];
}

/** The status of what did not end in its time. */
export const UNENDED = -1;

/** A command whose status and words go into files beside each other in the home. */
function noting(words: readonly string[], name: string): string {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  return `${quoted} > ~/${name}.stdout 2> ~/${name}.stderr; echo $? > ~/${name}.status\n`;
}

function noted(root: ToolRoot, name: string): Ended {
  const [status, stdout, stderr] = ['status', 'stdout', 'stderr'].map((each) => {
    const file = path.join(root.homeDir, `${name}.${each}`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }) as [string, string, string];
  return { status: status === '' ? UNENDED : Number(status), stdout, stderr };
}

const START = [launcher, PROGRAM, ...SUM];
/** What a hit leaves lying about, the next run of the resolver takes away. */
const MISS = [launcher, '--refresh', PROGRAM, ...SUM];

/** What is wrong after the work was interrupted, and done once more. */
function whyNotWhole(root: ToolRoot): string | undefined {
  const [again, first, second] = ['again', 'first', 'second'].map((name) => noted(root, name)) as [
    Ended,
    Ended,
    Ended,
  ];
  const isDone = again.stderr.includes('no plan is kept for it'); // it was forgotten, and the end was cut
  if (again.status !== 0 && !isDone) return `the same again: ${again.status} ${again.stderr}`;
  if (first.stdout !== '42\n' || first.status !== 0) return `the next start: ${first.status} ${first.stderr}`;
  if (second.stdout !== '42\n' || second.stderr !== '') return `the second start: ${second.stderr}`;
  const left = leftoversIn(root);
  return left.length > 0 ? `left: ${left.join(' ')}` : undefined;
}

async function interrupt(root: ToolRoot, work: Work, { how, number, calls }: Injection): Promise<Injected> {
  const words = wordsOf(work, root.rig.node);
  const script = [
    noting([INJECTOR, how, String(number), calls, ...words], 'injected'),
    ...(how === 'count'
      ? []
      : [noting(words, 'again'), noting(START, 'first'), noting(START, 'second'), noting(MISS, 'miss')]),
  ].join('');
  await root.run({ argv: [root.rig.bash, '-c', script], timeoutMs: 240_000 });
  const injected = noted(root, 'injected');
  const [, count = '0', at = ''] = /^inject: (\d+) (.*)\n$/m.exec(injected.stderr) ?? [];
  const stderr = injected.stderr.replace(/^inject: .*\n/m, '');
  return {
    ...injected,
    stderr,
    count: Number(count),
    at,
    afterwards: how === 'count' ? undefined : whyNotWhole(root),
  };
}

export async function openWorks(): Promise<Works> {
  const rig = await ensureRig('full');
  const scratch = mkdtempSync(path.join(tmpdir(), 'torture-works-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const tools = path.join(scratch, 'tools');
  cpSync(SOURCE, path.join(tools, 'inject-at-call.c'));
  execFileSync('gcc', ['-O1', '-static', '-o', path.join(tools, 'inject-at-call'), SOURCE]);
  const root = await openToolRoot(rig, { binds: [{ from: tools, to: '/opt/torture', mode: 'read-only' }] });
  copyHome(root, foreign(rig, 'bookworm', 'jq'), 'jq');
  await takeStates(root, scratch);
  return {
    root,
    run: async (name, injection) => {
      const work = WORKS[name] as Work;
      putBack(root, path.join(scratch, work.from));
      await makePlan(root, work.from);
      return interrupt(root, work, injection);
    },
  };
}

export const WORK_NAMES = Object.keys(WORKS);
