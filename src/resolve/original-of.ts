// A file that may be patched already → its original content, where the stages can look at it.
import { chmodSync, rmSync } from 'node:fs';
import path from 'node:path';
import { choicesFile, readChoices, saveChoices } from '../choices/choices-file.ts';
import { isStartableLibrary } from '../elf/classify.ts';
import { elfFileAt, openFileSource } from '../elf/open-elf.ts';
import { packingOf } from '../elf/packed.ts';
import { linksOfProgram, unpin } from '../fingerprint/saved-fingerprints.ts';
import { removeLeftoversOf, temporaryName } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import type { ForeignError } from '../host/errors.ts';
import { makeDirectories } from '../host/files.ts';
import { withLock } from '../host/mutex.ts';
import { fileWord } from '../host/shell-words.ts';
import { copyWithChanges, copyWithUndo } from '../integrations/patch/copy-with-changes.ts';
import { undoneSource } from '../integrations/patch/file-changes.ts';
import { mirrorNeighbours } from '../integrations/patch/patched-copy.ts';
import { readPatchedRecord } from '../integrations/patch/patched-state.ts';
import { readPatched, undoThatFits } from '../integrations/patch/read-patched.ts';
import type { UndoRecord } from '../integrations/patch/undo-record.ts';
import { markDecided, unmarkUndecided } from '../plan/own-decisions.ts';
import { removePlan } from '../plan/plan-files.ts';
import { planKey } from '../plan/plan-format.ts';
import { inspectProgram, type ProgramFile } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { type PatchTarget, patchRefusal } from './patch-target.ts';
import { allDirectories, inWritableDirectories, patchPlaces } from './writable-directories.ts';

export interface Original {
  /** The target itself, or a file with what it was, or one without its set-id bits. */
  readonly file: string;
  /** Where the target is patched: by which farm. */
  readonly patched: { readonly farm: string; readonly undo: UndoRecord } | undefined;
}

export function changedAfterPatching(typedName: string): ForeignError {
  return patchRefusal(
    typedName,
    'it was changed after it was patched (strip? update?)',
    'what it was is not known any more: get it from its vendor again',
    'changed-after-patching',
  );
}

const SET_ID = 0o6000;

/**
 * Mode and time of this very file, but for set-id bits that were taken away since. Of one that was moved only the
 * content is known: it lets nobody do more than now.
 */
function stateOfFile(
  { path: file, stats }: PatchTarget,
  farm: string,
  undo: UndoRecord,
  known: readonly Directories[],
): Original['patched'] {
  const records = known.map((dirs) => readPatchedRecord(dirs, farm));
  const own = records.find((record) => record?.own?.[file] !== undefined)?.own?.[file];
  const now = Number(stats.mode);
  if (own === undefined) return { farm, undo: { ...undo, mode: undo.mode & now } };
  return { farm, undo: { ...undo, mode: own.mode & (now | ~SET_ID), mtime: BigInt(own.mtime) } };
}

/**
 * As `patchedStateOf`, for somebody who compares the content himself; of records that fit by size there may be several.
 * @throws ForeignError `changed-after-patching`.
 */
export function likelyStateOf(target: PatchTarget, known: readonly Directories[]): Original['patched'] {
  const source = openFileSource(target.path);
  try {
    const patched = readPatched(source, known);
    const [undo, ...others] = patched?.undo.filter((each) => undoneSource(source, each) !== undefined) ?? [];
    if (patched !== undefined && undo !== undefined && others.length === 0)
      return stateOfFile(target, patched.farm, undo, known);
  } finally {
    source.close();
  }
  return patchedStateOf(target, known);
}

/** @throws ForeignError `changed-after-patching`. */
export function patchedStateOf(target: PatchTarget, known: readonly Directories[]): Original['patched'] {
  const source = openFileSource(target.path);
  try {
    const patched = readPatched(source, known);
    if (patched === undefined) return undefined;
    const undo = undoThatFits(source, patched);
    if (undo !== undefined) return stateOfFile(target, patched.farm, undo, known);
    throw changedAfterPatching(target.typedName);
  } finally {
    source.close();
  }
}

function fileBeside(target: PatchTarget) {
  removeLeftoversOf(target.path);
  const file = temporaryName(target.path);
  return { file, whole: file };
}

/**
 * `$ORIGIN` is the directory of the original content, so what lies around comes with it. Where no place is known yet,
 * one is made: nobody looks for what would be left in /tmp itself.
 */
async function fileInCache(target: PatchTarget, uid: number, known: readonly Directories[]) {
  const cache = known[0]?.cache ?? (await inWritableDirectories(uid, async (dirs) => dirs.cache));
  makeDirectories(cache);
  const whole = temporaryName(path.join(cache, 'original'));
  return { file: mirrorNeighbours(whole, target.path), whole };
}

/** Choices are kept by the program's path: those of one path become those of another. */
async function carryChoices(from: string, to: string, known: readonly Directories[]): Promise<void> {
  const [there, here] = await Promise.all([
    readChoices(known, from, planKey(from)),
    readChoices(known, to, planKey(to)),
  ]);
  if (JSON.stringify(there?.choices) === JSON.stringify(here?.choices)) return;
  const dirs = known.find((each) => here?.file === choicesFile(each, planKey(to))) ?? known[0];
  if (dirs === undefined) return;
  await withLock(path.join(dirs.locks, planKey(to)), async () => {
    if (there !== undefined) markDecided(dirs, to);
    await saveChoices(dirs, to, planKey(to), there?.choices);
    unmarkUndecided(dirs, to);
  });
}

function forgetFile(file: string, known: readonly Directories[]): void {
  for (const dirs of known) {
    removePlan(dirs, file);
    for (const link of linksOfProgram(dirs, planKey(file))) unpin(link);
    rmSync(choicesFile(dirs, planKey(file)), { force: true });
    unmarkUndecided(dirs, file);
  }
}

type CopyPlace = 'beside' | 'in the cache';

/**
 * Works on a file that `make` makes, which goes afterwards, and what was planned for it. What is chosen for it
 * meanwhile is chosen for the target.
 */
async function withCopy<T>(
  target: PatchTarget,
  { host: { uid } }: Context,
  { where, make }: { readonly where: CopyPlace; make(file: string): void },
  work: (file: string) => Promise<T>,
): Promise<T> {
  const known = await allDirectories(uid);
  const { file, whole } = where === 'beside' ? fileBeside(target) : await fileInCache(target, uid, known);
  try {
    make(file);
    chmodSync(file, Number(target.stats.mode & 0o777n) | 0o500);
    await carryChoices(target.path, file, known);
    const done = await work(file);
    await carryChoices(file, target.path, known);
    return done;
  } finally {
    rmSync(whole, { recursive: true, force: true });
    forgetFile(file, known);
  }
}

/** Works on the original content: that of a copy where the target is patched. */
export async function withOriginal<T>(
  target: PatchTarget,
  context: Context,
  where: CopyPlace,
  work: (original: Original) => Promise<T>,
): Promise<T> {
  const patched = patchedStateOf(target, await patchPlaces(context.host.uid));
  if (patched === undefined) return await work({ file: target.path, patched });
  const make = (file: string) => copyWithUndo(target.path, file, patched.undo);
  return await withCopy(target, context, { where, make }, (file) => work({ file, patched }));
}

/**
 * The same for who resolves it as a start would. What would start with other rights than the caller's is not started
 * by us, so there must be no plan of it; patched it needs none.
 */
export async function withStartable<T>(
  target: PatchTarget,
  context: Context,
  where: CopyPlace,
  work: (original: Original) => Promise<T>,
): Promise<T> {
  const { path: from, stats } = target;
  return await withOriginal(target, context, where, async (original) => {
    const { patched } = original;
    if (patched !== undefined || (Number(stats.mode) & SET_ID) === 0) return await work(original);
    const make = (to: string) =>
      copyWithChanges(from, to, { edits: [], added: undefined }, Number(stats.size));
    return await withCopy(target, context, { where, make }, (file) => work({ file, patched }));
  });
}

/** As a program it would get another interpreter, and its DT_RUNPATH would become a DT_RPATH. */
function refuseStartableLibrary({ typedName, path: file }: PatchTarget, original: string): void {
  const elf = elfFileAt(original);
  if (elf === undefined || !isStartableLibrary(elf)) return;
  const hint = `name a directory with it and the programs that load it: nix-foreign patch --tree ${fileWord(path.dirname(file))}`;
  throw patchRefusal(typedName, 'it is a shared library that can be started too', hint, 'library');
}

/** @throws ForeignError for what is no dynamic program of another Linux. */
export function inspectOriginal(target: PatchTarget, { file }: Original, context: Context): ProgramFile {
  const { typedName } = target;
  refuseStartableLibrary(target, file);
  const program = inspectProgram(file, { ...context.host, libraryPath: undefined });
  const start = `start it as it is: nix-run-foreign ${fileWord(typedName)}`;
  if (program.appImage !== undefined)
    throw patchRefusal(
      typedName,
      'it is an AppImage',
      `${start}, or make a command of it: nix-foreign shim add ${fileWord(typedName)}`,
      'appimage',
    );
  switch (program.kind.kind) {
    case 'script':
      throw patchRefusal(
        typedName,
        'it is a script',
        `${start}, or make a command of it: nix-foreign shim add ${fileWord(typedName)}`,
        'script',
      );
    case 'static':
    case 'static-pie':
      if (isPackedWithNeeds(file))
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

/** True also where it cannot be read what is packed. */
function isPackedWithNeeds(file: string): boolean {
  const packed = packingOf(file);
  return packed !== undefined && packed !== 'static';
}
