// A rig and a private directory → a mount namespace in which /nix is the rig's, with every change kept aside.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';

/** A mount namespace that lives until `close`, or until this process ends, however it ends. */
export interface Namespace {
  /** Words to put before a command that shall run in it; the command keeps its pid, descriptors and signals. */
  readonly enter: readonly [string, ...string[]];
  /** The directory that is /nix in there, as a path of this process. */
  readonly nixDir: string;
  close(): Promise<void>;
}

// Changes are kept in memory: an overlay cannot keep them on another overlay (a container's /tmp), and each request to
// Nix waits for the disk.
const script = `
mount -t tmpfs rig-nix "$2" && mkdir "$2/upper" "$2/work" || exit
mount -t overlay rig-nix -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" /nix && echo ready && exec cat`;

/**
 * Mounts an overlay at /nix: reads come from `lower`, which is never written; `directory` is where writes
 * are mounted.
 * Needs root. Throws with the kernel's reason when it cannot be mounted.
 */
export async function openNamespace(lower: string, directory: string): Promise<Namespace> {
  if (process.getuid?.() !== 0) {
    throw new Error('these tests mount a /nix of their own: run them as root, e.g. `sudo npm test`');
  }
  mkdirSync(directory, { recursive: true });
  mkdirSync('/nix', { recursive: true });
  // The holder ends when its stdin does, so nothing stays mounted after a killed test.
  const holder = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', lower, directory], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(holder, 'exit');
  let complaint = '';
  holder.stderr.on('data', (text) => {
    complaint += text;
  });
  const ready = await Promise.race([once(holder.stdout, 'data'), exited.then(() => undefined)]);
  if (!ready) throw new Error(`no overlay of the rig's store can be mounted here: ${complaint.trim()}`);
  holder.unref();
  for (const stream of [holder.stdin, holder.stdout, holder.stderr]) unrefStream(stream);
  return {
    enter: ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`, '--'],
    nixDir: `/proc/${holder.pid}/root/nix`,
    close: async () => {
      holder.ref();
      holder.stdin.end();
      await exited;
    },
  };
}

/** An open pipe must not keep the test process alive: a test that forgets to close would hang. */
function unrefStream(stream: unknown): void {
  if (stream && typeof stream === 'object' && 'unref' in stream && typeof stream.unref === 'function')
    stream.unref();
}
