// How far a long piece of work is → one line on a terminal that is written over, after a second, and wiped at the end.
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { printableLine } from '../host/output.ts';

interface ProgressLine {
  /** Shows a text in place of the last one. */
  show(text: string): void;
  /** Wipes the line. */
  end(): void;
}

interface LineOutput {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** Milliseconds. Nothing is shown of work that ends before; no eye reads faster than the second. */
const SILENCE = 1000;
const PAUSE = 100;

const WIPE = '\r\u001b[K';

export function stderrOutput(): LineOutput {
  return {
    isTerminal: isatty(2),
    now: () => performance.now(),
    write: (text) => {
      try {
        writeSync(2, text);
      } catch {} // a stderr that is closed is nobody's failure
    },
  };
}

/** `prefix` begins the line: the name of the command. Without a terminal nothing is shown. */
export function progressLine(prefix: string, { isTerminal, write, now }: LineOutput): ProgressLine {
  const began = now();
  let [last, isShown] = [Number.NEGATIVE_INFINITY, false];
  return {
    show: (text) => {
      const time = now();
      if (!isTerminal || time - began < SILENCE || time - last < PAUSE) return;
      last = time;
      isShown = true;
      write(`${WIPE}${prefix}: ${printableLine(text)}`);
    },
    end: () => {
      if (isShown) write(WIPE);
      isShown = false;
    },
  };
}

/** `reading the file index (only once): 41 %`. */
export function readingText(share: number): string {
  return `reading the file index (only once): ${Math.floor(100 * Math.min(1, share))} %`;
}
