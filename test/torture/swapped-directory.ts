// A directory that somebody else may swap → swapped before each call in turn, and before every one, and made where
// nothing was: never followed.
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
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { ensureRig } from '../rig/rig.ts';
import { homeInRoot, type Outcome, type Root } from '../rig/root.ts';
import { runCommand } from '../rig/run-command.ts';
import { compileLibrary } from '../scenarios/compile.ts';
import { copyHome, foreign, onHost } from '../scenarios/foreign-files.ts';
import { launcher, openToolRoot } from '../scenarios/tool.ts';
import { orderOf } from './call-kinds.ts';
import { copying, OTHERS_DRIVERS, OTHERS_LIBRARY, PROGRAM } from './forged-places.ts';
import { buildInjector, INJECTOR } from './injector.ts';
import { indexForTests } from './interrupted-work.ts';
import { behind, type Effort, type Finding, type Part, type Result } from './results.ts';
import {
  FORMS,
  type Form,
  type FormName,
  onHostOf,
  PLACES,
  type Place,
  SUM,
  type Swapping,
} from './swapped-places.ts';
import { INDEX } from './works.ts';

const SCRIPT = '/opt/tool/dist/nix-foreign.cjs';
/** Somebody else's user id. */
const OTHERS = 4321;

/** What has the name first: a link to the victim's own or that itself, what is forged, or nothing. */
type First = 'own' | 'others' | 'nothing';

/** Itself, and all that is in it where it is a directory. */
function everythingAt(file: string): string[] {
  if (!lstatSync(file).isDirectory()) return [file];
  const entries = readdirSync(file, { recursive: true, withFileTypes: true });
  return [file, ...entries.map(({ parentPath, name }) => path.join(parentPath, name))];
}

function giveTo(owner: number, file: string): void {
  for (const each of everythingAt(file)) lchownSync(each, owner, owner);
}

/** In both directories the one file of root's, which others may give names (link(2)). */
function putLinked({ root, place }: Swapping, directories: readonly string[]): void {
  for (const directory of directories) {
    const file = path.join(directory, place.linked ?? '');
    rmSync(file, { force: true });
    linkSync(onHost(root, PROGRAM), file);
  }
}

/** What is the victim's, or a link to it, or nothing; and what was forged, of which nothing is the victim's. */
function putBack(on: Swapping, first: First): void {
  const names = namesOf(on);
  const [one, other] = (first === 'others' ? names.toReversed() : names) as [string, string];
  for (const each of [one, other]) rmSync(each, { recursive: true, force: true });
  if (first !== 'nothing' && on.place.besides === 'own') cpSync(on.own, one, copying);
  else if (first !== 'nothing') {
    symlinkSync(on.ownInRoot, one);
    lchownSync(one, OTHERS, OTHERS);
  }
  cpSync(on.forged, other, copying);
  giveTo(OTHERS, other);
  if (on.place.linked !== undefined) putLinked(on, [one, other]);
}

function namesOf(on: Swapping): string[] {
  return ['', '.other'].map((ending) => onHostOf(on, ending));
}

/** All that is there, also under temporary names: mode, owner, size, time and target of each. */
export function listed(file: string): string[] {
  return everythingAt(file)
    .map((each) => [each, lstatSync(each)] as const)
    .map(([each, stats]) => {
      const { mode, uid, gid, size, mtimeMs } = stats;
      const target = stats.isSymbolicLink() ? ` to ${readlinkSync(each)}` : '';
      return `${each}${target}, ${mode.toString(8)} of ${uid}:${gid}, ${size} bytes, ${mtimeMs}`;
    })
    .sort();
}

/** The victim's own was made where nothing was, before others could. */
function isMadeFirst({ place }: Swapping, file: string): boolean {
  return place.besides === 'link' && lstatSync(file).uid === (place.victim ?? 0);
}

/** What could be changed in the hands of somebody else, and what is the victim's behind their link. */
function seen(on: Swapping): readonly string[] {
  const there = namesOf(on).filter((file) => lstatSync(file, { throwIfNoEntry: false }) !== undefined);
  return [...there.filter((file) => !isMadeFirst(on, file)), on.own].flatMap(listed);
}

function wordsOf({ root, place, form: name }: Swapping): string[] {
  const { start, manage }: Form = FORMS[name];
  if (manage !== undefined) return [root.rig.node, SCRIPT, ...manage(place.program ?? PROGRAM)];
  return [launcher, ...(start ?? []), place.program ?? PROGRAM, ...SUM];
}

/** The injector is root's, whoever the victim is: others' names change places by its rights. */
async function run(on: Swapping, injection: readonly string[] = []): Promise<Outcome> {
  const { swapped, env } = on.place;
  const { env: ofForm }: Form = FORMS[on.form];
  const variables = {
    ...env,
    ...ofForm,
    CALLS: '/tmp',
    ONE: swapped,
    OTHER: `${swapped}.other`,
  };
  // A first resolve for everybody, with each call stopped, on a slow machine.
  const command = { argv: wordsOf(on) as [string, ...string[]], env: variables, timeoutMs: 300_000 };
  const line = on.root.wordsOf(command);
  const words = line.words.toSpliced(line.words.indexOf(on.root.rig.enterRoot), 0, ...injection);
  return await runCommand({ ...line, words }, command, 'own-status');
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

/** Where the victim could change it, if somebody led there: not in a home that is read-only. */
function ownOf(root: Root, { readOnly }: Place, lib: string): Pick<Swapping, 'own' | 'ownInRoot'> {
  const isInHome = !readOnly?.includes('home');
  return {
    own: path.join(isInHome ? root.homeDir : lib, 'mine'),
    ownInRoot: path.join(isInHome ? homeInRoot : '/var/lib', 'mine'),
  };
}

async function openSwapping({ place, form }: Target): Promise<Swapping> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'torture-swapped-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const [tools, forged, lib] = ['tools', 'forged', 'lib'].map((each) => path.join(scratch, each)) as [
    string,
    string,
    string,
  ];
  for (const each of [tools, lib, path.join(tools, path.basename(OTHERS_DRIVERS))]) mkdirSync(each);
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
    ...(place.victim === undefined ? {} : { uid: place.victim, daemon: 'running' }),
  });
  copyHome(root, foreign(root.rig, 'bookworm', 'jq'), 'jq');
  const parent = path.dirname(place.swapped);
  const around = parent === '/var/lib' ? lib : path.join(root.homeDir, '..', path.relative('/', parent));
  mkdirSync(around, { recursive: true });
  const on = { root, place, form, forged, ...ownOf(root, place, lib), around };
  const first = await root.start([PROGRAM, ...SUM]);
  if (first.stdout !== '42\n') throw new Error(first.stderr);
  await place.forge(on);
  giveTo(place.victim ?? 0, on.own);
  await believeInForged(on);
  if (place.around === 'sticky') chmodSync(around, 0o1777);
  else chownSync(around, OTHERS, OTHERS);
  return on;
}

/** What is forged is followed by the very form if it is the victim's, or is changed: else nothing is tried here. */
async function believeInForged(on: Swapping): Promise<void> {
  const { root, place, forged } = on;
  const { prepare, shows }: Form = FORMS[on.form];
  const own = onHostOf(on);
  await prepare?.(root);
  rmSync(own, { recursive: true, force: true });
  cpSync(forged, own, copying);
  giveTo(place.victim ?? 0, own);
  if (place.linked !== undefined) putLinked(on, [own]);
  place.trust?.(root, 'forged too');
  const was = [own, on.own].flatMap(listed).join('\n');
  const outcome = await run(on);
  const isChanged = was !== [own, on.own].flatMap(listed).join('\n');
  const isTold = place.isFollowed(on, outcome) || (shows === 'nothing' && isChanged);
  if (!isTold && !place.untouchedBy?.includes(on.form))
    throw new Error(
      `what is forged is not followed if it is the victim's: ${outcome.stdout}${outcome.stderr}`,
    );
  rmSync(own, { recursive: true });
  place.trust?.(root, 'own');
}

interface Swap {
  /** The call before which it happens; 0: each. */
  readonly number: number;
  readonly first: First;
}

/** What is wrong after a start or a command during which the directories changed places before this call. */
async function swapAt(
  on: Swapping,
  { number, first }: Swap,
): Promise<{ readonly wrong: string | undefined; readonly isBefore: boolean }> {
  await prepare(on, first);
  const was = namesLeftOut(seen(on), on);
  const outcome = await run(on, [
    INJECTOR,
    first === 'nothing' ? 'appear' : 'exchange',
    String(number),
    'all',
  ]);
  const stderr = outcome.stderr.replace(/^inject: .*\n/m, '');
  const is = namesLeftOut(seen(on), on);
  const changed = is.find((line, at) => line !== was[at]) ?? was[is.length];
  const wrong =
    wrongOf(on.form, { ...outcome, stderr }) ??
    (on.place.isFollowed(on, outcome) ? 'what is forged was followed' : undefined) ??
    (changed && `something was changed: ${changed}`);
  return { wrong, isBefore: !/^inject: \d+ \w/m.test(outcome.stderr) };
}

async function prepare(on: Swapping, first: First): Promise<void> {
  await (FORMS[on.form] as Form).prepare?.(on.root);
  putBack(on, first);
}

async function callsOf(on: Swapping, first: First): Promise<string[]> {
  await prepare(on, first);
  const { timedOut } = await run(on, [INJECTOR, 'list', '0', 'all']);
  if (timedOut) throw new Error(`${on.form} does not end when nothing is done to it`);
  return readFileSync(path.join(on.root.homeDir, '../tmp/calls'), 'utf8').split('\n').slice(0, -1);
}

/** Others can make it until the victim has; of each two swaps comes one after them. */
async function withAppearances(on: Swapping, swaps: readonly Swap[], seed: number): Promise<readonly Swap[]> {
  if (on.place.appears === undefined) return swaps;
  const calls = await callsOf(on, 'nothing');
  const made = calls.indexOf(`mkdir ${on.place.swapped}`);
  const { order } = orderOf(made < 0 ? calls : calls.slice(0, made + 1), seed);
  const all = order.map((number): Swap => ({ number, first: 'nothing' }));
  const mixed = swaps.flatMap((each, at) =>
    at % 2 === 0 ? [each] : [each, ...all.slice((at - 1) / 2, (at + 1) / 2)],
  );
  return [...mixed, ...all.slice(Math.floor(swaps.length / 2))];
}

/** A second root takes its time to be made. */
const FEW_INPUTS = 100;

async function swapEverywhere(where: Target, effort: Effort): Promise<Result> {
  const { seed, seconds, inputs, from = 0 } = effort;
  const length = inputs < FEW_INPUTS ? 1 : availableParallelism();
  const lanes = await Promise.all(Array.from({ length }, () => openSwapping(where)));
  const begin = performance.now();
  const first = lanes[0] as Swapping;
  const { order, kinds, own } = orderOf(await callsOf(first, 'own'), seed);
  const findings: Finding[] = [];
  let tried = 0;
  let before = 0;
  // Before every call, then before one of each; from the link to the victim's own directory, and from the other.
  const swaps = [0, ...order].flatMap((number): Swap[] => [
    { number, first: 'own' },
    { number, first: 'others' },
  ]);
  const all = await withAppearances(first, swaps, seed);
  const left = all.slice(from);
  const work = async (on: Swapping): Promise<void> => {
    while ((performance.now() - begin) / 1000 < seconds && tried < Math.min(inputs, left.length)) {
      tried += 1;
      const at = left[tried - 1] as Swap;
      const { wrong, isBefore } = await swapAt(on, at);
      if (isBefore) before += 1;
      const again = `before call ${at.number}, ${at.first} first`;
      if (wrong !== undefined) findings.push({ what: wrong.slice(0, 300), again });
    }
  };
  await Promise.all(lanes.map(work));
  const took = (performance.now() - begin) / 1000;
  await Promise.all(lanes.map(({ root }) => root.close())); // a daemon keeps the process alive
  const absent = all.length - swaps.length;
  const states = `two states${absent === 0 ? '' : `; ${absent} from nothing`}`;
  return {
    part: 'swapped by somebody else',
    target: where.target,
    tried,
    seconds: took,
    figures: `of ${all.length} (${order.length} calls, ${states}): ${own} of ours, ${kinds} kinds${behind(effort)}; ${before} before`,
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
