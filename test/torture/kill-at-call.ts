// A work that changes files → killed before each of these calls in turn: afterwards the old state or the new one.
import { orderOf } from './call-kinds.ts';
import { type Injected, UNENDED } from './interrupted-work.ts';
import { behind, type Effort, type Part, type Result } from './results.ts';
import { type Round, throughCalls } from './through-calls.ts';
import { WORK_NAMES } from './works.ts';

/** What is wrong after a kill, also where the work ended before that call. */
export function wrongAfterKill(how: string, { status, at, afterwards }: Injected): string | undefined {
  if (status === UNENDED) return 'it did not end';
  if (afterwards === undefined) return undefined;
  return `${how} ${at === '' ? 'of nothing' : `before ${at}`}: ${afterwards.slice(0, 300)}`;
}

function roundOf(name: string, calls: readonly string[], count: { before: number }): Round<number> {
  return async (on, number) => {
    const how = number % 2 === 0 ? 'kill' : 'kill-all';
    const again = `kill: ${name}, call ${number} of ${calls.length}`;
    const [call] = calls[number - 1]?.split(' ', 1) ?? [];
    const injected = await on.run(name, { how, number, calls: 'changes', name: call });
    const what = wrongAfterKill(how, injected);
    if (what !== undefined) return { what, again };
    if (injected.at === '') count.before += 1;
    return undefined;
  };
}

async function killEverywhere(name: string, effort: Effort): Promise<Result> {
  let figures = '';
  const count = { before: 0 };
  const done = await throughCalls(name, 'changes', effort, (calls) => {
    const { order, kinds } = orderOf(calls, effort.seed);
    figures = `of ${order.length} calls that change files, of ${kinds} kinds`;
    return { items: order, round: roundOf(name, calls, count) };
  });
  const before = count.before === 0 ? '' : `; ${count.before} ended before their call`;
  return { part: 'kill -9', target: name, figures: `${figures}${behind(effort)}${before}`, ...done };
}

export const kills: Part = {
  name: 'kill',
  what: 'SIGKILL before the N-th call that changes files, for all N, of each work that does',
  targets: WORK_NAMES.map((name) => `kill ${name}`),
  run: (target, effort) => killEverywhere(target.replace(/^kill /, ''), effort),
};
