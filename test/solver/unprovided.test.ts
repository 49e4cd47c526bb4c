// Every missing name is told at once, with all who need it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem, Provider } from '../../src/candidates/problem.ts';
import { unprovidedNames } from '../../src/solver/explain-conflict.ts';

function provider(label: string, needed: readonly string[]): Provider {
  return { label, path: `/store/${label}`, needed, verneed: [] } as unknown as Provider;
}

function problem(roots: readonly Provider[], offers: Record<string, Provider>): Problem {
  return {
    roots,
    bundled: new Map([
      ['bundled.so', { ...provider('bundled.so', []), verdef: [], hasVerdef: false, hasVersym: false }],
    ]),
    providersOf: (name) => (offers[name] === undefined ? [] : [offers[name]]),
    loaders: [],
    isFamily: (name) => name === 'libc.so.6',
  };
}

test('names without a provider, from the program and from what would be chosen', () => {
  const a = provider('a.so', ['gone.so', 'libc.so.6', 'deep.so', 'a.so']);
  const program = provider('program', ['a.so', 'gone.so', 'bundled.so', 'gone.so']);
  assert.deepEqual(unprovidedNames(problem([program], { 'a.so': a })), [
    { name: 'deep.so', neededBy: ['a.so'] },
    { name: 'gone.so', neededBy: ['program', 'a.so'] },
  ]);
});

test('nothing is missing where every name is served', () => {
  assert.deepEqual(
    unprovidedNames(problem([provider('p', ['a.so'])], { 'a.so': provider('a.so', ['a.so']) })),
    [],
  );
});
