// A long list of things to try → every N-th of them, or all where NIX_RUN_FOREIGN_TEST_ALL is set.

/** Whether everything is tried, however long it takes. */
export const ALL = process.env['NIX_RUN_FOREIGN_TEST_ALL'] !== undefined;

/** The same ones in every run, so that a failure comes back. */
export function sampled<T>(items: readonly T[], step: number): T[] {
  return ALL ? [...items] : items.filter((_, index) => index % step === 0);
}
