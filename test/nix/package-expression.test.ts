// What `nix-foreign package` prints → a derivation, by Nix and the stand-ins for nixpkgs.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { nixExpression, type PackagedProgram } from '../../src/cli/package-expression.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { instantiate, PROJECT } from './nix-instantiate.ts';

const PROGRAM: PackagedProgram = {
  name: 'tool',
  file: '/home/me/tool',
  sha256: 'ab'.repeat(32),
  system: 'x86_64-linux',
  needed: { known: ['stdenv.cc.cc.lib', 'zlib'], unknown: ['libmystery.so.3'] },
  optional: { known: ['libpulseaudio'], unknown: [] },
  bundled: [],
};

interface Made {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

function evaluated(program: PackagedProgram): Made {
  const file = path.join(scratchDirectory(), 'tool.nix');
  writeFileSync(file, nixExpression(program));
  const nixpkgs = path.join(PROJECT, 'test/nix/nixpkgs.nix');
  const expression = `let it = (import ${nixpkgs} { }).callPackage ${file} { }; in { inherit (it) name arguments; }`;
  return instantiate(['--eval', '--strict', '--json', '-E', expression]) as Made;
}

test('libraries by attributes, the source by its hash, unknown names as comments', () => {
  const { name, arguments: made } = evaluated(PROGRAM);
  assert.equal(name, 'tool-0');
  const object = (each: string) => `/nix/store/${'0'.repeat(32)}-${each}`;
  assert.deepEqual(made['buildInputs'], [object('gcc-lib'), object('zlib')]);
  assert.deepEqual(made['runtimeDependencies'], [object('libpulseaudio')]);
  assert.deepEqual(made['nativeBuildInputs'], [object('auto-patchelf-hook')]);
  assert.match(nixExpression(PROGRAM), /^ {4}# libmystery\.so\.3: which package has it is not known$/m);
  assert.match(nixExpression(PROGRAM), /hash = "sha256-q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=";/);
});

test('names that are hostile stay texts and comments', () => {
  const name = `a'"\${throw "b"}''\n; rm`;
  const hostile = { known: ['zlib; throw "x"', 'zlib'], unknown: ['lib\n} throw "x" {.so'] };
  const { name: made } = evaluated({
    ...PROGRAM,
    name,
    file: `/tmp/${name}`,
    needed: hostile,
    bundled: [`lib\nx.so`],
  });
  assert.match(made, /^[\w.+-]+-0$/);
});

test('without any library the lists are left out', () => {
  const none = { known: [], unknown: [] };
  const { arguments: made } = evaluated({ ...PROGRAM, needed: none, optional: none });
  assert.deepEqual([made['buildInputs'], made['runtimeDependencies']], [undefined, undefined]);
});
