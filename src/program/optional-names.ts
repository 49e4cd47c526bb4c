// A program and its bundled libraries → the libraries that they may open while they run, and where each name was read.
import path from 'node:path';
import type { DlopenNote, ElfFile } from '../elf/elf-file.ts';
import { namedLibraries } from '../elf/named-libraries.ts';
import { openFileSource } from '../elf/open-elf.ts';
import { findFamilies } from './library-families.ts';
import { findPlugIns, type PlugIn } from './plug-ins.ts';

/** One library that a program may open; any of the names will do, the first is preferred. */
export interface OptionalLibrary {
  /** Alternatives, best first; each is a list of names that are opened together. */
  readonly alternatives: readonly (readonly string[])[];
  /** The file in which the name was read. */
  readonly readIn: string;
  readonly source: 'note' | 'data' | 'family' | 'learned';
  readonly priority: DlopenNote['priority'];
}

export interface OptionalNames {
  /** Each name once, in the order: notes, data, families. */
  readonly libraries: readonly OptionalLibrary[];
  /** Shared objects in the program's own tree that it may open; what they need counts. */
  readonly plugIns: readonly PlugIn[];
}

interface ObjectFile {
  readonly path: string;
  readonly elf: ElfFile;
}

function notesOf({ path: file, elf }: ObjectFile): OptionalLibrary[] {
  return elf.dlopen.map(({ sonames, priority }) => ({
    alternatives: sonames.map((name) => [name]),
    readIn: file,
    source: 'note',
    priority,
  }));
}

/** A file that is gone, or cannot be read, names nothing. */
function namesInData(file: string): readonly string[] {
  try {
    const source = openFileSource(file);
    try {
      return namedLibraries(source).names;
    } finally {
      source.close();
    }
  } catch {
    return [];
  }
}

/** What an object is linked with stands in its data as well. */
function dataOf({ path: file, elf }: ObjectFile): OptionalLibrary[] {
  const linked = new Set([...elf.needed, elf.soname, path.basename(file)]);
  return namesInData(file)
    .filter((name) => !linked.has(name))
    .map((name) => ({ alternatives: [[name]], readIn: file, source: 'data', priority: 'recommended' }));
}

function namesOf({ alternatives }: OptionalLibrary): string[] {
  return alternatives.flat();
}

/** The first that names a library stays; `known` are names that are there anyway. */
function withoutKnown(all: readonly OptionalLibrary[], known: ReadonlySet<string>): OptionalLibrary[] {
  const seen = new Set(known);
  return all.filter((library) => {
    const names = namesOf(library);
    const isNew = names.every((name) => !seen.has(name));
    for (const name of names) seen.add(name);
    return isNew;
  });
}

/**
 * Reads `.note.dlopen` (UAPI.12), names in data that is loaded, and the table of families. `known`: names that the
 * program is linked with, itself or through others, and those of the libc family.
 */
export function optionalLibraries(
  program: ObjectFile,
  bundled: readonly ObjectFile[],
  isKnown: (name: string) => boolean,
): OptionalLibrary[] {
  const objects = [program, ...bundled];
  const data = objects.flatMap(dataOf);
  const named = [
    ...objects.flatMap(notesOf),
    ...data,
    ...findFamilies(program, objects, data.flatMap(namesOf)),
  ];
  const known = new Set(named.flatMap(namesOf).filter(isKnown));
  return withoutKnown(named, known);
}

/** With what lies in the program's own tree, which is walked. */
export function optionalNames(
  program: ObjectFile,
  bundled: readonly ObjectFile[],
  isKnown: (name: string) => boolean,
): OptionalNames {
  return {
    libraries: optionalLibraries(program, bundled, isKnown),
    plugIns: findPlugIns(program, bundled),
  };
}
