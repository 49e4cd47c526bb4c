// What a library shall be like → a real shared object, compiled on the spot.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

export interface Wanted {
  readonly soname?: string;
  /** Paths of libraries to link with: their sonames become needed. */
  readonly needs?: readonly string[];
  readonly runpath?: string;
  readonly rpath?: string;
  /** C text; without it one function named after the file. */
  readonly source?: string;
  /** Text of a linker version script. */
  readonly versions?: string;
  readonly flags?: readonly string[];
}

/** A directory that is removed after the tests of the file. Its path has no symlinks. */
export function scratchDirectory(): string {
  const directory = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'nrf-test-')));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let serial = 0;

function compile(file: string, wanted: Wanted, kind: readonly string[], source: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  serial += 1;
  const scratch = path.join(os.tmpdir(), `nrf-source-${process.pid}-${serial}`);
  writeFileSync(`${scratch}.c`, wanted.source ?? source);
  if (wanted.versions !== undefined) writeFileSync(`${scratch}.map`, wanted.versions);
  const { soname, rpath, runpath } = wanted;
  const flags = [
    ...kind,
    '-O1',
    ...(soname === undefined ? [] : [`-Wl,-soname,${soname}`]),
    ...(wanted.versions === undefined ? [] : [`-Wl,--version-script,${scratch}.map`]),
    ...(rpath === undefined ? [] : ['-Wl,--disable-new-dtags', `-Wl,-rpath,${rpath}`]),
    ...(runpath === undefined ? [] : ['-Wl,--enable-new-dtags', `-Wl,-rpath,${runpath}`]),
    '-Wl,--no-as-needed',
    '-Wl,--allow-shlib-undefined',
  ];
  try {
    execFileSync(
      'gcc',
      [...flags, '-o', file, `${scratch}.c`, ...(wanted.needs ?? []), ...(wanted.flags ?? [])],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
  } finally {
    for (const ending of ['.c', '.map']) rmSync(scratch + ending, { force: true });
  }
  return file;
}

/** Compiles a shared object without any libc. Returns `file`. */
export function compileLibrary(file: string, wanted: Wanted = {}): string {
  const name = path.basename(file).replace(/\W/g, '_');
  return compile(file, wanted, ['-shared', '-fPIC', '-nostdlib'], `int f_${name}(void) { return 1; }\n`);
}

/** Compiles a program with the machine's libc. Returns `file`. */
export function compileProgram(file: string, wanted: Wanted = {}): string {
  return compile(file, wanted, [], 'int main(void) { return 0; }\n');
}

/** `<32 digits>-<name>`, the same for the same name. */
export function objectName(name: string): string {
  const digits = '0123456789abcdfghijklmnpqrsvwxyz';
  let state = 7;
  const hash = Array.from({ length: 32 }, (_, i) => {
    state = (state * 31 + (name.charCodeAt(i % name.length) || 0) + i) % 100_003;
    return digits[state % 32];
  });
  return `${hash.join('')}-${name}`;
}
