// Words and an environment → the process run to its end, and how it ended.
import { constants } from 'node:os';
import { execa } from 'execa';

/** One command. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  /** Added to HOME, USER, PATH (the default profile); undefined takes one of these away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Default 60000. */
  readonly timeoutMs?: number;
}

export interface Outcome {
  /** Exit status; null when a signal ended the command. 127 and 126 when it could not be started, as a shell has it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** A process to be started: the file and its arguments, and its whole environment (undefined values are left out). */
export interface CommandLine {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a process to its end. With `status-on-3` the command reports by `exit N` or `signal N` on its descriptor 3, as
 * enter-root does, how it ended; with `own-status` it has no descriptor 3.
 */
export async function runCommand(
  line: CommandLine,
  command: Command,
  report: 'status-on-3' | 'own-status',
): Promise<Outcome> {
  const [file = '', ...args] = line.words;
  const given = Object.fromEntries(Object.entries(line.env).filter(([, value]) => value !== undefined));
  const stdin = command.stdin === undefined ? 'ignore' : 'pipe';
  const result = await execa(file, args, {
    env: given as Record<string, string>,
    extendEnv: false,
    preferLocal: false,
    reject: false,
    stripFinalNewline: false,
    ...(command.stdin === undefined ? {} : { input: command.stdin }),
    stdio: report === 'status-on-3' ? [stdin, 'pipe', 'pipe', 'pipe'] : [stdin, 'pipe', 'pipe'],
    timeout: command.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
  });
  const [how, number] = String(result.stdio[3] ?? '')
    .trim()
    .split(' ');
  const signal =
    how === 'signal' ? signalName(Number(number)) : (result.signal as NodeJS.Signals | undefined);
  return {
    status: signal ? null : (result.exitCode ?? null),
    signal: signal ?? null,
    stdout: String(result.stdout),
    stderr: String(result.stderr),
    timedOut: result.timedOut,
  };
}

function signalName(number: number): NodeJS.Signals | undefined {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] as NodeJS.Signals | undefined;
}
