// A long list of things to try → every N-th of them, or all where NIX_RUN_FOREIGN_TEST_ALL is set.

/** Whether everything is tried, however long it takes. */
export const ALL = process.env['NIX_RUN_FOREIGN_TEST_ALL'] !== undefined;

/** The same ones in every run, so that a failure comes back; `turn`: another part of them, in another place. */
export function sampled<T>(items: readonly T[], step: number, turn = 0): T[] {
  return ALL ? [...items] : items.filter((_, index) => (index + turn) % step === 0);
}
