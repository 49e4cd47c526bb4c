// A command line → what it printed and how it ended; the only place that starts processes.

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
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Text for its standard input; without it /dev/null. */
  readonly input?: string;
  /** Milliseconds until it is killed. */
  readonly timeout: number;
}

/** Starts a program, never through a shell, and waits. Never throws for what the program does. */
export async function runProgram(file: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  const { execa } = await import('execa');
  const result = await execa(file, args, {
    env: options.env,
    extendEnv: false,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    timeout: options.timeout,
    killSignal: 'SIGKILL',
    reject: false,
    stripFinalNewline: false,
    encoding: 'latin1' as 'utf8',
  });
  return {
    status: result.exitCode,
    stdout: String(result.stdout ?? ''),
    stderr: String(result.stderr ?? ''),
    failure: result.exitCode === undefined && !result.isTerminated ? (result.code ?? 'unknown') : undefined,
    timedOut: result.timedOut,
  };
}
