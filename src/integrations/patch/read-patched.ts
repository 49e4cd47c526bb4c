// A file → whether it is patched, by which farm, and what makes it again what it was.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readElf } from '../../elf/read-elf.ts';
import type { ByteSource } from '../../elf/reader.ts';
import type { Directories } from '../../host/directories.ts';
import { sha256OfSource } from './copy-with-changes.ts';
import { undoneSource } from './file-changes.ts';
import { LOADER_NAME } from './patched-farm.ts';
import { patchedDirectory, readPatchedRecord } from './patched-state.ts';
import { readUndoText, type UndoRecord } from './undo-record.ts';

/** The launcher's file name. */
const LAUNCHER_NAME = 'nix-run-foreign';

/** In the farm. */
export const UNDO_NAME = 'undo';

interface PatchedFile {
  readonly farm: string;
  /** Of every file that names the farm. */
  readonly undo: readonly UndoRecord[];
}

function undoIn(farm: string): UndoRecord[] | undefined {
  try {
    return readUndoText(readFileSync(path.join(farm, UNDO_NAME), 'utf8'));
  } catch {
    return undefined;
  }
}

function undoFor(farm: string, places: readonly Directories[]): readonly UndoRecord[] | undefined {
  const inState = places.map((dirs) => readPatchedRecord(dirs, farm)).find((each) => each !== undefined);
  return undoIn(farm) ?? (inState && readUndoText(inState.undo));
}

/** What the file names that may be a farm, the likeliest first. ELF strings are bytes as latin1. */
export function farmsNamedBy(source: ByteSource): string[] {
  const reading = readElf(source);
  if (reading.kind !== 'elf') return [];
  const { interpreter, runpath, rpath } = reading.file;
  const byLoader =
    interpreter !== undefined && path.basename(interpreter) === LOADER_NAME
      ? [path.dirname(interpreter)]
      : [];
  const named = [...byLoader, ...(runpath ?? rpath ?? '').split(':')].map((each) =>
    Buffer.from(each, 'latin1').toString(),
  );
  return [...new Set(named)].filter((each) => path.isAbsolute(each));
}

/** A file that names the launcher only is told by its content. */
export function farmByContent(dirs: Pick<Directories, 'state'>, sha256: string): string {
  return path.join(patchedDirectory(dirs), sha256.slice(0, 32), 'farm');
}

/** Whether the launcher is its interpreter: then nothing in the file says where its undo data are. */
function namesLauncher(source: ByteSource): boolean {
  const reading = readElf(source);
  if (reading.kind !== 'elf') return false;
  return path.basename(reading.file.interpreter ?? '') === LAUNCHER_NAME;
}

/** All that may be the file's farm, the likeliest first. */
export function farmsOf(source: ByteSource, all: readonly Pick<Directories, 'state'>[]): string[] {
  const named = farmsNamedBy(source);
  if (!namesLauncher(source)) return named;
  const sha256 = sha256OfSource(source);
  return [...named, ...all.map((dirs) => farmByContent(dirs, sha256))];
}

/** Undefined for a file that names no farm that can be undone. */
export function readPatched(source: ByteSource, places: readonly Directories[]): PatchedFile | undefined {
  for (const farm of farmsOf(source, places)) {
    const undo = undoFor(farm, places);
    if (undo !== undefined) return { farm, undo };
  }
  return undefined;
}

/** The record that gives the old content, byte for byte; undefined where the file was changed after patching. */
export function undoThatFits(source: ByteSource, { undo }: PatchedFile): UndoRecord | undefined {
  return undo.find((each) => {
    const before = undoneSource(source, each);
    return before !== undefined && sha256OfSource(before) === each.sha256;
  });
}
