// The store serves no name that the loader would not search for, whoever offers it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem, Provider } from '../../src/candidates/problem.ts';
import { MOST_LIBRARIES, withSearchedNames } from '../../src/candidates/searched-names.ts';

const anybody = [{ label: 'evil' }] as unknown as readonly Provider[];

function stated(needed: readonly string[], bundled: readonly string[] = []): Problem {
  const root = { label: 'program', path: '/program', needed, verneed: [] };
  const beside = { ...root, verdef: [], hasVerdef: false, hasVersym: false };
  return {
    roots: [root],
    bundled: new Map(bundled.map((name) => [name, beside])),
    providersOf: () => anybody,
    loaders: [],
    isFamily: () => false,
  };
}

test('a library of the store cannot need one into being', () => {
  const { providersOf } = withSearchedNames(stated(['libz.so.1']), '/program');
  assert.deepEqual(providersOf('../../evil.so.1'), []);
  assert.equal(providersOf('libz.so.1'), anybody);
});

test('the program that needs one is told why, whatever the length of the name', () => {
  const cause = { code: 'odd-name', message: /^\/program: program needs "sub\/libx\.so", .*it is a path/ };
  assert.throws(() => withSearchedNames(stated(['libz.so.1', 'sub/libx.so']), '/program'), cause);
  const long = () => withSearchedNames(stated(['x'.repeat(5000)]), '/program');
  assert.throws(long, ({ message }: Error) => message.length < 250 && /longer than 255/.test(message));
});

test('one that brought the library along may call it anything', () => {
  assert.doesNotThrow(() => withSearchedNames(stated(['/opt/x.so'], ['/opt/x.so']), '/program'));
});

test('more libraries than a set can have are refused at once; those brought along do not count', () => {
  const names = Array.from({ length: MOST_LIBRARIES + 1 }, (_, i) => `lib${i}.so`);
  assert.throws(() => withSearchedNames(stated(names), '/program'), { code: 'too-many', message: /5001/ });
  assert.doesNotThrow(() => withSearchedNames(stated(names, ['lib7.so']), '/program'));
  const twice = [...names.slice(1), ...names.slice(1)];
  assert.doesNotThrow(() => withSearchedNames(stated(twice), '/program'));
});
