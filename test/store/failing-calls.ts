// Calls that shall fail in a process → the variables with which it is started, by programs/failing-calls.c.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

export interface FailingCalls {
  readonly call: 'lock' | 'read' | 'open' | 'readlink';
  /** Of files whose path begins so. */
  readonly below: string;
  readonly errno: number;
  /** How many of them; all where it is not given. */
  readonly times?: number;
  /** The first of them, from 1. */
  readonly from?: number;
  /** Of reads: the first offset. */
  readonly after?: number;
}

/** Makes the library that is preloaded into the process. */
export function buildFailingCalls(library: string): void {
  const source = path.join(import.meta.dirname, 'programs/failing-calls.c');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
}

export function failing(
  library: string,
  { call, below, errno, times, from = 1, after = 0 }: FailingCalls,
): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAIL_CALL: call,
    FAIL_BELOW: below,
    FAIL_ERRNO: String(errno),
    FAIL_FROM: String(from),
    FAIL_AFTER: String(after),
    ...(times === undefined ? {} : { FAIL_TIMES: String(times) }),
  };
}
