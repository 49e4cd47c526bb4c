// Bundled libraries of a musl program against musl's own loader: same trees, same files, rule by rule.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { findBundled, type ProgramWithAdded } from '../../src/program/bundled.ts';
import { plugInAt } from '../../src/program/plug-ins.ts';
import { compileLibrary, compileProgram, scratchDirectory, type Wanted } from '../store/compiled-library.ts';

const LOADER = '/lib/ld-musl-x86_64.so.1';
const skip = existsSync(LOADER) ? false : 'install the Debian package musl';

interface Tree {
  at(file: string): string;
  lib(file: string, wanted?: Wanted): string;
  program(file: string, wanted: Wanted): string;
}

function tree(): Tree {
  const root = scratchDirectory();
  const at = (file: string): string => path.join(root, file);
  return {
    at,
    lib: (file, wanted = {}) => compileLibrary(at(file), { soname: path.basename(file), ...wanted }),
    program: (file, wanted) =>
      compileProgram(at(file), {
        ...wanted,
        flags: ['-nostdlib', '-Wl,-e,main', `-Wl,--dynamic-linker=${LOADER}`],
      }),
  };
}

/** Name → file, as musl loads it; it tells of each object when it is opened. */
function asLoaded(program: string, libraryPath: string): Record<string, string> {
  const env = { LD_LIBRARY_PATH: libraryPath };
  const { stdout } = spawnSync(LOADER, ['--list', program], { env, encoding: 'utf8' });
  const lines = [...stdout.matchAll(/^\t(\S+) => (\S+) \(/gm)].filter(([, name]) => name !== LOADER);
  return Object.fromEntries(lines.map(([, name, file]) => [name, path.normalize(file ?? '')]));
}

function asFound(program: string, more: Partial<ProgramWithAdded>, libraryPath = ''): Record<string, string> {
  const elf = elfFileAt(program);
  assert.ok(elf);
  const directories = libraryPath === '' ? [] : [libraryPath];
  const found = findBundled({ path: program, elf, ...more }, 'musl', () => {}, directories);
  return Object.fromEntries(
    found.flatMap(({ answersTo, path: file }) => answersTo.map((name) => [name, path.normalize(file)])),
  );
}

function agree(program: string, expected: Record<string, string>, libraryPath = ''): void {
  assert.deepEqual(asLoaded(program, libraryPath), expected, 'what musl does is not what this test means');
  assert.deepEqual(asFound(program, {}, libraryPath), expected);
}

test('a runpath serves the needs of what was loaded by it', { skip }, () => {
  const t = tree();
  const below = t.lib('lib/libbelow.so');
  const above = t.lib('lib/libabove.so', { needs: [below] });
  const program = t.program('bin/p', { needs: [above], runpath: '$ORIGIN/../lib' });
  agree(program, { 'libabove.so': above, 'libbelow.so': below });
});

test('a library with a runpath sees the rpath above it too', { skip }, () => {
  const t = tree();
  const below = t.lib('lib/libbelow.so');
  const above = t.lib('lib/libabove.so', { needs: [below], runpath: '/nowhere' });
  agree(t.program('p', { needs: [above], rpath: '$ORIGIN/lib' }), {
    'libabove.so': above,
    'libbelow.so': below,
  });
});

test('a soname serves nobody: a file of the name is looked for', { skip }, () => {
  const t = tree();
  const wanted = t.lib('lib/libwanted.so.1');
  const vendor = t.lib('lib/libvendor.so');
  const program = t.program('p', { needs: [vendor, wanted], runpath: '$ORIGIN/lib' });
  renameSync(t.lib('lib/other', { soname: 'libwanted.so.1' }), vendor);
  agree(program, { 'libvendor.so': vendor, 'libwanted.so.1': wanted });
});

test('a run path with another token than $ORIGIN is void, and no empty element counts', { skip }, () => {
  const t = tree();
  const a = t.lib('lib/liba.so');
  agree(t.program('void', { needs: [a], runpath: '$ORIGIN/lib:$ORIGIN/$LIB' }), {});
  agree(t.program('p', { needs: [a], runpath: '::$ORIGIN/lib/' }), { 'liba.so': a });
});

test('a name with a slash has no tokens', { skip }, () => {
  const t = tree();
  const own = t.lib('lib/libown.so', { soname: '$ORIGIN/lib/libown.so' });
  agree(t.program('p', { needs: [own] }), {});
});

test('the library path, and so the farm, comes before an rpath', { skip }, () => {
  const t = tree();
  const own = t.lib('lib/liba.so');
  const other = t.lib('other/liba.so');
  const program = t.program('p', { needs: [own], rpath: '$ORIGIN/lib' });
  agree(program, { 'liba.so': own });
  agree(program, { 'liba.so': other }, t.at('other'));
  assert.deepEqual(asFound(program, { fromStore: new Set(['liba.so']) }), {});
});

test('what a plug-in of a musl program brings along is found so too', { skip }, () => {
  const t = tree();
  const below = t.lib('lib/libbelow.so');
  const above = t.lib('lib/libabove.so', { needs: [below] });
  const plugIn = t.lib('plug-in.so', { needs: [above], runpath: '$ORIGIN/lib' });
  const like = elfFileAt(t.program('p', { needs: [] }));
  assert.ok(like);
  assert.deepEqual(
    plugInAt(plugIn, like)?.bundled.map((each) => each.path),
    [above, below],
  );
});
