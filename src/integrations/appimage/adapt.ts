// An unpacked AppImage → the same, in which every foreign program names the launcher as its interpreter.
import {
  chmodSync,
  closeSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../../elf/elf-file.ts';
import { findMachine, sameMachine } from '../../elf/machine.ts';
import { elfFileAt, openFileSource } from '../../elf/open-elf.ts';
import { temporaryName } from '../../host/atomic-file.ts';
import { filesBelow } from '../../host/files.ts';
import { inspectInterpreter } from '../../plan/strategy.ts';
import { interpreterChanges } from '../patch/choose-edits.ts';
import { copyWithChanges } from '../patch/copy-with-changes.ts';
import type { FileChanges } from '../patch/file-changes.ts';

export interface Adaptation {
  /** What programs are to name. */
  readonly interpreter: string;
  readonly storeDir: string;
}

/** A program that keeps its own interpreter. `why`: one clause. */
interface Unadapted {
  readonly file: string;
  readonly why: string;
}

/** A program for this machine with a loader of the vendor's Linux. libc.so.6 names one too, and is a library. */
function isForeign(elf: ElfFile, { interpreter, storeDir }: Adaptation): boolean {
  if (elf.interpreter === undefined || elf.interpreter === interpreter) return false;
  if (elf.interpreter.startsWith(`${storeDir}/`) || elf.soname !== undefined) return false;
  // Without its loader's name only this tells that a program is musl's (elf/classify.ts).
  const musl = elf.interpreter.includes('/ld-musl-');
  return !musl || elf.needed.some((soname) => soname.startsWith('libc.musl-'));
}

function write(file: string, edits: readonly { offset: number; bytes: Uint8Array }[]): void {
  const fd = openSync(file, 'r+');
  try {
    for (const { offset, bytes } of edits) writeSync(fd, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(fd);
  }
}

/** For what does not fit: a file that is larger comes in its place. */
function replace(file: string, stats: Stats, changes: FileChanges): void {
  const temporary = temporaryName(file);
  try {
    copyWithChanges(file, temporary, changes, stats.size);
    chmodSync(temporary, stats.mode & 0o7777);
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Undefined when it names the launcher now. */
function adapt(file: string, stats: Stats, { interpreter }: Adaptation): string | undefined {
  const source = openFileSource(file);
  const found = interpreterChanges(source, interpreter);
  source.close();
  if (found.kind === 'no-room') return found.why;
  if ((stats.mode & 0o200) === 0) chmodSync(file, (stats.mode & 0o7777) | 0o200);
  if (found.changes.added === undefined) write(file, found.changes.edits);
  else replace(file, stats, found.changes);
  return undefined;
}

/**
 * The files are ours, so they are changed in place. Whoever starts one, AppRun or another program of the image, then
 * enters the launcher, which finds the program's own plan: the usual pipeline, with the libraries inside first as the
 * program asks for them. @returns the programs that could not be changed. @throws Node's errors.
 */
export function adaptPrograms(directory: string, adaptation: Adaptation): Unadapted[] {
  const launcher = elfFileAt(adaptation.interpreter);
  const usable = inspectInterpreter(adaptation.interpreter).kind === 'launcher';
  const unadapted: Unadapted[] = [];
  for (const { file, kind } of filesBelow(directory)) {
    if (kind !== 'file') continue;
    const stats = lstatSync(file);
    if ((stats.mode & 0o111) === 0) continue;
    const elf = elfFileAt(file);
    if (elf === undefined || !isForeign(elf, adaptation)) continue;
    const machine = findMachine(elf);
    const fits = usable && launcher !== undefined && machine !== undefined && sameMachine(launcher, machine);
    const why = fits ? adapt(file, stats, adaptation) : 'the launcher is for another machine';
    if (why !== undefined) unadapted.push({ file: path.relative(directory, file), why });
  }
  return unadapted;
}
