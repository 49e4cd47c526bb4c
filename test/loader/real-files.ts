// The file system of this machine → what the simulated loader may look at.
import { closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import type { Errno, LoaderFiles, Probe } from '../../src/loader/loader-files.ts';
import { openFileSource } from '../../src/platform/file-source.ts';

/** Paths are latin1, so that no byte of them is lost. */
function bytesOf(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

function statOf(path: string): Stats | undefined {
  return statSync(bytesOf(path), { throwIfNoEntry: false });
}

function errnoOf(error: unknown): Errno {
  return (error as { code: Errno }).code;
}

/** `elves` is kept by the caller: by device, inode, size and times, over many simulations. */
export function realFiles(elves = new Map<string, Probe>()): LoaderFiles {
  const directories = new Map<string, boolean>();
  const probes = new Map<string, Probe>();
  const probeNow = (path: string): Probe => {
    let status: Stats;
    try {
      const fd = openSync(bytesOf(path), constants.O_RDONLY | constants.O_NONBLOCK);
      status = fstatSync(fd);
      closeSync(fd);
    } catch (error) {
      return { kind: 'unopened', errno: errnoOf(error) };
    }
    if (status.isDirectory()) return { kind: 'directory' };
    const identity = `${status.dev}:${status.ino}`;
    const key = `${identity}:${status.size}:${status.mtimeMs}:${status.ctimeMs}`;
    const probe = elves.get(key) ?? readProbe(path, identity);
    elves.set(key, probe);
    return probe;
  };
  return {
    workingDirectory: process.cwd(),
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

function directoryNow(path: string): boolean {
  try {
    return statOf(path)?.isDirectory() ?? false;
  } catch {
    return false;
  }
}

function readProbe(path: string, identity: string): Probe {
  const source = openFileSource(Buffer.from(path, 'latin1') as unknown as string);
  try {
    const reading = readElf(source);
    if (reading.kind === 'elf') return { kind: 'elf', elf: reading.file, identity };
    if (reading.kind === 'bad-elf') return { kind: 'bad-elf', why: reading.why, size: source.size, identity };
    return { kind: 'not-elf', size: source.size, identity };
  } finally {
    source.close();
  }
}

export function elfAt(path: string): ElfFile | undefined {
  const probe = realFiles().probe(path);
  return probe.kind === 'elf' ? probe.elf : undefined;
}
