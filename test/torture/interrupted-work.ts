// A root with the tool → each work that changes files there, begun from the same state, with something done to it.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sha256OfFile } from '../../src/host/file-identity.ts';
import { emptyStore, providerOf } from '../rig/binary-cache.ts';
import { databaseOf, hashOf, treeOf } from '../rig/file-index.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot } from '../rig/root.ts';
import { compile } from '../scenarios/compile.ts';
import { foreign, onHost } from '../scenarios/foreign-files.ts';
import { launcher, openToolRoot, type ToolRoot } from '../scenarios/tool.ts';
import { buildInjector, callAt, INJECTOR, PROGRAMS, SAID } from './injector.ts';
import { type KnownStates, openKnownStates } from './known-states.ts';
import { findingLeft, leftBehindIn } from './left-behind.ts';
import { validFromNow } from './state-digest.ts';
import {
  COPIES,
  copying,
  originalOf,
  PLACE,
  tmpOf,
  whyOtherSetNow,
  whyUndoneAt,
  whyUndoneNow,
} from './work-copies.ts';
import { hasEffect } from './work-effects.ts';
import { patchedAs, takeStates, type WorkStates } from './work-states.ts';
import {
  INDEX,
  isStart,
  JQ,
  OPENER,
  PACKAGES,
  PATCHES,
  type Store,
  startedBy,
  WORKS,
  type Work,
} from './works.ts';

const SCRIPT = '/opt/tool/dist/nix-foreign.cjs';

export interface Works {
  /**
   * Puts the state back in which the work begins, begins it with something done to it (`how`, `number`, `calls` as
   * inject-at-call.c has them), lets it run to its end once more, and starts the program twice. All in one process
   * namespace, as on a real machine, where the dead can be told from the living. After a state in which all was right
   * twice, it ends with the work.
   */
  run(name: string, injection: Injection): Promise<Injected>;
  /** Begins it with nothing done to it. Each call that something could happen at, `NAME PATH`, in their order. */
  callsOf(name: string, calls: Injection['calls']): Promise<string[]>;
}

export interface Injection {
  /** As inject-at-call.c has it. */
  readonly how: string;
  readonly number: number;
  readonly calls: 'changes' | 'all';
  /** Of the call, where `how` does not say it. */
  readonly name?: string | undefined;
}

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Injected extends Ended {
  /** `NAME PATH` of the call that something happened at; empty when the work ended before. */
  readonly at: string;
  /** What a command has not done of what it is for. */
  readonly undone: string | undefined;
  /** What is wrong afterwards, or undefined. */
  readonly afterwards: string | undefined;
  /** It left a state that is known, and nothing more was done. */
  readonly isKnown: boolean;
}

export function indexForTests(): Buffer {
  const packages = Array.from({ length: PACKAGES }, (_, number) => ({
    hash: hashOf(number),
    name: `package-${number}`,
    tree: treeOf({ [`lib/libtorture-${number}.so.1`]: 9, [`bin/tool-${number}`]: 9 }),
  }));
  return databaseOf(packages, 2);
}

/** A start of what the work starts, with options of the launcher. */
function startOf(name: string, options: readonly string[] = []): [string, ...string[]] {
  const { program, args } = startedBy(name);
  return [launcher, ...options, program, ...args];
}

function wordsOf(name: string, node: string): [string, ...string[]] {
  const { words, options } = WORKS[name] as Work;
  return words === undefined ? startOf(name, options) : [node, SCRIPT, ...words];
}

/** A root, a directory with a home for each state in which works begin, and with `tools`, and what is known of both. */
interface Lane {
  readonly root: ToolRoot;
  readonly directory: string;
  readonly states: WorkStates;
  readonly known: KnownStates;
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

/** Waits until a lock counts as left behind whose holder has not said who it is: 2 s, of times 1 s ahead at most. */
function ifLeftIn(globs: readonly string[], words: readonly string[], name: string): string {
  return `${findingLeft(globs)}if ((\${#left[@]})); then read -rt 3.2 <> <(:); ${noting(words, name)}fi
`;
}

/**
 * What a hit leaves lying about, the next run of the resolver takes away, and below /tmp, where the next one may not
 * come, prune: in the same process namespace (proper-lockfile).
 */
function cleaning(root: ToolRoot, name: string): string {
  const refresh = startOf(name, ['--refresh']);
  const inHome = ifLeftIn([homeInRoot, `${homeInRoot}/.[^.]*/**`], refresh, 'miss');
  return inHome + ifLeftIn([`${PLACE}/**`], [root.rig.node, SCRIPT, 'prune'], 'pruned');
}

function isPatch(name: string): boolean {
  return PATCHES.some((each) => each === name);
}

/** Only a patch changes its bytes, and always to the same. */
function wrongOfProgram({ root, directory }: Lane, name: string): string | undefined {
  if (WORKS[name]?.from === 'changed') return undefined;
  const { program } = startedBy(name);
  const expected = isPatch(name) ? patchedAs(directory, name) : originalOf(directory, program);
  const isAsExpected = sha256OfFile(onHost(root, program)) === sha256OfFile(expected);
  return isAsExpected ? undefined : 'the program is not what it must be';
}

/** A file that cannot be read is left out, in words: then a start that can read it puts the set right. */
const LEFT_OUT = /; until --refresh it starts without /;

/** What is wrong with the set in the program, or with those that are kept. */
async function whyOtherSet(lane: Lane, name: string, { stderr }: Ended): Promise<string | undefined> {
  const { root, directory } = lane;
  const why = () =>
    wrongOfProgram(lane, name) ?? (isPatch(name) ? undefined : whyOtherSetNow(root, directory, name));
  if (why() === undefined || !LEFT_OUT.test(stderr)) return why();
  if (isPatch(name)) await root.manage(['unpatch', JQ.program]);
  await root.run({ argv: startOf(name, ['--refresh']) });
  if (isPatch(name)) await root.manage(WORKS[name]?.words ?? []);
  return why();
}

/** What is wrong after the work was interrupted, and done once more. */
function whyNotWhole(root: ToolRoot, name: string): string | undefined {
  const [again, first, second] = ['again', 'first', 'second'].map((name) => noted(root, name)) as [
    Ended,
    Ended,
    Ended,
  ];
  const isDone = WORKS[name]?.doneBefore?.test(again.stderr) === true;
  if (again.status !== 0 && !isDone) return `the same again: ${again.status} ${again.stderr}`;
  if (isStart(name) && again.stdout !== '42\n') return `the same again printed ${again.stdout}`;
  if (first.stdout !== '42\n' || first.status !== 0) return `the next start: ${first.status} ${first.stderr}`;
  if (second.stdout !== '42\n' || second.stderr !== '' || second.status !== 0)
    return `the second start: ${second.status} ${second.stderr}`;
  const miss = noted(root, 'miss');
  if (miss.status !== UNENDED && (miss.status !== 0 || miss.stdout !== '42\n'))
    return `a miss afterwards: ${miss.status} ${miss.stderr}`;
  const pruned = noted(root, 'pruned');
  if (![UNENDED, 0].includes(pruned.status)) return `prune afterwards: ${pruned.status} ${pruned.stderr}`;
  const left = leftBehindIn([root.homeDir, tmpOf(root)]);
  return left.length > 0 ? `left: ${left.join(' ')}` : undefined;
}

function whyUndoneAgain(directory: string, name: string): string | undefined {
  const undone = whyUndoneAt(directory, name, 'again');
  return undone === undefined ? undefined : `the same again is not done: ${undone}`;
}

/** Runs a script in the state in which a work begins. @returns whether it ended in its time */
async function begin({ root, states }: Lane, work: Work, script: string): Promise<boolean> {
  await states.begin(work.from);
  const argv = [root.rig.bash, '-c', script] as const;
  const { timedOut } = await root.run({ argv, env: work.env ?? {}, timeoutMs: 100_000 });
  return !timedOut;
}

/** On a busy machine it may need a second try to end in its time. */
async function interrupt(lane: Lane, name: string, injection: Injection): Promise<Injected> {
  const { ended, ...injected } = await interruptOnce(lane, name, injection);
  return ended ? injected : await interruptOnce(lane, name, injection);
}

async function interruptOnce(
  lane: Lane,
  name: string,
  { how, number, calls, name: call = '' }: Injection,
): Promise<Injected & { readonly ended: boolean }> {
  const { root, directory, known } = lane;
  const work = WORKS[name] as Work;
  const words = wordsOf(name, root.rig.node);
  const start = startOf(name);
  const script = [
    noting([INJECTOR, how, String(number), calls, ...words], 'injected'),
    ...[known.endIfKnown, copying(root, name, 'interrupted')],
    ...[noting(words, 'again'), copying(root, name, 'again')],
    ...[noting(start, 'first'), noting(start, 'second'), cleaning(root, name)],
  ].join('');
  const { given } = known.answer(name, `${how}@${call}`);
  const ended = await begin(lane, work, script);
  const { known: state, learn } = await given();
  const injected = noted(root, 'injected');
  const at = injected.status === UNENDED ? '' : callAt(injected);
  const end = { ...injected, stderr: injected.stderr.replace(SAID, ''), at, ended };
  if (state !== undefined) return { ...end, undone: state.undone, afterwards: undefined, isKnown: true };
  const undone = whyUndoneAt(directory, name, 'interrupted');
  const afterwards =
    whyNotWhole(root, name) ?? whyUndoneAgain(directory, name) ?? (await whyOtherSet(lane, name, injected));
  if (afterwards === undefined && ended && !LEFT_OUT.test(injected.stderr)) learn({ undone });
  return { ...end, undone, afterwards, isKnown: false };
}

/** Also holds what the judges are worth: nothing is done before the work, and all afterwards; a start keeps its set. */
async function listCalls(lane: Lane, name: string, calls: Injection['calls']): Promise<string[]> {
  const { root, directory } = lane;
  const work = WORKS[name] as Work;
  await begin(lane, work, '');
  if (hasEffect(name) && whyUndoneNow(root, directory, name) === undefined)
    throw new Error(`${name} counts as done before it is`);
  const words = [INJECTOR, 'list', '0', calls, ...wordsOf(name, root.rig.node)];
  await begin(lane, work, noting(words, 'listed'));
  const { status, stderr } = noted(root, 'listed');
  const why =
    whyUndoneNow(root, directory, name) ??
    (isStart(name) ? whyOtherSetNow(root, directory, name) : undefined);
  if (status !== 0 || why !== undefined)
    throw new Error(`the work fails when nothing is done to it: ${status} ${why} ${stderr}`);
  return readFileSync(path.join(root.homeDir, 'calls'), 'utf8').split('\n').slice(0, -1);
}

/** Makes it a store in which only Node, Nix and one set for the program are: everything is listed in less calls. */
async function makeSmall(root: ToolRoot): Promise<void> {
  const roots = path.join(root.nixDir, 'var/nix/gcroots/held-by-the-torture');
  mkdirSync(roots);
  for (const soname of ['libjq.so.1', 'libonig.so.5']) {
    const { path: held } = providerOf(root.rig, 'trixie', soname);
    symlinkSync(held, path.join(roots, path.basename(held)));
  }
  await emptyStore(root);
}

/** A root of its own, for one work after the other. */
export async function openWorks(store: Store): Promise<Works> {
  const rig = await ensureRig('full');
  const scratch = mkdtempSync(path.join(tmpdir(), 'torture-works-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const [tools, copies] = ['tools', COPIES.inStates].map((name) => path.join(scratch, name)) as [
    string,
    string,
  ];
  for (const directory of [tools, copies]) mkdirSync(directory);
  buildInjector(tools);
  const binds = [
    { from: tools, to: '/opt/torture', mode: 'read-only' },
    { from: copies, to: COPIES.inRoot, mode: 'read-write' },
  ] as const;
  const root = await openToolRoot(rig, { binds, catalogue: 'none' });
  if (store === 'small') await makeSmall(root);
  copyFileSync(foreign(rig, 'bookworm', 'jq').path, originalOf(scratch, JQ.program));
  const opener = `${path.basename(OPENER.program)}.c`;
  compile(originalOf(scratch, OPENER.program), readFileSync(path.join(PROGRAMS, opener), 'utf8'));
  writeFileSync(path.join(tools, path.basename(INDEX)), indexForTests());
  const database = validFromNow(path.join(root.nixDir, 'var/nix/db/db.sqlite'), scratch);
  const states = await takeStates(root, scratch, store);
  const known = openKnownStates(tools, '/opt/torture', {
    trees: [root.homeDir, tmpOf(root)],
    named: [path.join(root.nixDir, 'store'), path.join(root.nixDir, 'var/nix/gcroots/auto')],
    database,
  });
  const lane: Lane = { root, directory: scratch, states, known };
  return {
    run: (name, injection) => interrupt(lane, name, injection),
    callsOf: (name, calls) => listCalls(lane, name, calls),
  };
}
