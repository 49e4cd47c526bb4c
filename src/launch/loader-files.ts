// The file system of this machine → what the simulated loader may look at.
import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import type { ElfFile } from '../elf/elf-file.ts';
import { readElf } from '../elf/read-elf.ts';
import { errnoOf } from '../errors.ts';
import { isErrno } from '../loader/early-errors.ts';
import type { Errno, LoaderFiles, Probe } from '../loader/loader-files.ts';
import { openFileSource } from '../platform/file-source.ts';

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
      const identity = `${status.dev}:${status.ino}`;
      const key = `${identity}:${status.size}:${status.mtimeMs}:${status.ctimeMs}`;
      const probe = elves.get(key) ?? readProbe(path, identity);
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

function readProbe(path: string, identity: string): Probe {
  // Node opens by bytes as well, whatever its callers say.
  const source = openFileSource(bytesOf(path) as unknown as string);
  try {
    const reading = readElf(source);
    if (reading.kind === 'elf') return { kind: 'elf', elf: reading.file, identity };
    if (reading.kind === 'bad-elf') return { kind: 'bad-elf', why: reading.why, size: source.size, identity };
    return { kind: 'not-elf', size: source.size, identity };
  } finally {
    source.close();
  }
}

/** The ELF file at a path (latin1); undefined for anything else. */
export function elfAt(path: string): ElfFile | undefined {
  const probe = filesOfMachine().probe(path);
  return probe.kind === 'elf' ? probe.elf : undefined;
}
