// A program that needs a library by a path where nothing is → what the loader says as if the path led to the plain name.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readElfFile } from '../../src/elf/open-elf.ts';
import { refusedWhenOpened } from '../../src/farm/verify-set.ts';
import { listWithPlainNames } from '../../src/ldso/list-objects.ts';
import { libcOf } from '../../src/program/libc.ts';
import { plainNamesOf, withPlainNames } from '../../src/program/needed-paths.ts';
import { compile, compileLibrary } from '../scenarios/compile.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const farm = scratchDirectory();
const inFarm = (name: string) => path.join(farm, name);
const atPath = path.join(scratchDirectory(), 'libplain.so.1');

compile(atPath, 'int plain(void) { return 1; }', ['-shared', '-fPIC']);
compileLibrary(inFarm('libgood.so.1'), 'libgood.so.1', 'int good(void) { return 1; }');
const absent = compileLibrary(path.join(scratchDirectory(), 'libgone.so.1'), 'libgone.so.1', 'int gone;');
compileLibrary(inFarm('libbad.so.1'), 'libbad.so.1', 'extern int gone; int *bad = &gone;', [absent]);
compileLibrary(inFarm('liblacks.so.1'), 'liblacks.so.1', 'extern int nobody; int *lacks = &nobody;');

const MAIN = 'int plain(void); int main(void) { return plain(); }';
const lenient = [`-Wl,-rpath-link,${farm}`, '-Wl,--unresolved-symbols=ignore-in-shared-libs'];
const sound = compile(inFarm('sound'), MAIN, [atPath, ...lenient]);
const unbound = compile(inFarm('unbound'), MAIN, [
  atPath,
  '-Wl,--no-as-needed',
  inFarm('liblacks.so.1'),
  ...lenient,
]);
renameSync(atPath, inFarm('libplain.so.1'));

function programOf(file: string) {
  const reading = readElfFile(file);
  assert.ok(reading.kind === 'elf');
  const plainNames = plainNamesOf(reading.file);
  assert.deepEqual([...plainNames], [[atPath, 'libplain.so.1']]);
  const elf = withPlainNames(reading.file, plainNames);
  const loader = elf.interpreter ?? assert.fail();
  return { path: file, elf, plainNames, libc: libcOf(elf, 'glibc'), loader };
}

for (const verdict of ['loader', 'simulation'] as const)
  test(`${verdict}: of the names that it may open, those alone are refused that the loader refuses`, async () => {
    const program = programOf(sound);
    const set = { loader: program.loader, loaderObject: '/usr', askedPath: farm, verdict };
    assert.deepEqual(await refusedWhenOpened(set, program, ['libgood.so.1']), []);
    assert.deepEqual(await refusedWhenOpened(set, program, ['libgood.so.1', 'libbad.so.1']), ['libbad.so.1']);
  });

for (const [file, complaints] of [
  [sound, []],
  [unbound, ['liblacks.so.1 needs the symbol nobody, which nobody defines']],
] as const)
  test(`symbols that are bound before the start: ${path.basename(file)}`, async () => {
    const program = programOf(file);
    const { loader, libc } = program;
    const request = { loader, libc: 'glibc', libraryPath: farm, program: file, binding: 'start' } as const;
    assert.deepEqual((await listWithPlainNames(request, libc, 'loader', program)).complaints, complaints);
  });
