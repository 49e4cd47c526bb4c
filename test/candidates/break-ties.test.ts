// Providers of the same version → the most used first, then the one with the smallest closure; nothing asked needlessly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Provider } from '../../src/candidates/problem.ts';
import { breakTies, compareRanks, RANK_CRITERIA, rankOf } from '../../src/candidates/rank.ts';
import type { ElfFile } from '../../src/elf/elf-file.ts';

const storePath = (object: string): string =>
  `/nix/store/${object.slice(0, 1).repeat(32)}-${object.slice(1)}`;

/** Providers in `a-1.0` style: a letter for the hash, then the name. */
function providers(...objects: readonly string[]): Provider[] {
  return objects
    .map((object) => {
      const library = { storePath: storePath(object), file: 'lib/libz.so.1', elf: {} as ElfFile };
      return { storePath: library.storePath, rank: rankOf(library) } as Provider;
    })
    .sort((a, b) => compareRanks(a.rank, b.rank));
}

function sorted(
  objects: readonly string[],
  uses: Readonly<Record<string, number>>,
  sizes: Readonly<Record<string, number>>,
): { order: string[]; asked: string[] } {
  const asked: string[] = [];
  const answer = (what: string, of: Readonly<Record<string, number>>) => (path: string) => {
    const object = objects.find((each) => storePath(each) === path) ?? '';
    asked.push(`${what} ${object}`);
    return of[object] ?? 0;
  };
  const popularity = { referrersOf: answer('use', uses), closureSizeOf: answer('size', sizes) };
  const order = breakTies(providers(...objects), popularity).map(
    (each) => objects.find((object) => storePath(object) === each.storePath) ?? '',
  );
  return { order, asked: asked.sort() };
}

test('different versions are told apart by their names alone', () => {
  assert.deepEqual(sorted(['az-1.0', 'bz-1.1', 'cz-1.2'], { 'az-1.0': 9 }, {}), {
    order: ['cz-1.2', 'bz-1.1', 'az-1.0'],
    asked: [],
  });
});

test('of the same version, the one that more others use; no size is asked then', () => {
  assert.deepEqual(sorted(['az-1.0', 'bz-1.0', 'cz-1.1'], { 'az-1.0': 3, 'bz-1.0': 7, 'cz-1.1': 1 }, {}), {
    order: ['cz-1.1', 'bz-1.0', 'az-1.0'],
    asked: ['use az-1.0', 'use bz-1.0'],
  });
});

test('used alike, the one that brings less along; then by path', () => {
  const uses = { 'az-1.0': 2, 'bz-1.0': 2, 'cz-1.0': 2, 'dz-1.0': 1 };
  assert.deepEqual(
    sorted(['az-1.0', 'bz-1.0', 'cz-1.0', 'dz-1.0'], uses, { 'az-1.0': 50, 'bz-1.0': 40, 'cz-1.0': 40 }),
    {
      order: ['bz-1.0', 'cz-1.0', 'az-1.0', 'dz-1.0'],
      asked: [
        'size az-1.0',
        'size bz-1.0',
        'size cz-1.0',
        'use az-1.0',
        'use bz-1.0',
        'use cz-1.0',
        'use dz-1.0',
      ],
    },
  );
});

test('two files of one object are not a question for the store', () => {
  const both = [...providers('az-1.0'), ...providers('az-1.0')];
  const never = () => assert.fail('asked');
  assert.equal(breakTies(both, { referrersOf: never, closureSizeOf: never }).length, 2);
});

test('each key has a criterion', () => {
  const [one] = providers('az-1.0');
  assert.equal(one?.rank.length, RANK_CRITERIA.length);
});
