// Work that counts what it has done → a bar on stderr, where that is a terminal and the work takes longer than a
// second.
import { isatty } from 'node:tty';

/** Told how much of the work is done. */
export type Progress = (done: number, total: number) => void;

/** Nothing is drawn for work that ends within this many milliseconds. */
const SILENCE = 1000;

/**
 * `what`: a clause such as `reading the store`. Drawn between two steps of the work: no turn of the event loop is
 * needed.
 */
export async function barOnTerminal(what: string): Promise<{ progress: Progress; done: () => void }> {
  if (!isatty(2)) return { progress: () => {}, done: () => {} };
  const started = performance.now();
  const { SingleBar } = (await import('cli-progress')).default;
  let bar: InstanceType<typeof SingleBar> | undefined;
  return {
    progress: (value, total) => {
      if (performance.now() - started < SILENCE) return;
      if (bar === undefined) {
        const format = `nix-run-foreign: ${what} {bar} {value}/{total}`;
        bar = new SingleBar({ format, barsize: 30, clearOnComplete: true, hideCursor: null });
        bar.start(total, value);
      }
      bar.update(value);
    },
    done: () => bar?.stop(),
  };
}
