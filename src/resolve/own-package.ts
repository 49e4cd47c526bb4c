// The script that Node was started with → the other files of its package: launchers, audit modules, shell hooks.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { findMachine, type MachineKey, machinesRunBy, sameMachine } from '../elf/machine.ts';

const LAUNCHER = 'nix-run-foreign';

/** What to do where it is not there. */
export const LAUNCHER_REMEDY =
  'install nix-run-foreign again; in a checkout, with gcc or clang: npm run build';

export interface OwnPackage {
  /** The launcher for this machine; the path that it would have where there is none. */
  readonly launcher: string;
  /** The directory in which each system has its launcher and its audit module. */
  readonly modules: string;
  readonly shellHooks: string;
}

interface LauncherPlaces {
  readonly launcher?: string;
  readonly modules?: string;
  readonly host: { readonly hostMachines: readonly MachineKey[] };
}

/** The launcher for programs of a machine. Undefined where the package has none. */
export function launcherForMachine(
  { launcher, modules, host }: LauncherPlaces,
  key: MachineKey | undefined,
): string | undefined {
  const [own] = host.hostMachines;
  if (key !== undefined && own !== undefined && sameMachine(own, key)) return launcher;
  const machine = key && findMachine(key);
  if (machine === undefined || modules === undefined) return undefined;
  const file = path.join(modules, machine.system, LAUNCHER);
  return existsSync(file) ? file : undefined;
}

/** A checkout has the launcher of its own machine in bin/. `arch` as Node says. */
export function packageOf(script: string, arch: string): OwnPackage {
  const modules = path.dirname(script);
  const top = path.dirname(modules);
  const ofCheckout = path.join(top, 'bin', LAUNCHER);
  const [own] = machinesRunBy(arch);
  return {
    launcher: existsSync(ofCheckout) ? ofCheckout : path.join(modules, own?.system ?? arch, LAUNCHER),
    modules,
    shellHooks: path.join(top, 'shell-hooks'),
  };
}

/** Where npm or a checkout has put a script that is started by a link. Undefined for one that is not there. */
export function realScript(script: string | undefined): string | undefined {
  try {
    return realpathSync(script ?? '');
  } catch {
    return undefined;
  }
}
