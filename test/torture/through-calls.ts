// A work and what is to be done at its calls → all done, or as much as there is time for, by several roots at once.
import { availableParallelism } from 'node:os';
import { type Injection, openWorks, type Works } from './interrupted-work.ts';
import type { Effort, Finding } from './results.ts';
import { type Store, storeOf } from './works.ts';

const opened = new Map<Store, Promise<Works>[]>();

/** As many roots as there are processors, the same for all works of a run. */
async function lanesOf(name: string): Promise<Works[]> {
  const store = storeOf(name);
  const lanes = opened.get(store) ?? Array.from({ length: availableParallelism() }, () => openWorks(store));
  opened.set(store, lanes);
  return await Promise.all(lanes);
}

export type Round<T> = (on: Works, item: T) => Promise<Finding | undefined>;

/** Calls of a work → what is to be done to it, until all is done or the time is over, by several roots at once. */
export async function throughCalls<T>(
  name: string,
  calls: Injection['calls'],
  { seconds, inputs, from = 0 }: Omit<Effort, 'seed'>,
  plan: (calls: readonly string[]) => { readonly items: readonly T[]; readonly round: Round<T> },
): Promise<{ tried: number; seconds: number; findings: Finding[] }> {
  const lanes = await lanesOf(name);
  const begin = performance.now();
  const { items, round } = plan(await (lanes[0] as Works).callsOf(name, calls));
  const left = items.slice(from);
  const findings: Finding[] = [];
  let tried = 0;
  const isOver = () => (performance.now() - begin) / 1000 > seconds || tried >= Math.min(inputs, left.length);
  const work = async (on: Works): Promise<void> => {
    while (!isOver()) {
      tried += 1;
      const found = await round(on, left[tried - 1] as T);
      if (found !== undefined) findings.push(found);
    }
  };
  await Promise.all(lanes.map(work));
  return { tried, seconds: (performance.now() - begin) / 1000, findings };
}
