// A Nix command that may take long → how it ended, and what it says meanwhile once it has taken a second.
import { writeSync } from 'node:fs';
import path from 'node:path';
import { debug } from '../platform/report.ts';
import { type Ended, runProgram } from '../platform/run-program.ts';
import { printable } from '../platform/terminal-text.ts';
import type { Nix } from './nix-commands.ts';

/** Gets Nix's own words as they come, line ends included. */
export type Show = (text: string) => void;

/** Milliseconds. Nothing is shown of work that ends before. */
const SILENCE = 1000;

/** An hour: a closure over a slow line takes its time, and who waits sees that it goes on. */
export const LONGEST = 60 * 60 * 1000;

/** Shows on stderr. Names and messages come from a remote cache, so control characters become `?`. */
export function showOnStderr(text: string): void {
  try {
    writeSync(2, printable(text));
  } catch {} // a stderr that is closed is nobody's failure
}

/** Text that is kept back for a second, then shown as it comes. */
function keptBack(show: Show): { take: Show; end: () => void } {
  let waiting: string | undefined = '';
  const timer = setTimeout(() => {
    const text = waiting ?? '';
    waiting = undefined;
    if (text !== '') show(text);
  }, SILENCE);
  return {
    take: (text) => {
      if (waiting === undefined) show(text);
      else waiting += text;
    },
    end: () => clearTimeout(timer),
  };
}

/** `https://user:secret@host` as it may be printed. The file of a key is no secret. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(/(:\/\/)[^\s/?#]*@/g, '$1...@');
}

/** Runs a Nix command. Its stderr is kept for a message, and shown where it takes longer than a second. */
export async function runWatched(
  nix: Nix,
  command: string,
  args: readonly string[],
  show: Show,
): Promise<Ended> {
  const { take, end } = keptBack((text) => show(withoutSecrets(text)));
  try {
    const ended = await runProgram(path.join(nix.bin, command), args, {
      env: nix.env,
      timeout: LONGEST,
      onStderr: take,
    });
    debug(withoutSecrets(`${command} ${args.join(' ')}: ${ended.status ?? ended.failure ?? 'killed'}`));
    if (ended.status !== 0) debug(withoutSecrets(`it said: ${printable(ended.stderr)}`));
    return ended;
  } finally {
    end();
  }
}
