// A work that changes files → killed before each of these calls in turn: afterwards the old state or the new one.
import { orderOf } from './call-kinds.ts';
import { openWorks, UNENDED, WORK_NAMES, type Works } from './interrupted-work.ts';
import type { Effort, Finding, Part, Result } from './results.ts';

let opened: Promise<Works> | undefined;

/** One root for all works of a run. */
export function works(): Promise<Works> {
  opened ??= openWorks();
  return opened;
}

/** What is wrong after a kill, or undefined: also when the work ended before that call. */
async function round(on: Works, name: string, number: number): Promise<string | undefined> {
  const how = number % 2 === 0 ? 'kill' : 'kill-all';
  const { status, at, afterwards } = await on.run(name, { how, number, calls: 'changes' });
  if (status === UNENDED) return 'it did not end';
  return at === '' || afterwards === undefined
    ? undefined
    : `${how} before ${at}: ${afterwards.slice(0, 300)}`;
}

async function killEverywhere(name: string, { seed, seconds, inputs }: Effort): Promise<Result> {
  const on = await works();
  const begin = performance.now();
  const { order, kinds } = orderOf(await on.callsOf(name, 'changes'), seed);
  const findings: Finding[] = [];
  let tried = 0;
  for (const number of order) {
    if ((performance.now() - begin) / 1000 > seconds || tried >= inputs) break;
    const what = await round(on, name, number);
    tried += 1;
    if (what !== undefined)
      findings.push({ what, again: `kill: ${name}, call ${number} of ${order.length}` });
  }
  const figures = `of ${order.length} calls that change files, of ${kinds} kinds`;
  return {
    part: 'kill -9',
    target: name,
    tried,
    seconds: (performance.now() - begin) / 1000,
    figures,
    findings,
  };
}

export const kills: Part = {
  name: 'kill',
  what: 'SIGKILL before the N-th call that changes files, for all N, of each work that does',
  targets: WORK_NAMES.map((name) => `kill ${name}`),
  run: (target, effort) => killEverywhere(target.replace(/^kill /, ''), effort),
};
