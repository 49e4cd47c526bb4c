// A process → the name of what it runs.
import { readFileSync } from 'node:fs';

/** The name of a process as proc_pid_comm(5) has it, without the end of a long one; undefined where it cannot be read. */
export function processName(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}
