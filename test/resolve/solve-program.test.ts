// A store with another version of what a program needs → taken where symbols speak for it, offered where only its name does.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { candidatesInSet } from '../../src/choices/alternatives.ts';
import { NO_CHOICES } from '../../src/choices/choices.ts';
import { libcOf } from '../../src/program/libc.ts';
import type { DynamicProgram } from '../../src/resolve/job.ts';
import { withOptionalLibraries } from '../../src/resolve/optional-libraries.ts';
import { openAlternatives, solveProgram } from '../../src/resolve/solve-program.ts';
import { elfOf, openCompiledStore } from '../candidates/compiled-store.ts';
import { compileLibrary, compileProgram } from '../store/compiled-library.ts';

const { scratch, add, catalogue } = openCompiledStore();
const one = 'int one(void) { return 1; }';
add('glibc-2.36', 'lib/ld-linux-x86-64.so.2', { soname: 'ld-linux-x86-64.so.2' });
add('glibc-2.36', 'lib/libc.so.6', {
  soname: 'libc.so.6',
  source: 'int __libc_start_main(void) { return 0; }',
  versions: 'GLIBC_2.2.5 {}; GLIBC_2.34 { global: *; };',
});
add('one-2.0', 'lib/libone.so.2', { soname: 'libone.so.2', source: one });
add('two-2.0', 'lib/libtwo.so.2', { soname: 'libtwo.so.2' });
add('three-3.0', 'lib/libthree.so.3', { soname: 'libthree.so.3' });

/** Not around the program. */
function stub(soname: string, source: string): string {
  return compileLibrary(path.join(scratch, 'stubs/here', soname), { soname, source });
}

function programCalled(name: string, source: string, others: readonly string[] = []): DynamicProgram {
  const needs = [stub('libone.so.1', one), ...others];
  const file = compileProgram(path.join(scratch, name), { source, needs });
  const elf = elfOf(file);
  const libc = libcOf(elf, 'glibc');
  const interpreter = '/lib64/ld-linux-x86-64.so.2';
  return { typedName: name, path: file, elf, libc, interpreter } as unknown as DynamicProgram;
}

function solved(name: string, source: string) {
  return solveProgram(programCalled(name, source), catalogue(), new Set());
}

test('a symbol that is needed is there: taken', () => {
  const { outcome } = solved('calls', 'int one(void); int main(void) { return one(); }');
  assert.ok(outcome.kind === 'solution');
  assert.deepEqual(
    outcome.choices.filter(({ provider }) => provider.match === 'closest').map(({ name }) => name),
    ['libone.so.1'],
  );
});

test('no symbol is needed: not taken, but known', () => {
  const { outcome, closest } = solved('idle', 'int main(void) { return 0; }');
  assert.ok(outcome.kind === 'conflict');
  assert.deepEqual(
    outcome.reasons.map(({ kind }) => kind),
    ['no-provider'],
  );
  assert.deepEqual(
    closest?.judged('libone.so.1').map(({ provider }) => provider.soname),
    ['libone.so.2'],
  );
});

test('of what the program opens another version is never taken, although one serves what it needs', () => {
  const source = `const char *const named[] = {"libtwo.so.1", "libthree.so.3"};
    int one(void); int main(void) { return one() + named[0][0]; }`;
  const program = programCalled('opens/tool', source);
  const { problem, outcome } = solveProgram(program, catalogue(), new Set());
  assert.ok(outcome.kind === 'solution' && outcome.cost.closest === 1);
  const { added, reports } = withOptionalLibraries(program, { problem, solution: outcome }, undefined);
  assert.deepEqual(
    added.map(({ name }) => name),
    ['libthree.so.3'],
  );
  const two = reports.find(({ name }) => name === 'libtwo.so.1');
  assert.equal(two?.why?.(), 'no library offers libtwo.so.1');
});

test('of several names that would do the one that is there is taken', () => {
  const note = String.raw`__asm__(R"(.section .note.dlopen,"a"
    .long 4, 2f - 1f, 0x407c0c0a
    .asciz "FDO"
    1: .asciz "[{\"soname\":[\"libtwo.so.3\",\"libtwo.so.2\"]}]"
    2: .balign 4
    .previous)");`;
  const source = `${note} int one(void); int main(void) { return one(); }`;
  const program = programCalled('noted/tool', source);
  const { problem, outcome } = solveProgram(program, catalogue(), new Set());
  assert.ok(outcome.kind === 'solution');
  const { reports } = withOptionalLibraries(program, { problem, solution: outcome }, undefined);
  assert.deepEqual(
    reports.map(({ taken }) => taken),
    ['libtwo.so.2'],
  );
});

test('a candidate that needs another version of one more library is possible, as it is when it is pinned', () => {
  const foo = 'int foo(void) { return 1; }';
  const bar = 'int bar(void) { return 1; }';
  add('bar-2.0', 'lib/libbar.so.2', { soname: 'libbar.so.2', source: bar });
  const needed = stub('libbar.so.1', bar);
  const calling = 'int bar(void); int foo(void) { return bar(); }';
  const plain = add('foo-3.0', 'lib/libfoo.so.1', { soname: 'libfoo.so.1', source: foo });
  const needs = [needed];
  const calls = add('foo-2.0', 'lib/libfoo.so.1', { soname: 'libfoo.so.1', source: calling, needs });
  // Nothing that is needed of it speaks for the other version.
  const idle = add('foo-1.0', 'lib/libfoo.so.1', { soname: 'libfoo.so.1', source: foo, needs });
  const source = 'int one(void); int foo(void); int main(void) { return one() + foo(); }';
  const program = programCalled('chooses/tool', source, [stub('libfoo.so.1', foo)]);
  const seen = openAlternatives(program, catalogue(), NO_CHOICES);
  assert.ok(seen.outcome.kind === 'solution');
  const { alternatives, factsOf } = candidatesInSet(seen, seen.outcome);
  const [ofFoo = assert.fail()] = alternatives.filter(({ name }) => name === 'libfoo.so.1');
  const trials = ofFoo.candidates.map((each) => [each.provider.path, factsOf(ofFoo, each).trial?.kind]);
  assert.deepEqual(trials, [
    [plain, undefined],
    [calls, 'possible'],
    [idle, 'impossible'],
  ]);
  const pinned = trials.map(([file = '']) => {
    const choices = { ...NO_CHOICES, pins: { 'libfoo.so.1': file } };
    return solveProgram(program, catalogue(), new Set(), choices).outcome.kind;
  });
  assert.deepEqual(pinned, ['solution', 'solution', 'conflict']);
});
