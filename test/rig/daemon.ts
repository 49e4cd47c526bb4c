// A namespace → a nix-daemon that serves its store to users other than root.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Namespace } from './namespace.ts';

export interface Daemon {
  stop(): Promise<void>;
}

/**
 * Runs `words`, which start nix-daemon in a root, so that it sees the roots' links in the home directory there, and
 * waits for its socket. The words set NIX_REMOTE=local: without it a daemon may connect to itself and fork without
 * end. It ends with this process (bwrap --die-with-parent), however that ends. Throws with what it said when it ends, or
 * has no socket after `limitMs`.
 */
export async function startDaemon(
  namespace: Pick<Namespace, 'nixDir'>,
  words: readonly [string, ...string[]],
  limitMs = 30_000,
): Promise<Daemon> {
  const sockets = join(namespace.nixDir, 'var', 'nix', 'daemon-socket');
  mkdirSync(sockets, { recursive: true });
  const watcher = watch(sockets);
  const [file, ...args] = words;
  const process = spawn(file, args, { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(process, 'exit');
  let complaint = '';
  process.stderr.on('data', (text) => {
    complaint += text;
  });
  const limit = AbortSignal.timeout(limitMs);
  const tooLate = once(limit, 'abort').then(() => 'too late' as const);
  try {
    while (!existsSync(join(sockets, 'socket'))) {
      const happened = await Promise.race([
        once(watcher, 'change'),
        exited.then(() => 'exit' as const),
        tooLate,
      ]);
      if (happened === 'exit') throw new Error(`nix-daemon ended: ${complaint}`);
      if (happened !== 'too late') continue;
      process.kill('SIGKILL');
      throw new Error(`nix-daemon has no socket after ${limitMs} ms: ${complaint || 'it said nothing'}`);
    }
  } finally {
    watcher.close();
  }
  process.unref();
  return {
    stop: async () => {
      process.ref();
      process.kill('SIGKILL');
      await exited;
    },
  };
}
