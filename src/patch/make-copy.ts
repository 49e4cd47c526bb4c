// A program and the interpreter it shall have → a copy on disk that differs from it in that name only.
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { Program } from '../candidates/program.ts';
import { errnoOf } from '../errors.ts';
import { temporaryName } from '../platform/atomic-file.ts';
import { sha256OfFile, sha256OfText } from '../platform/content-hash.ts';
import { openFileSource } from '../platform/file-source.ts';
import { appImageEdits } from './app-image-edits.ts';
import { type InterpreterEdits, interpreterEdits } from './interpreter-edits.ts';
import { mirrorNeighbours } from './mirror.ts';
import { patchWithPatchelf } from './patchelf.ts';
import { isReadableByOthers } from './readable-by-others.ts';

export type CopyOutcome =
  | { readonly kind: 'copied'; readonly directory: string; readonly file: string }
  /** `why`: one clause. */
  | { readonly kind: 'impossible'; readonly why: string };

export interface CopyRequest {
  readonly program: Program;
  readonly sha256: string;
  /** Absolute path of what the copy names as its interpreter; undefined for a static program. */
  readonly interpreter: string | undefined;
  /** Where copies are kept. */
  readonly copies: string;
  /** Whether that is a place for everybody, where a copy is readable to all. */
  readonly shared?: boolean | undefined;
  /** PATH, to look for patchelf in. */
  readonly searchPath: string | undefined;
}

/** By content and interpreter; by the program's place too, since the copy has links to what lies around it. */
function keyOf({ program, sha256, interpreter }: CopyRequest): string {
  return sha256OfText(JSON.stringify([sha256, interpreter, program.path])).slice(0, 32);
}

/** Whether a copy that is there is the one that was just made anew, byte for byte, and nobody may write to it. */
function isSame(file: string, made: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || (stats.mode & 0o222) !== 0) return false;
  return stats.size === lstatSync(made).size && sha256OfFile(file) === sha256OfFile(made);
}

function write(file: string, edits: Extract<InterpreterEdits, { kind: 'edits' }>['edits']): void {
  const fd = openSync(file, 'r+');
  try {
    for (const { offset, bytes } of edits) writeSync(fd, bytes, 0, bytes.length, offset);
    // A copy that a loss of power cut short would be started as it is.
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function editsFor(program: string, interpreter: string | undefined): InterpreterEdits {
  const source = openFileSource(program);
  try {
    const naming: InterpreterEdits =
      interpreter === undefined
        ? { kind: 'edits', edits: [], room: 0 }
        : interpreterEdits(source, interpreter);
    if (naming.kind === 'no-room') return naming;
    return { ...naming, edits: [...naming.edits, ...appImageEdits(source)] };
  } finally {
    source.close();
  }
}

/** Undefined when the copy is made, else why not. */
function copyTo(target: string, request: CopyRequest): string | undefined {
  const { program, interpreter, searchPath } = request;
  const edits = editsFor(program.path, interpreter);
  if (edits.kind === 'no-room') {
    if (interpreter === undefined) return edits.why;
    const why = patchWithPatchelf(program, interpreter, target, searchPath);
    if (why !== undefined) return `${edits.why}, and ${why}`;
    chmodSync(target, 0o700);
    write(target, []);
  } else {
    copyFileSync(program.path, target, constants.COPYFILE_FICLONE);
    if (sha256OfFile(target) !== request.sha256) return 'the program is being changed';
    chmodSync(target, 0o700);
    write(target, edits.edits);
  }
  chmodSync(target, 0o555);
  return undefined;
}

/** Whatever the umask: the place above it says who may look. */
function makeReadable(directory: string): void {
  mkdirSync(directory, { recursive: true });
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
 * Makes the copy anew; one that is there already stays if it is the same, byte for byte. Complete at every instant: made under a temporary name, then renamed.
 * @throws Node's errors when the place cannot be written or the program cannot be read.
 */
export function makeCopy(request: CopyRequest): CopyOutcome {
  const directory = path.join(request.copies, keyOf(request));
  const { path: program } = request.program;
  const file = path.join(directory, path.basename(path.dirname(program)) || 'root', path.basename(program));
  if (request.shared && !isReadableByOthers(program))
    return { kind: 'impossible', why: 'others may not read the program, and would read its copy' };
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
