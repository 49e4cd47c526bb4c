// The system calls of a work → in which order something is done to them: one of each kind first, then all others.
import { seededRandom } from '../elf/seeded-random.ts';

/**
 * Calls of one name about files of one kind: names of store objects, hashes and numbers are left out, and within the
 * store only how a name ends counts.
 */
export function kindOfCall(call: string): string {
  return call
    .replace(/(\/nix\/store\/)[^ ]*?(\.so\b[^/ ]*|\/)?$/, (_, store, end = '') => `${store}*${end}`)
    .replace(/[0-9a-f]{8,}/g, '#')
    .replace(/\.so[.\d]*$/, '.so')
    .replace(/\d+/g, '0');
}

function shuffled<T>(items: readonly T[], random: (below: number) => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(random(left.length), 1)[0] as T);
}

export interface OrderedCalls {
  /** Numbers of calls, from 1: the first `kinds` are one of each kind. */
  readonly order: readonly number[];
  readonly kinds: number;
}

/** The same for the same calls and seed. */
export function orderOf(calls: readonly string[], seed: number): OrderedCalls {
  const random = seededRandom(seed);
  const byKind = Map.groupBy(calls.keys(), (at) => kindOfCall(calls[at] as string));
  const firsts = [...byKind.values()].map((all) => all[random(all.length)] as number);
  const chosen = new Set(firsts);
  const others = [...calls.keys()].filter((at) => !chosen.has(at));
  const order = [...shuffled(firsts, random), ...shuffled(others, random)].map((at) => at + 1);
  return { order, kinds: firsts.length };
}
