// A yes-or-no question → the answer of who sits at the terminal, whatever the program's own input is.
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { printable } from '../host/output.ts';

/** `unasked`: there is no terminal, or it was closed before an answer came. */
type Answered = 'yes' | 'no' | 'unasked';

/**
 * Whether a process is in the foreground group of its terminal, from /proc/PID/stat: process group and the terminal's
 * group are the 5th and 8th field (proc_pid_stat(5)). In the background reading a terminal stops a process (SIGTTIN).
 */
export function isInForeground(stat: string): boolean {
  // The name of the command may hold blanks and brackets.
  const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return terminal !== '0' && group !== undefined && group === foreground;
}

function openTerminal(): number {
  return openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY);
}

/** Whether a question would reach somebody: there is a terminal, wherever stderr goes, and we are in its foreground. */
export function canAskOnTerminal(): boolean {
  try {
    if (!isInForeground(readFileSync('/proc/self/stat', 'latin1'))) return false;
    closeSync(openTerminal());
    return true;
  } catch {
    return false;
  }
}

function readLine(fd: number): string | undefined {
  const bytes = Buffer.alloc(256);
  let text = '';
  while (!text.includes('\n')) {
    const count = readSync(fd, bytes, 0, bytes.length, null);
    if (count === 0) return undefined;
    text += bytes.toString('latin1', 0, count);
  }
  return text;
}

/** An empty line is a yes; what is neither is asked for again. */
function answerOf(line: string): Answered | undefined {
  const word = line.trim().toLowerCase();
  if (['', 'y', 'yes'].includes(word)) return 'yes';
  return ['n', 'no'].includes(word) ? 'no' : undefined;
}

function askOn(fd: number, question: string): Answered {
  for (let times = 0; times < 3; times += 1) {
    writeSync(fd, printable(question));
    const line = readLine(fd);
    if (line === undefined) return 'unasked';
    const answer = answerOf(line);
    if (answer !== undefined) return answer;
  }
  return 'no';
}

/** A handler of Node's runs when a read has ended: Ctrl-C is to end the question. */
function withoutHandlers<T>(work: () => T): T {
  const handlers = process.listeners('SIGINT');
  process.removeAllListeners('SIGINT');
  try {
    return work();
  } finally {
    for (const each of handlers) process.on('SIGINT', each);
  }
}

/** Asks on /dev/tty: stdin may be the program's data. Call it only where `canAskOnTerminal`. Never throws. */
export function askOnTerminal(question: string): Answered {
  let fd: number | undefined;
  try {
    fd = openTerminal();
    const terminal = fd;
    return withoutHandlers(() => askOn(terminal, question));
  } catch {
    return 'unasked';
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
