// The machines whose programs a kernel runs → the rules of binfmt_misc that match foreign programs and nothing else.
//
// A Nix-built program names an interpreter in the store, some 80 bytes long; a static one names none. So what tells a
// foreign program is the length of the usual interpreter's name, in the second program header, where linkers put it.
import type { Machine } from '../../elf/machine.ts';

/** One rule; `magic` and `mask` are as long as each other, from offset 0. */
export interface Rule {
  readonly name: string;
  readonly magic: Uint8Array;
  readonly mask: Uint8Array;
  /** For which programs, in words. */
  readonly about: string;
}

interface RuleLayout {
  readonly header: number;
  readonly programHeader: number;
  /** Offsets in the ELF header, and of p_filesz in a program header. */
  readonly tableOffset: number;
  readonly entrySize: number;
  readonly fileSize: number;
  readonly word: 4 | 8;
}

const WIDE: RuleLayout = {
  header: 64,
  programHeader: 56,
  tableOffset: 32,
  entrySize: 54,
  fileSize: 32,
  word: 8,
};
const NARROW: RuleLayout = {
  header: 52,
  programHeader: 32,
  tableOffset: 28,
  entrySize: 42,
  fileSize: 16,
  word: 4,
};

/** p_type, elf.h. */
const INTERPRETER_TYPE = 3;
/** ET_EXEC 2 and ET_DYN 3 differ in the lowest bit. */
const EITHER_TYPE = { value: 2, mask: 0xfe };

interface Draft {
  readonly magic: Uint8Array;
  readonly mask: Uint8Array;
}

function put({ magic, mask }: Draft, offset: number, bytes: readonly number[], bits = 0xff): void {
  bytes.forEach((byte, index) => {
    magic[offset + index] = byte;
    mask[offset + index] = bits;
  });
}

/** A number in the machine's byte order. */
function numberBytes(value: number, size: number, byteOrder: Machine['byteOrder']): number[] {
  const bytes = Array.from({ length: size }, (_, index) => Math.floor(value / 256 ** index) % 256);
  return byteOrder === 'little' ? bytes : bytes.reverse();
}

function draft(length: number): Draft {
  return { magic: new Uint8Array(length), mask: new Uint8Array(length) };
}

/** `\x7fELF`, class, byte order, version. */
function putIdent(into: Draft, machine: Machine): void {
  put(into, 0, [
    0x7f,
    0x45,
    0x4c,
    0x46,
    machine.class === 64 ? 2 : 1,
    machine.byteOrder === 'little' ? 1 : 2,
    1,
  ]);
}

function interpreterRule(machine: Machine, interpreter: string, suffix: string): Rule {
  const layout = machine.class === 64 ? WIDE : NARROW;
  const second = layout.header + layout.programHeader;
  const into = draft(second + layout.fileSize + layout.word);
  const number = (offset: number, value: number, size: number) =>
    put(into, offset, numberBytes(value, size, machine.byteOrder));
  putIdent(into, machine);
  put(into, machine.byteOrder === 'little' ? 16 : 17, [EITHER_TYPE.value], EITHER_TYPE.mask);
  number(18, machine.machine, 2);
  number(layout.tableOffset, layout.header, layout.word);
  number(layout.entrySize, layout.programHeader, 2);
  number(second, INTERPRETER_TYPE, 4);
  number(second + layout.fileSize, Buffer.byteLength(interpreter) + 1, layout.word);
  return {
    ...into,
    name: `nix-run-foreign-${machine.system.replace('-linux', '')}${suffix}`,
    about: `${machine.name} programs whose interpreter has a name as long as ${interpreter}`,
  };
}

/** AppImage specification 1.0: `AI` and the type at offset 8. */
function appImageRule(machine: Machine, type: 1 | 2): Rule {
  const into = draft(20);
  putIdent(into, machine);
  put(into, 8, [0x41, 0x49, type]);
  put(into, 18, numberBytes(machine.machine, 2, machine.byteOrder));
  return {
    ...into,
    name: `nix-run-foreign-appimage-${type}-${machine.system.replace('-linux', '')}`,
    about: `AppImages of type ${type} for ${machine.name}`,
  };
}

/** The rules for these machines, in the order to register them: the last registered is tried first. */
export function rulesFor(machines: readonly Machine[]): Rule[] {
  return machines.flatMap((machine) => [
    interpreterRule(machine, machine.interpreter, ''),
    interpreterRule(machine, `/lib/${machine.muslLoader}`, '-musl'),
    appImageRule(machine, 1),
    appImageRule(machine, 2),
  ]);
}

/**
 * Whether the kernel would take a file with these first bytes for one of the rule's (fs/binfmt_misc.c,
 * search_binfmt_handler).
 */
export function isMatched({ magic, mask }: Rule, head: Uint8Array): boolean {
  return (
    head.length >= magic.length &&
    magic.every((byte, index) => (((head[index] ?? 0) ^ byte) & (mask[index] ?? 0)) === 0)
  );
}

/** More bytes than any rule looks at. */
export const HEAD_SIZE = 256;

function escaped(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

/**
 * P: the launcher is given argv[0] too. F: it is opened now, so it is found in every root directory. L: it is entered
 * as the program's interpreter, which stays /proc/self/exe.
 */
export type Flags = 'PF' | 'LF';

/** The line for `register`, and for binfmt.d(5). `launcher` must hold neither `:` nor a line end. */
export function registration({ name, magic, mask }: Rule, launcher: string, flags: Flags): string {
  return `:${name}:M:0:${escaped(magic)}:${escaped(mask)}:${launcher}:${flags}`;
}

/**
 * Whether the launcher can be loaded in the place of the interpreter: AppImages may have none, and a launcher of
 * another class than the program is refused by the kernel (fs/binfmt_elf.c, load_elf_binary). The launcher is 64-bit.
 */
export function takesLoader({ name, magic }: Rule): boolean {
  return !isForAppImages(name) && magic[4] === 2;
}

/** Of a rule, by its name. */
export function isForAppImages(name: string): boolean {
  return name.startsWith('nix-run-foreign-appimage-');
}
