// A vendor's directory → one farm where the sets agree, a patched copy of it, and all of it or nothing.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, compileLibrary } from '../compile.ts';
import { openVendorRoot, uid } from './vendor-root.ts';

const vendor = await openVendorRoot('small');
const at = (name: string): string => path.join(vendor.dir, name);
const SAY = '#include <stdio.h>\nint main(void) { return puts("said") < 0; }';
const ZLIB =
  '#include <stdio.h>\nconst char *zlibVersion(void);\nint main(void) { return puts(zlibVersion()) < 0; }';

function sums(directory: string): string {
  const hash = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => lstatSync(path.join(directory, name)).isFile())
    .sort()
    .map(
      (name) =>
        `${name} ${hash(path.join(directory, name))} ${lstatSync(path.join(directory, name)).mtimeMs}`,
    )
    .join('\n');
}

function make(name: string): void {
  mkdirSync(at(`${name}/bin`), { recursive: true });
  compile(at(`${name}/bin/one`), SAY);
  compile(at(`${name}/bin/two`), `${SAY}\nint two;`);
  compile(at(`${name}/bin/zlib`), ZLIB, ['-l:libz.so.1']);
  own(name);
}

function own(name: string): void {
  chownSync(at(name), uid, uid);
  for (const each of readdirSync(at(name), { recursive: true, encoding: 'utf8' }))
    chownSync(at(`${name}/${each}`), uid, uid);
}

const manage = async (...words: string[]) => await vendor.root.manage(words);
const said = async (program: string) => (await vendor.root.bare(program)).stdout;

test('programs whose sets agree name one farm, and each goes back by itself', async () => {
  make('app');
  const before = sums(at('app'));
  const { status, stdout, stderr } = await manage('patch', '-y', '--tree', '/vendor/app', '--json');
  assert.equal(status, 0, stderr);
  const farms = (JSON.parse(stdout) as { farm: string }[]).map(({ farm }) => farm);
  assert.equal(farms.length, 3, stdout);
  assert.equal(new Set(farms).size, 1, farms.join(' '));
  assert.equal(await said('/vendor/app/bin/one'), 'said\n');
  assert.match(await said('/vendor/app/bin/zlib'), /^1\./);
  const again = await manage('patch', '-y', '--tree', '/vendor/app');
  assert.equal(again.stdout.match(/nothing is to be done/g)?.length, 3, again.stdout);
  assert.equal((await manage('unpatch', '/vendor/app/bin/one')).status, 0);
  const collected = await vendor.root.run({ argv: [`${vendor.rig.nixBin}/nix-store`, '--gc'] });
  assert.equal(collected.status, 0);
  assert.match(await said('/vendor/app/bin/zlib'), /^1\./);
  assert.equal((await manage('unpatch', '--tree', '/vendor/app')).status, 0);
  assert.equal(sums(at('app')), before);
});

test('--json prints one document: an array of several files, of a tree and of none', async () => {
  make('told');
  mkdirSync(at('nothing'));
  const rows = async (...words: string[]): Promise<number | undefined> => {
    const { stdout } = await manage(...words, '--json');
    const told: unknown = JSON.parse(stdout);
    return Array.isArray(told) ? told.length : undefined;
  };
  const two = ['/vendor/told/bin/one', '/vendor/told/bin/two'];
  assert.equal(await rows('patch', '-n', ...two), 2);
  assert.equal(await rows('patch', '-n', '--tree', '/vendor/told'), 3);
  assert.equal(await rows('patch', '-y', ...two), 2);
  for (const look of ['--check', '--show', '--repair']) {
    assert.equal(await rows('patch', look, ...two), 2, look);
    assert.equal(await rows('patch', look, two[0] ?? ''), undefined, look);
    assert.equal(await rows('patch', look, '--tree', '/vendor/nothing'), 0, look);
  }
  assert.equal(await rows('unpatch', '-n', two[0] ?? ''), undefined);
  assert.equal(await rows('unpatch', ...two), 2);
  for (const words of [
    ['patch', '--tree', '/vendor/nothing'],
    ['unpatch', '--tree', '/vendor/nothing'],
    ['unpatch', '--all'],
  ])
    assert.equal(await rows(...words), 0, words.join(' '));
});

test('-o makes a patched copy of the tree, which stays as it is', async () => {
  make('kept');
  const before = sums(at('kept'));
  const { status, stderr } = await manage('patch', '-y', '--tree', '/vendor/kept', '-o', '/vendor/copy');
  assert.equal(status, 0, stderr);
  assert.equal(sums(at('kept')), before);
  assert.match(await said('/vendor/copy/bin/zlib'), /^1\./);
  assert.equal((await manage('unpatch', '--tree', '/vendor/copy')).status, 0);
  assert.equal(sums(at('copy')), before);
  const there = await manage('patch', '-y', '--tree', '/vendor/kept', '-o', '/vendor/copy');
  assert.equal(there.status, 125);
  assert.match(there.stderr, /is there already/);
});

test('with --strict one that cannot be patched keeps the tree as it is; without, the others are', async () => {
  make('mixed');
  const library = compileLibrary(at('libnowhere.so.7'), 'libnowhere.so.7', 'int nowhere(void) { return 1; }');
  compile(at('mixed/bin/lacking'), 'int nowhere(void); int main(void) { return nowhere(); }', [library]);
  rmSync(library);
  own('mixed');
  const before = sums(at('mixed'));
  const strict = await manage('patch', '-y', '--tree', '/vendor/mixed', '--strict');
  assert.equal(strict.status, 1);
  assert.match(strict.stderr, /bin\/lacking: .*libnowhere\.so\.7/);
  assert.equal(sums(at('mixed')), before);
  const copied = await manage('patch', '-y', '--tree', '/vendor/mixed', '--strict', '-o', '/vendor/no-copy');
  assert.equal(copied.status, 1);
  assert.ok(!existsSync(at('no-copy')));
  assert.notEqual((await manage('patch', '-y', '--tree', '/vendor/mixed')).status, 0);
  assert.equal(await said('/vendor/mixed/bin/one'), 'said\n');
});

test('with --strict what was done is undone when a later program fails its trial', async () => {
  make('late');
  const source = `#include <stdio.h>
    #include <sys/stat.h>
    int main(void) { struct stat s; stat("/proc/self/exe", &s); printf("%ld\\n", (long) s.st_size); return 0; }`;
  compile(at('late/bin/zz-reads-itself'), source);
  own('late');
  const before = sums(at('late'));
  const words = ['--method', 'append', '--try', 'x', '--strict'];
  const { status, stdout, stderr } = await manage('patch', '-y', '--tree', '/vendor/late', ...words);
  assert.equal(status, 1);
  assert.match(stdout, /bin\/zlib: patched/);
  assert.match(stderr, /zz-reads-itself: the patched copy is not as good/);
  assert.equal(sums(at('late')), before);
  assert.doesNotMatch(
    (await manage('list')).stdout,
    /vendor\/late\/.*\(not there|patched file {2}\/vendor\/late/,
  );
});

test('what a link of the tree leads to is none of its files', async () => {
  make('outside');
  make('inside');
  symlinkSync('../outside/bin', at('inside/others'));
  symlinkSync('..', at('inside/all'));
  const before = sums(at('outside'));
  const { status, stderr } = await vendor.root.manage(['patch', '-y', '--tree', '/vendor/inside']);
  assert.equal(status, 0, stderr);
  assert.equal(sums(at('outside')), before);
  assert.equal((await vendor.root.bare('/vendor/inside/bin/one')).stdout, 'said\n');
});
