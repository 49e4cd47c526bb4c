// The process and its machine → everything the stages are told about the machine; made once, at the edge.
import { readlinkSync } from 'node:fs';
import { configurationFiles, readConfiguration } from '../config/load-config.ts';
import { DEFAULTS, type Settings } from '../config/settings.ts';
import { machinesRunBy } from '../elf/machine.ts';
import { debug } from '../host/output.ts';
import type { Strategy } from '../plan/plan-format.ts';
import type { Host } from '../program/inspect-program.ts';
import { findNix, type Nix } from '../store/nix.ts';
import { type StoreLocation, storeLocation } from '../store/store-location.ts';
import { packageOf, realScript } from './own-package.ts';

export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly host: Host;
  readonly location: StoreLocation;
  /** Undefined where no Nix can be found: nothing can be pinned then. */
  readonly nix: Nix | undefined;
  readonly toolVersion: string;
  /** How the launcher found the program, where that is not its real path. */
  readonly found?: string;
  /** The strategy that is asked for now, or was for this program before. */
  readonly requested?: 'auto' | Strategy;
  /** Whether binfmt_misc hands the program to the launcher: then the program itself cannot be started. */
  readonly byBinfmt?: boolean;
  /** The launcher for this machine, if one was built. */
  readonly launcher?: string;
  /** The directory in which each system has its launcher and its audit module, if they were built. */
  readonly modules?: string;
  /** What finds libraries for a program that runs. */
  readonly resolver?: { readonly node: string; readonly script: string };
  /** Whether the program is started afterwards, and not only asked about. */
  readonly isStart?: boolean;
  /** Whether a fingerprint that is there and cannot serve is a failure, whatever the configuration says. */
  readonly strict?: boolean;
  /** Whether libraries that the store lacks are fetched, whatever the configuration says. */
  readonly fetch?: 'always' | 'never';
}

/** Whether what is missing is fetched: by the command line, else by the configuration. */
export function fetchMode(
  { fetch }: Pick<Context, 'fetch'>,
  settings: Pick<Settings, 'fetch' | 'substitute'>,
): Settings['fetch'] {
  return fetch ?? (settings.substitute ? settings.fetch : 'never');
}

/** Of Node's `process` what the context is made from. */
interface Caller {
  readonly env: Context['env'];
  readonly arch: string;
  readonly ppid?: number;
  readonly argv?: readonly string[];
  readonly execPath?: string;
  geteuid?(): number;
  getegid?(): number;
  cwd?(): string;
}

/** The launcher starts us in `/` (plan/NOTES.md); it stays itself where the user is. */
function workingDirectoryOf(process: Caller): string | undefined {
  try {
    const own = process.cwd?.();
    return own === '/' ? readlinkSync(`/proc/${process.ppid}/cwd`) : own;
  } catch {
    return undefined;
  }
}

function besideScript(caller: Caller): Pick<Context, 'launcher' | 'modules' | 'resolver'> {
  const script = realScript(caller.argv?.[1]);
  if (script === undefined) return {};
  const { launcher, modules } = packageOf(script, caller.arch);
  return {
    launcher,
    modules,
    ...(caller.execPath === undefined ? {} : { resolver: { node: caller.execPath, script } }),
  };
}

/**
 * Adds what the configuration says of the machine. A broken one is told of where a setting of it is used.
 */
export async function withDriverDirectories(context: Context): Promise<Context> {
  let driverDirectories = DEFAULTS['driver-directories'];
  try {
    const { settings } = await readConfiguration(await configurationFiles(context.host), {});
    driverDirectories = settings['driver-directories'];
  } catch (error) {
    debug(`the directories of drivers are the usual ones: ${String(error)}`);
  }
  return { ...context, host: { ...context.host, driverDirectories } };
}

/** Gathers the context from a process. `passedOver`: of its environment. */
export function contextOf(process: Caller, toolVersion: string, passedOver: Context['env'] = {}): Context {
  const location = storeLocation(process.env);
  return {
    ...besideScript(process),
    env: process.env,
    host: {
      storeDir: location.storeDir,
      hostMachines: machinesRunBy(process.arch),
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
      libraryPath: process.env['LD_LIBRARY_PATH'],
      workingDirectory: workingDirectoryOf(process),
      passedOver,
    },
    location,
    nix: findNix(process.env),
    toolVersion,
  };
}
