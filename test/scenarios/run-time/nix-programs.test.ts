// A program that Nix built and a foreign plug-in → libraries that fit beside what is loaded; nothing else changes.
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { stateOf } from '../saved-state.ts';
import { launcher, openToolRoot } from '../tool.ts';
import { flagsOfNix, LARGE_STORAGE, putPlugIn } from './ways.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);

/** As a node addon is built on Debian: needs libraries of the system, and names of Node itself. */
const addon = putPlugIn(
  root,
  'project/node_modules/addon/build/addon.node',
  `extern void napi_module_register(void *); extern const char *zlibVersion(void);
static void *init(void *env, void *exports) { (void)env; return exports; }
static struct { int version; unsigned flags; const char *file; void *(*init)(void *, void *); const char *name; void *priv, *reserved[4]; }
	module = {1, 0, "addon.c", init, "addon", 0, {0}};
__attribute__((constructor)) static void begin(void) { if (zlibVersion()) napi_module_register(&module); }`,
  ['libz.so.1', 'libbz2.so.1.0'],
);
const script = `
const { execFileSync } = require('node:child_process');
try { require('${addon}'); console.log('loaded'); } catch (error) { console.log(error.message.split('\\n')[0]); }
console.log('own', process.env.LD_AUDIT);
console.log('child', execFileSync(process.execPath, ['-p', 'process.env.LD_AUDIT'], { encoding: 'utf8' }).trim());
console.log(process.execPath);`;

test('an addon of Node that needs libraries of the system', async () => {
  const bare = await root.run({ argv: [rig.node, '-e', script] });
  assert.match(bare.stdout, /^libz\.so\.1: cannot open shared object file/);
  const expected = `loaded\nown undefined\nchild undefined\n${rig.node}\n`;
  for (const start of [root.start, root.start, root.startHit]) {
    const { status, stdout, stderr } = await start([rig.node, '-e', script]);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: expected }, stderr);
  }
  const { stdout } = await root.manage(['explain', rig.node]);
  assert.match(stdout, /^strategy {2}view$/m);
});

test('the same in a view, where it was started in one before', async () => {
  const inner = `require('node:child_process').execFileSync('${launcher}', [process.execPath, '-e', process.argv[1]], { stdio: 'inherit' })`;
  for (const start of [root.start, root.startHit]) {
    const { status, stdout, stderr } = await start([rig.node, '-e', inner, script]);
    assert.deepEqual(
      { status, stdout },
      { status: 0, stdout: `loaded\nown undefined\nchild undefined\n${rig.node}\n` },
      stderr,
    );
  }
});

test('what was found is pinned, and let go with the plan', async () => {
  const roots = path.join(stateOf(root), 'run-time');
  const names = readdirSync(roots, { recursive: true, encoding: 'utf8' });
  assert.equal(names.filter((name) => /zlib|bz2/.test(name)).length, 2);
  const { stdout } = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--gc', '--print-roots'] });
  assert.match(stdout, /run-time\/\S+zlib/);
  assert.equal((await root.manage(['forget', rig.node])).status, 0);
  assert.deepEqual(readdirSync(roots), []);
});

interface ListedRoot {
  readonly program: string | null;
  readonly storePath: string;
  readonly prunable: string | null;
}

const runTimeRoots = async (): Promise<ListedRoot[]> => {
  const { stdout, stderr } = await root.manage(['roots', '--json']);
  const { roots } = JSON.parse(stdout || assert.fail(stderr)) as { roots: ListedRoot[] };
  return roots.filter(({ storePath }) => /zlib|bz2/.test(storePath));
};

/** A program of Nix that a later one took the place of. */
async function startedCopy(name: string): Promise<string> {
  const copy = path.join(homeInRoot, name);
  copyFileSync(path.join(rig.dir, rig.node), onHost(root, copy));
  const { status, stderr } = await root.start([copy, '-e', script]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(
    (await runTimeRoots()).map(({ program, prunable }) => [program, prunable]),
    [
      [copy, null],
      [copy, null],
    ],
  );
  return copy;
}

const pinnedNames = () => readdirSync(path.join(stateOf(root), 'run-time'));

for (const cache of ['kept', 'deleted'] as const)
  test(`roots names the program, and prune takes what was found when that is gone, the cache ${cache}`, async () => {
    const copy = await startedCopy(`upgraded-${cache}`);
    if (cache === 'deleted') rmSync(path.join(root.homeDir, '.cache'), { recursive: true });
    assert.equal((await root.manage(['prune'])).stdout, 'nothing to prune\n');
    assert.equal((await runTimeRoots()).length, 2);
    rmSync(onHost(root, copy));
    assert.equal((await runTimeRoots())[0]?.prunable, 'the program is gone');
    assert.equal((await root.manage(['prune'])).stdout, `pruned ${copy}: the program is gone\n`);
    assert.deepEqual(pinnedNames(), []);
    assert.equal((await root.manage(['list', '--json'])).stdout.includes(copy), false);
  });

for (const words of [['--all'], [path.join(homeInRoot, 'forgotten')]])
  test(`forget ${words} takes what was found, also where the cache was deleted`, async () => {
    await startedCopy('forgotten');
    rmSync(path.join(root.homeDir, '.cache'), { recursive: true });
    const { status, stderr } = await root.manage(['forget', ...words]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(pinnedNames(), []);
  });

test('what is found fits the libc that runs', async () => {
  const maps = `require('${addon}'); console.log([...new Set(require('node:fs').readFileSync('/proc/self/maps', 'latin1').match(/\\/nix\\/store\\/\\S+/g))].join('\\n'))`;
  const { stdout, status, stderr } = await root.start([rig.node, '-e', maps]);
  assert.equal(status, 0, stderr);
  const libcs = stdout.split('\n').filter((file) => /\/libc\.so\.6$/.test(file));
  assert.equal(libcs.length, 1);
  assert.match(stdout, /\/libz\.so\.1/);
});

/** As makeBinaryWrapper of nixpkgs makes it, with the command that it writes into the file. */
function wrapperOf(program: string, name: string, [variable, value] = ['WRAPPED', '1']): string {
  const source = `#include <stdlib.h>
    #include <unistd.h>
    const char *DOCSTRING = "\\n\\nmakeCWrapper '${program}' \\\\\\n    --inherit-argv0 \\\\\\n    --set '${variable}' '${value}'\\n\\n";
    int main(int argc, char **argv) { setenv("${variable}", "${value}", 1); return execv("${program}", argv); }`;
  const file = path.join(homeInRoot, name);
  compile(onHost(root, file), source, flagsOfNix(rig));
  return file;
}

/** Wrappers of the store name each other; a copy of the file is enough for the first one. */
async function addToStore(file: string): Promise<string> {
  const { stdout } = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--add', file] });
  return stdout.trim();
}

test('a wrapper that executes the program has no module itself, and what it executes has', async () => {
  const inner = await addToStore(wrapperOf(rig.node, 'node-wrapped'));
  for (const [name, program] of [
    ['node', rig.node],
    ['outer', inner],
  ] as const) {
    const wrapper = wrapperOf(program, name);
    const seen = `${script}; console.log(process.env.WRAPPED)`;
    const bare = await root.run({ argv: [wrapper, '-e', seen] });
    assert.match(bare.stdout, /^libz\.so\.1: cannot open shared object file/);
    for (const start of [root.start, root.startHit]) {
      const { status, stdout, stderr } = await start([wrapper, '-e', seen]);
      const expected = `loaded\nown undefined\nchild undefined\n${rig.node}\n1\n`;
      assert.deepEqual({ status, stdout }, { status: 0, stdout: expected }, stderr);
    }
  }
});

test('what a wrapper executes has no module beside a preload that the wrapper adds', async () => {
  const storage = putPlugIn(root, 'libstorage.so', LARGE_STORAGE, []);
  const wrapper = wrapperOf(rig.node, 'preloading', ['LD_PRELOAD', storage]);
  const { status, stdout, stderr } = await root.start([wrapper, '-p', 'process.env.LD_PRELOAD']);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: `${storage}\n` }, stderr);
});

test('a program of Nix that opens nothing has no module', async () => {
  const program = `${rig.nixBin}/nix-store`;
  const { status } = await root.start([program, '--version']);
  assert.equal(status, 0);
});
