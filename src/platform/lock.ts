// A name → the right to do a piece of work once, among processes that started at the same moment.
import { debug } from './report.ts';

/** After this many milliseconds without a sign of life a lock counts as left behind. */
const STALE = 5000;
const ATTEMPTS = { retries: 600, factor: 1.2, minTimeout: 20, maxTimeout: 200 };

/**
 * Runs `work` while holding the lock `name` (an absolute path; the lock is the directory `name.lock`).
 * The lock only saves work: where it cannot be had, `work` runs all the same, since correctness rests on rename.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const { lock } = (await import('proper-lockfile')).default;
  let release: () => Promise<void> = async () => {};
  try {
    release = await lock(name, {
      realpath: false,
      stale: STALE,
      retries: ATTEMPTS,
      onCompromised: (error) => debug(`lock ${name} was taken over: ${error.message}`),
    });
  } catch (error) {
    debug(`lock ${name} not taken: ${String(error)}`);
  }
  try {
    return await work();
  } finally {
    await release().catch(() => {});
  }
}
