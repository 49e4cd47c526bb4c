// A directory that somebody else may swap → swapped before each call in turn, and before every one: never followed.
import {
  chmodSync,
  chownSync,
  cpSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, type Outcome } from '../rig/root.ts';
import { compileLibrary } from '../scenarios/compile.ts';
import { copyHome, foreign, onHost } from '../scenarios/foreign-files.ts';
import { launcher, openToolRoot } from '../scenarios/tool.ts';
import { orderOf } from './call-kinds.ts';
import { buildInjector, INJECTOR } from './injector.ts';
import { indexForTests } from './interrupted-work.ts';
import { behind, type Effort, type Finding, type Part, type Result } from './results.ts';
import {
  copying,
  FORMS,
  type Form,
  type FormName,
  OTHERS_LIBRARY,
  onHostOf,
  PLACES,
  type Place,
  PROGRAM,
  SUM,
  type Swapping,
} from './swapped-places.ts';
import { INDEX } from './works.ts';

const SCRIPT = '/opt/tool/dist/nix-foreign.cjs';
/** Somebody else's user id; the starts are root's. */
const OTHERS = 4321;

/** Itself, and all that is in it where it is a directory. */
function everythingAt(file: string): string[] {
  if (!lstatSync(file).isDirectory()) return [file];
  const entries = readdirSync(file, { recursive: true, withFileTypes: true });
  return [file, ...entries.map(({ parentPath, name }) => path.join(parentPath, name))];
}

function giveAway(file: string): void {
  for (const each of everythingAt(file)) lchownSync(each, OTHERS, OTHERS);
}

/** In both directories the one file of root's, which others may give names (link(2)). */
function putLinked({ root, place }: Swapping, directories: readonly string[]): void {
  for (const directory of directories) {
    const file = path.join(directory, place.linked ?? '');
    rmSync(file, { force: true });
    linkSync(onHost(root, PROGRAM), file);
  }
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
  if (on.place.linked !== undefined) putLinked(on, [one, other]);
}

/** All that is there, also under temporary names: owner, size and time of each. */
function listed(file: string): string[] {
  return everythingAt(file)
    .map((each) => [each, lstatSync(each)] as const)
    .map(([each, { uid, size, mtimeMs }]) => `${each} of ${uid}, ${size} bytes, ${mtimeMs}`)
    .sort();
}

/** What could be changed in the hands of somebody else, and what is root's behind their link. */
function seen(on: Swapping): readonly string[] {
  const both = ['', '.other'].map((ending) => onHostOf(on, ending));
  const forged = both.filter((file) => !lstatSync(file).isSymbolicLink());
  return [...forged, on.own].flatMap(listed);
}

function wordsOf({ root, place }: Swapping, name: FormName): string[] {
  const { start, manage }: Form = FORMS[name];
  if (manage !== undefined) return [root.rig.node, SCRIPT, ...manage(root, place.program ?? PROGRAM)];
  return [launcher, ...(start ?? []), place.program ?? PROGRAM, ...SUM];
}

async function run(on: Swapping, form: FormName, injection: readonly string[] = []): Promise<Outcome> {
  const { swapped, env } = on.place;
  const { env: ofForm }: Form = FORMS[form];
  const variables = {
    ...env,
    ...ofForm,
    CALLS: '/tmp',
    ONE: swapped,
    OTHER: `${swapped}.other`,
  };
  const argv = [...injection, ...wordsOf(on, form)] as [string, ...string[]];
  return await on.root.run({ argv, env: variables });
}

/** Names change places, and nothing else. */
function namesLeftOut(list: readonly string[], on: Swapping): string[] {
  return list.map((line) => line.replaceAll(onHostOf(on, '.other'), onHostOf(on))).sort();
}

function wrongOf(form: FormName, { status, stdout, stderr }: Outcome): string | undefined {
  const isStart = 'start' in FORMS[form];
  const { refusal = 125 }: Form = FORMS[form];
  const isTold = [125, refusal].includes(status ?? 0) && /^nix-(?:run-)?foreign: .+\n {2}.+\n$/m.test(stderr);
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
  writeFileSync(path.join(tools, path.basename(INDEX)), indexForTests());
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
  if (place.linked !== undefined) putLinked(on, [own]);
  await (FORMS[place.follower] as Form).prepare?.(root);
  place.trust?.(root, 'forged too');
  const outcome = await run(on, place.follower);
  if (!place.isFollowed(root, outcome))
    throw new Error(`what is forged is not followed if it is root's: ${outcome.stdout}${outcome.stderr}`);
  rmSync(own, { recursive: true });
  place.trust?.(root, 'own');
}

/** What is wrong after a start or a command during which the directories changed places before this call. */
async function swapAt(
  on: Swapping,
  form: FormName,
  { number, isOther }: { readonly number: number; readonly isOther: boolean },
): Promise<{ readonly wrong: string | undefined; readonly isBefore: boolean }> {
  await prepare(on, form, isOther);
  const was = namesLeftOut(seen(on), on);
  const outcome = await run(on, form, [INJECTOR, 'exchange', String(number), 'all']);
  const stderr = outcome.stderr.replace(/^inject: .*\n/m, '');
  const is = namesLeftOut(seen(on), on);
  const changed = is.find((line, at) => line !== was[at]) ?? was[is.length];
  const wrong =
    wrongOf(form, { ...outcome, stderr }) ??
    (on.place.isFollowed(on.root, outcome) ? 'what is forged was followed' : undefined) ??
    (changed && `something was changed: ${changed}`);
  return { wrong, isBefore: !/^inject: \d+ \w/m.test(outcome.stderr) };
}

async function prepare(on: Swapping, form: FormName, isOther: boolean): Promise<void> {
  await (FORMS[form] as Form).prepare?.(on.root);
  putBack(on, isOther);
}

/** A second root takes its time to be made. */
const FEW_INPUTS = 100;

async function swapEverywhere({ place, form, target }: Target, effort: Effort): Promise<Result> {
  const { seed, seconds, inputs, from = 0 } = effort;
  const length = inputs < FEW_INPUTS ? 1 : availableParallelism();
  const lanes = await Promise.all(Array.from({ length }, () => openSwapping(place)));
  const begin = performance.now();
  const first = lanes[0] as Swapping;
  await prepare(first, form, false);
  await run(first, form, [INJECTOR, 'list', '0', 'all']);
  const calls = readFileSync(path.join(first.root.homeDir, '../tmp/calls'), 'utf8').split('\n').slice(0, -1);
  const { order, kinds, own } = orderOf(calls, seed);
  const findings: Finding[] = [];
  let tried = 0;
  let before = 0;
  // Before every call, then before one of each; from the link to root's own directory, and from the other.
  const all = [0, ...order].flatMap((number) => [false, true].map((isOther) => ({ number, isOther })));
  const left = all.slice(from);
  const work = async (on: Swapping): Promise<void> => {
    while ((performance.now() - begin) / 1000 < seconds && tried < Math.min(inputs, left.length)) {
      tried += 1;
      const at = left[tried - 1] as (typeof all)[number];
      const { wrong, isBefore } = await swapAt(on, form, at);
      if (isBefore) before += 1;
      const again = `swapped before call ${at.number}, ${at.isOther ? 'others first' : 'others later'}`;
      if (wrong !== undefined) findings.push({ what: wrong.slice(0, 300), again });
    }
  };
  await Promise.all(lanes.map(work));
  return {
    part: 'swapped by somebody else',
    target,
    tried,
    seconds: (performance.now() - begin) / 1000,
    figures: `of ${all.length} (${order.length} calls, two states): ${own} of ours, ${kinds} kinds${behind(effort)}; ${before} before`,
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
