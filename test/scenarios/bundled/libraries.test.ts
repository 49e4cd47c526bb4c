// Libraries that a program brings along, through rpath and runpath, stay the program's own; the store gives the rest.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const main = (extra = '') =>
  `#include <stdio.h>\nint ours(void);\n${extra}\nint main(void) { printf("%d\\n", ours()); return 0; }`;
const ours = (n: number) => `int ours(void) { return ${n}; }`;
/** Needs libz from the store: by its soname, of which the compiler's own machine may have no development file. */
const zlibStub = 'const char *zlibVersion(void) { return ""; }';
const needsZlib = (n: number) =>
  `const char *zlibVersion(void); int ours(void) { return zlibVersion()[0] == '1' ? ${n} : -1; }`;

function assertSays({ status, stdout, stderr }: Outcome, text: string): void {
  assert.deepEqual([status, stdout, stderr], [0, text, '']);
}

for (const interpreter of ['none', 'nix-ld'] as const)
  for (const tag of ['enable-new-dtags', 'disable-new-dtags'] as const) {
    const root = await openToolRoot(rig, { interpreter });
    const place = path.join(homeInRoot, 'vendor');
    const on = (name: string) => onHost(root, path.join(place, name));
    const program = path.join(place, 'bin/program');
    const stub = compileLibrary(path.join(root.homeDir, 'stubs/libz.so.1'), 'libz.so.1', zlibStub);
    const name = (what: string) => `${what}, ${tag}, interpreter: ${interpreter}`;
    mkdirSync(on('.'));
    compileLibrary(on('lib/libours.so.1'), 'libours.so.1', ours(1));
    const rpath = `-Wl,--${tag},-rpath,$ORIGIN/../lib`;
    compile(on('bin/program'), main(), [on('lib/libours.so.1'), rpath]);

    test(name('found beside the program'), async () => {
      assert.notEqual((await root.bare(program)).stdout, '1\n');
      assertSays(await root.start([program]), '1\n');
      assertSays(await root.startHit([program]), '1\n');
    });

    test(name('updated in place'), async () => {
      compileLibrary(on('new'), 'libours.so.1', ours(2));
      renameSync(on('new'), on('lib/libours.so.1'));
      assertSays(await root.start([program]), '2\n');
      assertSays(await root.startHit([program]), '2\n');
    });

    test(name('updated to need a library of the store'), async () => {
      compileLibrary(on('new'), 'libours.so.1', needsZlib(3), [stub]);
      renameSync(on('new'), on('lib/libours.so.1'));
      assertSays(await root.start([program]), '3\n');
      assertSays(await root.startHit([program]), '3\n');
    });

    test(name('moved together'), async () => {
      const away = path.join(homeInRoot, 'away');
      renameSync(on('.'), onHost(root, away));
      assertSays(await root.start([path.join(away, 'bin/program')]), '3\n');
      renameSync(onHost(root, away), on('.'));
      assertSays(await root.start([program]), '3\n');
    });

    test(name('a copy that has other libraries beside it'), async () => {
      const copy = path.join(homeInRoot, 'copy');
      cpSync(on('.'), onHost(root, copy), { recursive: true });
      compileLibrary(onHost(root, path.join(copy, 'lib/libours.so.1')), 'libours.so.1', ours(4));
      assertSays(await root.start([path.join(copy, 'bin/program')]), '4\n');
      assertSays(await root.startHit([path.join(copy, 'bin/program')]), '4\n');
      assertSays(await root.startHit([program]), '3\n');
    });

    test(name('one that the store has too'), async () => {
      compileLibrary(on('lib/libz.so.1'), 'libz.so.1', 'const char *zlibVersion(void) { return "mine"; }');
      compileLibrary(
        on('new'),
        'libours.so.1',
        "const char *zlibVersion(void); int ours(void) { return zlibVersion()[0] == 'm' ? 5 : -5; }",
        [stub, rpath.replace('$ORIGIN/../lib', '$ORIGIN')],
      );
      renameSync(on('new'), on('lib/libours.so.1'));
      assertSays(await root.start(['--refresh', program]), '5\n');
      assertSays(await root.startHit([program]), '5\n');
    });

    test(name('a bundled library that is gone'), async () => {
      rmSync(on('lib/libours.so.1'));
      const { status, stderr } = await root.start([program]);
      assert.equal(status, 126);
      assert.match(stderr, /needs libours\.so\.1/);
    });
  }
