// explain tells by which rule the loader finds each object: farm, run paths, default directory, other names, wrong class.
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Explanation } from '../../../src/cli/explain/explain.ts';
import { libraryImage } from '../../ldso/library-image.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { copyHome, foreign, onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const place = path.join(homeInRoot, 'vendor');
const program = path.join(place, 'bin/program');
const on = (...names: string[]) => onHost(root, path.join(place, ...names));

const outer = compileLibrary(
  on('lib/libouter.so.1'),
  'libouter.so.1',
  'int inner(void); int outer(void) { return inner(); }',
  [
    compileLibrary(on('lib/deep/libinner.so.1'), 'libinner.so.1', 'int inner(void) { return 0; }'),
    '-Wl,--enable-new-dtags,-rpath,$ORIGIN/deep',
  ],
);
linkSync(outer, on('lib/libtwin.so.1'));
const twin = compileLibrary(on('stub/libtwin.so.1'), 'libtwin.so.1', 'int twin(void) { return 0; }');
compile(
  on('bin/program'),
  'int outer(void); int twin(void); const char *zlibVersion(void);int main(void) { return outer() + !zlibVersion(); }',
  [
    '-Wl,--no-as-needed',
    outer,
    twin,
    '-l:libz.so.1',
    '-Wl,--disable-new-dtags,-rpath,$ORIGIN/../old:$ORIGIN/../lib',
    '-Wl,--allow-shlib-undefined',
    '-Wl,-rpath-link',
    on('lib/deep'),
  ],
);
mkdirSync(on('old'));
writeFileSync(on('old/libouter.so.1'), libraryImage({ class: 32, machine: 3, soname: 'libouter.so.1' }));

const manage = async (...words: string[]) => (await root.manage([...words])).stdout;
const explained = async (of: string) => JSON.parse(await manage('explain', of, '--json')) as Explanation;

test('the rule, the directory, other names and what was passed over, as data', async () => {
  const bare = await root.bare(program);
  assert.notEqual(bare.status, 0);
  assert.equal((await root.start([program])).status, 0);
  const { objects = [], disagreement, farm, loader } = await explained(program);
  assert.equal(disagreement, null);
  const rules = objects.map(({ name, how }) => [name, how?.by, how?.of, how?.directory]);
  const outerPath = `${place}/bin/../lib/libouter.so.1`;
  assert.deepEqual(rules, [
    ['libouter.so.1', 'rpath', program, `${place}/bin/../lib`],
    ['libz.so.1', 'farm', null, farm],
    ['libc.so.6', 'default directory', null, path.dirname(loader ?? '')],
    ['libinner.so.1', 'runpath', outerPath, `${place}/bin/../lib/deep`],
    ['ld-linux-x86-64.so.2', 'interpreter', null, null],
  ]);
  const [first] = objects;
  assert.deepEqual(first?.how?.requests, [
    { name: 'libouter.so.1', from: program, how: 'opened' },
    { name: 'libtwin.so.1', from: program, how: 'loaded by inode' },
  ]);
  assert.deepEqual(first?.how?.passedOver, [
    { path: `${place}/bin/../old/libouter.so.1`, why: 'wrong class' },
  ]);
});

test('the same in words, in the tree and in what is said of one name', async () => {
  const tree = await manage('explain', program);
  for (const line of [
    /─ libouter\.so\.1 {2}\[1\]\n.*\n.* bundled, by the rpath of program\n/,
    /libtwin\.so\.1 of program is this too, as the same file\n/,
    /passed over: \S+\/old\/libouter\.so\.1 \(wrong class\)\n/,
    /bundled, by the runpath of libouter\.so\.1\n/,
    /libc of the loader, in the default directory of glibc-2\.\d+\n/,
    / farm; built with glibc-/,
  ]) {
    assert.match(tree, line);
  }
  const why = await manage('explain', program, '--why', 'libouter.so.1');
  assert.match(why, /^ {2}bundled, by the rpath of program\n {2}libtwin\.so\.1 of program is this too/m);
  assert.equal(await manage('explain', program, '--why', 'libtwin.so.1'), why);
});

test('a program of another release: simulation and loader agree on every object', async () => {
  const curl = copyHome(root, foreign(rig, 'bookworm', 'curl'), 'curl');
  const { objects = [], disagreement } = await explained(curl);
  assert.equal(disagreement, null);
  assert.ok(objects.length > 20);
  for (const { name, found, how } of objects) {
    assert.ok(how !== null && how.requests.length > 0, name);
    if (found === 'farm') assert.equal(how.by, 'farm');
  }
});
