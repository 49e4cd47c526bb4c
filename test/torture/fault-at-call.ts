// A work, an errno and a number → that call fails so: one line of cause, or nothing noticed; afterwards all is right.
import { constants } from 'node:os';
import { errorsOf, orderOf } from './call-kinds.ts';
import { type Injected, type Round, throughCalls, UNENDED, WORK_NAMES } from './interrupted-work.ts';
import type { Effort, Part, Result } from './results.ts';

/** Node's own beginning and end, in which no line of ours runs: the launcher says that the resolver ended so. */
const NODE_FAILED =
  /^(?:\S*bin\/node: (?:error while loading|OpenSSL configuration error)|nix-run-foreign: the resolver (?:was ended by signal|failed with exit status)|node:|.*Assertion failed|#|Fatal|FATAL)/m;
/** An exception that went through a function of ours is ours. */
const FRAME_OF_OURS = /^ +at .*\/opt\/tool\/dist\/[^ ]*:\d+:\d+/m;
/** Of abort(3) and of a trap, as a shell has them: how Node ends itself. */
const NODE_ENDS = [134, 133];
/** SIGSEGV: of Node, also with an empty script, where a pipe of its own cannot be made. */
const NODE_WITHOUT_PIPES = 139;
const CAUSE_AND_REMEDY = /^(?:nix-run-foreign|nix-foreign): .+\n {2}\S.*$/gm;
const OF_LAUNCHER = [125, 126, 127];

function isTold(isStart: boolean, { status, stdout, stderr }: Injected): boolean {
  const told = stderr.match(CAUSE_AND_REMEDY) ?? [];
  if (told.length !== 1 || !stderr.endsWith(`${told[0]}\n`)) return false;
  return !isStart || (OF_LAUNCHER.includes(status) && stdout === '');
}

function isNodes(name: string, isStart: boolean, { status, stderr, at }: Injected): boolean {
  if (name === 'hit' || FRAME_OF_OURS.test(stderr)) return false;
  if (status === NODE_WITHOUT_PIPES) return !isStart && at === 'pipe2';
  return NODE_FAILED.test(stderr) || NODE_ENDS.includes(status);
}

export type Judgement = 'right' | 'told' | 'node' | { readonly wrong: string };

/** How a work ended at whose call a fault was. */
export function judge(name: string, injected: Injected): Judgement {
  const { status, stdout, stderr } = injected;
  const isStart = name === 'hit' || name.startsWith('miss');
  if (stderr.includes('internal error')) return { wrong: `internal error: ${stderr}` };
  if (status === 0) return isStart && stdout !== '42\n' ? { wrong: `it printed ${stdout}` } : 'right';
  if (isTold(isStart, injected)) return 'told';
  if (isNodes(name, isStart, injected)) return 'node';
  // The program, or its loader, was hit by the fault itself and says so in its own words.
  if (
    isStart &&
    ['', '42\n'].includes(stdout) &&
    /^jq: |^Error: writing output failed|error while loading shared libraries|cannot open shared|jq: error/m.test(
      stderr,
    )
  )
    return 'told';
  return { wrong: `status ${status}: ${stderr}` };
}

interface Fault {
  /** Of the call, from 1. */
  readonly number: number;
  /** Name of an errno. */
  readonly error: string;
}

/** Counts how works ended; what is wrong with one. */
function roundOf(name: string, calls: number, ends: Map<string, number>): Round<Fault> {
  return async (on, { number, error }) => {
    const again = `faults: ${name}, ${error} at call ${number} of ${calls}`;
    const how = String(constants.errno[error as keyof typeof constants.errno]);
    const injected = await on.run(name, { how, number, calls: 'all' });
    if (injected.status === UNENDED) return { what: `${error}: it did not end`, again };
    const judged = injected.at === '' ? 'after' : judge(name, injected);
    if (typeof judged === 'object')
      return { what: `${error} from ${injected.at}: ${judged.wrong.slice(0, 300)}`, again };
    const { afterwards } = injected;
    if (afterwards !== undefined && judged !== 'after')
      return { what: `${error} from ${injected.at}, afterwards: ${afterwards.slice(0, 300)}`, again };
    ends.set(judged, (ends.get(judged) ?? 0) + 1);
    return undefined;
  };
}

async function failEverywhere(name: string, effort: Effort): Promise<Result> {
  const ends = new Map<string, number>();
  let of = '';
  const done = await throughCalls(name, 'all', effort, (calls) => {
    const { order, kinds, own } = orderOf(calls, effort.seed);
    const faultsOf = (numbers: readonly number[]): Fault[] =>
      numbers
        .filter((number) => number > 1) // the first call is the injector's own, by which the work begins
        .flatMap((number) =>
          errorsOf(calls[number - 1] as string).map((error): Fault => ({ number, error })),
        );
    const items = faultsOf(order);
    of = `of ${items.length} (${calls.length} calls): ${faultsOf(order.slice(0, own)).length} of ours, ${faultsOf(order.slice(0, kinds)).length} of each kind`;
    return { items, round: roundOf(name, order.length, ends) };
  });
  const count = (end: string) => ends.get(end) ?? 0;
  const figures = `${of}; ${count('right')} went on, ${count('told')} said why, ${count('node')} Node's, ${count('after')} before`;
  return { part: 'faults', target: name, figures, ...done };
}

export const faults: Part = {
  name: 'faults',
  what: 'ENOSPC, EIO, EACCES, EMFILE, EINTR, each from the N-th call where it can be, for all N, of each work',
  targets: WORK_NAMES.map((name) => `faults ${name}`),
  run: (target, effort) => failEverywhere(target.replace(/^faults /, ''), effort),
};
