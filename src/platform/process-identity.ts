// This process → a name by which others can tell whether it still runs, and the answer.
import { readlinkSync } from 'node:fs';

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** `<pid namespace>.<pid>`: digits and one dot. */
export function processIdentity(): string {
  return `${pidNamespace()}.${process.pid}`;
}

/** `unknown` for processes of another pid namespace, which cannot be asked. */
export function stateOfProcess(identity: string): 'running' | 'gone' | 'unknown' {
  const [namespace, pid] = identity.split('.');
  if (namespace !== pidNamespace() || !/^\d+$/.test(pid ?? '')) return 'unknown';
  try {
    process.kill(Number(pid), 0);
    return 'running';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'gone' : 'running';
  }
}
