// Choices on a problem: a pin may bring a file under another name, exclusions also take loaders, preferences leave others out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChoices } from '../../src/choices/apply.ts';
import { type Choices, NO_CHOICES } from '../../src/choices/choices.ts';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import { libcOf } from '../../src/program/libc.ts';
import { solve } from '../../src/solver/solve.ts';
import type { Catalogue, NamedLibrary } from '../../src/store/catalogue.ts';
import { glibc, problem, provider, requirer } from '../solver/small-problem.ts';

const hash = (digit: string, name: string) => `${digit.repeat(32)}-${name}`;
const [Z1, Z2, ZNG] = [hash('1', 'zlib-1.2'), hash('2', 'zlib-1.3'), hash('3', 'zlib-ng-2')];
const z = (object: string, rank: number) => provider(object, 'libz.so.1', { defines: [], rank: [rank] });
const offers = { 'libz.so.1': [z(Z2, 1), z(Z1, 2)] };
const roots = [requirer('/opt/prog', { needed: ['libz.so.1', 'libc.so.6'] })];
const elf = {
  class: 64,
  machine: 62,
  needed: [],
  filter: [],
  verneed: [],
  verdef: [],
  osAbi: 0,
  isaNeeded: 0,
  soname: 'libz-ng.so.2',
} as unknown as ElfFile;
const MUSL = hash('4', 'musl-zlib');
const catalogue = {
  storeDir: '/nix/store',
  librariesIn: (storePath: string): NamedLibrary[] =>
    [ZNG, MUSL]
      .filter((object) => storePath.endsWith(object))
      .map((object) => ({
        storePath,
        file: 'lib/libz-ng.so.2',
        elf: object === MUSL ? { ...elf, needed: ['libc.so'] } : elf,
        names: ['libz-ng.so.2'],
      })),
} as Pick<Catalogue, 'storeDir' | 'librariesIn'> as Catalogue;

function solved(choices: Partial<Choices>) {
  const stated = problem({ roots, offers, loaders: [glibc('2.41', []), glibc('2.36', [])] });
  const outcome = solve(
    applyChoices(
      stated,
      stated.providersOf,
      { ...NO_CHOICES, ...choices },
      {
        catalogue,
        program: {
          elf,
          libc: libcOf(elf, 'glibc'),
        },
      },
    ),
  );
  if (outcome.kind !== 'solution')
    return outcome.kind === 'conflict' ? outcome.reasons.map(({ kind }) => kind) : [];
  const [choice] = outcome.choices;
  return [
    choice?.provider.storePath.slice(11),
    choice?.provider.match ?? 'exact',
    outcome.loader.path.slice(11, 21),
  ];
}

test('without choices the best is taken', () => {
  assert.deepEqual(solved({}), [Z2, 'exact', 'glibc-2.41']);
});

test('excluded by the name of the store object', () => {
  assert.deepEqual(solved({ exclude: ['zlib-1.3'] }), [Z1, 'exact', 'glibc-2.41']);
  assert.deepEqual(solved({ exclude: ['zlib-*'] }), ['excluded']);
});

test('preferred by the beginning of the name, the first preference first, unless excluded', () => {
  assert.deepEqual(solved({ prefer: ['zlib-1.2'] }), [Z1, 'exact', 'glibc-2.41']);
  assert.deepEqual(solved({ prefer: ['nothing', 'zlib-1.3', 'zlib-1.2'] }), [Z2, 'exact', 'glibc-2.41']);
  assert.deepEqual(solved({ prefer: ['zlib-1.2'], exclude: ['zlib-1.2*'] }), [Z2, 'exact', 'glibc-2.41']);
});

test('pinned: also a library that calls itself otherwise', () => {
  const pins = { 'libz.so.1': `/nix/store/${ZNG}/lib/libz-ng.so.2` };
  assert.deepEqual(solved({ pins }), [ZNG, 'pinned', 'glibc-2.41']);
});

test('pinned to what is gone: a conflict that says so', () => {
  assert.deepEqual(solved({ pins: { 'libz.so.1': `/nix/store/${hash('9', 'gone')}/lib/libz.so.1` } }), [
    'pinned',
  ]);
});

test('pinned to what such a program cannot load: a conflict as well', () => {
  assert.deepEqual(solved({ pins: { 'libz.so.1': `/nix/store/${MUSL}/lib/libz-ng.so.2` } }), ['pinned']);
});

test('pinning libc.so.6 chooses the loader', () => {
  const pins = { 'libc.so.6': '/nix/store/glibc-2.36/lib/libc.so.6' };
  assert.deepEqual(solved({ pins }), [Z2, 'exact', 'glibc-2.36']);
});
