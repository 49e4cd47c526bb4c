// Directories of the running graphics driver → the libraries that they offer; and which names only a driver may serve.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { type MachineKey, sameMachine } from '../elf/machine.ts';
import { elfFileAt } from '../elf/open-elf.ts';

export interface DriverLibrary {
  readonly name: string;
  readonly path: string;
  readonly elf: ElfFile;
}

/**
 * Libraries of a vendor's driver: they must be those of the kernel module that runs. Their loaders (libGL.so.1,
 * libEGL.so.1, libvulkan.so.1, libOpenCL.so.1) are none (libglvnd, README; Vulkan-Loader, LoaderDriverInterface).
 */
const VENDORS_ONLY =
  /^lib(?:cuda(?:debugger)?|nvidia-[^.]+|nvcuvid|nvoptix|nvidia[^.]*|(?:GLX|EGL|vdpau|GLESv1_CM|GLESv2)_nvidia|dxcore|d3d12(?:core)?)\.so/;

/** Drivers of any vendor, Mesa's too: where a driver is installed, its own are taken. */
const OF_DRIVERS = /^lib(?:(?:GLX|EGL|vdpau)_[^.]+|vulkan_[^.]+)\.so/;

/** True for a name that is never to come from the store. `directories`: those of drivers, as far as they are there. */
export function isForDriverOnly(name: string, directories: readonly string[]): boolean {
  return VENDORS_ONLY.test(name) || (directories.length > 0 && OF_DRIVERS.test(name));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => /^lib.*\.so(?:\.|$)/.test(name));
  } catch {
    return [];
  }
}

/** The library of a name for a program's machine; the first directory wins, as for ld.so. */
function findDriverLibrary(
  name: string,
  directories: readonly string[],
  like: MachineKey,
): DriverLibrary | undefined {
  for (const directory of directories) {
    const file = path.join(directory, name);
    const elf = elfFileAt(file);
    if (elf !== undefined && sameMachine(elf, like)) return { name, path: file, elf };
  }
  return undefined;
}

/** Those whose names only a driver may serve, and those among `wanted`. */
export function driverLibraries(
  directories: readonly string[],
  like: MachineKey,
  wanted: ReadonlySet<string>,
): DriverLibrary[] {
  const names = new Set(directories.flatMap(namesIn));
  return [...names]
    .filter((name) => wanted.has(name) || isForDriverOnly(name, directories))
    .sort()
    .flatMap((name) => findDriverLibrary(name, directories, like) ?? []);
}
