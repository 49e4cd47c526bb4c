// Compiled programs and the machine's own loaders → what is simulated, against what the loader says itself.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { askLoader } from '../../src/ldso/ask-loader.ts';
import { simulateStart } from '../../src/ldso/simulate-start.ts';
import type { LoadTrace } from '../../src/ldso/simulation/trace.ts';
import { complaintsOf, disagreementOf, withReasons } from '../../src/ldso/trace-text.ts';
import { libcOf } from '../../src/program/libc.ts';
import { compileLibrary, compileProgram, scratchDirectory } from '../store/compiled-library.ts';

const LOADER = '/lib64/ld-linux-x86-64.so.2';
const MUSL = '/lib/ld-musl-x86_64.so.1';
const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);

function simulated(program: string, libraryPath = '', loader = LOADER): LoadTrace {
  const elf = elfFileAt(program) ?? assert.fail(program);
  return simulateStart(
    { path: program, elf },
    libcOf(elf, loader === MUSL ? 'musl' : 'glibc'),
    loader,
    libraryPath,
  );
}

function asked(program: string, libraryPath = '') {
  return askLoader({ loader: LOADER, libc: 'glibc', libraryPath, program });
}

const inner = compileLibrary(at('inner', 'libinner.so.1'), {
  soname: 'libinner.so.1',
  versions: 'V1 { *; };',
  source: 'int inner(void) { return 0; }',
});
const outer = compileLibrary(at('outer', 'libouter.so.1'), {
  soname: 'libouter.so.1',
  needs: [inner],
  runpath: '$ORIGIN/../inner',
  source: 'int inner(void); int outer(void) { return inner(); }',
});
const program = compileProgram(at('program'), { needs: [outer], rpath: at('outer') });

test('a set that loads: no complaint, and the loader lists the same', () => {
  const trace = simulated(program);
  assert.deepEqual(complaintsOf(trace), []);
  assert.equal(disagreementOf(trace, asked(program).objects, 'glibc', LOADER), undefined);
});

test('a missing library: who needs it, every list of directories with its owner', () => {
  const lonely = at('far', 'lonely');
  mkdirSync(lonely, { recursive: true });
  symlinkSync(outer, path.join(lonely, 'libouter.so.1'));
  const bare = compileProgram(at('bare'), { needs: [outer] });
  const text = complaintsOf(simulated(bare, lonely)).join();
  const start = `libinner.so.1 is in none of the searched directories, needed by ${lonely}/libouter.so.1; searched: the library path (${lonely}), the runpath of ${lonely}/libouter.so.1 (${lonely}/../inner), the loader's default directories (/`;
  assert.equal(text.slice(0, start.length), start);
});

test('what the loader passed over on the way is told', () => {
  mkdirSync(at('other'));
  writeFileSync(at('other', 'libouter.so.1'), new Uint8Array());
  const refused = complaintsOf(simulated(compileProgram(at('empty'), { needs: [outer] }), at('other')));
  assert.deepEqual(refused, [`${at('other')}/libouter.so.1: file too short, needed by ${at('empty')}`]);
  const arm = readFileSync(outer);
  arm.writeUInt16LE(183, 18);
  writeFileSync(at('other', 'libouter.so.1'), arm);
  const [passed] = complaintsOf(simulated(at('empty'), at('other')));
  assert.match(
    passed ?? '',
    new RegExp(`passed over: ${at('other')}/libouter\\.so\\.1 \\(wrong machine\\)$`),
  );
});

test("the loader's own complaint becomes the whole answer, and only a known one", () => {
  const older = compileLibrary(at('older', 'libinner.so.1'), {
    soname: 'libinner.so.1',
    versions: 'V0 { *; };',
  });
  const { complaints } = asked(program, path.dirname(older));
  assert.equal(complaints.length, 1);
  const trace = simulated(program, path.dirname(older));
  assert.deepEqual(withReasons([...complaints, 'of another matter'], trace), [
    `${older}: version \`V1' not found (required by ${at('outer')}/libouter.so.1); it was found by the library path`,
    'of another matter',
  ]);
});

test('paths that are not ASCII come back as they are', () => {
  const place = at('far', 'Bücher ∞');
  mkdirSync(place, { recursive: true });
  for (const name of readdirSync(at('outer'))) symlinkSync(at('outer', name), path.join(place, name));
  const plain = compileProgram(path.join(place, 'programm'), { needs: [outer], runpath: '$ORIGIN' });
  const libraryPath = `${place}:${at('inner')}`;
  const trace = simulated(plain, libraryPath);
  assert.deepEqual(complaintsOf(trace), []);
  assert.equal(trace.objects[1]?.path, `${place}/libouter.so.1`);
  assert.equal(disagreementOf(trace, asked(plain, libraryPath).objects, 'glibc', LOADER), undefined);
  assert.match(complaintsOf(simulated(plain)).join(), /Bücher ∞\/libouter\.so\.1/);
});

test('what is no loader is a complaint, never an exception', () => {
  for (const file of ['/nowhere/ld.so', '/etc/passwd', '/bin/true']) {
    assert.deepEqual(complaintsOf(simulated(program, '', file)), [
      `${file}: does not tell which directories it searches`,
    ]);
  }
});

test("musl's loader", { skip: !existsSync(MUSL) }, () => {
  const muslProgram = compileProgram(at('musl'), {
    flags: ['-nostdlib', '-nostartfiles', `-Wl,--dynamic-linker=${MUSL}`, outer],
    source: 'int outer(void); void _start(void) { outer(); for (;;); }',
  });
  const libraryPath = at('outer');
  const trace = simulated(muslProgram, libraryPath, MUSL);
  const { objects, complaints } = askLoader({
    loader: MUSL,
    libc: 'musl',
    libraryPath,
    program: muslProgram,
  });
  assert.deepEqual(complaints, []);
  assert.equal(disagreementOf(trace, objects, 'musl', MUSL), undefined);
  assert.match(
    complaintsOf(simulated(muslProgram, '', MUSL)).join(),
    /^libouter\.so\.1 is in none .* needed by \S+\/musl; searched: the loader's default directories \(\/lib/,
  );
});

test('a disagreement is one line about the first object that differs', () => {
  const trace = simulated(program);
  const { objects } = asked(program);
  const difference = (listed: typeof objects) => disagreementOf(trace, listed, 'glibc', LOADER);
  const [first, ...others] = objects;
  assert.ok(first);
  assert.equal(
    difference([{ ...first, path: '/elsewhere' }, ...others]),
    `object 1 was expected as libouter.so.1 from ${first.path}, and the loader has libouter.so.1 from /elsewhere`,
  );
  assert.match(difference(others) ?? '', /^object 1 .* and the loader has libinner|^object 1 .* libc/);
  assert.match(difference(objects.slice(0, -1)) ?? '', /and the loader has none$/);
  assert.match(
    disagreementOf(simulated(program, at('older')), objects, 'glibc', LOADER) ?? '',
    /^expected was a refusal: /,
  );
});
