// A program whose set has libraries that are not the store's, or stand there by another name → what it composes is found
// beside these as beside any others.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot, type Settings, type ToolRoot } from '../tool.ts';
import { addObject, scratchOf } from './own-objects.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const scratch = scratchOf(root);
mkdirSync(scratch, { recursive: true });

const COMPOSED = 'libexpat.so.1';

const at = (name: string): string => path.join(homeInRoot, name);

/** The flag for a version script of this text. */
function versions(text: string): string {
  const script = path.join(scratch, `versions-${text.length}.map`);
  writeFileSync(script, text);
  return `-Wl,--version-script=${script}`;
}

/** open-names.c in a directory of its own, linked with `flags`. Returns its path in the root. */
function put(on: ToolRoot, name: string, flags: readonly string[]): string {
  const source = readFileSync(path.join(import.meta.dirname, 'programs/open-names.c'), 'utf8');
  compile(onHost(on, at(`${name}/tool`)), source, ['-Wl,--no-as-needed', ...flags]);
  return at(`${name}/tool`);
}

/** Planned before it opens anything; then opened, and in the set from then on. */
async function assertFound(on: ToolRoot, [tool = '', ...more]: string[], settings?: Settings): Promise<void> {
  const planned = await on.start([tool], settings);
  assert.deepEqual([planned.status, planned.stderr], [0, '']);
  const opened = [COMPOSED, ...more].map((each) => `${each} opened\n`).join('');
  const outcome = await on.start([tool, COMPOSED, ...more], settings);
  assert.equal(outcome.stdout.slice(0, opened.length), opened);
  assert.deepEqual([outcome.status, outcome.stderr], [0, '']);
  const again = await on.startHit([tool, COMPOSED, ...more], settings);
  assert.equal(again.stdout.slice(0, opened.length), opened);
}

for (const strategy of ['loader', 'nix-ld'] as const) {
  const way = strategy === 'loader' ? root : await openToolRoot(rig, { interpreter: 'nix-ld' });
  for (const [value, place] of [
    [at('path/lib'), 'path'],
    ['lib', 'from-here'],
  ] as const)
    test(`a library that only LD_LIBRARY_PATH has, as ${value}, in the way ${strategy}`, async () => {
      const ours = compileLibrary(onHost(way, at(`${place}/lib/libours.so.1`)), 'libours.so.1', 'int ours;');
      const tool = put(way, place, [ours]);
      const settings = { env: { LD_LIBRARY_PATH: value }, cwd: at(place) };
      assert.equal((await way.start([tool])).status, 126);
      const planned = await way.manage(['resolve', '--strategy', strategy, tool], settings);
      assert.equal(planned.status, 0, planned.stderr);
      await assertFound(way, [tool], settings);
    });
}

test('a library that the user added, which stays in the set', async () => {
  compileLibrary(onHost(root, at('added/libmine.so.1')), 'libmine.so.1', 'int mine;');
  const tool = put(root, 'add', []);
  const added = await root.manage(['choose', '--add', `libmine.so.1=${at('added/libmine.so.1')}`, tool]);
  assert.equal(added.status, 0, added.stderr);
  await assertFound(root, [tool, 'libmine.so.1']);
});

test('a library of its own that gave way to a newer one of the store', async () => {
  const first = 'int first(void) { return 1; }\n';
  const duo = await addObject(root, {
    name: 'duo-2.0',
    soname: 'libduo.so.1',
    source: `${first}int second(void) { return 2; }\n`,
    flags: [versions('DUO_1 { global: first; local: *; };\nDUO_2 { global: second; } DUO_1;\n')],
  });
  const trio = await addObject(root, {
    name: 'trio-1.0',
    soname: 'libtrio.so.1',
    source: 'extern int second(void); int (*wanted)(void) = second;\n',
    flags: [duo],
  });
  const older = onHost(root, at('older/lib/libduo.so.1'));
  compileLibrary(older, 'libduo.so.1', first, [versions('DUO_1 { global: first; local: *; };\n')]);
  const tool = put(root, 'older', [
    ...[older, trio, '-Wl,--allow-shlib-undefined'],
    ...['-Wl,--enable-new-dtags', '-Wl,-rpath,$ORIGIN/lib'],
  ]);
  await assertFound(root, [tool]);
});

for (const strategy of ['view', 'patched'])
  test(`a library that it needs by a path where nothing is, in the way ${strategy}`, async () => {
    const library = path.join(scratch, strategy, 'libz.so.1');
    compile(library, 'int zlib;', ['-shared', '-fPIC']);
    const tool = put(root, `by-path-${strategy}`, [library]);
    rmSync(library);
    const planned = await root.manage(['resolve', '--strategy', strategy, tool]);
    assert.equal(planned.status, 0, planned.stderr);
    await assertFound(root, [tool]);
  });

test('a library that a plug-in has brought along, in an older version than the store has', async () => {
  const first = 'int first(void) { return 1; }\n';
  const one = [versions('TWIN_1 { global: first; local: *; };\n')];
  const own = compileLibrary(onHost(root, at('brought/libtwin.so.1')), 'libtwin.so.1', first, one);
  const newer = await addObject(root, {
    name: 'twin-2.0',
    soname: 'libtwin.so.1',
    source: `${first}int second(void) { return 2; }\n`,
    flags: [versions('TWIN_1 { global: first; local: *; };\nTWIN_2 { global: second; } TWIN_1;\n')],
  });
  const tail = { soname: 'libtail.so.1', name: 'tail-1.0', flags: [own] };
  const uses = (name: string) => `extern int ${name}(void); int (*wanted)(void) = ${name};\n`;
  const older = await addObject(root, { ...tail, source: uses('first') });
  await addObject(root, { ...tail, name: 'tail-2.0', source: uses('second'), flags: [newer] });
  const flags = ['-shared', '-fPIC', '-Wl,--no-as-needed', '-Wl,--disable-new-dtags', '-Wl,-rpath,$ORIGIN'];
  compile(onHost(root, at('brought/plug.so')), 'int plug;', [...flags, own, older]);
  await assertFound(root, [put(root, 'brings', []), at('brought/plug.so')]);
});
