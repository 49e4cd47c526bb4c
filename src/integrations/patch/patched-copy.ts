// A verified set and the launcher → a copy of the program that names the launcher as its interpreter, with links to
// what lies around the program; or why the loader would not take it for the same program.
import { chmodSync, lstatSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { APP_IMAGE_MARK, isAppImage } from '../../elf/app-image.ts';
import { findMachine, sameMachine } from '../../elf/machine.ts';
import { elfFileAt, openFileSource } from '../../elf/open-elf.ts';
import type { ByteSource } from '../../elf/reader.ts';
import type { VerifiedSet } from '../../farm/verify-set.ts';
import { temporaryName } from '../../host/atomic-file.ts';
import type { Directories } from '../../host/directories.ts';
import { errnoOf } from '../../host/errors.ts';
import { sha256OfFile, sha256OfText } from '../../host/file-identity.ts';
import { makeDirectories, realPath } from '../../host/files.ts';
import { notice } from '../../host/output.ts';
import { type LoadedObject, verifyByLoader } from '../../ldso/ask-loader.ts';
import { listObjects } from '../../ldso/list-objects.ts';
import { copiesDirectory } from '../../plan/copy-directories.ts';
import { inspectInterpreter } from '../../plan/strategy.ts';
import type { ProgramFile } from '../../program/inspect-program.ts';
import type { Libc } from '../../program/libc.ts';
import type { PlainNames } from '../../program/needed-paths.ts';
import { type InterpreterChanges, interpreterChanges } from './choose-edits.ts';
import { copyWithChanges, sha256OfSource } from './copy-with-changes.ts';
import { type FileEdit, sortedEdits, type Undo, undoneSource, undoOf } from './file-changes.ts';

/** The copy needs libraries by their plain names where the program needs them by paths where nothing is. */
type CopiedProgram = ProgramFile & { readonly plainNames?: PlainNames };

export interface CopyTarget {
  readonly program: CopiedProgram;
  readonly sha256: string;
  readonly set: VerifiedSet;
  readonly libc: Libc;
  /** Path of the launcher; undefined where it is not known. */
  readonly launcher: string | undefined;
  readonly dirs: Directories;
}

/** Lengths of names, with their NUL, that a binfmt_misc rule takes for those of foreign programs (binfmt-rules.ts). */
const FOREIGN_LENGTHS = [19, 27, 28];

/** The copy must not be taken for a foreign program again: a slash more names the same file. */
export function unlikeForeign(launcher: string): string {
  return FOREIGN_LENGTHS.includes(Buffer.byteLength(launcher) + 1) ? unlikeForeign(`/${launcher}`) : launcher;
}

/** Why the launcher cannot be the interpreter of a program, as one clause. */
export function whyUnusable(
  launcher: string | undefined,
  program: Pick<ProgramFile, 'elf'>,
): string | undefined {
  if (launcher === undefined || inspectInterpreter(launcher).kind !== 'launcher')
    return 'there is no launcher that it could name as its interpreter';
  const own = elfFileAt(launcher);
  const machine = program.elf && findMachine(program.elf);
  if (own === undefined || machine === undefined || !sameMachine(own, machine))
    return 'the launcher is for another machine';
  return undefined;
}

/**
 * Why no copy could be made, as far as this shows without making one. What the loader makes of it shows when it is
 * made. @throws Node's errors when the program cannot be read.
 */
export function whyNoCopy({ program, launcher = '', dirs }: CopyTarget): string | undefined {
  const unusable = whyUnusable(launcher, program) ?? whyUnread(program, dirs.shared);
  if (unusable !== undefined) return unusable;
  const found = changesFor(program, unlikeForeign(launcher));
  return found.kind === 'no-room' ? found.why : undefined;
}

/**
 * The copy names the launcher as its interpreter, so it carries nothing else: the launcher finds the plan of the copy,
 * and the libraries in it, even when the copy starts itself again with an empty environment.
 * @throws Node's errors when the place cannot be written.
 */
export async function copyForPlan(target: CopyTarget): Promise<CopyOutcome> {
  const { program, sha256, set, libc, launcher = '', dirs } = target;
  const unusable = whyUnusable(launcher, program);
  if (unusable !== undefined) return { kind: 'impossible', why: unusable };
  const interpreter = unlikeForeign(launcher);
  const copies = copiesDirectory(dirs);
  const outcome = makeCopy({ program, sha256, interpreter, copies, shared: dirs.shared });
  if (outcome.kind === 'impossible') return outcome;
  const why = await whyNotTheSame(outcome.file, set, libc);
  return why === undefined ? outcome : { kind: 'impossible', why };
}

/** A static AppImage as an ordinary program: the copy is started where the program itself would come back to us. */
export function copyOfAppImage(
  program: ProgramFile,
  sha256: string,
  dirs: Directories,
): Extract<CopyOutcome, { kind: 'copied' }> | undefined {
  const request = {
    program,
    sha256,
    interpreter: undefined,
    copies: copiesDirectory(dirs),
    shared: dirs.shared,
  };
  const outcome = makeCopy(request);
  return outcome.kind === 'copied' ? outcome : undefined;
}

export type CopyOutcome =
  | { readonly kind: 'copied'; readonly directory: string; readonly file: string }
  /** `why`: one clause. */
  | { readonly kind: 'impossible'; readonly why: string };

interface CopyRequest {
  readonly program: CopiedProgram;
  readonly sha256: string;
  /** Absolute path of what the copy names as its interpreter; undefined for a static program. */
  readonly interpreter: string | undefined;
  /** Where copies are kept. */
  readonly copies: string;
  /** Whether that is a place for everybody, where a copy is readable to all. */
  readonly shared?: boolean | undefined;
}

/** By content and interpreter; by the program's place too, since the copy has links to what lies around it. */
function keyOf({ program, sha256, interpreter }: CopyRequest): string {
  const names = program.plainNames === undefined ? [] : [[...program.plainNames]];
  return sha256OfText(JSON.stringify([sha256, interpreter, program.path, ...names])).slice(0, 32);
}

/** Whether a copy that is there is the one that was just made anew, byte for byte, and nobody may write to it. */
function isSame(file: string, made: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || (stats.mode & 0o222) !== 0) return false;
  return stats.size === lstatSync(made).size && sha256OfFile(file) === sha256OfFile(made);
}

function changesFor({ path: program, plainNames }: CopiedProgram, interpreter: string | undefined) {
  const source = openFileSource(program);
  try {
    const naming: InterpreterChanges =
      interpreter === undefined
        ? { kind: 'changes', changes: { edits: [], added: undefined } }
        : interpreterChanges(source, interpreter, plainNames);
    if (naming.kind === 'no-room') return naming;
    const { edits, added } = naming.changes;
    const changes = { edits: sortedEdits([...edits, ...appImageEdits(source)]), added };
    return { kind: naming.kind, changes, undo: undoOf(source, changes) };
  } finally {
    source.close();
  }
}

/** Whether the copy without the changes is the program whose content is known. */
function isCopyOf(copy: string, undo: Undo, { sha256, tick }: { sha256: string; tick: () => void }): boolean {
  const source = openFileSource(copy);
  try {
    const before = undoneSource(source, undo);
    return before !== undefined && sha256OfSource(before, tick) === sha256;
  } finally {
    source.close();
  }
}

/** Milliseconds of silence; then it is said what takes so long. */
const SILENCE = 1000;

/** Says once, after a second, that a copy is made. The work blocks, so no timer could. */
function slowNotice({ typedName, size }: ProgramFile): () => void {
  const start = performance.now();
  let isSaid = false;
  return () => {
    if (isSaid || performance.now() - start < SILENCE) return;
    isSaid = true;
    notice(`preparing a copy of ${typedName} (${Math.ceil(size / 1e6)} MB), once`);
  };
}

/** Undefined when the copy is made, else why not. */
function copyTo(target: string, { program, interpreter, sha256 }: CopyRequest): string | undefined {
  const tick = slowNotice(program);
  const found = changesFor(program, interpreter);
  if (found.kind === 'no-room') return found.why;
  copyWithChanges(program.path, target, found.changes, statSync(program.path).size);
  if (!isCopyOf(target, found.undo, { sha256, tick })) return 'the program is being changed';
  chmodSync(target, 0o555);
  return undefined;
}

/** Whatever the umask: the place above it says who may look. */
function makeReadable(directory: string): void {
  makeDirectories(directory, 0o755);
  chmodSync(directory, 0o755);
}

/** Moves a finished directory to its name; a copy of that name stays if it is the same. */
function moveInto(temporary: string, directory: string, isAsGood: () => boolean): void {
  try {
    renameSync(temporary, directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error;
    if (isAsGood()) return;
    const damaged = temporaryName(directory);
    renameSync(directory, damaged);
    rmSync(damaged, { recursive: true, force: true });
    renameSync(temporary, directory);
  }
}

/**
 * Makes the copy anew; one that is there already stays if it is the same, byte for byte. Complete at every instant:
 * made under a temporary name, then renamed. @throws Node's errors when the place cannot be written or the program
 * cannot be read.
 */
export function makeCopy(request: CopyRequest): CopyOutcome {
  const directory = path.join(request.copies, keyOf(request));
  const { path: program } = request.program;
  const file = path.join(directory, path.basename(path.dirname(program)) || 'root', path.basename(program));
  const unread = whyUnread(request.program, request.shared);
  if (unread !== undefined) return { kind: 'impossible', why: unread };
  makeReadable(request.copies);
  const temporary = temporaryName(directory);
  try {
    makeReadable(temporary);
    const made = mirrorNeighbours(temporary, program);
    const why = copyTo(made, request);
    if (why !== undefined) return { kind: 'impossible', why };
    moveInto(temporary, directory, () => isSame(file, made));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return { kind: 'copied', directory, file };
}

/** A directory with more entries is no program's own: /usr/bin, a home. Its entries are not linked. */
const MOST_ENTRIES = 500;

function entriesOf(directory: string, without: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name !== without);
    return names.length > MOST_ENTRIES ? [] : names;
  } catch {
    return [];
  }
}

/**
 * Makes `root/<name of its directory>/` and links there, and in `root`, to everything that lies beside and above the
 * program: `$ORIGIN/lib`, `$ORIGIN/../lib`, resources that are opened by the directory of /proc/self/exe.
 * @returns where the copy of the program belongs.
 */
export function mirrorNeighbours(root: string, program: string): string {
  const directory = path.dirname(program);
  const name = path.basename(program);
  const above = path.dirname(directory);
  const directoryName = path.basename(directory) || 'root';
  const own = path.join(root, directoryName);
  makeDirectories(own, 0o755);
  chmodSync(own, 0o755);
  const link = (from: string, into: string, without: string): void => {
    for (const entry of entriesOf(from, without)) symlinkSync(path.join(from, entry), path.join(into, entry));
  };
  link(directory, own, name);
  if (directory !== '/') link(above, root, directoryName);
  return path.join(own, name);
}

/** Each object by its name and the file behind the links; the loader goes by the name of the program's interpreter. */
function objectTexts(objects: readonly LoadedObject[], loader: string): string {
  return objects
    .filter(({ name, path: file }) => realPath(file ?? name) !== realPath(loader))
    .map(({ name, path: file }) => `${path.basename(name)} ${file === undefined ? '' : realPath(file)}`)
    .join('\n');
}

/** Undefined when the copy is as good as the program, else why not, as one clause. */
export async function whyNotTheSame(
  copy: string,
  { loader, askedPath, objects, verdict }: VerifiedSet,
  libc: Libc,
): Promise<string | undefined> {
  if (verdict === 'loader' && libc.kind === 'glibc' && !verifyByLoader(loader, copy))
    return `${loader} does not take the copy`;
  const request = { loader, libc: libc.kind, libraryPath: askedPath, program: copy };
  const listed = await listObjects(request, libc, verdict);
  if (listed.complaints.length > 0) return `the copy lacks something: ${listed.complaints[0]}`;
  return objectTexts(listed.objects, loader) === objectTexts(objects, loader)
    ? undefined
    : 'the copy would be given other libraries than the program';
}

function whyUnread({ path: program }: ProgramFile, shared: boolean | undefined): string | undefined {
  if (!shared || isReadableByOthers(program)) return undefined;
  return 'others may not read the program, and would read its copy';
}

/** `file`: a real path. The modes' last three bits are all that others have, also under acl(5). */
export function isReadableByOthers(file: string): boolean {
  if ((statSync(file).mode & 0o005) !== 0o005) return false;
  for (let above = path.dirname(file); ; above = path.dirname(above)) {
    if ((statSync(above).mode & 0o001) === 0) return false;
    if (above === path.dirname(above)) return true;
  }
}

/**
 * Clears the mark: glibc's loader refuses a program with it ("ELF file ABI version invalid", elf/dl-load.c,
 * open_verify), and the AppImage itself never looks at it. Empty for every other file.
 */
function appImageEdits(source: ByteSource): readonly FileEdit[] {
  const { offset, size } = APP_IMAGE_MARK;
  return isAppImage(source.read(0, 16))
    ? [{ offset, bytes: new Uint8Array(size), what: 'mark of an AppImage' }]
    : [];
}
