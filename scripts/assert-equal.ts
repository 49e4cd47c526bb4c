// What signal-exit uses of node:assert, for the bundles: the module itself takes 2 ms of every miss to load.

/** @throws Error with the message where the two differ. */
export function equal(actual: unknown, expected: unknown, message: string): void {
  // biome-ignore lint/suspicious/noDoubleEquals: node:assert's `equal` compares so
  if (actual != expected) throw new Error(message);
}
