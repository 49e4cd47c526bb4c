// A work, an errno and a number → that call fails so: one line of cause, or nothing noticed; afterwards all is right.
import { constants } from 'node:os';
import { orderOf } from './call-kinds.ts';
import { type Injected, UNENDED, WORK_NAMES, type Works } from './interrupted-work.ts';
import { works } from './kill-at-call.ts';
import type { Effort, Finding, Part, Result } from './results.ts';

const ERRORS = ['ENOSPC', 'EIO', 'EACCES', 'EMFILE', 'EINTR'] as const;

/** Node's own beginning and end, in which no line of ours runs: the launcher says that the resolver ended so. */
const NODE_FAILED =
  /^(?:\S*bin\/node: (?:error while loading|OpenSSL configuration error)|nix-run-foreign: the resolver (?:was ended by signal|failed with exit status)|node:|.*Assertion failed|#|Fatal|FATAL)/m;
const CAUSE_AND_REMEDY = /^(?:nix-run-foreign|nix-foreign): .+\n {2}\S.*\n$/m;

type Judgement = 'right' | 'told' | 'node' | { readonly wrong: string };

function judge(name: string, { status, stdout, stderr }: Injected): Judgement {
  const isStart = name === 'hit' || name.startsWith('miss');
  if (stderr.includes('internal error')) return { wrong: `internal error: ${stderr}` };
  if (status === 0) return isStart && stdout !== '42\n' ? { wrong: `it printed ${stdout}` } : 'right';
  if (CAUSE_AND_REMEDY.test(stderr)) return 'told';
  if (NODE_FAILED.test(stderr) || status > 128) return 'node';
  // The program, or its loader, was hit by the fault itself and says so in its own words.
  if (
    isStart &&
    /^jq: |^Error: writing output failed|error while loading shared libraries|cannot open shared|jq: error/m.test(
      stderr,
    )
  )
    return 'told';
  return { wrong: `status ${status}: ${stderr}` };
}

async function round(on: Works, name: string, number: number, error: string): Promise<Judgement | 'after'> {
  const errno = constants.errno[error as keyof typeof constants.errno];
  const injected = await on.run(name, { how: String(errno), number, calls: 'all' });
  if (injected.status === UNENDED) return { wrong: `${error}: it did not end` };
  if (injected.at === '') return 'after';
  const judged = judge(name, injected);
  if (typeof judged === 'object')
    return { wrong: `${error} from ${injected.at}: ${judged.wrong.slice(0, 300)}` };
  const { afterwards } = injected;
  if (afterwards === undefined) return judged;
  return { wrong: `${error} from ${injected.at}, afterwards: ${afterwards.slice(0, 300)}` };
}

async function failEverywhere(name: string, { seed, seconds, inputs }: Effort): Promise<Result> {
  const on = await works();
  const begin = performance.now();
  const { order, kinds } = orderOf(await on.callsOf(name, 'all'), seed);
  const findings: Finding[] = [];
  const ends: Record<string, number> = { right: 0, told: 0, node: 0, after: 0 };
  // The first call is the injector's own, by which the work begins.
  const planned = order.filter((at) => at > 1).flatMap((at) => ERRORS.map((error) => ({ at, error })));
  let tried = 0;
  for (const { at, error } of planned) {
    if ((performance.now() - begin) / 1000 > seconds || tried >= inputs) break;
    const judged = await round(on, name, at, error);
    tried += 1;
    if (typeof judged === 'string') ends[judged] = (ends[judged] ?? 0) + 1;
    else
      findings.push({
        what: judged.wrong,
        again: `faults: ${name}, ${error} at call ${at} of ${order.length}`,
      });
  }
  const figures = `of ${order.length} calls of ${kinds} kinds × ${ERRORS.length} errors; ${ends['right']} went on, ${ends['told']} said why, ${ends['node']} ended Node itself`;
  return {
    part: 'faults',
    target: name,
    tried,
    seconds: (performance.now() - begin) / 1000,
    figures,
    findings,
  };
}

export const faults: Part = {
  name: 'faults',
  what: `${ERRORS.join(', ')} from the N-th call, for all N, of each work`,
  targets: WORK_NAMES.map((name) => `faults ${name}`),
  run: (target, effort) => failEverywhere(target.replace(/^faults /, ''), effort),
};
