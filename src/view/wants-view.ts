// A program → why it would start other foreign programs, or itself, and so wants a view.
import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { elfFileAt, openFileSource } from '../elf/open-elf.ts';
import { type ByteSource, fillFrom, Malformed, readHeader } from '../elf/reader.ts';
import { readSegments, SEGMENT_TYPE } from '../elf/segments.ts';
import { isVacant } from './shown-libraries.ts';

const SELF = '/proc/self/exe';
/**
 * Of programs that know their path by the name they were called by, and start themselves by it: Python's
 * sys.executable (before and since 3.8), PHP's PHP_BINARY.
 */
const KNOWN_BY_NAME = ['\0Py_Main\0', '\0Py_BytesMain\0', '\0PHP_BINARY\0'];
const LONGEST = 16;
const PIECE = 1 << 18;
const WRITABLE = 2;
const EXECUTABLE = 1;

/** Constants lie in segments that are neither written nor executed; with old linkers among the code. */
function constantRanges(source: ByteSource): { from: number; to: number }[] {
  const read = readHeader(source, 4);
  if (read === undefined) return [];
  const loaded = readSegments(read.fields, read.header)
    .filter(({ type, flags }) => type === SEGMENT_TYPE.load && (flags & WRITABLE) === 0)
    .map(({ flags, offset, fileSize }) => ({
      flags,
      from: offset,
      to: Math.min(source.size, offset + fileSize),
    }));
  const constants = loaded.filter(({ flags }) => (flags & EXECUTABLE) === 0);
  return constants.length > 0 ? constants : loaded;
}

/** Whether one of the texts stands in what it loads as constants. False for what is no ELF file. */
function hasConstant(source: ByteSource, texts: readonly string[]): boolean {
  try {
    const piece = Buffer.allocUnsafeSlow(PIECE + LONGEST);
    return constantRanges(source).some(({ from, to }) => {
      for (let at = from; at < to; at += PIECE) {
        const { length } = fillFrom(source, piece.subarray(0, to - at), at);
        const read = piece.subarray(0, length);
        if (texts.some((text) => read.includes(text))) return true;
      }
      return false;
    });
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

function fileHasConstant(file: string, texts: readonly string[]): boolean {
  try {
    const source = openFileSource(file);
    try {
      return hasConstant(source, texts);
    } finally {
      source.close();
    }
  } catch {
    return false; // gone, or unreadable
  }
}

/** The first of these files, of a program and of what it brings along, that has the text among its constants. */
export function fileThatNamesItself(files: readonly string[]): string | undefined {
  return files.find((file) => fileHasConstant(file, [SELF]));
}

/** Whether it starts itself again by the name it was called by, as Python and PHP do. */
export function startsItselfByName(program: string): boolean {
  return fileHasConstant(program, KNOWN_BY_NAME);
}

/** A directory with more entries is no program's own. */
const MOST_ENTRIES = 200;

function isForeign(file: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || (stats.mode & 0o111) === 0) return false;
  const interpreter = elfFileAt(file)?.interpreter;
  return interpreter?.startsWith('/') === true && isVacant(interpreter);
}

function filesIn(directory: string): string[] {
  try {
    const names = readdirSync(directory);
    return names.length > MOST_ENTRIES ? [] : names.map((name) => path.join(directory, name));
  } catch {
    return [];
  }
}

/** Directories in which programs of one package lie; beside `bin/` also `libexec/`. */
function ownDirectories(program: string): string[] {
  const directory = path.dirname(program);
  const above = path.dirname(directory);
  return path.basename(directory) === 'bin' ? [directory, path.join(above, 'libexec')] : [directory];
}

/**
 * A foreign program in the program's own tree: in its directory, which is none of PATH.
 * @param commands the directories of PATH
 */
export function foreignRelative(program: string, commands: readonly string[]): string | undefined {
  const directories = ownDirectories(program).filter((each) => !commands.includes(each));
  return directories
    .flatMap(filesIn)
    .sort()
    .find((file) => file !== program && isForeign(file));
}
