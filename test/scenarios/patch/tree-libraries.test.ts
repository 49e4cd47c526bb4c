// Libraries of a vendor's directory that need what only the store has → patched with its programs, moved, and as before.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import { compile, compileLibrary } from '../compile.ts';
import { stateOf } from '../saved-state.ts';
import { openVendorRoot, uid } from './vendor-root.ts';

const vendor = await openVendorRoot('small');
const at = (name: string): string => path.join(vendor.dir, name);
const manage = async (...words: string[]) => await vendor.root.manage(words);
const bare = async (program: string, args: readonly string[] = []) =>
  await vendor.root.bare(program, args, { env: {} });

function sums(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => lstatSync(path.join(directory, name)).isFile())
    .sort()
    .map((name) => {
      const file = path.join(directory, name);
      const { mtimeNs, mode } = lstatSync(file, { bigint: true });
      return `${name} ${createHash('sha256').update(readFileSync(file)).digest('hex')} ${mtimeNs} ${mode}`;
    });
}

function own(directory: string): void {
  chownSync(directory, uid, uid);
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }))
    chownSync(path.join(directory, name), uid, uid);
}

const HOST = `#include <dlfcn.h>
  #include <stdio.h>
  #include <string.h>
  #include <unistd.h>
  int main(int count, char **words) {
    char file[4096] = {0};
    if (readlink("/proc/self/exe", file, sizeof file - 1) < 0) return 1;
    strcpy(strrchr(file, '/') + 1, words[1]);
    void *plug = dlopen(file, RTLD_NOW);
    if (!plug) return puts(dlerror()), 2;
    const char *(*say)(void) = (const char *(*)(void)) dlsym(plug, "say");
    return puts(say()) < 0;
  }`;
const PLUG = 'const char *zlibVersion(void); const char *say(void) { return zlibVersion(); }';

/** A program that knows nothing of zlib, and plug-ins that need it: by a run path of their own, and without one. */
function make(name: string): void {
  mkdirSync(at(`${name}/lib`), { recursive: true });
  compile(at(`${name}/bin/host`), HOST);
  const zlib = ['-l:libz.so.1'];
  compileLibrary(at(`${name}/lib/own-path.so`), 'own-path.so', PLUG, [...zlib, '-Wl,-rpath,$ORIGIN']);
  compileLibrary(at(`${name}/lib/no-path.so`), 'no-path.so', PLUG, zlib);
  compileLibrary(at(`${name}/lib/alone.so`), 'alone.so', 'const char *say(void) { return "alone"; }');
  own(at(name));
}

test('a plug-in whose run path does not lead to the farm finds what it needs, also where the tree was moved', async () => {
  make('app');
  const before = sums(at('app'));
  assert.equal((await manage('patch', '-y', '/vendor/app/bin/host', '-o', '/vendor/app/bin/only')).status, 0);
  const unpatched = await bare('/vendor/app/bin/only', ['../lib/own-path.so']);
  assert.deepEqual([unpatched.status, /libz\.so\.1/.test(unpatched.stdout)], [2, true], unpatched.stdout);
  rmSync(at('app/bin/only'));
  const dry = await manage('patch', '-n', '--tree', '/vendor/app');
  assert.match(dry.stdout, /own-path\.so: the library would be patched .*finds libz\.so\.1 in \/nix\/store/);
  assert.deepEqual(sums(at('app')), before);
  const { status, stdout, stderr } = await manage('patch', '-y', '--tree', '/vendor/app', '--json');
  assert.equal(status, 0, stderr);
  const farms = new Set((JSON.parse(stdout) as { farm: string }[]).map(({ farm }) => farm));
  assert.equal(farms.size, 1, stdout);
  const [farm = ''] = farms;
  assert.equal(elfFileAt(at('app/lib/own-path.so'))?.runpath, `$ORIGIN:${farm}`);
  assert.equal(elfFileAt(at('app/lib/own-path.so'))?.interpreter, undefined);
  assert.equal(elfFileAt(at('app/lib/no-path.so'))?.rpath, farm);
  assert.equal(elfFileAt(at('app/lib/alone.so'))?.rpath, undefined);
  renameSync(at('app'), at('moved'));
  for (const plug of ['own-path', 'no-path']) {
    const { status, stdout } = await bare('/vendor/moved/bin/host', [`../lib/${plug}.so`]);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^1\.\d/);
  }
  assert.equal((await manage('patch', '--check', '--tree', '/vendor/moved')).status, 0);
  renameSync(at('moved'), at('app'));
  const again = await manage('patch', '-y', '--tree', '/vendor/app');
  assert.equal(again.status, 0, again.stderr);
  assert.equal(again.stdout.match(/nothing is to be done/g)?.length, 3, again.stdout);
  rmSync(path.join(stateOf(vendor.root), 'patched', path.basename(farm), 'root'));
  const refusing = { env: { NIX_REMOTE: 'unix:///nowhere/socket' } };
  const unheld = await vendor.root.manage(['patch', '-y', '--tree', '/vendor/app'], refusing);
  assert.equal(unheld.status, 0, unheld.stderr);
  for (const file of ['bin/host', 'lib/no-path.so', 'lib/own-path.so'])
    assert.match(
      unheld.stderr,
      new RegExp(`libraries of /vendor/app/${file} are not protected from garbage collection: `),
    );
  assert.equal((await manage('unpatch', '--tree', '/vendor/app')).status, 0);
  assert.deepEqual(sums(at('app')), before);
});

test('a library that can be started too, as those of Qt, is patched as the library that it is', async () => {
  make('qt');
  const started = `${PLUG}
    const char loader[] __attribute__((section(".interp"))) = "/lib64/ld-linux-x86-64.so.2";
    void start(void) { for (;;) {} }`;
  for (const [name, mode] of [
    ['plain.so', 0o644],
    ['executable.so', 0o755],
  ] as const) {
    compileLibrary(at(`qt/lib/${name}`), name, started, ['-l:libz.so.1', '-Wl,-rpath,$ORIGIN,-e,start']);
    assert.ok(elfFileAt(at(`qt/lib/${name}`))?.interpreter);
    chmodSync(at(`qt/lib/${name}`), mode);
  }
  own(at('qt'));
  const before = sums(at('qt'));
  const alone = await manage('patch', '-y', '/vendor/qt/lib/executable.so');
  assert.equal(alone.status, 126);
  assert.match(alone.stderr, /it is a shared library that can be started too.*\n.*nix-foreign patch --tree/);
  const { status, stderr } = await manage('patch', '-y', '--tree', '/vendor/qt', '--strict');
  assert.equal(status, 0, stderr);
  for (const name of ['plain', 'executable']) {
    const { interpreter, runpath } = elfFileAt(at(`qt/lib/${name}.so`)) ?? {};
    assert.equal(interpreter, '/lib64/ld-linux-x86-64.so.2');
    assert.match(runpath ?? '', /^\$ORIGIN:\/nix\/store\/[0-9a-z]{32}-f$/);
    assert.match((await bare('/vendor/qt/bin/host', [`../lib/${name}.so`])).stdout, /^1\.\d/);
  }
  assert.equal((await manage('unpatch', '--tree', '/vendor/qt')).status, 0);
  assert.deepEqual(sums(at('qt')), before);
});

test('a library whose links were lost is needed by its file name, so the tree can be moved', async () => {
  mkdirSync(at('npm/lib'), { recursive: true });
  const deep = compileLibrary(at('npm/lib/libdeep.so.6'), 'libdeep.so.6', 'int deep(void) { return 6; }');
  const flags = [deep, '-Wl,-rpath,$ORIGIN'];
  const near = compileLibrary(
    at('npm/lib/libnear.so.2'),
    'libnear.so.2',
    'int deep(void); int near(void) { return deep() * 7; }',
    flags,
  );
  const source = '#include <stdio.h>\nint near(void); int main(void) { return printf("%d\\n", near()) < 0; }';
  compile(at('npm/bin/program'), source, [
    near,
    '-Wl,-rpath,$ORIGIN/../lib',
    `-Wl,-rpath-link,${at('npm/lib')}`,
  ]);
  renameSync(deep, at('npm/lib/libdeep.so.6.0.2'));
  renameSync(near, at('npm/lib/libnear.so.2.1'));
  own(at('npm'));
  const before = sums(at('npm'));
  const { status, stderr } = await manage('patch', '-y', '--tree', '/vendor/npm');
  assert.equal(status, 0, stderr);
  renameSync(at('npm'), at('n2'));
  const ran = await bare('/vendor/n2/bin/program');
  assert.deepEqual([ran.status, ran.stdout], [0, '42\n'], ran.stderr);
  assert.ok(elfFileAt(at('n2/bin/program'))?.needed.includes('libnear.so.2.1'));
  assert.equal((await manage('patch', '--check', '--tree', '/vendor/n2')).status, 0);
  assert.equal((await manage('unpatch', '--tree', '/vendor/n2')).status, 0);
  assert.deepEqual(sums(at('n2')), before);
});

test('a library that needs what nobody has is named; with --strict the tree is as it was', async () => {
  make('wanting');
  const nowhere = compileLibrary(at('libnowhere.so.7'), 'libnowhere.so.7', 'int nowhere(void) { return 1; }');
  compileLibrary(
    at('wanting/lib/wants.so'),
    'wants.so',
    'int nowhere(void); int say(void) { return nowhere(); }',
    [nowhere, '-Wl,-rpath,$ORIGIN'],
  );
  rmSync(nowhere);
  own(at('wanting'));
  const before = sums(at('wanting'));
  const strict = await manage('patch', '-y', '--tree', '/vendor/wanting', '--strict');
  assert.equal(strict.status, 1);
  assert.match(strict.stderr, /wants\.so: the library is as it was: it needs libnowhere\.so\.7/);
  assert.deepEqual(sums(at('wanting')), before);
  const { status, stderr } = await manage('patch', '-y', '--tree', '/vendor/wanting');
  assert.equal(status, 0);
  assert.match(stderr, /wants\.so: the library is as it was/);
  assert.match((await bare('/vendor/wanting/bin/host', ['../lib/own-path.so'])).stdout, /^1\.\d/);
});
