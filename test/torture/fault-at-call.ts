// A work, an errno and a number → that call fails so: one line of cause, or nothing noticed; afterwards all is right.
import { constants } from 'node:os';
import { errorsOf, orderOf } from './call-kinds.ts';
import { type Injected, type Injection, UNENDED } from './interrupted-work.ts';
import { behind, type Effort, type Part, type Result } from './results.ts';
import { type Round, throughCalls } from './through-calls.ts';
import { isStart, OPENER, startedBy, WORK_NAMES } from './works.ts';

/** Of Node's own beginning and end, in which no line of ours runs. */
const NODE_FAILED = /^(?:\S*bin\/node: (?:error while loading|OpenSSL configuration error)|node:)/m;
/** Of Node's machine code, which ends so at any time. */
const MACHINE_CODE_FAILED = /^(?:.*Assertion failed|#|Fatal|FATAL)/m;
/** The launcher says it of a resolver that said no cause. */
const RESOLVER_ENDED = /^nix-run-foreign: the resolver was ended by signal/m;
const RESOLVER_FAILED = /^nix-run-foreign: the resolver failed with exit status/m;
/** An exception that went through a function of ours is ours. */
const FRAME_OF_OURS = /^ +at .*\/opt\/tool\/dist\/[^ ]*:\d+:\d+/m;
/** Of abort(3) and of a trap, as a shell has them: how Node ends itself. */
const NODE_ENDS = [134, 133];
/** SIGSEGV: of Node, also with an empty script, where a pipe of its own cannot be made. */
const NODE_WITHOUT_PIPES = 139;
const CAUSE_AND_REMEDY = /^(?:nix-run-foreign|nix-foreign): .+\n {2}\S.*$/gm;
/** Of the launcher and of the manager (env(1), "Exit status"). */
const OF_TOOL = [125, 126, 127];
/** Said where a work is done in the place below /tmp. */
const ELSEWHERE = /; using \/tmp\//;

/** What a call fails with. */
export interface Fault {
  /** Of the call, from 1. */
  readonly number: number;
  /** Name of an errno. */
  readonly error: string;
  /** That call alone; also all later ones of its name, in the same first directory or `everywhere`. */
  readonly extent: 'once' | 'there' | 'everywhere';
}

/** A call at which a fault was. */
export interface Struck extends Omit<Fault, 'number'> {
  /** Whether lines of ours may run then: @see runsAt */
  readonly runs: 'ours' | 'node';
}

/** The script that Node opens runs first, and opens our code. */
const CODE_OPENED = /^open(?:at)? \/opt\/tool\/dist\/(?!nix-foreign\.cjs$)/;
/** In its last acts Node looks at what its standard output and error are. */
const ABOUT_FILES = /^(?!fcntl ).* \/(?:home|tmp|opt|nix\/var)\//;

/** From where our code is opened to the last call about a file that Node would not look at. */
export function runsAt(calls: readonly string[], number: number): Struck['runs'] {
  const first = calls.findIndex((call) => CODE_OPENED.test(call));
  const last = calls.findLastIndex((call) => ABOUT_FILES.test(call));
  return first !== -1 && number > first && number <= last + 1 ? 'ours' : 'node';
}

function isTold(name: string, { status, stdout, stderr }: Injected): boolean {
  const told = stderr.match(CAUSE_AND_REMEDY) ?? [];
  if (RESOLVER_ENDED.test(stderr) || RESOLVER_FAILED.test(stderr)) return false;
  if (told.length !== 1 || !stderr.endsWith(`${told[0]}\n`)) return false;
  return OF_TOOL.includes(status) && (!isStart(name) || stdout === '');
}

/** A loader is copied to our directories, and a copy that fails does not say which side failed (uv_fs_copyfile). */
const COPIED = /\/lib\/ld-[^/ ]+$/;

/** An interrupted call is made again, and what others' files have says nothing about our directories. */
function mayGoElsewhere({ error, extent }: Omit<Fault, 'number'>, at: string): boolean {
  const isOthers = at.includes(' /nix/store/') && !COPIED.test(at);
  return extent === 'everywhere' || (at !== '' && error !== 'EINTR' && !isOthers);
}

function isNodes(name: string, runs: Struck['runs'], { status, stderr, at }: Injected): boolean {
  if (name === 'hit' || FRAME_OF_OURS.test(stderr)) return false;
  if (status === NODE_WITHOUT_PIPES) return !isStart(name) && at.startsWith('pipe2');
  if (MACHINE_CODE_FAILED.test(stderr) || RESOLVER_ENDED.test(stderr)) return true;
  if (NODE_ENDS.includes(status)) return !isStart(name); // the launcher would have told of it
  return runs === 'node' && (NODE_FAILED.test(stderr) || RESOLVER_FAILED.test(stderr));
}

const OF_JQ =
  /^jq: |^Error: writing output failed|error while loading shared libraries|cannot open shared|jq: error/m;
/** dlerror(3), and perror(3) where it cannot write: the one line of the opener, whose status it has then. */
const OF_OPENER = /^opens-late: .+\n$/;
const OPENER_FAILED = 1;
/** Of a start that its loader gave up. */
const OF_LOADER = /^\S+: error while loading shared libraries: .+\n$/;
const LOADER_FAILED = 127;

/** The program or its loader met the fault itself, or what it kept us from, and says so in words of its own. */
function isToldByProgram(name: string, { status, stdout, stderr }: Injected): boolean {
  if (startedBy(name) !== OPENER) return ['', '42\n'].includes(stdout) && OF_JQ.test(stderr);
  if (stdout !== '') return false;
  return status === OPENER_FAILED
    ? OF_OPENER.test(stderr)
    : status === LOADER_FAILED && OF_LOADER.test(stderr);
}

/** `elsewhere`: right, in the place below /tmp; `before`: right, and the work ended before the call. */
export type Judgement = 'right' | 'elsewhere' | 'told' | 'node' | 'before' | { readonly wrong: string };

/** How a work ended at whose call a fault was, and what is there afterwards. */
export function judge(name: string, fault: Struck, injected: Injected): Judgement {
  const { stderr, at, afterwards } = injected;
  if (ELSEWHERE.test(stderr) && !mayGoElsewhere(fault, at)) return { wrong: `it went elsewhere: ${stderr}` };
  const end = judgeEnd(name, fault.runs, injected);
  if (typeof end === 'object') return end;
  if (at === '' && end !== 'right') return { wrong: `nothing was done to it: ${stderr}` };
  if (afterwards !== undefined) return { wrong: `afterwards: ${afterwards}` };
  return at === '' ? 'before' : end;
}

/** `prune` keeps what belongs to a program that cannot be looked at now, or whose plan cannot; it names such a place. */
function mayKeep(name: string, { stderr, at }: Injected): boolean {
  return name === 'prune' && (/ is left out: /.test(stderr) || /\/jq$|\/plans\/[0-9a-f]{16}$/.test(at));
}

function judgeEnd(name: string, runs: Struck['runs'], injected: Injected): Exclude<Judgement, 'before'> {
  const { status, stdout, stderr, undone } = injected;
  if (stderr.includes('internal error')) return { wrong: `internal error: ${stderr}` };
  if (status === 0 && isStart(name) && stdout !== '42\n') return { wrong: `it printed ${stdout}` };
  if (status === 0 && undone !== undefined && !mayKeep(name, injected))
    return { wrong: `it says it is done, but ${undone}: ${stdout}${stderr}` };
  if (status === 0) return ELSEWHERE.test(stderr) ? 'elsewhere' : 'right';
  if (isTold(name, injected)) return 'told';
  if (isNodes(name, runs, injected)) return 'node';
  if (isStart(name) && isToldByProgram(name, injected)) return 'told';
  return { wrong: `status ${status}: ${stderr}` };
}

function oneLine(text: string): string {
  return text.trimEnd().replaceAll(/\n\s*/g, ' | ').slice(0, 300);
}

/** In inject-at-call.c. */
const SIGNS = { once: '', there: '/', everywhere: '+' } as const;

/** The call is counted among those of its name: of others threads make more or fewer each time. */
export function injectionOf({ number, error, extent }: Fault, calls: readonly string[]): Injection {
  const nameOf = (call: string | undefined) => call?.split(' ', 1)[0];
  const name = nameOf(calls[number - 1]);
  const errno = constants.errno[error as keyof typeof constants.errno];
  const among = calls.slice(0, number).filter((call) => nameOf(call) === name).length;
  return { how: `${errno}@${name}${SIGNS[extent]}`, number: among, calls: 'all' };
}

/** Counts how works ended; what is wrong with one. */
function roundOf(name: string, calls: readonly string[], ends: Map<string, number>): Round<Fault> {
  return async (on, fault) => {
    const { number, error, extent } = fault;
    const again = `faults: ${name}, ${error} at call ${number} of ${calls.length}, ${extent}`;
    const injected = await on.run(name, injectionOf(fault, calls));
    if (injected.status === UNENDED)
      return { what: `${error} from ${calls[number - 1]}: it did not end`, again };
    const judged = judge(name, { error, extent, runs: runsAt(calls, number) }, injected);
    if (injected.isKnown) ends.set('known', (ends.get('known') ?? 0) + 1);
    if (typeof judged === 'object') {
      const at = injected.at || 'nothing';
      return { what: `${error} from ${at}: ${oneLine(judged.wrong)}`, again };
    }
    ends.set(judged, (ends.get(judged) ?? 0) + 1);
    return undefined;
  };
}

/** What lasts: a full disk, no descriptors left, no locks, a broken disk. */
const LASTING = ['ENOSPC', 'EMFILE', 'ENOLCK', 'EIO'];

type Faults = (call: string, number: number) => Fault[];

const onceAt: Faults = (call, number) =>
  errorsOf(call).map((error): Fault => ({ number, error, extent: 'once' }));

/** A call about no file has no directory. */
const lastingFrom: Faults = (call, number) =>
  errorsOf(call)
    .filter((error) => LASTING.includes(error))
    .flatMap((error): Fault[] => [
      ...(call.includes(' /') ? [{ number, error, extent: 'there' } as const] : []),
      { number, error, extent: 'everywhere' },
    ]);

const ENDS = {
  right: 'went on',
  elsewhere: 'elsewhere',
  told: 'said why',
  node: "Node's",
  before: 'before',
  known: 'known',
} as const;

/** One fault of each call, from its first error or a later one; then the next of each, until all are done. */
export function inTurns(calls: readonly (readonly Fault[])[]): Fault[] {
  const turned = calls.map((each, at) => each.map((_, turn) => each[(at + turn) % each.length] as Fault));
  const most = Math.max(0, ...turned.map((each) => each.length));
  return Array.from({ length: most }, (_, turn) => turned.flatMap((each) => each[turn] ?? [])).flat();
}

async function failEverywhere(part: string, name: string, effort: Effort, faultsAt: Faults): Promise<Result> {
  const ends = new Map<string, number>();
  let of = '';
  const done = await throughCalls(name, 'all', effort, (calls) => {
    const { order, kinds, own } = orderOf(calls, effort.seed);
    const eachOf = (numbers: readonly number[]): Fault[][] =>
      numbers
        .filter((number) => number > 1) // the first call is the injector's own, by which the work begins
        .map((number) => faultsAt(calls[number - 1] as string, number));
    const faultsOf = (numbers: readonly number[]): Fault[] => eachOf(numbers).flat();
    const items = [...faultsOf(order.slice(0, own)), ...inTurns(eachOf(order.slice(own)))];
    of = `of ${items.length} (${calls.length} calls): ${faultsOf(order.slice(0, own)).length} of ours, ${faultsOf(order.slice(0, kinds)).length} of each kind`;
    return { items, round: roundOf(name, calls, ends) };
  });
  const counts = Object.entries(ENDS).map(([end, words]) => `${ends.get(end) ?? 0} ${words}`);
  return { part, target: name, figures: `${of}${behind(effort)}; ${counts.join(', ')}`, ...done };
}

export const faults: Part = {
  name: 'faults',
  what: 'ENOSPC, EIO, EACCES, EMFILE, ENOLCK, EINTR, each at the N-th call where it can be, once, for all N, of each work',
  targets: WORK_NAMES.map((name) => `faults ${name}`),
  run: (target, effort) => failEverywhere('faults', target.replace(/^faults /, ''), effort, onceAt),
};

export const lastingFaults: Part = {
  name: 'lasting',
  what: 'ENOSPC, EIO, EMFILE, ENOLCK, each at the N-th call and all later ones of its name, there and everywhere',
  targets: WORK_NAMES.map((name) => `lasting ${name}`),
  run: (target, effort) =>
    failEverywhere('lasting faults', target.replace(/^lasting /, ''), effort, lastingFrom),
};
