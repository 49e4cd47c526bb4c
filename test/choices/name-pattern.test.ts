// Patterns for names of store objects match as a shell's do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namePattern } from '../../src/choices/choices.ts';

for (const [pattern, name, matches] of [
  ['openssl-1.*', 'openssl-1.1.1w', true],
  ['openssl-1.*', 'openssl-1x1', false],
  ['openssl-1.*', 'my-openssl-1.1', false],
  ['openssl', 'openssl-3', false],
  ['*', 'anything', true],
  ['gcc-?', 'gcc-9', true],
  ['gcc-?', 'gcc-10', false],
  ['glibc-2.4[1-3]', 'glibc-2.42', true],
  ['glibc-2.4[!1-3]', 'glibc-2.42', false],
  ['libstdc++6', 'libstdc++6', true],
  ['libstdc++6', 'libstdcc6', false],
  ['a[', 'a[', true],
  ['a[z-a]', 'a[z-a]', true],
  ['(a|b)', 'a', false],
] as const) {
  test(`${pattern} ${matches ? 'fits' : 'does not fit'} ${name}`, () => {
    assert.equal(namePattern(pattern).test(name), matches);
  });
}
