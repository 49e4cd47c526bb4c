// Programs → whether they read /proc/self/exe, themselves or by a library, or are there to start others.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { startsOthers, whyItReadsItself } from '../../src/view/wants-view.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'wants-view-'));
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
  const starting =
    'zsh zsh-5.9 ksh93 bsd-csh mksh-static gmake lua5.4 tclsh8.6 gawk g++-12 x86_64-linux-gnu-gcc-12 vim.basic emacs-gtk';
  const named = (names: string) => names.split(' ').map((name) => `/opt/${name}`);
  assert.deepEqual(named(starting).filter(startsOthers), named(starting));
  // A view of a user would keep these from what they are for.
  const looking = 'strace gdbserver lldb nsenter find tmux sudo';
  const others = 'jq psql shasum gitk makeinfo envsubst timeoutd push luac gccgo-tool';
  assert.deepEqual(named(`${looking} ${others}`).filter(startsOthers), []);
});
