// A machine that is not this one → real ELF files for it, wherever the tests run.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Machine, machineOfSystem, machinesRunBy } from '../../src/elf/machine.ts';
import { inspectProgram, type ProgramFile } from '../../src/program/inspect-program.ts';
import { buildElf, type DynamicDescription } from './build-elf.ts';

const [own] = machinesRunBy(process.arch);

/** Nix brings its packages without a word in nix.conf: as i686 on x86-64, from the cache elsewhere. */
export const OTHER: Machine =
  machineOfSystem(own?.system === 'x86_64-linux' ? 'i686-linux' : 'x86_64-linux') ??
  assert.fail('no machine');

function put(file: string, dynamic: DynamicDescription, interpreter?: string): string {
  const { class: elfClass, byteOrder, machine } = OTHER;
  mkdirSync(path.dirname(file), { recursive: true });
  const parts = { class: elfClass, byteOrder, machine, type: 3, dynamic };
  writeFileSync(
    file,
    buildElf(interpreter === undefined ? parts : { ...parts, interpreter, entry: 0x40_0000 }),
  );
  return file;
}

export function putForeignLibrary(file: string, dynamic: DynamicDescription): string {
  return put(file, dynamic);
}

/** Of glibc. */
export function putForeignProgram(file: string, needed: readonly string[]): ProgramFile {
  put(file, { needed }, OTHER.interpreter);
  chmodSync(file, 0o755);
  return inspectProgram(file, { storeDir: '/nix/store', hostMachines: [OTHER], uid: 0, gid: 0 });
}
