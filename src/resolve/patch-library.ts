// A library of a vendor's tree and the programs' farms → what is written into it so that it finds what the tree lacks.
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { openFileSource } from '../elf/open-elf.ts';
import { readElf } from '../elf/read-elf.ts';
import type { ByteSource } from '../elf/reader.ts';
import { searchesItsOwnDirectory } from '../farm/layout.ts';
import type { Directories } from '../host/directories.ts';
import { type ChosenEdits, chooseEdits } from '../integrations/patch/choose-edits.ts';
import { sha256OfSource } from '../integrations/patch/copy-with-changes.ts';
import { undoneSource, undoOf } from '../integrations/patch/file-changes.ts';
import { LOADER_NAME, runPathWith } from '../integrations/patch/patched-farm.ts';
import { whyNotServed } from '../integrations/patch/prove-patched.ts';
import type { UndoRecord } from '../integrations/patch/undo-record.ts';
import type { WantedNames } from '../integrations/patch/wanted-names.ts';
import { underAnotherName } from '../program/beside.ts';
import { findBundled } from '../program/bundled.ts';
import { runDirectories } from '../program/run-directories.ts';
import { refusedCopy } from './apply-patch.ts';
import type { OutlineGroup } from './farm-of-tree.ts';
import { type Original, patchedStateOf } from './original-of.ts';
import { type PatchTarget, patchRefusal } from './patch-target.ts';
import {
  type EditPlan,
  type PatchOutline,
  provisionalFarm,
  type SharedFarm,
  undoRecord,
} from './plan-patch.ts';

export interface LibraryOutline {
  readonly target: PatchTarget;
  readonly elf: ElfFile;
  /** Of the program whose farm it is to name. */
  readonly base: PatchOutline;
  /** Needed names that the farm has, each with its file. */
  readonly served: ReadonlyMap<string, string>;
  readonly undo: UndoRecord;
  wantedIn(farm: string): WantedNames;
}

type LibraryOutlook =
  | { readonly kind: 'to patch'; readonly outline: LibraryOutline }
  /** It finds all it needs, or what loads it brings the rest. */
  | { readonly kind: 'whole' }
  /** Needed names that neither the tree nor a farm has. */
  | { readonly kind: 'lacking'; readonly names: readonly string[] };

/** What a tree has for its libraries. */
interface TreeSupply {
  /** Programs that name one farm. */
  readonly groups: readonly OutlineGroup[];
  /** Names of its files and sonames of its libraries. */
  readonly names: ReadonlySet<string>;
  readonly known: readonly Directories[];
}

/** Works on the content that the library had before it was patched. */
function withOriginalBytes<T>(
  target: PatchTarget,
  known: readonly Directories[],
  work: (source: ByteSource, patched: Original['patched']) => T,
): T {
  const patched = patchedStateOf(target, known);
  const source = openFileSource(target.path);
  try {
    const before = patched === undefined ? source : undoneSource(source, patched.undo);
    return work(before ?? source, patched);
  } finally {
    source.close();
  }
}

/** Needed names whose file lies beside it under another name, as where links were lost: needed name → file name. */
function renamesOf(elf: ElfFile, file: string, { program }: PatchOutline): Map<string, string> {
  const directories = runDirectories(elf.runpath ?? elf.rpath, file, elf);
  const bundled = findBundled({ path: file, elf }, program.libc.kind);
  const direct = new Set(bundled.flatMap(({ name, linked }) => (linked ? [] : name)));
  const others = elf.needed.flatMap((name): [string, string][] => {
    const found = direct.has(name) ? undefined : underAnotherName(name, directories, elf);
    return found === undefined ? [] : [[name, Buffer.from(path.basename(found)).toString('latin1')]];
  });
  return new Map(others);
}

/** Names of libc and the loader are loaded in every process, and all of glibc is where its loader searches last. */
function isOfProcess(name: string, { program: { libc }, verified }: PatchOutline): boolean {
  if (name === libc.loaderName || /^libc\.(so|musl)/.test(name)) return true;
  return libc.isFamily(name) && libc.kind === 'glibc' && searchesItsOwnDirectory(verified.loader);
}

/** Needed names that its own run path does not lead to. */
function absentNames(elf: ElfFile, file: string, base: PatchOutline): string[] {
  const found = new Set(findBundled({ path: file, elf }, base.program.libc.kind).map(({ name }) => name));
  const isThere = (name: string): boolean => found.has(name) || name.includes('/') || isOfProcess(name, base);
  return elf.needed.filter((name) => !isThere(name));
}

function wantedOf(
  elf: ElfFile,
  { set }: PatchOutline,
  renamed: ReadonlyMap<string, string>,
): (farm: string) => WantedNames {
  // A runpath stays one: it comes behind the user's LD_LIBRARY_PATH, and its libraries do not inherit it.
  const tag = elf.runpath === undefined ? 'rpath' : 'runpath';
  return (farm) => ({
    interpreter: undefined,
    // By it the undo data are found too, where names alone are others.
    runPath: { tag, text: runPathWith(farm, set.directories, elf, 'last') },
    renamed,
    lifted: [],
  });
}

function noRoom({ typedName }: PatchTarget, why: string): Error {
  const hint = 'the programs of the tree find it as before; start those with nix-run-foreign that open it';
  return patchRefusal(typedName, `the library cannot be patched: ${why}`, hint, 'no-room');
}

function chosenEdits(source: ByteSource, wanted: WantedNames, target: PatchTarget): ChosenEdits {
  const choice = chooseEdits(source, wanted, 'auto');
  if (choice.kind === 'chosen') return choice;
  throw noRoom(target, choice.why);
}

function isLike([{ program }]: OutlineGroup, elf: ElfFile): boolean {
  return program.elf.class === elf.class && program.elf.machine === elf.machine;
}

/** What no directory of the library's own has, and the file that each program's farm has for it. */
function servedBy(group: OutlineGroup, elf: ElfFile, file: string, names: ReadonlySet<string>) {
  const [base] = group;
  const links = new Map(group.flatMap(({ set }) => [...set.links]));
  const absent = absentNames(elf, file, base);
  const served = absent.flatMap((name): [string, string][] => {
    const target = name === LOADER_NAME ? undefined : links.get(name);
    return target === undefined ? [] : [[name, target]];
  });
  // What lies elsewhere in the tree is found by what loads the library: the farm's must not come before it.
  const hidden = served.some(([name]) => names.has(name));
  const lacking = absent.filter((name) => !links.has(name) && !names.has(name));
  return { base, served: new Map(served), hidden, lacking };
}

/** @throws ForeignError for what was changed after it was patched, and for one without room. */
export function outlineLibrary(target: PatchTarget, supply: TreeSupply): LibraryOutlook {
  return withOriginalBytes(target, supply.known, (source, patched): LibraryOutlook => {
    const reading = readElf(source);
    if (reading.kind !== 'elf') return { kind: 'whole' };
    const elf = reading.file;
    const bases = supply.groups
      .filter((group) => isLike(group, elf))
      .map((group) => servedBy(group, elf, target.path, supply.names));
    const [best] = bases.sort((a, b) => a.lacking.length - b.lacking.length);
    if (best === undefined) return { kind: 'whole' };
    const { base, served, hidden, lacking } = best;
    if (lacking.length > 0) return { kind: 'lacking', names: lacking };
    const renamed = renamesOf(elf, target.path, base);
    if (hidden || (served.size === 0 && renamed.size === 0)) return { kind: 'whole' };
    const wantedIn = wantedOf(elf, base, renamed);
    const wanted = wantedIn(provisionalFarm(base.kind, base.context, base.dirs));
    const { changes } = chosenEdits(source, wanted, target);
    const inputs = { target, original: { file: target.path, patched } };
    const undo = undoRecord(inputs, undoOf(source, changes), sha256OfSource(source));
    return { kind: 'to patch', outline: { target, elf, base, served, undo, wantedIn } };
  });
}

/** What will be written, with the farm that was reckoned for it. `original`: a file with what it was. */
export function planLibrary(
  { target, base, undo, wantedIn }: LibraryOutline,
  { farm, undos }: SharedFarm,
  original: Original,
): EditPlan {
  const source = openFileSource(original.file);
  try {
    const wanted = wantedIn(farm.path);
    return {
      target,
      original,
      wanted,
      chosen: chosenEdits(source, wanted, target),
      undo,
      undos,
      farm,
      root: base.root,
    };
  } finally {
    source.close();
  }
}

/** Whether the copy finds the farm's files for what the tree lacks; their number. @throws ForeignError. */
export function proveLibrary(plan: EditPlan, { base, served }: LibraryOutline, copy: string): number {
  const why = whyNotServed(copy, base.verified.loader, served);
  if (why !== undefined) throw refusedCopy(plan, why);
  return served.size;
}
