// Programs → whether they read /proc/self/exe, themselves or by a library, or are there to start others.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { foreignRelative, startsOthers, whyItReadsItself } from '../../src/view/wants-view.ts';

const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'wants-view-')));
after(() => rmSync(directory, { recursive: true }));

function compile(name: string, text: string, flags: readonly string[] = []): string {
  const output = path.join(directory, name);
  execFileSync('cc', ['-x', 'c', '-w', '-o', output, '-', '-x', 'none', ...flags], { input: text });
  return output;
}

/** A library without code that is needed by a program of that name. */
function withLibrary(soname: string): string {
  const library = compile(soname, 'int library;', ['-shared', '-fPIC', `-Wl,-soname,${soname}`]);
  return compile(`of-${soname}`, 'int main(void) { return 0; }', ['-Wl,--no-as-needed', library]);
}

const saying = (text: string) => `#include <stdio.h>\nint main(void) { puts("${text}"); return 0; }`;
const calling = (name: string) => `int ${name}(void); int main(void) { return ${name}(); }`;

/** A program that a library serves with that function. */
function withFunction(name: string): string {
  const library = compile(`lib${name}.so`, `int ${name}(void) { return 0; }`, ['-shared', '-fPIC']);
  return compile(name, calling(name), [library]);
}

for (const [program, why] of [
  [compile('own', saying('/proc/self/exe')), 'its name stands in own'],
  [compile('qt', saying('/proc/%1/exe')), 'its name stands in qt'],
  [withFunction('uv_exepath'), 'uv_exepath uses uv_exepath'],
  [withFunction('SDL_GetBasePath'), 'SDL_GetBasePath uses SDL_GetBasePath'],
  ...['_ZN19wxStandardPathsBase3GetEv', 'al_get_standard_path'].map(
    (name) => [withFunction(name), `${name} uses ${name}`] as const,
  ),
  [withLibrary('libQt5Core.so.5'), 'of-libQt5Core.so.5 uses libQt5Core.so.5'],
  [withLibrary('libnode.so.72'), 'of-libnode.so.72 uses libnode.so.72'],
  [withLibrary('libQt5CoreOfOthers.so.5'), undefined],
  [compile('other', saying('/proc/%d/exe')), undefined],
  [withFunction('uv_exepath_of_others'), undefined],
] as const)
  test(`${path.basename(program)}: ${why ?? 'does not read /proc/self/exe'}`, () => {
    assert.equal(whyItReadsItself([program]), why);
  });

test('what a program brings along counts, and what is no ELF file does not', () => {
  const [plain, reading] = [compile('plain', saying('hello')), compile('reading', saying('/proc/self/exe'))];
  const script = path.join(directory, 'script');
  writeFileSync(script, '#!/bin/sh\nreadlink /proc/self/exe\n');
  assert.equal(whyItReadsItself([plain, script, path.join(directory, 'none')]), undefined);
  assert.equal(whyItReadsItself([plain, reading]), 'its name stands in reading');
});

test('shells, build tools and their like start others, by their names', () => {
  const compilers =
    'g++-12 x86_64-linux-gnu-gcc-12 x86_64-conda-linux-gnu-gcc arm-none-eabi-gcc-13.2.1 aarch64-none-linux-gnu-g++ ' +
    'riscv64-unknown-elf-gcc-ar gfortran-12 c++ cpp';
  const starting = `zsh zsh-5.9 ksh93 bsd-csh mksh-static gmake lua5.4 tclsh8.6 gawk vim.basic emacs-gtk ${compilers}`;
  const named = (names: string) => names.split(' ').map((name) => `/opt/${name}`);
  assert.deepEqual(named(starting).filter(startsOthers), named(starting));
  // A view of a user would keep these from what they are for.
  const looking = 'strace gdbserver lldb nsenter find tmux sudo';
  const others =
    'jq psql shasum gitk makeinfo envsubst timeoutd push luac gccgo-tool arm-none-eabi-objdump x86_64-linux-gnu-ld';
  assert.deepEqual(named(`${looking} ${others}`).filter(startsOthers), []);
});

/** Two foreign programs in a directory; returns both. */
function putNeighbours(place: string): [string, string] {
  const into = path.join(directory, place);
  mkdirSync(into, { recursive: true });
  const first = compile(`${place}/initdb`, 'int main(void) { return 0; }', ['-Wl,-I,/nowhere/ld.so']);
  const second = path.join(into, 'postgres');
  copyFileSync(first, second);
  return [first, second];
}

test('a foreign neighbour counts in a directory of a vendor, in those for commands of many packages not', () => {
  const home = path.join(directory, 'link-to-home');
  symlinkSync('home', home);
  const [initdb, postgres] = putNeighbours('home/pgsql/bin');
  const PATH = [
    '/bin',
    ...['bin', '.local/bin', '.cargo/bin', 'go/bin'].map((name) => `${home}/${name}`),
  ].join(':');
  assert.equal(foreignRelative(initdb, { HOME: home, PATH: `${PATH}:${path.dirname(initdb)}` }), postgres);
  for (const place of ['bin', '.local/bin', '.cargo/bin', 'go/bin']) {
    const [program, other] = putNeighbours(`home/${place}`);
    assert.equal(foreignRelative(program, { HOME: home, PATH }), undefined, place);
    const isAlways = place !== 'bin';
    assert.equal(foreignRelative(program, { HOME: home, PATH: '/bin' }), isAlways ? undefined : other, place);
    assert.equal(foreignRelative(program, { PATH }), other, place);
  }
});

test('in a directory of more than 200 entries no neighbour counts', () => {
  const [program] = putNeighbours('conda/bin');
  for (let at = 0; at < 200; at += 1) writeFileSync(path.join(directory, 'conda/bin', String(at)), '');
  assert.equal(foreignRelative(program, {}), undefined);
});
