// A rig → a NixOS-like root directory (no /lib64, no /usr, no /bin/sh) and commands run in it, or beside it on the host.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { bubblewrapArguments, homeInRoot } from './bubblewrap.ts';
import { openNamespace } from './namespace.ts';
import { compileInterpreter, type InterpreterName } from './program-interpreters.ts';
import type { Rig } from './rig.ts';
import { nixConfiguration } from './store/private-nix.ts';

/** How a root is furnished; the same for all commands run in it. */
export interface RootOptions {
  /** The user commands run as: 0, or any other id, which then has no access to the Nix store but by a daemon. */
  readonly uid?: number;
  /** What sits at /lib64/ld-linux-x86-64.so.2: nothing, one of ours, or the file of this path. */
  readonly interpreter?: 'none' | InterpreterName | `/${string}`;
  /** Further paths of the host, visible at the same or another path. */
  readonly binds?: readonly Bind[];
}

/** A path of the host in the root; `to` is the same path when it is left out. */
export interface Bind {
  readonly from: string;
  readonly to?: string;
  readonly mode: 'read-only' | 'read-write';
}

/** One command. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  /** Added to HOME, USER, PATH (the default profile); undefined takes one of these away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Default 60000. */
  readonly timeoutMs?: number;
}

export interface Outcome {
  /** Exit status; null when a signal ended the command. 127 and 126 when it could not be started, as a shell has it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** A root whose /nix, home and /tmp last over several commands, which may run at the same time. */
export interface Root {
  /** HOME, as a path of the host; it is `homeInRoot` in the root. */
  readonly homeDir: string;
  /** What is /nix in the root, as a path of the host. */
  readonly nixDir: string;
  /** Runs a command in the root. */
  run(command: Command): Promise<Outcome>;
  /** Runs a command of the host as root where /nix is this root's: for gcc, gdb, strace ... */
  runOnHost(command: Command): Promise<Outcome>;
  /** Forgets everything. */
  close(): Promise<void>;
}

export { homeInRoot };

/** Opens a private root over the rig. Needs root and bubblewrap, and throws with what to do where it cannot. */
export async function openRoot(rig: Rig, options: RootOptions = {}): Promise<Root> {
  const directory = mkdtempSync(join(tmpdir(), 'nix-run-foreign-root-'));
  chmodSync(directory, 0o755);
  const uid = options.uid ?? 0;
  const homeDir = join(directory, 'home');
  mkdirSync(homeDir);
  chownSync(homeDir, uid, uid);
  mkdirSync(join(directory, 'tmp'));
  chmodSync(join(directory, 'tmp'), 0o1777);
  writeEtc(join(directory, 'etc'), uid);
  const namespace = await openNamespace(rig.nixDir, join(directory, 'nix'));
  const interpreter = await interpreterPath(options.interpreter ?? 'none');
  const settings = { directory, rig, uid, interpreter, binds: options.binds ?? [] };
  return {
    homeDir,
    nixDir: namespace.nixDir,
    run: (command) => {
      const env = { HOME: homeInRoot, USER: uid === 0 ? 'root' : 'tester', PATH: profile, ...command.env };
      const words = ['bwrap', ...bubblewrapArguments(settings, env, command.cwd ?? homeInRoot)];
      const enter = [rig.enterRoot, '3', String(uid), String(uid), ...command.argv];
      return start([...namespace.enter, ...words, '--', ...enter], {}, command);
    },
    runOnHost: (command) => {
      const env = {
        HOME: homeDir,
        PATH: `${profile}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
        NIX_CONF_DIR: join(directory, 'etc', 'nix'),
        ...command.env,
      };
      const words = command.cwd ? ['env', '-C', command.cwd] : [];
      return start([...namespace.enter, ...words, ...command.argv], env, command);
    },
    close: async () => {
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

function writeEtc(directory: string, uid: number): void {
  mkdirSync(join(directory, 'nix'), { recursive: true });
  writeFileSync(join(directory, 'nix', 'nix.conf'), nixConfiguration);
  const user = uid === 0 ? '' : `tester:x:${uid}:${uid}::${homeInRoot}:/noshell\n`;
  const rootHome = uid === 0 ? homeInRoot : '/root';
  writeFileSync(join(directory, 'passwd'), `root:x:0:0::${rootHome}:/noshell\n${user}`);
  writeFileSync(join(directory, 'group'), `root:x:0:\n${uid === 0 ? '' : `tester:x:${uid}:\n`}`);
}

async function interpreterPath(wanted: 'none' | InterpreterName | `/${string}`): Promise<string | undefined> {
  if (wanted === 'none') return undefined;
  return wanted === 'nix-ld' || wanted === 'stub-ld' ? compileInterpreter(wanted) : wanted;
}

async function start(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  command: Command,
): Promise<Outcome> {
  const [file = '', ...args] = words;
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
  const result = await execa(file, args, {
    env: given as Record<string, string>,
    extendEnv: false,
    preferLocal: false,
    reject: false,
    stripFinalNewline: false,
    ...(command.stdin === undefined ? {} : { input: command.stdin }),
    stdio: [command.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
    timeout: command.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 28,
  });
  const [how, number] = String(result.stdio[3] ?? '')
    .trim()
    .split(' ');
  const signal =
    how === 'signal' ? signalName(Number(number)) : (result.signal as NodeJS.Signals | undefined);
  return {
    status: signal ? null : (result.exitCode ?? null),
    signal: signal ?? null,
    stdout: String(result.stdout),
    stderr: String(result.stderr),
    timedOut: result.timedOut,
  };
}

function signalName(number: number): NodeJS.Signals | undefined {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] as NodeJS.Signals | undefined;
}
