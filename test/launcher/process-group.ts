// A command to a process group of its own that can be waited for within a limit, and that a failure does not leave behind.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

const LIMIT = 10_000;
const groups: ChildProcess[] = [];

/** Starts a command that makes itself a process group. `endGroups` is to be called after the tests of the file. */
export function startGroup(command: readonly [string, ...string[]], options: SpawnOptions): ChildProcess {
  const leader = spawn(command[0], command.slice(1), options);
  groups.push(leader);
  return leader;
}

/** Kills what is left of the groups, whatever its signal mask, so that the test file ends. */
export function endGroups(): void {
  for (const { pid, stderr } of groups) {
    stderr?.destroy();
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {} // the group has ended
  }
}

/** @throws Error when the promise does not settle in ten seconds: what should end did not. */
export function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what}: not in ${LIMIT / 1000} seconds`)), LIMIT);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
