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

/**
 * Runs `words` with exactly `env` (undefined values are left out). A command that writes `exit N` or `signal N` to its
 * descriptor 3, as enter-root does, ended that way.
 */
export async function runCommand(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  command: Command,
): Promise<Outcome> {
  const [file = '', ...args] = words;
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
  const result = await execa(file, args, {
    env: given as Record<string, string>,
    extendEnv: false,
    preferLocal: false,
    reject: false,
    stripFinalNewline: false,
    ...(command.stdin === undefined ? {} : { input: command.stdin }),
    stdio: [command.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
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
