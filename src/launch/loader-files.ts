// The file system of this machine → what the simulated loader may look at.
import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { isErrno } from '../loader/early-errors.ts';
import type { Errno, LoaderFiles, Probe } from '../loader/loader-files.ts';
import { readElfOnce } from '../store/read-elf-file.ts';

/** Paths are latin1, so that no byte of them is lost. */
function bytesOf(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

/** The rare others end a list of directories as EIO does. */
function loaderErrno(error: unknown): Errno {
  const errno = errnoOf(error) ?? 'EIO';
  return isErrno(errno) ? errno : 'EIO';
}

/**
 * What lies on this machine, each path looked at once. `elves` is kept by the caller: by device, inode, size and
 * times, over many simulations.
 */
export function filesOfMachine(elves = new Map<string, Probe>()): LoaderFiles {
  const directories = new Map<string, boolean>();
  const probes = new Map<string, Probe>();
  const probeNow = (path: string): Probe => {
    try {
      const status = statusOf(path);
      if (status.isDirectory()) return { kind: 'directory' };
      const key = `${identityOf(status)}:${status.size}:${status.mtimeMs}:${status.ctimeMs}`;
      const probe = elves.get(key) ?? readProbe(path, status);
      elves.set(key, probe);
      return probe;
    } catch (error) {
      return { kind: 'unopened', errno: loaderErrno(error) };
    }
  };
  return {
    workingDirectory: workingDirectory(),
    probe(path) {
      const probe = probes.get(path) ?? probeNow(path);
      probes.set(path, probe);
      return probe;
    },
    isDirectory(path) {
      const known = directories.get(path) ?? directoryNow(path);
      directories.set(path, known);
      return known;
    },
  };
}

/** One that is gone is nowhere (getcwd(2), ENOENT). */
function workingDirectory(): string {
  try {
    return Buffer.from(process.cwd()).toString('latin1');
  } catch {
    return '/';
  }
}

/** Opened and not only looked at: the loader opens too. @throws Node's errno errors. */
function statusOf(path: string): Stats {
  const fd = openSync(bytesOf(path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

function directoryNow(path: string): boolean {
  try {
    return statSync(bytesOf(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}

/** @throws Node's errno errors. */
function readProbe(path: string, status: Stats): Probe {
  // Node opens by bytes as well, whatever its callers say.
  const reading = readElfOnce(bytesOf(path) as unknown as string);
  const identity = identityOf(status);
  const size = status.isFile() ? status.size : 0;
  switch (reading.kind) {
    case 'unreadable':
      throw reading.error;
    case 'elf':
      return { kind: 'elf', elf: reading.file, identity };
    case 'bad-elf':
      return { kind: 'bad-elf', why: reading.why, size, identity };
    case 'not-elf':
      return { kind: 'not-elf', size, identity };
  }
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
