// What a part of the torture saw → a row of the table.

/** One input, call or round that did not end as it must. */
export interface Finding {
  /** What happened, one line. */
  readonly what: string;
  /** How to have it again, one line: a file, or a seed and a number. */
  readonly again: string;
}

export interface Result {
  readonly part: string;
  /** What was tried, e.g. `plan.c`. */
  readonly target: string;
  /** How many inputs, calls or rounds, as counted. */
  readonly tried: number;
  readonly seconds: number;
  /** The largest of what was bounded, e.g. `longest 12 ms`; empty where nothing is measured. */
  readonly figures: string;
  readonly findings: readonly Finding[];
}

/** What every part is given. */
export interface Effort {
  readonly seed: number;
  /** For each target. */
  readonly seconds: number;
  /** Ends a target earlier; Infinity: only time counts. */
  readonly inputs: number;
  /** So many an earlier run with this seed has tried: of calls, in their order. Default 0. */
  readonly from?: number;
}

/** For the figures of a run that went on behind an earlier one. */
export function behind({ from = 0 }: Effort): string {
  return from === 0 ? '' : `, behind ${from}`;
}

export interface Part {
  readonly name: string;
  /** One line for the list of parts. */
  readonly what: string;
  readonly targets: readonly string[];
  readonly run: (target: string, effort: Effort) => Promise<Result>;
}
