// A machine and a program's farm → what /lib, /lib64 and /usr/lib show in a view: interpreters, libraries by path.
import path from 'node:path';
import type { Machine } from '../elf/machine.ts';
import { inspectInterpreter } from '../plan/strategy.ts';
import type { HostPlace } from './host-place.ts';
import { entryOfHost } from './shown-programs.ts';
import { linkTo, type Shown } from './view-directory.ts';

export const LIBRARY_PLACES = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'] as const;

/** LSB names its own (ISO/IEC 23360-4-1, "Program Interpreter"). */
const LSB_INTERPRETERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['x86_64-linux', ['ld-lsb-x86-64.so.2', 'ld-lsb-x86-64.so.3']],
  ['i686-linux', ['ld-lsb.so.1', 'ld-lsb.so.2', 'ld-lsb.so.3']],
]);

/** Debian's names for directories of libraries (wiki.debian.org/Multiarch/Tuples). */
const TRIPLES: ReadonlyMap<string, string> = new Map([
  ['x86_64-linux', 'x86_64-linux-gnu'],
  ['i686-linux', 'i386-linux-gnu'],
  ['aarch64-linux', 'aarch64-linux-gnu'],
  ['armv7l-linux', 'arm-linux-gnueabihf'],
  ['riscv64-linux', 'riscv64-linux-gnu'],
]);

/** Where of a place the libraries of a farm are seen: in itself, and in the directory that Debian has there. */
export function libraryDirectoriesOf({ target }: Pick<HostPlace, 'target'>, { system }: Machine): string[] {
  const triple = TRIPLES.get(system);
  return triple === undefined ? [target] : [target, path.join(target, triple)];
}

export function interpreterPaths({ interpreter, muslLoader, system }: Machine): string[] {
  const directory = path.dirname(interpreter);
  const names = LSB_INTERPRETERS.get(system) ?? [];
  return [interpreter, `/lib/${muslLoader}`, ...names.map((name) => path.join(directory, name))];
}

/** A program whose interpreter this is would not start, or would be told that it cannot. */
export function isVacant(interpreterPath: string): boolean {
  const { kind } = inspectInterpreter(interpreterPath);
  return kind === 'missing' || kind === 'stub-ld';
}

function entriesOfHost({ target, names }: HostPlace): [string, Shown][] {
  return names
    .map((name) => path.join(target, name))
    .filter((file) => !isVacant(file))
    .map((file) => [path.basename(file), entryOfHost(file)]);
}

export interface LibraryRequest {
  readonly machine: Machine;
  /** Of each machine whose programs start in the view: where its launcher lies; the own machine first. */
  readonly launchers: readonly { readonly machine: Machine; readonly file: string }[];
  readonly place: HostPlace;
  /** The interpreter that the program names, if it is one. */
  readonly interpreter: string | undefined;
  /** The farm's directory and the names in it. */
  readonly farm: { readonly directory: string; readonly names: readonly string[] } | undefined;
}

/** A farm has directories too: variants for better processors. */
function topNames(farm: LibraryRequest['farm']): string[] {
  return [...new Set((farm?.names ?? []).map((name) => name.split('/')[0] ?? name))];
}

/** One directory for all places: the names of libraries do not depend on where they are looked for. */
export function shownLibraries({ machine, launchers, place, interpreter, farm }: LibraryRequest) {
  const named =
    interpreter === undefined ? [] : [interpreter].map((each) => [each, launchers[0]?.file] as const);
  const usual = launchers.flatMap(({ machine: each, file }) =>
    interpreterPaths(each).map((at) => [at, file] as const),
  );
  const triple = TRIPLES.get(machine.system);
  return new Map<string, Shown>([
    ...topNames(farm).map((name): [string, Shown] => [name, linkTo(path.join(farm?.directory ?? '', name))]),
    ...(triple === undefined ? [] : [[triple, linkTo('.')] as [string, Shown]]),
    ...[...named, ...usual].map(([each, file = '']): [string, Shown] => [path.basename(each), linkTo(file)]),
    ...entriesOfHost(place),
  ]);
}
