// proc(5) → what the processes of this user, and of others that may be looked at, were started with and have open.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

interface RunningProcess {
  /** Its words, its environment, its mapped files, its program and its working directory. */
  readonly text: string;
  /** Whether such a link is in its root directory. */
  hasLink(path: string): boolean;
}

function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return ''; // it has ended, or is somebody else's
  }
}

/** None where there is no /proc. Never throws. */
export function runningProcesses(): RunningProcess[] {
  let pids: string[] = [];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {}
  return pids.map((pid) => {
    const files = ['cmdline', 'environ', 'maps'].map((name) =>
      orNothing(() => readFileSync(`/proc/${pid}/${name}`, 'latin1')),
    );
    const links = ['exe', 'cwd'].map((name) => orNothing(() => readlinkSync(`/proc/${pid}/${name}`)));
    return {
      text: [...files, ...links].join('\n'),
      hasLink: (path) => orNothing(() => readlinkSync(`/proc/${pid}/root${path}`)) !== '',
    };
  });
}
