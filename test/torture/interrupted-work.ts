// A root with the tool → each work that changes files there, begun anew from the same state, with something done to it.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, type Outcome } from '../rig/root.ts';
import { copyHome, foreign } from '../scenarios/foreign-files.ts';
import { launcher, openToolRoot, type ToolRoot } from '../scenarios/tool.ts';

const SOURCE = path.join(import.meta.dirname, 'programs/inject-at-call.c');
const INJECTOR = '/opt/torture/inject-at-call';
const SCRIPT = '/opt/tool/dist/nix-foreign.cjs';
/** What is written beside a file before it has its name, and locks. */
const LEFTOVER = /\.tmp$|\.lock$|\.owner$|\.new$/;

export interface Works {
  readonly root: ToolRoot;
  readonly names: readonly string[];
  /** Puts the state back in which the work begins, and begins it: `how`, `number`, `calls` as inject-at-call.c has them. */
  begin(name: string, how: string, number: number, calls: 'changes' | 'all'): Promise<Injected>;
  /** Lets the same work run to its end, and starts the program: what is wrong then, or undefined. */
  whyNotWhole(name: string): Promise<string | undefined>;
}

export interface Injected extends Outcome {
  /** How many calls there were, and the name of the one that something happened at; empty when the work ended before. */
  readonly count: number;
  readonly at: string;
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

function injectedOf(outcome: Outcome): Injected {
  const [, count = '0', at = ''] = /^inject: (\d+) (.*)\n$/m.exec(outcome.stderr) ?? [];
  return { ...outcome, stderr: outcome.stderr.replace(/^inject: .*\n/m, ''), count: Number(count), at };
}

async function startTwice(root: ToolRoot): Promise<string | undefined> {
  const first = await root.start([PROGRAM, ...SUM]);
  if (first.stdout !== '42\n' || first.status !== 0) return `the next start: ${first.status} ${first.stderr}`;
  const second = await root.start([PROGRAM, ...SUM]);
  return second.stdout === '42\n' && second.stderr === '' ? undefined : `the second start: ${second.stderr}`;
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
    names: Object.keys(WORKS),
    begin: async (name, how, number, calls) => {
      const work = WORKS[name] as Work;
      putBack(root, path.join(scratch, work.from));
      await makePlan(root, work.from);
      const argv = [INJECTOR, how, String(number), calls, ...wordsOf(work, rig.node)] as [
        string,
        ...string[],
      ];
      return injectedOf(await root.run({ argv, timeoutMs: 120_000 }));
    },
    whyNotWhole: async (name) => {
      const again = await root.run({ argv: wordsOf(WORKS[name] as Work, rig.node), timeoutMs: 120_000 });
      if (again.status !== 0) return `the same again: ${again.status} ${again.stderr}`;
      const why = await startTwice(root);
      const left = leftoversIn(root);
      return why ?? (left.length > 0 ? `left: ${left.join(' ')}` : undefined);
    },
  };
}

export const WORK_NAMES = Object.keys(WORKS);
