// How an object is found → the words of the tree, and the warnings below it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Explanation, explanationText } from '../../src/cli/explain/explain.ts';
import type { HowFound } from '../../src/cli/explain/load-map.ts';
import { foundText, otherNames, passedOver } from '../../src/cli/explain/tree.ts';

const name = 'liba.so.1';

function entry(found: string, how: Partial<HowFound> | null) {
  const nothing = { of: null, directory: null, hwcaps: null, requests: [], passedOver: [] };
  return { name, found, how: how && { by: 'farm' as const, ...nothing, ...how } };
}

test('every rule in words', () => {
  const glibc = '/nix/store/0309mrszi92p6gzm2z7iapidw8c0mnb5-glibc-2.43/lib';
  const cases: [string, Partial<HowFound> | null, string][] = [
    ['farm', null, 'farm'],
    ['farm', {}, 'farm'],
    ['farm', { hwcaps: 'glibc-hwcaps/x86-64-v3' }, 'farm, in glibc-hwcaps/x86-64-v3'],
    ['own directory', { by: 'library path' }, 'own directory, by the library path'],
    ['bundled', { by: 'rpath', of: '/app/bin/program' }, 'bundled, by the rpath of program'],
    ['bundled', { by: 'runpath', of: '/app/lib/libb.so' }, 'bundled, by the runpath of libb.so'],
    ['bundled', { by: 'slash name' }, 'bundled, named by its path'],
    ['loader', { by: 'interpreter' }, 'loader'],
    ['libc', { by: 'default directory', directory: glibc }, 'libc, in the default directory of glibc-2.43'],
    ['libc', { by: 'default directory', directory: '/lib' }, 'libc, in the default directory /lib'],
  ];
  for (const [found, how, text] of cases) assert.equal(foundText(entry(found, how)), text);
});

test('requests under another name, with the reason why they end here', () => {
  const from = '/app/bin/program';
  const requests = [
    { name, from, how: 'opened' },
    { name, from: '/app/lib/libb.so', how: 'loaded by name' },
    { name: 'libtwin.so.1', from, how: 'loaded by inode' },
    { name: 'libold.so.0', from, how: 'loaded by soname' },
    { name: '/app/lib/libx.so', from, how: 'loaded by path' },
  ] as const;
  assert.deepEqual(otherNames(entry('farm', { requests })), [
    'libtwin.so.1 of program is this too, as the same file',
    'libold.so.0 of program is this too, by its soname',
    '/app/lib/libx.so of program is this too, by its path',
  ]);
  assert.deepEqual(otherNames(entry('farm', null)), []);
  const passed = [{ path: '/old/liba.so.1', why: 'wrong class' }] as const;
  assert.deepEqual(passedOver(entry('farm', { passedOver: passed })), ['/old/liba.so.1 (wrong class)']);
});

test('a simulation that differs is one line, and so is each warning', () => {
  const explanation: Explanation = {
    ...{ program: '/p', kind: 'dynamic', strategy: 'loader', why: 'because', plan: '/plan', objects: [] },
    disagreement: 'object 1 was expected as a',
    warnings: ['/x: CPU ISA level is lower than required'],
    shadowed: [{ name: 'liba.so.1', by: '/mine/liba.so.1' }],
  };
  assert.deepEqual(explanationText(explanation).split('\n').slice(-3), [
    'warning: the simulation of the loader differs from the loader itself, which is shown: object 1 was expected as a',
    'warning: /x: CPU ISA level is lower than required',
    'warning: LD_LIBRARY_PATH comes first and has another liba.so.1: /mine/liba.so.1',
  ]);
  const quiet = explanationText({ ...explanation, disagreement: null, warnings: [], shadowed: [] });
  assert.doesNotMatch(quiet, /warning/);
});
