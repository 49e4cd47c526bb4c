// A vendor's wrapper sets LD_LIBRARY_PATH: what only lies there serves, and the store gives the rest.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const place = path.join(homeInRoot, 'vendor');
const program = path.join(place, 'program');
const zlibStub = 'const char *zlibVersion(void) { return "vendor"; }';
const usesZlib = (n: number) =>
  `const char *zlibVersion(void); int ours(void) { return zlibVersion()[0] == '1' ? ${n} : -${n}; }`;
const main = `#include <stdio.h>\nint ours(void);\nint main(void) { printf("%d\\n", ours()); return 0; }`;

function assertSays({ status, stdout, stderr }: Outcome, text: string): void {
  assert.deepEqual([status, stdout, stderr], [0, text, '']);
}

function assertRefusedToExplain({ status, stderr }: Outcome): void {
  assert.equal(status, 125);
  assert.match(stderr, /^nix-foreign: .*libours\.so\.1.*\n {2}.*LD_LIBRARY_PATH.*\n$/);
}

for (const interpreter of ['none', 'nix-ld'] as const) {
  const root = await openToolRoot(rig, { interpreter });
  const on = (name: string) => onHost(root, path.join(place, name));
  const name = (what: string) => `${what}, interpreter: ${interpreter}`;
  mkdirSync(on('.'));
  const stub = compileLibrary(path.join(root.homeDir, 'stubs/libz.so.1'), 'libz.so.1', zlibStub);
  compileLibrary(on('lib/libours.so.1'), 'libours.so.1', usesZlib(1), [stub]);
  compile(on('program'), main, [on('lib/libours.so.1'), '-Wl,--allow-shlib-undefined']);
  const absolute = { env: { LD_LIBRARY_PATH: path.join(place, 'lib') } };

  test(name('without it'), async () => {
    assertRefused(await root.start([program]), { status: 126, cause: /needs libours\.so\.1/ });
  });

  test(name('with it, whose library needs one of the store'), async () => {
    assert.notEqual((await root.bare(program, [], absolute)).stdout, '1\n');
    assertSays(await root.start([program], absolute), '1\n');
    assertSays(await root.startHit([program], absolute), '1\n');
  });

  test(name('explain tells of it'), async () => {
    const { status, stdout } = await root.manage(['explain', program], absolute);
    assert.equal(status, 0);
    const here = `${place}/lib/libours\\.so\\.1\\n[│ ]*LD_LIBRARY_PATH`;
    assert.match(stdout, new RegExp(here));
    assert.doesNotMatch(stdout, /warning/);
    assertRefusedToExplain(await root.manage(['explain', program]));
  });

  test(name('without it on a hit: the loader says what is missing, as for any program'), async () => {
    const { status, stderr } = await root.startHit([program]);
    assert.equal(status, 127);
    assert.match(stderr, /libours\.so\.1: cannot open shared object file/);
  });

  test(name('updated there'), async () => {
    compileLibrary(on('new'), 'libours.so.1', usesZlib(2), [stub]);
    renameSync(on('new'), on('lib/libours.so.1'));
    assertSays(await root.start([program], absolute), '2\n');
    assertSays(await root.startHit([program], absolute), '2\n');
  });

  for (const value of ['lib', './lib', '/nowhere:lib/', '$ORIGIN/lib'])
    test(name(`as ${value}`), async () => {
      const settings = { env: { LD_LIBRARY_PATH: value }, cwd: place };
      assertSays(await root.start(['--refresh', program], settings), '2\n');
      assertSays(await root.startHit([program], settings), '2\n');
    });

  test(name('what else lies there comes first too, as at the start'), async () => {
    compileLibrary(on('lib/libz.so.1'), 'libz.so.1', zlibStub);
    assertSays(await root.start(['--refresh', program], absolute), '-2\n');
    assertSays(await root.startHit([program], absolute), '-2\n');
  });

  test(name('where the store has everything it decides nothing'), async () => {
    const plain = `#include <stdio.h>\nconst char *zlibVersion(void);
      int main(void) { printf("%s\\n", zlibVersion()[0] == '1' ? "store" : zlibVersion()); return 0; }`;
    compile(on('plain'), plain, [stub]);
    const words = [path.join(place, 'plain')];
    // Others lie beside it, so it would start in a view, where the chosen ones come first.
    if (interpreter === 'none') await root.manage(['resolve', '--strategy', 'loader', ...words]);
    // Entered through nix-ld, the launcher puts the chosen libraries first; the user can have it the other way round.
    const userFirst = { env: { ...absolute.env, NIX_RUN_FOREIGN_LIBRARY_ORDER: 'user-first' } };
    assertSays(await root.start(words, absolute), interpreter === 'none' ? 'vendor\n' : 'store\n');
    assertSays(await root.start(words, userFirst), 'vendor\n');
    assertSays(await root.startHit(words), 'store\n');
    // As a library of another glibc, which needs what the chosen one does not have.
    const needless = compileLibrary(on('stubs/libnowhere.so.1'), 'libnowhere.so.1', 'int nowhere;');
    compileLibrary(on('lib/libz.so.1'), 'libz.so.1', zlibStub, ['-Wl,--no-as-needed', needless]);
    const unfit = await root.start(['--refresh', ...words], absolute);
    const line =
      /^nix-run-foreign: \S+\/plain: LD_LIBRARY_PATH comes before the chosen set, .*libnowhere\.so\.1.*env -u LD_LIBRARY_PATH/;
    if (interpreter === 'none') assert.match(unfit.stderr, line);
    else assertSays(unfit, 'store\n');
    rmSync(on('lib/libz.so.1'));
    assertSays(await root.startHit(words, absolute), 'store\n');
  });
}
