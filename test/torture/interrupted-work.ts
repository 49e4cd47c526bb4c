// A root with the tool → each work that changes files there, begun anew from the same state, with something done to it.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { databaseOf, hashOf, treeOf } from '../rig/file-index.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot } from '../rig/root.ts';
import { copyHome, foreign, onHost } from '../scenarios/foreign-files.ts';
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
  /** Begins it with nothing done to it. Each call that something could happen at, `NAME PATH`, in their order. */
  callsOf(name: string, calls: Injection['calls']): Promise<string[]>;
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
  /** The name of the call that something happened at; empty when the work ended before. */
  readonly at: string;
  /** What is wrong afterwards, or undefined. */
  readonly afterwards: string | undefined;
}

interface Work {
  /** Words of nix-foreign; undefined: the program is started. */
  readonly words?: readonly string[];
  /** The state in which it begins; `changed`: the program is another one since its plan was made. */
  readonly from: 'nothing' | 'catalogue' | 'plan' | 'changed';
  readonly env?: Readonly<Record<string, string>>;
}

const PROGRAM = path.join(homeInRoot, 'jq');
const SUM = ['-n', '6*7'];
const FINGERPRINT = '/opt/torture/jq.nix-fingerprint.json';
const INDEX = '/opt/torture/index';

const WORKS: Readonly<Record<string, Work>> = {
  hit: { from: 'plan' },
  miss: { from: 'catalogue' },
  'miss without a catalogue': { from: 'nothing' },
  prune: { from: 'changed', words: ['prune'] },
  forget: { from: 'plan', words: ['forget', PROGRAM] },
  patch: { from: 'catalogue', words: ['patch', '-y', '--no-lift', PROGRAM] },
  export: { from: 'plan', words: ['fingerprint', 'export', PROGRAM] },
  import: { from: 'catalogue', words: ['fingerprint', 'import', FINGERPRINT, PROGRAM] },
  index: { from: 'catalogue', words: ['index', 'build'], env: { NIX_RUN_FOREIGN_INDEX: INDEX } },
  publish: {
    from: 'plan',
    words: ['publish', PROGRAM, '--to', `file://${homeInRoot}/cache`],
  },
};

/** As large as makes several pages of the database that is written from it. */
function indexForTests(): Buffer {
  const packages = Array.from({ length: 2_000 }, (_, number) => ({
    hash: hashOf(number),
    name: `package-${number}`,
    tree: treeOf({ [`lib/libtorture-${number}.so.1`]: 9, [`bin/tool-${number}`]: 9 }),
  }));
  return databaseOf(packages, 2);
}

/** A snapshot of the home for each state, and what the works read. */
async function takeStates(root: ToolRoot, directory: string): Promise<void> {
  const save = (name: string) => cpSync(root.homeDir, path.join(directory, name), copying);
  save('nothing');
  const started = await root.start([PROGRAM, ...SUM], { timeoutMs: 300_000 });
  if (started.stdout !== '42\n') throw new Error(`the program does not start: ${started.stderr}`);
  save('plan');
  const { stdout } = await root.manage(['fingerprint', 'export', '-o', '-', PROGRAM]);
  writeFileSync(path.join(directory, 'tools', path.basename(FINGERPRINT)), stdout);
  writeFileSync(path.join(directory, 'tools', path.basename(INDEX)), indexForTests());
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
  if (state === 'nothing' || state === 'catalogue') return;
  await root.start([PROGRAM, ...SUM]);
  if (state === 'changed') appendFileSync(onHost(root, PROGRAM), ' ');
}

/** Of all that is there, also of what has no name yet; links are not followed. */
function namesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(directory, entry.name);
    return entry.isDirectory() ? [file, ...namesBelow(file)] : [file];
  });
}

function leftoversIn(root: ToolRoot): string[] {
  return ['.cache', '.local', '.']
    .map((name) => path.join(root.homeDir, name))
    .filter(existsSync)
    .flatMap(namesBelow)
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

/** Runs a script in the state in which a work begins. */
async function begin(
  root: ToolRoot,
  states: string,
  { from, env = {} }: Work,
  script: string,
): Promise<void> {
  putBack(root, path.join(states, from === 'changed' ? 'plan' : from));
  await makePlan(root, from);
  await root.run({ argv: [root.rig.bash, '-c', script], env, timeoutMs: 240_000 });
}

async function interrupt(
  root: ToolRoot,
  states: string,
  work: Work,
  { how, number, calls }: Injection,
): Promise<Injected> {
  const words = wordsOf(work, root.rig.node);
  const script = [
    noting([INJECTOR, how, String(number), calls, ...words], 'injected'),
    ...[noting(words, 'again'), noting(START, 'first'), noting(START, 'second'), noting(MISS, 'miss')],
  ].join('');
  await begin(root, states, work, script);
  const injected = noted(root, 'injected');
  const [, at = ''] = /^inject: \d+ (.*)\n$/m.exec(injected.stderr) ?? [];
  const stderr = injected.stderr.replace(/^inject: .*\n/m, '');
  return { ...injected, stderr, at, afterwards: whyNotWhole(root) };
}

async function listCalls(
  root: ToolRoot,
  states: string,
  work: Work,
  calls: Injection['calls'],
): Promise<string[]> {
  const words = wordsOf(work, root.rig.node);
  await begin(root, states, work, noting([INJECTOR, 'list', '0', calls, ...words], 'listed'));
  return readFileSync(path.join(root.homeDir, 'calls'), 'utf8').split('\n').slice(0, -1);
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
    run: (name, injection) => interrupt(root, scratch, WORKS[name] as Work, injection),
    callsOf: (name, calls) => listCalls(root, scratch, WORKS[name] as Work, calls),
  };
}

export const WORK_NAMES = Object.keys(WORKS);
