// A directory that somebody else may swap → swapped before each call of a start in turn, and before every one: never followed.
import {
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
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { listPlans, writePlan } from '../../src/plan/plan-files.ts';
import type { LaunchPlan } from '../../src/plan/plan-format.ts';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, type Outcome } from '../rig/root.ts';
import { compileLibrary } from '../scenarios/compile.ts';
import { copyHome, foreign } from '../scenarios/foreign-files.ts';
import { launcher, openToolRoot, type ToolRoot } from '../scenarios/tool.ts';
import { orderOf } from './call-kinds.ts';
import { buildInjector, INJECTOR } from './interrupted-work.ts';
import type { Effort, Finding, Part, Result } from './results.ts';

const OTHERS_LIBRARY = '/opt/torture/libothers.so';
const PROGRAM = path.join(homeInRoot, 'jq');
const SUM = ['-n', '6*7'];
const copying = { recursive: true, verbatimSymlinks: true } as const;
/** Somebody else's user id; the starts are root's. */
const OTHERS = 4321;

interface Place {
  /** What is swapped with `${swapped}.other`, in a directory with the sticky bit. Both belong to somebody else. */
  readonly swapped: string;
  /** The directories of our cache and state in it, relative. */
  readonly cache: string;
  readonly state: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where a start leaves its cache and state otherwise, as paths of the host. */
  own(root: ToolRoot): readonly [cache: string, state: string];
  readonly readOnly: readonly 'home'[];
}

const PLACES: Readonly<Record<string, Place>> = {
  'directories of XDG': {
    swapped: '/tmp/x',
    cache: 'cache/nix-run-foreign',
    state: 'state/nix-run-foreign',
    env: { XDG_CACHE_HOME: '/tmp/x/cache', XDG_STATE_HOME: '/tmp/x/state', XDG_CONFIG_HOME: '/tmp/x/config' },
    own: ({ homeDir }) => [
      path.join(homeDir, '.cache/nix-run-foreign'),
      path.join(homeDir, '.local/state/nix-run-foreign'),
    ],
    readOnly: [],
  },
  'the place below /tmp': {
    swapped: '/tmp/nix-run-foreign-0',
    cache: '.',
    state: 'state',
    env: {},
    own: (root) => [inTmp(root, '/tmp/nix-run-foreign-0'), inTmp(root, '/tmp/nix-run-foreign-0/state')],
    readOnly: ['home'],
  },
};

interface Swapping {
  readonly root: ToolRoot;
  readonly place: Place;
}

/** A path of the root in /tmp, as one of the host. */
function inTmp(root: ToolRoot, file: string): string {
  return path.join(root.homeDir, '../tmp', path.relative('/tmp', file));
}

function giveAway(directory: string): void {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of entries) lchownSync(path.join(parentPath, name), OTHERS, OTHERS);
}

/** It holds wherever it lies, and whatever was copied. */
function withoutConditions(plan: LaunchPlan): LaunchPlan {
  const { interpreterPath: _, ...rest } = plan;
  return { ...rest, files: [], watched: [], absent: [], directories: [] };
}

/** Our directories as a start of root's leaves them, with a library of somebody else's in each plan. */
function forge(root: ToolRoot, place: Place, to: string): void {
  const [cache, state] = [path.join(to, place.cache), path.join(to, place.state)];
  const [ownCache, ownState] = place.own(root);
  cpSync(ownCache, cache, copying);
  if (!ownState.startsWith(`${ownCache}/`)) cpSync(ownState, state, copying);
  const dirs = { ...temporaryDirectories(0), plans: path.join(cache, 'v1/plans') };
  for (const plan of listPlans(dirs))
    writePlan(dirs, { ...withoutConditions(plan), environment: [['LD_PRELOAD', OTHERS_LIBRARY]] });
}

/** Links that lead to root's own directories, and the other one: nothing in it is root's. */
function putBack({ root, place }: Swapping, forged: string, isOther: boolean): void {
  const names = [place.swapped, `${place.swapped}.other`].map((file) => inTmp(root, file));
  const [one, other] = (isOther ? names.toReversed() : names) as [string, string];
  for (const each of [one, other]) rmSync(each, { recursive: true, force: true });
  symlinkSync(path.join(homeInRoot, 'mine'), one);
  lchownSync(one, OTHERS, OTHERS);
  cpSync(forged, other, copying);
  giveAway(other);
  chownSync(other, OTHERS, OTHERS);
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

/** What a start could change in the hands of somebody else, and behind the link that leads to root's own. */
function seen({ root, place }: Swapping): readonly string[] {
  const both = [place.swapped, `${place.swapped}.other`].map((file) => inTmp(root, file));
  const directories = both.filter((file) => lstatSync(file).isDirectory());
  return [...directories, path.join(root.homeDir, 'mine')].flatMap(listed);
}

async function start(
  { root, place }: Swapping,
  injection: readonly string[],
  form: readonly string[],
): Promise<Outcome> {
  const env = { ...place.env, CALLS: '/tmp', ONE: place.swapped, OTHER: `${place.swapped}.other` };
  const argv = [...injection, launcher, ...form, PROGRAM, ...SUM] as unknown as [string, ...string[]];
  return await root.run({ argv, env });
}

/** Names change places, and nothing else. */
function namesLeftOut(list: readonly string[], { place }: Swapping): string[] {
  return list.map((line) => line.replaceAll(`${place.swapped}.other`, place.swapped)).sort();
}

function wrongOf({ status, stdout, stderr }: Outcome): string | undefined {
  const isTold = status === 125 && /^nix-run-foreign: .+\n {2}.+\n$/m.test(stderr) && stdout === '';
  return isTold || (stdout === '42\n' && status === 0) ? undefined : `${status}: ${stdout}${stderr}`;
}

async function openSwapping(place: Place): Promise<{ on: Swapping; forged: string }> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'torture-swapped-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const [tools, forged] = [path.join(scratch, 'tools'), path.join(scratch, 'forged')];
  mkdirSync(tools);
  buildInjector(tools);
  const evil =
    '#include <unistd.h>\n__attribute__((constructor)) static void begin(void) { if (write(1, "somebody else\\n", 14) > 0) _exit(9); }';
  compileLibrary(path.join(tools, path.basename(OTHERS_LIBRARY)), 'libothers.so', evil);
  const root = await openToolRoot(await ensureRig('full'), {
    binds: [{ from: tools, to: '/opt/torture', mode: 'read-only' }],
    readOnly: place.readOnly,
  });
  copyHome(root, foreign(root.rig, 'bookworm', 'jq'), 'jq');
  const on = { root, place };
  const first = await root.start([PROGRAM, ...SUM]);
  if (first.stdout !== '42\n') throw new Error(first.stderr);
  forge(root, place, forged);
  const own = path.join(root.homeDir, 'mine');
  cpSync(forged, own, copying);
  await believeInForged(on, forged);
  return { on, forged };
}

/** What is forged would be followed if it were root's: else nothing is tried here. */
async function believeInForged({ root, place }: Swapping, forged: string): Promise<void> {
  const own = inTmp(root, place.swapped);
  rmSync(own, { recursive: true, force: true });
  cpSync(forged, own, copying);
  const { stdout, stderr } = await start(
    { root, place: { ...place, env: { ...place.env, NIX_RUN_FOREIGN_DEBUG: '1' } } },
    [],
    [],
  );
  if (!stdout.startsWith('somebody else'))
    throw new Error(`a forged plan of root's is not followed: ${stdout}${stderr}`);
  rmSync(own, { recursive: true });
}

const FORMS = { hit: [], miss: ['--refresh'] } as const;
type Form = keyof typeof FORMS;

async function swapEverywhere(name: string, form: Form, { seed, seconds, inputs }: Effort): Promise<Result> {
  const { on, forged } = await openSwapping(PLACES[name] as Place);
  const begin = performance.now();
  putBack(on, forged, false);
  await start(on, [INJECTOR, 'list', '0', 'all'], FORMS[form]);
  const calls = readFileSync(inTmp(on.root, '/tmp/calls'), 'utf8').split('\n').slice(0, -1);
  const { order, kinds, own } = orderOf(calls, seed);
  const findings: Finding[] = [];
  let tried = 0;
  let before = 0;
  // Before every call, then before one of each; from the link to root's own directory, and from the other.
  const all = [0, ...order].flatMap((number) => [false, true].map((isOther) => ({ number, isOther })));
  for (const { number, isOther } of all) {
    if ((performance.now() - begin) / 1000 > seconds || tried >= inputs) break;
    putBack(on, forged, isOther);
    const was = namesLeftOut(seen(on), on);
    const outcome = await start(on, [INJECTOR, 'exchange', String(number), 'all'], FORMS[form]);
    tried += 1;
    if (!/^inject: \d+ \w/m.test(outcome.stderr)) before += 1;
    const stderr = outcome.stderr.replace(/^inject: .*\n/m, '');
    const is = namesLeftOut(seen(on), on);
    const changed = is.find((line, at) => line !== was[at]) ?? was[is.length];
    const wrong = wrongOf({ ...outcome, stderr }) ?? (changed && `something was changed: ${changed}`);
    if (wrong !== undefined)
      findings.push({ what: wrong.slice(0, 300), again: `swapped before call ${number}` });
  }
  return {
    part: 'swapped by somebody else',
    target: `${form}: ${name}`,
    tried,
    seconds: (performance.now() - begin) / 1000,
    figures: `of ${all.length} (${order.length} calls and all, two states): ${own} calls of ours, ${kinds} kinds; ${before} before`,
    findings,
  };
}

const TARGETS = Object.keys(PLACES).flatMap((place) =>
  (Object.keys(FORMS) as Form[]).map((form) => ({ place, form, target: `${form}: ${place}` })),
);

export const swaps: Part = {
  name: 'swap',
  what: 'a directory of ours in the hands of somebody else, who swaps it before the N-th call of a start, for all N',
  targets: TARGETS.map(({ target }) => target),
  run: async (target, effort) => {
    const found = TARGETS.find((each) => each.target === target);
    if (found === undefined) throw new Error(`there is no ${target}`);
    return await swapEverywhere(found.place, found.form, effort);
  },
};
