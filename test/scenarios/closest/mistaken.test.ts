// What only looks like another version of a library → never taken, whatever its name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openShop } from '../diamonds/shop.ts';
import { assertRefused } from '../expect-failure.ts';
import { openToolRoot } from '../tool.ts';
import { programNeeding, stand } from './needy-programs.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shop = openShop(root);

const idle = 'int main(void) { return 0; }';
const none = 'int none_of_this(void) { return 0; }';
/** Needed, although nothing of it is called. */
const needing = (name: string, soname: string): string =>
  programNeeding(root, name, idle, ['-Wl,--no-as-needed', stand(root, soname, none)]);

for (const [soname, other] of [
  ['libssl3.so', /libssl\.so/],
  ['libz3.so.4', /libz\.so/],
  ['libm0.so.1', /libm\.so/],
  ['libm.so.1', /libm\.so\.6 \(/],
] as const) {
  test(`${soname} is another library`, async () => {
    const program = needing(`idle-${soname}`, soname);
    const outcome = await root.start([program]);
    assertRefused(outcome, { status: 126, cause: new RegExp(`needs ${soname.replaceAll('.', '\\.')};`) });
    assert.doesNotMatch(outcome.stderr, other);
    assert.doesNotMatch(outcome.stderr, /by hand/);
  });
}

test('nothing is needed of it: offered, and taken only by hand', async () => {
  await shop.library('idle-2.0', { soname: 'libidle.so.2', source: none });
  const program = needing('idle', 'libidle.so.1');
  const outcome = await root.start([program]);
  assertRefused(outcome, {
    status: 126,
    cause:
      /nearest to libidle\.so\.1 is libidle\.so\.2 \(idle-2\.0\), and nothing that is needed of it shows/,
  });
  assert.match(outcome.stderr, /can be chosen by hand: nix-foreign choose/);
});

test('a function that the other version has as a variable is missing there', async () => {
  await shop.library('kind-2.0', { soname: 'libkind.so.2', source: 'int answer = 42;' });
  const old = stand(root, 'libkind.so.1', 'int answer(void) { return 42; }');
  const source = 'int answer(void); int main(void) { return answer(); }';
  const program = programNeeding(root, 'kind', source, [old]);
  assertRefused(await root.start([program]), {
    status: 126,
    cause: /libkind\.so\.2 \(kind-2\.0\), which lacks the symbol needed \(answer\)/,
  });
});

test('of two releases the later one is taken, also where only a letter or a word tells them apart', async () => {
  for (const [name, older, newer] of [
    ['letter', '1.1.1k', '1.1.1w'],
    ['word', '1.0rc1', '1.0'],
  ] as const) {
    const made = [];
    for (const version of [older, newer]) {
      const source = `const char *version(void) { return "${version}"; }`;
      made.push(await shop.library(`${name}-${version}`, { soname: `lib${name}.so.1`, source }));
    }
    const main = `#include <stdio.h>
      const char *version(void); int main(void) { puts(version()); return 0; }`;
    const program = shop.program(name, main, made.slice(0, 1));
    assert.equal((await root.start([program])).stdout, `${newer}\n`);
  }
});
