// A program and what the user wants of its patching → everything that would be written, and nothing written yet.

import path from 'node:path';
import { findMachine } from '../elf/machine.ts';
import { openFileSource } from '../elf/open-elf.ts';
import { hintOfVanished, whyVanished } from '../farm/vanished.ts';
import { layOutAndVerify, type VerifiedSet } from '../farm/verify-set.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import type { Directories } from '../host/directories.ts';
import { sha256OfText } from '../host/file-identity.ts';
import { fileWord } from '../host/shell-words.ts';
import {
  type ChosenEdits,
  chooseEdits,
  type EditChoice,
  type Method,
} from '../integrations/patch/choose-edits.ts';
import { sha256OfSource } from '../integrations/patch/copy-with-changes.ts';
import { changedSource, type FileChanges, type Undo, undoOf } from '../integrations/patch/file-changes.ts';
import { unlikeForeign, whyUnusable } from '../integrations/patch/patched-copy.ts';
import {
  farmPlace,
  LOADER_NAME,
  type PatchedSet,
  patchedSet,
  runPathWith,
  withoutNeighbours,
} from '../integrations/patch/patched-farm.ts';
import { patchedDirectory } from '../integrations/patch/patched-state.ts';
import { farmByContent, UNDO_NAME } from '../integrations/patch/read-patched.ts';
import { type UndoRecord, undoText } from '../integrations/patch/undo-record.ts';
import { interpreterOnly, type WantedNames } from '../integrations/patch/wanted-names.ts';
import { fixedPath } from '../store/fixed-path.ts';
import { directoryNode, type NarNode, narOf } from '../store/nix-archive.ts';
import type { Context } from './context.ts';
import { type DynamicProgram, dynamicOf, verdictOf } from './job.ts';
import { inspectOriginal, type Original } from './original-of.ts';
import { LAUNCHER_REMEDY, launcherForMachine } from './own-package.ts';
import { type PatchTarget, patchRefusal } from './patch-target.ts';
import { savedFingerprintOfProgram } from './program-fingerprint.ts';

export interface PatchManner {
  readonly method: Method | 'auto';
  readonly rename: boolean;
  readonly lift: boolean;
  /** The loader's own path as the interpreter, not the farm's link to it. */
  readonly plain: boolean;
  /** DT_RUNPATH: the user's LD_LIBRARY_PATH comes first. */
  readonly usersFirst: boolean;
}

/** The farm that the program will name, wherever it is made; by `interpreter` only we find it, by the content. */
export interface FarmToMake {
  readonly kind: 'store' | 'directory';
  readonly path: string;
  readonly leaves: ReadonlyMap<string, NarNode>;
  readonly references: readonly string[];
  readonly nar: Uint8Array;
}

/** What is written into one file. */
export interface EditPlan {
  readonly target: PatchTarget;
  readonly original: Original;
  readonly wanted: WantedNames;
  readonly chosen: ChosenEdits;
  readonly undo: UndoRecord;
  /** Of every program that names the farm. */
  readonly undos: readonly UndoRecord[];
  readonly farm: FarmToMake;
  /** The plan's root, which holds the set until the farm has one. */
  readonly root: string;
}

export interface PatchPlan extends EditPlan {
  readonly program: DynamicProgram;
  readonly fingerprint: Fingerprint;
  readonly verified: VerifiedSet;
  readonly set: PatchedSet;
}

const FARM_NAME = 'f';

interface PatchInputs {
  readonly target: PatchTarget;
  readonly original: Original;
  readonly manner: PatchManner;
  readonly context: Context;
  readonly dirs: Directories;
}

interface FarmNaming {
  readonly program: DynamicProgram;
  readonly set: PatchedSet;
  readonly loader: string;
  readonly manner: PatchManner;
}

function wantedWith(farm: string, { program, set, loader, manner }: FarmNaming): WantedNames {
  const raw = (text: string) => Buffer.from(text).toString('latin1');
  return {
    interpreter: raw(manner.plain ? loader : path.join(farm, LOADER_NAME)),
    runPath: {
      tag: manner.usersFirst ? 'runpath' : 'rpath',
      text: runPathWith(farm, set.directories, program.elf, farmPlace(program)),
    },
    renamed: set.renamed,
    // ld.so looks for these too in LD_LIBRARY_PATH before it looks in a DT_RUNPATH.
    lifted: manner.lift ? set.transitive : [],
  };
}

function refusalOf({ typedName }: PatchTarget, choice: Exclude<EditChoice, ChosenEdits>): Error {
  const { why, payload } = choice;
  const about =
    payload === undefined ? '' : `, and ${payload.bytes} bytes are appended to it (${payload.kind})`;
  const hint =
    payload === undefined
      ? `start it as it is: nix-run-foreign ${fileWord(typedName)}, or make a command of it: nix-foreign shim add ${fileWord(typedName)}`
      : `let it name the launcher only: nix-foreign patch ${fileWord(typedName)} --method interpreter; or try whether it bears more: --method append --try=--version`;
  return patchRefusal(typedName, `it cannot be patched: ${why}${about}`, hint, 'no-room');
}

function choose(
  file: string,
  wanted: WantedNames,
  manner: PatchManner,
): { choice: EditChoice; undo: ReturnType<typeof undoOf> | undefined } {
  const source = openFileSource(file);
  try {
    const choice = chooseEdits(source, wanted, manner.method);
    return { choice, undo: choice.kind === 'chosen' ? undoOf(source, choice.changes) : undefined };
  } finally {
    source.close();
  }
}

function leavesOf(
  links: ReadonlyMap<string, string>,
  undos: readonly UndoRecord[],
  [name, fingerprints]: readonly [string, string],
): Map<string, NarNode> {
  const nodes = [...links].map(([link, target]): [string, NarNode] => [link, { kind: 'link', target }]);
  const file = (text: string): NarNode => ({ kind: 'file', content: Buffer.from(text) });
  return new Map([...nodes, [UNDO_NAME, file(undoText(undos))], [name, file(fingerprints)]]);
}

/** Where Nix can be asked the farm becomes a store object, else a directory of ours. */
function farmKind({ nix, location }: Context): FarmToMake['kind'] {
  return nix === undefined || !location.storeDir.startsWith('/') ? 'directory' : 'store';
}

/** As long as the farm's path will be. */
export function provisionalFarm(kind: FarmToMake['kind'], context: Context, dirs: Directories): string {
  const zeros = '0'.repeat(32);
  return kind === 'store'
    ? `${context.location.storeDir}/${zeros}-${FARM_NAME}`
    : path.join(patchedDirectory(dirs), zeros, 'farm');
}

function farmOf(
  kind: FarmToMake['kind'],
  leaves: Map<string, NarNode>,
  references: readonly string[],
  { context, dirs }: PatchInputs,
): FarmToMake {
  const nar = narOf(directoryNode(leaves));
  const file =
    kind === 'store'
      ? fixedPath(context.location.storeDir, FARM_NAME, nar, references)
      : path.join(patchedDirectory(dirs), sha256OfText(nar.toString('latin1')).slice(0, 32), 'farm');
  return { kind, path: file, leaves, references, nar };
}

/** By method `interpreter` the file names the launcher, which has to be there. @throws ForeignError `no-launcher`. */
function launcherFor({ target, context }: PatchInputs, program: DynamicProgram): string {
  const launcher = launcherForMachine(context, program.elf);
  const why = whyUnusable(launcher, program);
  if (why === undefined && launcher !== undefined) return unlikeForeign(launcher);
  throw patchRefusal(
    target.typedName,
    `it cannot be given another interpreter: ${why}`,
    LAUNCHER_REMEDY,
    'no-launcher',
  );
}

function contentAfter(file: string, changes: FileChanges): string {
  const source = openFileSource(file);
  try {
    return sha256OfSource(changedSource(source, changes));
  } finally {
    source.close();
  }
}

function foundByContent(
  farm: FarmToMake,
  { original, dirs }: PatchInputs,
  { changes }: ChosenEdits,
): FarmToMake {
  return { ...farm, kind: 'directory', path: farmByContent(dirs, contentAfter(original.file, changes)) };
}

async function setOf(inputs: PatchInputs, program: DynamicProgram) {
  const { target, original, context, dirs, manner } = inputs;
  const { saved } = await savedFingerprintOfProgram(original.file, context);
  const { fingerprint } = saved;
  const verified = await layOutAndVerify(fingerprint, program, dirs.farms, {
    verdict: verdictOf(program, context),
  });
  if (verified.kind === 'vanished')
    throw patchRefusal(target.typedName, whyVanished(verified), hintOfVanished(verified), 'vanishing');
  if (verified.kind === 'rejected')
    throw patchRefusal(
      target.typedName,
      `the loader refuses the set: ${verified.complaints[0] ?? 'no reason given'}`,
      `choose another: nix-foreign choose ${fileWord(target.typedName)}`,
      'rejected',
    );
  const facts = { program, storeDir: context.location.storeDir };
  const set = patchedSet(facts, fingerprint, verified, { rename: manner.rename });
  return { fingerprint, verified, set, root: saved.file };
}

/** Modes and times are those of the file that was first. */
export function undoRecord(
  { target: { stats }, original: { patched } }: Pick<PatchInputs, 'target' | 'original'>,
  undo: Undo,
  sha256: string,
): UndoRecord {
  const mode = patched?.undo.mode ?? Number(stats.mode & 0o7777n);
  return { ...undo, sha256, mode, mtime: patched?.undo.mtime ?? stats.mtimeNs };
}

/** A program that can be patched, before its farm is known: what that holds depends on the length of its path only. */
export interface PatchOutline extends PatchInputs {
  readonly program: DynamicProgram;
  readonly fingerprint: Fingerprint;
  readonly verified: VerifiedSet;
  readonly set: PatchedSet;
  readonly root: string;
  readonly undo: UndoRecord;
  readonly kind: FarmToMake['kind'];
  /** What is named in the file when the farm is at this path. */
  wantedIn(farm: string): WantedNames;
  /** By the length of the farm's path. */
  readonly first: ChosenEdits;
}

/**
 * Resolves the program as a start would, and reckons the patch with a path of the farm's length.
 * @throws ForeignError for what cannot be patched; those of planning.
 */
export async function outlinePatch(
  inputs: PatchInputs,
  kind = farmKind(inputs.context),
): Promise<PatchOutline> {
  const { target, original, manner, context, dirs } = inputs;
  const program = dynamicOf(inspectOriginal(target, original, context));
  if (program === undefined || findMachine(program.elf) === undefined)
    throw patchRefusal(target.typedName, 'it is no dynamic program', 'start it as it is', 'not-dynamic');
  const found = await setOf(inputs, program);
  const isInterpreter = manner.method === 'interpreter';
  const launched = isInterpreter ? interpreterOnly(launcherFor(inputs, program)) : undefined;
  const naming = { program, set: found.set, loader: found.verified.loader, manner };
  const wantedIn = (farm: string) => launched ?? wantedWith(farm, naming);
  const { choice, undo } = choose(original.file, wantedIn(provisionalFarm(kind, context, dirs)), manner);
  if (choice.kind !== 'chosen' || undo === undefined)
    throw refusalOf(target, choice as Exclude<EditChoice, ChosenEdits>);
  const set = withoutNeighbours(found.set, { renamed: naming.set.renamed, lifted: choice.lifted });
  const record = undoRecord(inputs, undo, found.fingerprint.program.sha256);
  return { ...inputs, ...found, set, program, kind, wantedIn, undo: record, first: choice };
}

/** A farm for several programs of a tree, and what makes each of them what it was. */
export interface SharedFarm {
  readonly farm: FarmToMake;
  readonly undos: readonly UndoRecord[];
}

/** One farm for all, whose links must agree. `libraries`: of the tree, which name the farm too. */
export async function farmFor(
  outlines: readonly [PatchOutline, ...PatchOutline[]],
  libraries: readonly UndoRecord[] = [],
): Promise<SharedFarm> {
  const [first] = outlines;
  const { canonicalText } = await import('../fingerprint/fingerprint.ts');
  const { treeText } = await import('../fingerprint/tree-file.ts');
  const documents = outlines.map(({ fingerprint: { choices: _, ...document } }) => ({
    sha256: document.program.sha256,
    text: canonicalText(document),
  }));
  const all = [...outlines.map(({ undo }) => undo), ...libraries];
  const undos = [...new Map(all.map((undo) => [undo.sha256, undo])).values()];
  const links = new Map(outlines.flatMap(({ set }) => [...set.links]));
  const fingerprints: [string, string] =
    outlines.length === 1
      ? ['fingerprint.json', documents[0]?.text ?? '']
      : ['fingerprints.json', treeText([...new Map(documents.map((each) => [each.sha256, each])).values()])];
  const references = [...new Set(outlines.flatMap(({ set }) => set.references))].sort();
  const farm = farmOf(first.kind, leavesOf(links, undos, fingerprints), references, first);
  return {
    farm: first.manner.method === 'interpreter' ? foundByContent(farm, first, first.first) : farm,
    undos,
  };
}

/** What will be written, with the farm that was reckoned for it. @throws ForeignError. */
function finishPatch(outline: PatchOutline, { farm, undos }: SharedFarm): PatchPlan {
  const { target, original, manner, program, fingerprint, verified, set, root, undo } = outline;
  const wanted = outline.wantedIn(farm.path);
  const { choice } = choose(original.file, wanted, manner);
  if (choice.kind !== 'chosen') throw refusalOf(target, choice);
  return {
    target,
    original,
    program,
    fingerprint,
    verified,
    set,
    wanted: { ...wanted, lifted: choice.lifted },
    chosen: choice,
    undo,
    undos,
    farm,
    root,
  };
}

/** `shared`: the tree's, where this program has a part in it. @throws ForeignError for what cannot be patched. */
export async function planPatch(
  inputs: PatchInputs,
  { kind, shared }: { kind?: FarmToMake['kind']; shared?: SharedFarm | undefined } = {},
): Promise<PatchPlan> {
  const outline = await outlinePatch(inputs, kind);
  const own = undoText([outline.undo]);
  const isIn = kind === undefined && shared?.undos.some((undo) => undoText([undo]) === own);
  return finishPatch(outline, shared !== undefined && isIn ? shared : await farmFor([outline]));
}
