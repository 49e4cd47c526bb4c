// A file that may be patched already → its original content, where the stages can look at it.
import { chmodSync, rmSync } from 'node:fs';
import path from 'node:path';
import { openFileSource } from '../elf/open-elf.ts';
import { temporaryName } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { makeDirectories } from '../host/files.ts';
import { copyWithUndo } from '../integrations/patch/copy-with-changes.ts';
import { readPatched, undoThatFits } from '../integrations/patch/read-patched.ts';
import type { UndoRecord } from '../integrations/patch/undo-record.ts';
import { removePlan } from '../plan/plan-files.ts';
import { inspectProgram, type ProgramFile } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { type PatchTarget, patchRefusal } from './patch-target.ts';
import { allDirectories } from './writable-directories.ts';

export interface Original {
  /** The target itself, or a file with what it was. */
  readonly file: string;
  /** Where the target is patched: by which farm. */
  readonly patched: { readonly farm: string; readonly undo: UndoRecord } | undefined;
}

/** @throws ForeignError `changed-after-patching`. */
export function patchedStateOf(target: PatchTarget, known: readonly Directories[]): Original['patched'] {
  const source = openFileSource(target.path);
  try {
    const patched = readPatched(source, known);
    if (patched === undefined) return undefined;
    const undo = undoThatFits(source, patched);
    if (undo !== undefined) return { farm: patched.farm, undo };
    throw patchRefusal(
      target.typedName,
      'it was changed after it was patched (strip? update?)',
      'what it was is not known any more: get it from its vendor again',
      'changed-after-patching',
    );
  } finally {
    source.close();
  }
}

/**
 * Work on the original content; a file made for it goes afterwards, and what was planned for that. It lies beside the
 * target, since `$ORIGIN` is that directory, or in the cache where nothing may be written.
 */
export async function withOriginal<T>(
  target: PatchTarget,
  context: Context,
  where: 'beside' | 'in the cache',
  work: (original: Original) => Promise<T>,
): Promise<T> {
  const known = await allDirectories(context.host.uid);
  const patched = patchedStateOf(target, known);
  if (patched === undefined) return await work({ file: target.path, patched });
  const cache = known[0]?.cache ?? '/tmp';
  if (where === 'in the cache') makeDirectories(cache);
  const beside = where === 'beside' ? target.path : path.join(cache, path.basename(target.path));
  const file = temporaryName(beside);
  try {
    copyWithUndo(target.path, file, patched.undo);
    chmodSync(file, Number(target.stats.mode & 0o777n) | 0o500);
    return await work({ file, patched });
  } finally {
    rmSync(file, { force: true });
    for (const dirs of known) removePlan(dirs, file);
  }
}

const UPX_MARK = 'UPX!';

/** @throws ForeignError for what is no dynamic program of another Linux. */
export function inspectOriginal(target: PatchTarget, { file }: Original, context: Context): ProgramFile {
  const { typedName } = target;
  const program = inspectProgram(file, { ...context.host, libraryPath: undefined });
  const head = () => readHead(file);
  const start = `start it as it is: nix-run-foreign ${typedName}`;
  if (program.appImage !== undefined)
    throw patchRefusal(
      typedName,
      'it is an AppImage',
      `${start}, or make a command of it: nix-foreign shim add ${typedName}`,
      'appimage',
    );
  switch (program.kind.kind) {
    case 'script':
      throw patchRefusal(
        typedName,
        'it is a script',
        `${start}, or make a command of it: nix-foreign shim add ${typedName}`,
        'script',
      );
    case 'static':
    case 'static-pie':
      if (head().includes(UPX_MARK))
        throw patchRefusal(
          typedName,
          'it is packed by UPX',
          `unpack it first: upx -d ${typedName}`,
          'packed',
        );
      throw patchRefusal(
        typedName,
        'it is static and needs no library',
        `nothing is to be done; ${start}`,
        'static',
      );
    case 'already-nix':
      throw patchRefusal(
        typedName,
        'its interpreter lies in the store already',
        `nothing is to be done; ${start}`,
        'already-nix',
      );
    default:
      return { ...program, typedName };
  }
}

function readHead(file: string): Buffer {
  const source = openFileSource(file);
  try {
    return Buffer.from(source.read(0, 1024));
  } finally {
    source.close();
  }
}
