// A directory that somebody else may swap → swapped before each call in turn, and before every one: never followed.
import {
  chmodSync,
  chownSync,
  cpSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { listPlans, writePlan } from '../../src/plan/plan-files.ts';
import type { LaunchPlan } from '../../src/plan/plan-format.ts';
import { providerOf } from '../rig/binary-cache.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, type Outcome } from '../rig/root.ts';
import { compileLibrary } from '../scenarios/compile.ts';
import { copyHome, foreign, onHost } from '../scenarios/foreign-files.ts';
import { cacheOf, fingerprintBehind, rootLinks, stateOf } from '../scenarios/saved-state.ts';
import { launcher, openToolRoot, type ToolRoot } from '../scenarios/tool.ts';
import { orderOf } from './call-kinds.ts';
import { buildInjector, INJECTOR } from './injector.ts';
import type { Effort, Finding, Part, Result } from './results.ts';

const OTHERS_LIBRARY = '/opt/torture/libothers.so';
const PROGRAM = path.join(homeInRoot, 'jq');
const SCRIPT = '/opt/tool/dist/nix-foreign.cjs';
const SUM = ['-n', '6*7'];
const copying = { recursive: true, verbatimSymlinks: true } as const;
/** Somebody else's user id; the starts are root's. */
const OTHERS = 4321;

interface Swapping {
  readonly root: ToolRoot;
  readonly place: Place;
  /** What somebody else forged, and what root would have there: directories of the host. */
  readonly forged: string;
  readonly own: string;
  /** The directory around the swapped ones, on the host. */
  readonly around: string;
}

/** What root does meanwhile. */
interface Form {
  /** Options of the launcher, or words of nix-foreign. */
  readonly start?: readonly string[];
  readonly manage?: readonly string[];
  /** Brings about a state in which it has something to do. */
  prepare?(root: ToolRoot): Promise<void>;
}

const FORMS = {
  hit: { start: [] },
  miss: { start: ['--refresh'] },
  'first start': { start: [], prepare: async (root) => forgetPlans(root) },
  view: { start: ['--refresh', '--strategy', 'view'] },
  prune: { manage: ['prune'], prepare: leavePlanOfGone },
  forget: { manage: ['forget', PROGRAM], prepare: startOnce },
  shim: { manage: ['shim', 'add', PROGRAM] },
  'for everybody': { manage: ['resolve', '--system', PROGRAM] },
} satisfies Readonly<Record<string, Form>>;
type FormName = keyof typeof FORMS;

function forgetPlans(root: ToolRoot): void {
  for (const each of [path.join(cacheOf(root), 'plans'), path.join(stateOf(root), 'roots')])
    rmSync(each, { recursive: true, force: true });
}

async function startOnce(root: ToolRoot): Promise<void> {
  await root.start([PROGRAM, ...SUM]);
}

/** What `prune` takes away. */
async function leavePlanOfGone(root: ToolRoot): Promise<void> {
  const gone = copyHome(root, foreign(root.rig, 'bookworm', 'jq'), 'gone');
  await root.start([gone, ...SUM]);
  rmSync(onHost(root, gone));
}

interface Place {
  /** Is swapped with `${swapped}.other`. */
  readonly swapped: string;
  /** Of the directory around them: others may rename in it what is theirs, or everything. */
  readonly around: 'sticky' | 'of others';
  /** What stands there besides what was forged: somebody else's link to what is root's, or root's own itself. */
  readonly besides: 'link' | 'own';
  readonly env?: Readonly<Record<string, string>>;
  readonly readOnly?: readonly 'home'[];
  /** As it is named; PROGRAM by default. */
  readonly program?: string;
  readonly forms: readonly FormName[];
  /** Fills the directories `forged` and `own`. */
  forge(on: Swapping): void | Promise<void>;
  /** A form that follows what is forged if it is root's. */
  readonly follower: FormName;
  isFollowed(root: ToolRoot, outcome: Outcome): boolean;
}

/** It holds wherever it lies, and whatever was copied. */
function withoutConditions(plan: LaunchPlan): LaunchPlan {
  const { interpreterPath: _, ...rest } = plan;
  return { ...rest, files: [], watched: [], absent: [], directories: [] };
}

/** Our directories as a start of root's leaves them, with a library of somebody else's in each plan. */
function forgePlans({ forged, own }: Swapping, from: readonly string[], to: readonly string[]): void {
  for (const [at, each] of from.entries()) cpSync(each, path.join(forged, to[at] ?? ''), copying);
  const dirs = { ...temporaryDirectories(0), plans: path.join(forged, to[0] ?? '', 'v1/plans') };
  for (const plan of listPlans(dirs))
    writePlan(dirs, { ...withoutConditions(plan), environment: [['LD_PRELOAD', OTHERS_LIBRARY]] });
  cpSync(forged, own, copying);
}

function isSaidByOthers(_: ToolRoot, { stdout }: Outcome): boolean {
  return stdout.startsWith('somebody else');
}

/** Of a library that is not the best for the program. */
function otherStorePath({ rig }: ToolRoot): string {
  return providerOf(rig, 'bullseye', 'libonig.so.5').path;
}

/** It starts with the library that only the forged fingerprint names. */
function hasOtherLibrary(root: ToolRoot): boolean {
  const saved = rootLinks(root).flatMap((link) => fingerprintBehind(root, link).libraries);
  return saved.some(({ storePath }) => storePath === otherStorePath(root));
}

async function putFingerprint(root: ToolRoot, directory: string): Promise<void> {
  const { status, stdout, stderr } = await root.manage(['fingerprint', 'export', '-o', '-', PROGRAM]);
  if (status !== 0) throw new Error(stderr);
  mkdirSync(directory);
  symlinkSync(PROGRAM, path.join(directory, 'jq'));
  writeFileSync(path.join(directory, 'jq.nix-fingerprint.json'), stdout);
}

async function forgeFingerprint({ root, forged, own }: Swapping): Promise<void> {
  await putFingerprint(root, own);
  await root.manage(['choose', PROGRAM, '--pin', `libonig.so.5=${otherStorePath(root)}/lib/libonig.so.5`]);
  await putFingerprint(root, forged);
  await root.manage(['choose', PROGRAM, '--reset']);
}

async function forgePlaceForEverybody(on: Swapping): Promise<void> {
  const { status, stderr } = await on.root.manage(['resolve', '--system', PROGRAM]);
  if (status !== 0) throw new Error(stderr);
  forgePlans(on, [onHostOf(on)], ['']);
}

const XDG_ON_HOST = ['.cache/nix-run-foreign', '.local/state/nix-run-foreign'];

const PLACES: Readonly<Record<string, Place>> = {
  'directories of XDG': {
    swapped: '/tmp/x',
    around: 'sticky',
    besides: 'link',
    env: {
      XDG_CACHE_HOME: '/tmp/x/cache',
      XDG_STATE_HOME: '/tmp/x/state',
      XDG_CONFIG_HOME: '/tmp/x/config',
      XDG_DATA_HOME: '/tmp/x/data',
    },
    forms: ['hit', 'miss', 'view', 'prune', 'forget', 'shim'],
    forge: (on) => {
      const from = XDG_ON_HOST.map((name) => path.join(on.root.homeDir, name));
      forgePlans(on, from, ['cache/nix-run-foreign', 'state/nix-run-foreign']);
    },
    follower: 'hit',
    isFollowed: isSaidByOthers,
  },
  'the place below /tmp': {
    swapped: '/tmp/nix-run-foreign-0',
    around: 'sticky',
    besides: 'link',
    readOnly: ['home'],
    forms: ['hit', 'miss', 'view', 'prune', 'forget'],
    forge: (on) => forgePlans(on, [onHostOf(on)], ['']),
    follower: 'hit',
    isFollowed: isSaidByOthers,
  },
  'the place for everybody': {
    swapped: '/var/lib/nix-run-foreign',
    around: 'sticky',
    besides: 'link',
    forms: ['first start', 'prune', 'forget', 'for everybody'],
    forge: forgePlaceForEverybody,
    follower: 'first start',
    isFollowed: isSaidByOthers,
  },
  'a fingerprint beside a link to the program': {
    swapped: '/tmp/of-others/x',
    around: 'of others',
    besides: 'own',
    program: '/tmp/of-others/x/jq',
    forms: ['first start'],
    forge: forgeFingerprint,
    follower: 'first start',
    isFollowed: hasOtherLibrary,
  },
};

/** One of the two swapped, on the host. */
function onHostOf({ place, around }: Pick<Swapping, 'place' | 'around'>, ending = ''): string {
  return path.join(around, `${path.basename(place.swapped)}${ending}`);
}

function giveAway(directory: string): void {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of entries) lchownSync(path.join(parentPath, name), OTHERS, OTHERS);
  chownSync(directory, OTHERS, OTHERS);
}

/** What is root's, or a link to it, and what was forged, of which nothing is root's. */
function putBack(on: Swapping, isOther: boolean): void {
  const names = ['', '.other'].map((ending) => onHostOf(on, ending));
  const [one, other] = (isOther ? names.toReversed() : names) as [string, string];
  for (const each of [one, other]) rmSync(each, { recursive: true, force: true });
  if (on.place.besides === 'own') cpSync(on.own, one, copying);
  else {
    symlinkSync(path.join(homeInRoot, path.basename(on.own)), one);
    lchownSync(one, OTHERS, OTHERS);
  }
  cpSync(on.forged, other, copying);
  giveAway(other);
}

/** All that is in a directory, also under temporary names: owner, size and time of each. */
function listed(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .map((file) => [file, lstatSync(file)] as const)
    .map(([file, { uid, size, mtimeMs }]) => `${file} of ${uid}, ${size} bytes, ${mtimeMs}`)
    .sort();
}

/** What could be changed in the hands of somebody else, and what is root's behind their link. */
function seen(on: Swapping): readonly string[] {
  const both = ['', '.other'].map((ending) => onHostOf(on, ending));
  const directories = both.filter((file) => lstatSync(file).isDirectory());
  return [...directories, on.own].flatMap(listed);
}

function wordsOf({ root, place }: Swapping, name: FormName): string[] {
  const { start, manage }: Form = FORMS[name];
  if (manage !== undefined) return [root.rig.node, SCRIPT, ...manage];
  return [launcher, ...(start ?? []), place.program ?? PROGRAM, ...SUM];
}

async function run(on: Swapping, form: FormName, injection: readonly string[] = []): Promise<Outcome> {
  const { swapped, env } = on.place;
  const variables = { ...env, CALLS: '/tmp', ONE: swapped, OTHER: `${swapped}.other` };
  const argv = [...injection, ...wordsOf(on, form)] as [string, ...string[]];
  return await on.root.run({ argv, env: variables });
}

/** Names change places, and nothing else. */
function namesLeftOut(list: readonly string[], on: Swapping): string[] {
  return list.map((line) => line.replaceAll(onHostOf(on, '.other'), onHostOf(on))).sort();
}

function wrongOf(form: FormName, { status, stdout, stderr }: Outcome): string | undefined {
  const isStart = 'start' in FORMS[form];
  const isTold = status === 125 && /^nix-(?:run-)?foreign: .+\n {2}.+\n$/m.test(stderr);
  const isRight = status === 0 && (isStart ? stdout === '42\n' : !stdout.startsWith('somebody else'));
  return isRight || (isTold && (stdout === '' || !isStart)) ? undefined : `${status}: ${stdout}${stderr}`;
}

const EVIL = `#include <unistd.h>
__attribute__((constructor)) static void begin(void) { if (write(1, "somebody else\\n", 14) > 0) _exit(9); }`;

async function openSwapping(place: Place): Promise<Swapping> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'torture-swapped-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const [tools, forged, lib] = ['tools', 'forged', 'lib'].map((each) => path.join(scratch, each)) as [
    string,
    string,
    string,
  ];
  for (const each of [tools, lib]) mkdirSync(each);
  buildInjector(tools);
  compileLibrary(path.join(tools, path.basename(OTHERS_LIBRARY)), 'libothers.so', EVIL);
  const root = await openToolRoot(await ensureRig('full'), {
    catalogue: 'none',
    binds: [
      { from: tools, to: '/opt/torture', mode: 'read-only' },
      { from: lib, to: '/var/lib', mode: 'read-write' },
    ],
    readOnly: place.readOnly ?? [],
  });
  copyHome(root, foreign(root.rig, 'bookworm', 'jq'), 'jq');
  const parent = path.dirname(place.swapped);
  const around = parent === '/var/lib' ? lib : path.join(root.homeDir, '..', path.relative('/', parent));
  mkdirSync(around, { recursive: true });
  const on = { root, place, forged, own: path.join(root.homeDir, 'mine'), around };
  const first = await root.start([PROGRAM, ...SUM]);
  if (first.stdout !== '42\n') throw new Error(first.stderr);
  await place.forge(on);
  await believeInForged(on);
  if (place.around === 'sticky') chmodSync(around, 0o1777);
  else chownSync(around, OTHERS, OTHERS);
  return on;
}

/** What is forged would be followed if it were root's: else nothing is tried here. */
async function believeInForged(on: Swapping): Promise<void> {
  const { root, place, forged } = on;
  const own = onHostOf(on);
  rmSync(own, { recursive: true, force: true });
  cpSync(forged, own, copying);
  await (FORMS[place.follower] as Form).prepare?.(root);
  const outcome = await run(on, place.follower);
  if (!place.isFollowed(root, outcome))
    throw new Error(`what is forged is not followed if it is root's: ${outcome.stdout}${outcome.stderr}`);
  rmSync(own, { recursive: true });
}

async function swapEverywhere({ place, form, target }: Target, effort: Effort): Promise<Result> {
  const { seed, seconds, inputs } = effort;
  const on = await openSwapping(place);
  const begin = performance.now();
  const prepare = async (isOther: boolean) => {
    await (FORMS[form] as Form).prepare?.(on.root);
    putBack(on, isOther);
  };
  await prepare(false);
  await run(on, form, [INJECTOR, 'list', '0', 'all']);
  const calls = readFileSync(path.join(on.root.homeDir, '../tmp/calls'), 'utf8').split('\n').slice(0, -1);
  const { order, kinds, own } = orderOf(calls, seed);
  const findings: Finding[] = [];
  let tried = 0;
  let before = 0;
  // Before every call, then before one of each; from the link to root's own directory, and from the other.
  const all = [0, ...order].flatMap((number) => [false, true].map((isOther) => ({ number, isOther })));
  for (const { number, isOther } of all) {
    if ((performance.now() - begin) / 1000 > seconds || tried >= inputs) break;
    await prepare(isOther);
    const was = namesLeftOut(seen(on), on);
    const outcome = await run(on, form, [INJECTOR, 'exchange', String(number), 'all']);
    tried += 1;
    if (!/^inject: \d+ \w/m.test(outcome.stderr)) before += 1;
    const stderr = outcome.stderr.replace(/^inject: .*\n/m, '');
    const is = namesLeftOut(seen(on), on);
    const changed = is.find((line, at) => line !== was[at]) ?? was[is.length];
    const wrong =
      wrongOf(form, { ...outcome, stderr }) ??
      (place.isFollowed(on.root, outcome) ? 'what is forged was followed' : undefined) ??
      (changed && `something was changed: ${changed}`);
    if (wrong !== undefined)
      findings.push({ what: wrong.slice(0, 300), again: `swapped before call ${number}` });
  }
  return {
    part: 'swapped by somebody else',
    target,
    tried,
    seconds: (performance.now() - begin) / 1000,
    figures: `of ${all.length} (${order.length} calls, two states): ${own} of ours, ${kinds} kinds; ${before} before`,
    findings,
  };
}

interface Target {
  readonly place: Place;
  readonly form: FormName;
  readonly target: string;
}

const TARGETS: readonly Target[] = Object.entries(PLACES).flatMap(([name, place]) =>
  place.forms.map((form) => ({ place, form, target: `${form}: ${name}` })),
);

export const swaps: Part = {
  name: 'swap',
  what: 'a directory of ours in the hands of somebody else, who swaps it before the N-th call, for all N',
  targets: TARGETS.map(({ target }) => target),
  run: async (target, effort) => {
    const found = TARGETS.find((each) => each.target === target);
    if (found === undefined) throw new Error(`there is no ${target}`);
    return await swapEverywhere(found, effort);
  },
};
