// A program and the launcher → the shim that starts the one through the other: written, read, listed, removed.
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { removeLeftovers, replaceLink, writeFileDurably } from '../../host/atomic-file.ts';
import { dataDirectory } from '../../host/directories.ts';
import { errnoOf } from '../../host/errors.ts';
import { makeDirectories } from '../../host/files.ts';

export interface ShimDirectories {
  /** For PATH. */
  readonly shims: string;
  /** Links by other names to programs whose shim has another name than they (NOTES.md). */
  readonly names: string;
  /** Where menus look. */
  readonly applications: string;
  /** For each shim of an AppImage a directory with the icons of its entries. */
  readonly icons: string;
}

export interface Shim extends ShimLine {
  readonly name: string;
  readonly file: string;
  /** The program as it was named: behind the link where the shim has another name. */
  readonly target: string;
}

/** @throws ForeignError `no-home` for a user without a home directory. */
export async function shimDirectories(): Promise<ShimDirectories> {
  const data = await dataDirectory();
  return {
    shims: path.join(data, 'shims'),
    names: path.join(data, 'names'),
    applications: path.join(path.dirname(data), 'applications'),
    icons: path.join(data, 'icons'),
  };
}

/** No shim is larger than two paths and a few words. */
const LARGEST_SHIM = 16 * 1024;

function textOf(file: string): string | undefined {
  try {
    return statSync(file).size <= LARGEST_SHIM ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** Where the link of a shim by another name leads; any other file is itself. */
export function targetOf({ names }: ShimDirectories, program: string): string {
  if (path.dirname(program) !== names) return program;
  try {
    return readlinkSync(program);
  } catch {
    return program; // the link is gone
  }
}

/** The shim of a file, also one behind symbolic links; undefined for anything else. */
export function shimAt(directories: ShimDirectories, file: string): Shim | undefined {
  const text = textOf(file);
  const line = text === undefined ? undefined : readShimText(text);
  if (line === undefined) return undefined;
  return { ...line, name: path.basename(file), file, target: targetOf(directories, line.program) };
}

/** The program that a shim starts; any other file is itself. */
export function programBehindShim(file: string): string {
  const text = textOf(file);
  return (text === undefined ? undefined : readShimText(text))?.program ?? file;
}

/** Sorted by name. */
export function listShims(directories: ShimDirectories): Shim[] {
  let names: string[];
  try {
    names = readdirSync(directories.shims);
  } catch {
    return [];
  }
  return names
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => shimAt(directories, path.join(directories.shims, name)))
    .filter((shim) => shim !== undefined);
}

/** `by-link`: the program is told by argv[0] that it has the shim's name. */
type Naming = 'by-path' | 'by-link';

/** Writes a shim, in place of one that is there. @throws Node's errors. */
export function writeShim(
  directories: ShimDirectories,
  name: string,
  { launcher, program }: ShimLine,
  naming: Naming,
): Shim {
  const link = path.join(directories.names, name);
  const file = path.join(directories.shims, name);
  makeDirectories(directories.shims);
  for (const each of [directories.shims, directories.names]) removeLeftovers(each);
  if (naming === 'by-link') {
    makeDirectories(path.dirname(link));
    replaceLink(link, program);
  }
  const line = { launcher, program: naming === 'by-link' ? link : program };
  writeFileDurably(file, shimText(launcher, line.program), 0o700);
  chmodSync(file, 0o700); // whatever the umask
  if (naming === 'by-path') rmSync(link, { force: true });
  return { ...line, name, file, target: program };
}

/** @returns whether there was such a shim. Anything else by that name stays. @throws Node's errors. */
export function removeShim(directories: ShimDirectories, name: string): boolean {
  const file = path.join(directories.shims, name);
  if (shimAt(directories, file) === undefined) return false;
  rmSync(file, { force: true });
  rmSync(path.join(directories.names, name), { force: true });
  return true;
}

/** Whether anything has that name, a shim or not. */
export function isTaken(directories: ShimDirectories, name: string): boolean {
  try {
    return lstatSync(path.join(directories.shims, name), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/**
 * The kernel reads 256 bytes (BINPRM_BUF_SIZE, 128 before Linux 5.1) and wants the line's end among them
 * (fs/binfmt_script.c).
 */
const LONGEST_LINE = 255;
const OPTION = '--shim=';

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function unquoted(text: string): string {
  return text.replaceAll("'\\''", "'");
}

/** A name that the line's end, or the kernel's dropping of blanks, would change. */
function fitsInLine(launcher: string, program: string): boolean {
  const line = `#!${launcher} ${OPTION}${program}`;
  return (
    Buffer.byteLength(line) <= LONGEST_LINE - 1 &&
    /^\S+$/.test(launcher) &&
    !/[\n\r\0]/.test(program) &&
    !/[ \t]$/.test(program)
  );
}

/**
 * Both absolute. Where the `#!` line can hold them, the kernel starts the launcher itself, which costs no shell;
 * elsewhere `/bin/sh` does, which every Linux has, NixOS too.
 */
export function shimText(launcher: string, program: string): string {
  if (fitsInLine(launcher, program)) return `#!${launcher} ${OPTION}${program}\n`;
  return `#!/bin/sh\nexec ${quoted(launcher)} ${quoted(`${OPTION}${program}`)} "$0" "$@"\n`;
}

interface ShimLine {
  readonly launcher: string;
  readonly program: string;
}

/** Undefined for any other text: nothing that we did not write is taken for a shim. */
export function readShimText(text: string): ShimLine | undefined {
  const line = /^#!(\S+) --shim=([^\n]+)\n$/.exec(text);
  const script = /^#!\/bin\/sh\nexec '([\s\S]*)' '--shim=([\s\S]*)' "\$0" "\$@"\n$/.exec(text);
  const [, launcher = '', program = ''] = line ?? script ?? [];
  const read =
    line === null ? { launcher: unquoted(launcher), program: unquoted(program) } : { launcher, program };
  return program.startsWith('/') && shimText(read.launcher, read.program) === text ? read : undefined;
}
