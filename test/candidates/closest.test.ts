// Compiled libraries of several versions, and who needs what of them → the closest matches and what each lacks.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { buildProblem } from '../../src/candidates/build-problem.ts';
import type { Problem } from '../../src/candidates/problem.ts';
import { compileLibrary, compileProgram, objectName, type Wanted } from '../store/compiled-library.ts';
import { elfOf, openCompiledStore } from './compiled-store.ts';

const store = openCompiledStore();
const { scratch, storeDir } = store;
const add = (object: string, file: string, wanted: Wanted) =>
  store.add(object, path.join('lib', file), { soname: file, ...wanted });
const stub = (name: string, wanted: Wanted) =>
  compileLibrary(path.join(scratch, name), { soname: name, ...wanted });

const functions = (...names: readonly string[]): string =>
  names.map((name) => `int ${name}(void) { return 1; }`).join(' ');
const callsTo = (...names: readonly string[]): string =>
  `${names.map((name) => `int ${name}(void);`).join(' ')} int main(void) { return ${names.map((name) => `${name}()`).join(' + ')}; }`;

add('glibc-2.36', 'ld-linux-x86-64.so.2', {});
add('glibc-2.36', 'libc.so.6', { source: functions('elsewhere') });
add('plain-2.0', 'libplain.so.2', { source: functions('one', 'two') });
add('plain-3.0', 'libplain.so.3', { source: functions('one') });
add('versioned-2.0', 'libversioned.so.2', { source: functions('one'), versions: 'V_2 { global: *; };' });
add('kept-2.0', 'libkept.so.2', { source: functions('one'), versions: 'KEPT { global: *; };' });
add('bare-2.0', 'libbare.so.2', { source: functions('one') });
add('left-2.0', 'libleft.so.2', { source: functions('left') });
add('right-2.0', 'libright.so.2', { source: functions('right') });
add('glibc-2.36', 'libm-2.36.so', { soname: 'libm.so.6', source: functions('sine') });
add('kinds-2.0', 'libkinds.so.2', { source: 'int call = 1; int value = 2; __thread int own = 3;' });
add('shared-2.0', 'libshared.so.1', { source: functions('shared') });
add('shared-1.0', 'libshared.so.1', { source: functions('shared', 'engine') });
add('near-1.0', 'libnear.so.1', { source: functions('beside') });

/** The problem of a program that calls these functions of these libraries. */
function problemOf(
  name: string,
  source: string,
  needs: readonly string[],
  gone: readonly string[] = [],
): Problem {
  const file = compileProgram(path.join(scratch, `program-${name}`), { source, needs });
  const excluded = new Set(gone.map((object) => path.join(storeDir, objectName(object))));
  return buildProblem({ path: file, elf: elfOf(file), libc: 'glibc' }, store.catalogue(), excluded, {
    preference: 'none',
    reach: 'closest',
  });
}

function missingNamesOf(problem: Problem, name: string): Record<string, string> {
  const [by] = problem.roots;
  assert.ok(by && problem.closest);
  const { closest } = problem;
  return Object.fromEntries(
    problem.providersOf(name).map((provider) => {
      assert.equal(provider.match, 'closest');
      const { needed, missing, missingVersions } = closest.coverage(by, name, provider);
      return [
        provider.soname,
        `${missing.join(' ')} of ${needed.length} ${missingVersions.join(' ')}`.trim(),
      ];
    }),
  );
}

test('without versions, a symbol is needed from here unless somebody else has it', () => {
  const one = stub('libplain.so.1', { source: functions('one', 'two') });
  const other = path.join(storeDir, objectName('near-1.0'), 'lib', 'libnear.so.1');
  const problem = problemOf('plain', callsTo('one', 'two', 'beside'), [one, other]);
  assert.deepEqual(missingNamesOf(problem, 'libplain.so.1'), {
    'libplain.so.2': 'of 2',
    'libplain.so.3': 'two of 2',
  });
  assert.equal(problem.closest?.judged('libplain.so.1').length, 2);
});

test('with an exact library there is no closest match', () => {
  const exact = path.join(storeDir, objectName('near-1.0'), 'lib', 'libnear.so.1');
  const problem = problemOf('exact', callsTo('beside'), [exact]);
  assert.deepEqual(
    problem.providersOf('libnear.so.1').map(({ match }) => match ?? 'exact'),
    ['exact'],
  );
});

test('an exact library that vanished does not count', () => {
  const exact = path.join(storeDir, objectName('plain-2.0'), 'lib', 'libplain.so.2');
  const problem = problemOf('vanished', callsTo('one'), [exact], ['plain-2.0']);
  assert.deepEqual(
    problem.providersOf('libplain.so.2').map(({ soname }) => soname),
    ['libplain.so.3'],
  );
});

test('a symbol of another version is missing, one of the same version is there', () => {
  const old = stub('libversioned.so.1', { source: functions('one'), versions: 'V_1 { global: *; };' });
  assert.deepEqual(missingNamesOf(problemOf('old', callsTo('one'), [old]), 'libversioned.so.1'), {
    'libversioned.so.2': 'one@V_1 of 1 V_1',
  });
  const saved = stub('libkept.so.1', { source: functions('one'), versions: 'KEPT { global: *; };' });
  assert.deepEqual(missingNamesOf(problemOf('kept', callsTo('one'), [saved]), 'libkept.so.1'), {
    'libkept.so.2': 'of 1',
  });
});

test('a library without versions has the symbol but not the version', () => {
  const old = stub('libbare.so.1', { source: functions('one'), versions: 'BARE_1 { global: *; };' });
  assert.deepEqual(missingNamesOf(problemOf('bare', callsTo('one'), [old]), 'libbare.so.1'), {
    'libbare.so.2': 'of 1 BARE_1',
  });
});

test('two missing libraries do not claim the symbols of each other', () => {
  const left = stub('libleft.so.1', { source: functions('left') });
  const right = stub('libright.so.1', { source: functions('right') });
  const problem = problemOf('both', callsTo('left', 'right'), [left, right]);
  assert.deepEqual(missingNamesOf(problem, 'libleft.so.1'), { 'libleft.so.2': 'of 1' });
  assert.deepEqual(missingNamesOf(problem, 'libright.so.1'), { 'libright.so.2': 'of 1' });
});

test('what nobody has at all is missing from every candidate', () => {
  const one = stub('libplain.so.9', { source: functions('one', 'three') });
  const problem = problemOf('nobody', callsTo('one', 'three'), [one]);
  assert.equal(missingNamesOf(problem, 'libplain.so.9')['libplain.so.2'], 'three of 2');
});

test('a symbol that a provider has which is not the best of its name is none of the library that is missing', () => {
  const one = stub('libplain.so.1', { source: functions('one') });
  const shared = stub('libshared.so.1', { source: functions('shared', 'engine') });
  const problem = problemOf('second', callsTo('one', 'engine'), [one, shared]);
  const defining = (file: string) => problem.symbols?.definedBy(file, 'engine');
  assert.deepEqual(
    problem.providersOf('libshared.so.1').map((each) => defining(each.path)),
    [false, true],
  );
  assert.equal(missingNamesOf(problem, 'libplain.so.1')['libplain.so.3'], 'of 1');
});

test('what is called must be a function there, and what is read a variable', () => {
  const old = stub('libkinds.so.1', {
    source: `${functions('call')} int value = 2; __thread int own = 3;`,
  });
  const source = `int call(void); extern int value; extern __thread int own;
    int main(void) { return call() + value + own; }`;
  assert.deepEqual(missingNamesOf(problemOf('kinds', source, [old]), 'libkinds.so.1'), {
    'libkinds.so.2': 'call of 2',
  });
});

test('the libc is no other version of anything', () => {
  const other = stub('libm.so.1', { source: functions('sine') });
  assert.deepEqual(missingNamesOf(problemOf('family', callsTo('sine'), [other]), 'libm.so.1'), {});
});
