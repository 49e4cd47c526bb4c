// One store object → the shared objects in it, and the names each can be reached by.
import { type Dirent, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { ET_DYN } from '../elf/gabi.ts';
import { configurationNamed } from '../elf/machine.ts';
import { readElfFile } from '../elf/open-elf.ts';
import { errnoOf } from '../host/errors.ts';

/** A shared object in a store object. */
export interface FoundLibrary {
  /** Path of the regular file, relative to the store object: `lib/libz.so.1.3`. */
  readonly file: string;
  readonly elf: ElfFile;
  /** Its soname, its file name, and the names of the symlinks in the same object that lead to it. */
  readonly names: readonly string[];
}

/** Where Nix packages keep libraries (stdenv's multiple outputs; lib32 and lib64 in repackaged binaries). */
const LIBRARY_DIRECTORIES = ['lib', 'lib32', 'lib64'];

/** How far below `lib` private libraries lie: lib/mysql/plugin, lib/glibc-hwcaps/x86-64-v3. */
const DEPTH = 3;

/** Trees of thousands of files that hold modules for an interpreter, never a library to link with. */
const MODULE_TREES =
  /^(python\d.*|perl5|ruby|node_modules|site-packages|site_ruby|debug|modules|firmware|locale|library|ocaml|erlang|ghc-.*|lua|guile|gconv|dri|terminfo|pkgconfig|cmake|systemd)$/;

function isLibraryName(name: string): boolean {
  return /\.so(\.[\w.+-]*)?$/.test(name) || /^ld[-.\w]*\.so/.test(name);
}

/** What will not change: a file that vanished, or is none that can be read. */
const LASTING = ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG'];
/** What says the same at each look, or passes: it may not be read by this user, or has no device. */
const AT_A_SECOND_LOOK = ['EACCES', 'EPERM', 'ENXIO', 'ENODEV', 'EINVAL'];

/** One look at an object: `again` is the second. */
interface ObjectLook {
  readonly again: boolean;
}

/** @throws the error, where another look may find more: a failing disk or network, too many open files. */
function throwPassing(error: unknown, { again }: ObjectLook): void {
  const errno = errnoOf(error) ?? '';
  if (!LASTING.includes(errno) && !(again && AT_A_SECOND_LOOK.includes(errno))) throw error;
}

/** @throws Node's errors that may pass. */
function unlessGone<T>(look: ObjectLook, ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    throwPassing(error, look);
    return undefined;
  }
}

function readDirectory(directory: string, look: ObjectLook): Dirent[] {
  return unlessGone(look, () => readdirSync(directory, { withFileTypes: true })) ?? [];
}

interface Listing extends ObjectLook {
  readonly files: string[];
  /** Relative path of the link → relative path it points to, inside the object. */
  readonly links: Map<string, string>;
}

/**
 * Where a symlink leads, relative to the object; undefined when it leaves the object: that file is catalogued where it
 * lies.
 */
function targetInside(root: string, link: string, look: ObjectLook): string | undefined {
  const to = unlessGone(look, () => readlinkSync(path.join(root, link)));
  if (to === undefined) return undefined;
  const target = path.resolve(root, path.dirname(link), to);
  return target.startsWith(`${root}/`) ? target.slice(root.length + 1) : undefined;
}

/** The file behind a link whose target is not among the listed: through a linked directory, or outside `lib`. */
function realFileInside(root: string, link: string, look: ObjectLook): string | undefined {
  const [top, target] = [root, path.join(root, link)].map((each) =>
    unlessGone(look, () => realpathSync.native(each)),
  );
  return target?.startsWith(`${top}/`) ? target.slice(`${top}/`.length) : undefined;
}

function list(root: string, directory: string, depth: number, into: Listing): void {
  for (const entry of readDirectory(path.join(root, directory), into)) {
    const relative = path.join(directory, entry.name);
    if (entry.isDirectory()) {
      if (depth > 0 && !MODULE_TREES.test(entry.name)) list(root, relative, depth - 1, into);
    } else if (isLibraryName(entry.name)) {
      if (entry.isFile()) into.files.push(relative);
      else if (entry.isSymbolicLink()) {
        const target = targetInside(root, relative, into);
        if (target !== undefined) into.links.set(relative, target);
      }
    }
  }
}

function endOfLinks(start: string, links: ReadonlyMap<string, string>): string {
  let file = start;
  for (let hops = 0; hops < 8; hops += 1) {
    const next = links.get(file);
    if (next === undefined) return file;
    file = next;
  }
  return file;
}

/** Reads a file's ELF facts when it is a shared object that ld.so could load. */
function readLibrary(file: string, look: ObjectLook): ElfFile | undefined {
  const reading = readElfFile(file);
  if (reading.kind === 'unreadable') throwPassing(reading.error, look);
  if (reading.kind !== 'elf') return undefined;
  const { type, dynamic } = reading.file;
  return type === ET_DYN && dynamic ? reading.file : undefined;
}

/**
 * Lists the shared objects of one store object, sorted by file. An object without any gives an empty list.
 * @throws Node's errors that may pass: EIO, EMFILE, ENOMEM, ESTALE; EACCES and the like, too, unless it is looked at
 * `again`. What was read until then is not all of it.
 */
export function scanObject(root: string, look: ObjectLook = { again: true }): FoundLibrary[] {
  const listing: Listing = { ...look, files: [], links: new Map() };
  for (const entry of readDirectory(root, look)) {
    // `lib64 → lib` is common: its files are found once, under their own directory.
    if (!entry.isDirectory()) continue;
    if (LIBRARY_DIRECTORIES.includes(entry.name)) list(root, entry.name, DEPTH, listing);
    // Of a cross compiler, what its programs need: `aarch64-unknown-linux-gnu/lib` (nixpkgs, gcc/builder.sh).
    else if (configurationNamed(entry.name) !== undefined)
      for (const each of LIBRARY_DIRECTORIES) list(root, path.join(entry.name, each), DEPTH, listing);
  }
  const namesOf = new Map<string, string[]>(listing.files.map((file) => [file, [path.basename(file)]]));
  for (const link of listing.links.keys()) {
    const listed = namesOf.get(endOfLinks(link, listing.links));
    const file = listed === undefined ? realFileInside(root, link, look) : undefined;
    const names = listed ?? (file === undefined ? undefined : (namesOf.get(file) ?? [path.basename(file)]));
    if (file !== undefined && names !== undefined) namesOf.set(file, names);
    names?.push(path.basename(link));
  }
  const found: FoundLibrary[] = [];
  for (const file of [...namesOf.keys()].sort()) {
    const elf = readLibrary(path.join(root, file), look);
    if (elf === undefined) continue;
    const names = new Set(namesOf.get(file));
    if (elf.soname !== undefined) names.add(elf.soname);
    found.push({ file, elf, names: [...names].sort() });
  }
  return found;
}

/** Of the process or the machine: no other object can be read then either. */
const LACKS = ['EMFILE', 'ENFILE', 'ENOMEM'];

/** What is in one object, `error`: two looks at it failed. */
type Scanned =
  | { readonly kind: 'found'; readonly libraries: readonly FoundLibrary[] }
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'unreadable'; readonly error: unknown };

/**
 * Reads a complete object, again where that fails once. One that a collector takes meanwhile is not complete: whoever
 * fetches it again brings the same name, which would be known by the half that was read.
 * @throws Node's errors of LACKS.
 */
export function scanComplete(root: string, isComplete: () => boolean): Scanned {
  if (!isComplete()) return { kind: 'unfinished' };
  for (let again = false; ; again = true) {
    try {
      const libraries = scanObject(root, { again });
      return isComplete() ? { kind: 'found', libraries } : { kind: 'unfinished' };
    } catch (error) {
      if (!again) continue;
      if (LACKS.includes(errnoOf(error) ?? '')) throw error;
      return { kind: 'unreadable', error };
    }
  }
}
