// A rig → a NixOS-like root directory (no /lib64, no /usr, no /bin/sh) and commands run in it, or beside it on the host.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bubblewrapArguments, homeInRoot } from './bubblewrap.ts';
import { startDaemon } from './daemon.ts';
import { openNamespace } from './namespace.ts';
import { type InterpreterName, placeInterpreter } from './program-interpreters.ts';
import type { Rig } from './rig.ts';
import { type Command, type CommandLine, type Outcome, runCommand } from './run-command.ts';
import { nixConfiguration } from './store/private-nix.ts';

/** How a root is furnished; the same for all commands run in it. */
export interface RootOptions {
  /** The user commands run as: 0, or any other id, which then has no access to the Nix store but by a daemon. */
  readonly uid?: number;
  /**
   * What sits at /lib64/ld-linux-x86-64.so.2: nothing, one of ours (a link to a store object, as on NixOS), a link to
   * this store path, or the host's file of this path.
   */
  readonly interpreter?: 'none' | InterpreterName | `/${string}`;
  /** With a nix-daemon, users other than root can use the store. */
  readonly daemon?: 'none' | 'running';
  /** What of the root cannot be written, as on a full or read-only disk. */
  readonly readOnly?: readonly ('home' | 'nix' | 'tmp')[];
  /** Further paths of the host, visible at the same or another path. */
  readonly binds?: readonly Bind[];
}

/** A path of the host in the root; `to` is the same path when it is left out. */
export interface Bind {
  readonly from: string;
  readonly to?: string;
  readonly mode: 'read-only' | 'read-write';
}

/** A root whose /nix, home and /tmp last over several commands, which may run at the same time. */
export interface Root {
  /** HOME, as a path of the host; it is `homeInRoot` in the root. */
  readonly homeDir: string;
  /** What is /nix in the root, as a path of the host. */
  readonly nixDir: string;
  /** Runs a command in the root. */
  run(command: Command): Promise<Outcome>;
  /**
   * Runs a command of the host as root where /nix is this root's: for gcc, gdb, strace ... Not for the collector: the
   * links in the root's home are elsewhere there. The command keeps its pid, so real signals reach it.
   */
  runOnHost(command: Command): Promise<Outcome>;
  /** What `run` would start, for tests that hold the process themselves (terminals, pipes, descriptors). */
  wordsOf(command: Command): CommandLine;
  /** The same for `runOnHost`; the process started is the command itself. */
  wordsOnHost(command: Command): CommandLine;
  /** Forgets everything. */
  close(): Promise<void>;
}

export { type Command, type CommandLine, homeInRoot, type Outcome };

/** Opens a private root over the rig. Needs root and bubblewrap, and throws with what to do where it cannot. */
export async function openRoot(rig: Rig, options: RootOptions = {}): Promise<Root> {
  const directory = mkdtempSync(join(tmpdir(), 'nix-run-foreign-root-'));
  try {
    return await furnish(rig, options, directory);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

async function furnish(rig: Rig, options: RootOptions, directory: string): Promise<Root> {
  const uid = options.uid ?? 0;
  const homeDir = join(directory, 'home');
  makeDirectories(directory, uid);
  const namespace = await openNamespace(rig.nixDir, join(directory, 'nix'));
  const interpreter = await placeInterpreter(rig, namespace, options.interpreter ?? 'none', directory);
  const { binds = [], readOnly = [] } = options;
  const settings = { directory, rig, interpreter, binds, readOnly };
  const inRoot = (env: CommandLine['env'], cwd: string) =>
    [...namespace.enter, 'bwrap', ...bubblewrapArguments(settings, env, cwd), '--'] as const;
  const daemonWords = [...inRoot({ NIX_REMOTE: 'local' }, '/'), `${rig.nixBin}/nix-daemon`] as const;
  const daemon =
    options.daemon === 'running'
      ? await startDaemon(namespace, daemonWords).catch(async (error: unknown) => {
          await namespace.close();
          throw error;
        })
      : undefined;
  const wordsOf = (command: Command, statusDescriptor: string): CommandLine => {
    const env = { HOME: homeInRoot, USER: uid === 0 ? 'root' : 'tester', PATH: profile, ...command.env };
    const enter = [rig.enterRoot, statusDescriptor, String(uid), String(uid), ...command.argv];
    return { words: [...inRoot(env, command.cwd ?? homeInRoot), ...enter], env: {} };
  };
  const wordsOnHost = (command: Command): CommandLine => {
    const confDir = join(directory, 'etc', 'nix');
    const env = { HOME: homeDir, PATH: `${hostPath}:${profile}`, NIX_CONF_DIR: confDir, ...command.env };
    const words = command.cwd ? ['env', '-C', command.cwd] : [];
    return { words: [...namespace.enter, ...words, ...command.argv], env };
  };
  return {
    homeDir,
    nixDir: namespace.nixDir,
    run: (command) => runCommand(wordsOf(command, '3'), command, 'status-on-3'),
    runOnHost: (command) => runCommand(wordsOnHost(command), command, 'own-status'),
    wordsOf: (command) => wordsOf(command, '-1'),
    wordsOnHost,
    close: async () => {
      await daemon?.stop();
      await namespace.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Runs one command in a root of its own. */
export async function runInRoot(rig: Rig, command: Command & RootOptions): Promise<Outcome> {
  const root = await openRoot(rig, command);
  try {
    return await root.run(command);
  } finally {
    await root.close();
  }
}

/** Runs one command of the host where /nix is a private copy of the rig's. */
export async function withNix(rig: Rig, command: Command): Promise<Outcome> {
  const root = await openRoot(rig);
  try {
    return await root.runOnHost(command);
  } finally {
    await root.close();
  }
}

const profile = '/nix/var/nix/profiles/default/bin';
const hostPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function makeDirectories(directory: string, uid: number): void {
  chmodSync(directory, 0o755);
  for (const name of ['home', 'tmp']) mkdirSync(join(directory, name));
  chownSync(join(directory, 'home'), uid, uid);
  chmodSync(join(directory, 'tmp'), 0o1777);
  writeEtc(join(directory, 'etc'), uid);
}

function writeEtc(directory: string, uid: number): void {
  mkdirSync(join(directory, 'nix'), { recursive: true });
  writeFileSync(join(directory, 'nix', 'nix.conf'), nixConfiguration);
  const user = uid === 0 ? '' : `tester:x:${uid}:${uid}::${homeInRoot}:/noshell\n`;
  const rootHome = uid === 0 ? homeInRoot : '/root';
  writeFileSync(join(directory, 'passwd'), `root:x:0:0::${rootHome}:/noshell\n${user}`);
  writeFileSync(join(directory, 'group'), `root:x:0:\n${uid === 0 ? '' : `tester:x:${uid}:\n`}`);
}
