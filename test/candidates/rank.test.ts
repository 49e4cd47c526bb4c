// Names of store objects → their versions; versions → the order that Nix itself gives them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { newestFirst, versionOfName } from '../../src/candidates/rank.ts';

const order = (left: string, right: string): number => {
  const [a, b] = [newestFirst(left), newestFirst(right)];
  return a === b ? 0 : a < b ? 1 : -1;
};

test('versions in names', () => {
  const cases: Record<string, string> = {
    'openssl-1.1.1w': '1.1.1w',
    'openssl-1.1.1w-bin': '1.1.1w',
    'z-1.10-debug': '1.10',
    'name-without': '',
    'lib2to3-1.0rc2': '1.0rc2',
    'mesa-24.0.0-rc1-drivers': '24.0.0-rc1',
    'x-1.2-preload': '1.2',
    'bz2-1.0-1.0.8-5+b1': '1.0-1.0.8-5+b1',
    'x-0-unstable-2024-05-01': '0-unstable-2024-05-01',
    'x-1.2-lib32': '1.2',
  };
  for (const [name, version] of Object.entries(cases)) assert.equal(versionOfName(name), version, name);
});

/** Seeded: numbers, letters, `pre`, dots and dashes, as they stand in versions. */
function someVersions(count: number): string[] {
  let state = 42;
  const below = (limit: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
  const parts = ['1', '2', '10', '02', '300', 'a', 'k', 'ab', 'pre', '+deb', '_u', '.', '-', '.', '', 'p'];
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + below(6) }, () => parts[below(parts.length)]).join(''),
  );
}

test('the order is that of builtins.compareVersions', () => {
  const real = ['1.1.1k', '1.1.1w', '1.1.1', '3.0.11', '3.0.9', '1.2.11.dfsg-2+deb11u2', '1.2.13.dfsg-1'];
  const versions = [...real, '6.4', '6.4.20221231', '2.3a', '2.3.1', '2.3pre1', '2.3', ...someVersions(40)];
  const pairs = versions.flatMap((left) => versions.map((right) => [left, right] as const));
  const texts = JSON.stringify(versions).replaceAll(',', ' ');
  const asked = `let v = ${texts}; in builtins.concatMap (l: map (builtins.compareVersions l) v) v`;
  const answer = execFileSync('nix-instantiate', ['--eval', '--strict', '-E', asked], { encoding: 'utf8' });
  const answers = (answer.match(/-?\d+/g) ?? []).map(Number);
  assert.equal(answers.length, pairs.length);
  for (const [i, [left, right]] of pairs.entries()) {
    assert.equal(order(left, right), answers[i], `${left} and ${right}`);
  }
});

test('beyond it: every word for what comes before a release, and numbers of any length', () => {
  const ascending = ['1.0-alpha2', '1.0-beta1', '1.0pre1', '1.0rc1', '1.0rc2', '1.0', '1.0a', '1.0.1'];
  ascending.push('1.20240101000000', '1.120240101000000');
  for (const [i, version] of ascending.slice(1).entries()) {
    assert.equal(order(version, ascending[i] ?? ''), 1, `${ascending[i]} before ${version}`);
  }
});
