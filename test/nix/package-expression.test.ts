// What `nix-foreign package` prints → a derivation, by Nix and the stand-ins for nixpkgs.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { nixExpression, type PackagedProgram } from '../../src/cli/package-expression.ts';
import { machinesRunBy } from '../../src/elf/machine.ts';
import { OTHER } from '../elf/foreign-program.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { openPrivateStore } from '../store/private-store.ts';
import { instantiate, PROJECT } from './nix-instantiate.ts';

const PROGRAM: PackagedProgram = {
  name: 'tool',
  file: '/home/me/tool',
  sha256: 'ab'.repeat(32),
  system: 'x86_64-linux',
  libc: 'glibc',
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
  const needed = { known: [], unknown: ['libtiff.so.5'] };
  assert.match(
    nixExpression({ ...PROGRAM, needed }),
    /^ {4}# libtiff\.so\.5: belongs to libtiff before 4\.5, of 2022$/m,
  );
  assert.match(nixExpression(PROGRAM), /hash = "sha256-q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=";/);
});

test('the command that it begins with is for the machine and the libc of the program', () => {
  const command = (system: string, libc: PackagedProgram['libc'] = 'glibc') =>
    nixExpression({ ...PROGRAM, system, libc }).split('\n')[0];
  const [own] = machinesRunBy(process.arch);
  const start = "# A start for a package: nix-build -E 'with import <nixpkgs>";
  assert.equal(command(own?.system ?? ''), `${start} { }; callPackage ./tool.nix { }'`);
  assert.equal(
    command(OTHER.system),
    `${start} { system = "${OTHER.system}"; }; callPackage ./tool.nix { }'`,
  );
  assert.equal(command(own?.system ?? '', 'musl'), `${start} { }; pkgsMusl.callPackage ./tool.nix { }'`);
  assert.equal(
    command(OTHER.system, 'musl'),
    `${start} { system = "${OTHER.system}"; }; pkgsMusl.callPackage ./tool.nix { }'`,
  );
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

/** As requireFile's builder prints it. */
function printedBy(message: string): string {
  const text = message.replace(/\\(.)/g, '$1');
  return execFileSync('bash', ['--norc', '-c', `cat <<_EOF_\n${text}\n_EOF_\n`], {
    encoding: 'utf8',
  }).trimEnd();
}

for (const name of ['tool', 'my jq', `a'b "\${c}" %41;#?\\\n`, '$HOME `id` $(id) \\\\', '.hidden'])
  test(`the command that it names puts the file where the derivation looks for it: ${JSON.stringify(name)}`, () => {
    const scratch = scratchDirectory();
    const store = openPrivateStore(path.join(scratch, 'nix'));
    const file = path.join(scratch, name);
    writeFileSync(file, 'content');
    const expression = nixExpression({ ...PROGRAM, name, file });
    const [, message = ''] = /^ {4}message = "(.*)";$/m.exec(expression) ?? [];
    const [, wanted] = /^ {4}name = "(.*)";$/m.exec(expression) ?? [];
    const line = printedBy(message);
    const { status, stderr } = spawnSync('bash', ['--norc', '-c', line], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...store.nix.env, PATH: `${store.nix.bin}:${process.env['PATH']}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    assert.equal(status, 0, `${line}\n${stderr}`);
    const objects = readdirSync(store.location.storeDir).filter((each) => each.endsWith(`-${wanted}`));
    assert.equal(objects.length, 1, line);
    assert.equal(readFileSync(path.join(store.location.storeDir, objects[0] ?? ''), 'utf8'), 'content');
  });
