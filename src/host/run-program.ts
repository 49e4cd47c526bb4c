// A command line → what it printed and how it ended; the only place that starts processes.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { errnoOf } from './errors.ts';
import { withAbsolutePath } from './tool-environment.ts';

/** How a process ended. `status` is undefined when it died of a signal or never started. */
export interface Ended {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** errno name when it could not be started (`ENOENT`, `EACCES` ...). */
  readonly failure: string | undefined;
  readonly timedOut: boolean;
}

export interface RunOptions {
  /** The whole environment: nothing is inherited. Of its PATH the absolute directories count. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for its standard input; without it /dev/null. */
  readonly input?: string;
  /** Milliseconds until it is killed, from when its input is whole: a program that was started early waits for that. */
  readonly timeout: number;
  /** Gets what it prints on stderr as it comes, beside what is returned; not called by `runProgramNow`. */
  readonly onStderr?: (text: string) => void;
}

/** An empty standard input: Node opens /dev/null for `ignore`, which a root directory may lack. */
const nothing = () => (existsSync('/dev/null') ? 'ignore' : 'pipe');

/**
 * Starts a program, never through a shell, and does nothing else until it ends: for what ends within milliseconds, such
 * as `ld.so --list`, since it spares the turns of the event loop. Never throws for what the program does.
 */
export function runProgramNow(file: string, args: readonly string[], options: RunOptions): Ended {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    env: withAbsolutePath(options.env),
    ...(options.input === undefined ? { stdio: [nothing(), 'pipe', 'pipe'] } : { input: options.input }),
    timeout: options.timeout,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  });
  const timedOut = errnoOf(error) === 'ETIMEDOUT';
  return {
    status: status ?? undefined,
    stdout: stdout ?? '',
    stderr: stderr ?? '',
    // With a status it was started; EPIPE then only says that it did not read its input.
    failure: status !== null || error === undefined || timedOut ? undefined : (errnoOf(error) ?? 'unknown'),
    timedOut,
  };
}

/**
 * Starts a program, never through a shell, and waits. Never throws for what the program does.
 * Node's own child_process, since a miss runs this three times: loading execa takes longer than ld.so --list does.
 */
export function runProgram(file: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  const running = startProgram(file, args, options);
  return running.finish(options.input ?? '');
}

/** A program that was started ahead of the time when its input is known. */
interface Running {
  /** Writes its standard input, closes it, and waits for the end. */
  finish(input: string): Promise<Ended>;
  /** Kills it: its work is not needed after all. */
  abandon(): void;
}

/** Starts a program whose standard input comes later. */
export function startProgram(file: string, args: readonly string[], options: RunOptions): Running {
  let settle: (ended: Ended) => void = () => {};
  const ended = new Promise<Ended>((resolve) => {
    settle = resolve;
  });
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const child = execFile(
    file,
    args,
    { env: withAbsolutePath(options.env), killSignal: 'SIGKILL', maxBuffer: 1 << 28, encoding: 'utf8' },
    (error, stdout, stderr) => {
      isOver = true;
      clearTimeout(timer);
      const notStarted = child.pid === undefined;
      settle({
        status: notStarted ? undefined : (child.exitCode ?? undefined),
        stdout,
        stderr,
        failure: notStarted ? (errnoOf(error) ?? 'unknown') : undefined,
        timedOut: child.killed,
      });
    },
  );
  if (options.onStderr !== undefined) child.stderr?.on('data', options.onStderr);
  // A program that ends without reading its input counts by how it ended.
  child.stdin?.on('error', () => {});
  return {
    finish: (input) => {
      if (!isOver) timer ??= setTimeout(() => child.kill('SIGKILL'), options.timeout);
      child.stdin?.end(input);
      return ended;
    },
    abandon: () => {
      child.kill('SIGKILL');
    },
  };
}

/** The same as `runProgramNow` for a program that reads and writes bytes that are no text. */
export function runOnBytes(
  file: string,
  args: readonly string[],
  input: Uint8Array,
  options: Omit<RunOptions, 'input'>,
): Omit<Ended, 'stdout'> & { readonly stdout: Buffer } {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    env: options.env,
    input,
    timeout: options.timeout,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
  });
  const timedOut = errnoOf(error) === 'ETIMEDOUT';
  return {
    status: status ?? undefined,
    stdout: stdout ?? Buffer.alloc(0),
    stderr: stderr?.toString() ?? '',
    failure: status !== null || error === undefined || timedOut ? undefined : (errnoOf(error) ?? 'unknown'),
    timedOut,
  };
}

/** How a program ended that had this process's terminal. */
export interface EndedOnTerminal {
  /** Undefined when it died of a signal or never started. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly failure: string | undefined;
}

/**
 * Starts a program with our standard input, output and error; the terminal's signals reach both, and it alone heeds
 * them. `output`: where what it prints goes. Never throws for what the program does.
 */
export async function runOnTerminal(
  words: readonly [string, ...string[]],
  env: Readonly<Record<string, string | undefined>>,
  output: 'stdout' | 'stderr',
): Promise<EndedOnTerminal> {
  const heedNothing = () => {};
  const signals = ['SIGINT', 'SIGQUIT'] as const;
  for (const signal of signals) process.on(signal, heedNothing);
  const [file, ...args] = words;
  const child = spawn(file, args, {
    env: { ...env },
    stdio: ['inherit', output === 'stdout' ? 'inherit' : 2, 'inherit'],
  });
  const ended = await new Promise<EndedOnTerminal>((resolve) => {
    child.on('error', (error) =>
      resolve({ status: undefined, signal: undefined, failure: errnoOf(error) ?? 'unknown' }),
    );
    child.on('close', (status, signal) =>
      resolve({ status: status ?? undefined, signal: signal ?? undefined, failure: undefined }),
    );
  });
  for (const signal of signals) process.off(signal, heedNothing);
  return ended;
}
