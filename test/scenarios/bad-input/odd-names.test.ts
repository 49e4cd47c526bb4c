// Programs that need libraries by odd names, which the store has → refused in one line; nothing is left behind.
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { libraryImage } from '../../ldso/library-image.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { openShop } from '../diamonds/shop.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const root = await openToolRoot(await ensureRig('full'));
const shop = openShop(root);

const names: Record<string, RegExp> = {
  '../../../../../evil.so.1': /needs "\.\.\/\.\.\/\.\.\/\.\.\/\.\.\/evil\.so\.1".*it is a path/,
  'sub/libx.so.1': /it is a path/,
  'glibc-hwcaps': /directory/,
  '..': /directory/,
  'lib$ORIGIN.so.1': /token/,
  'lib\u001b[31mred.so.1': /needs "lib\?\[31mred\.so\.1".*printable ASCII/,
  'lib\nline.so.1': /printable ASCII/,
  'libcé.so.1': /printable ASCII/,
  [`lib${'x'.repeat(252)}.so.1`]: /longer than 255 bytes/,
};

for (const [at, [soname, cause]] of Object.entries(names).entries()) {
  test(`${JSON.stringify(soname.slice(0, 40))} is never looked for in the store`, async () => {
    const library = await shop.library(`odd-${at}`, {
      soname,
      source: `int odd(void) { return ${at}; }`,
      file: `libodd${at}.so`,
    });
    const program = shop.program(`odd${at}`, 'int odd(void); int main(void) { return odd(); }', [library]);
    const before = readdirSync(root.homeDir).sort();
    assertRefused(await root.start([program]), { status: 126, cause });
    const left = readdirSync(root.homeDir).filter((name) => !before.includes(name));
    assert.deepEqual(
      left.filter((name) => !['.cache', '.local', '.config'].includes(name)),
      [],
    );
    assert.deepEqual(readdirSync(path.join(root.homeDir, '.cache/nix-run-foreign/v1/farms')), []);
  });
}

test('20,000 of them are refused by their number, whoever asks', async () => {
  const program = path.join(homeInRoot, 'many');
  const needed = Array.from({ length: 20_000 }, (_, i) => `libssl.so.9.${i}`);
  const image = libraryImage({ interpreter: '/lib64/ld-linux-x86-64.so.2', needed });
  writeFileSync(onHost(root, program), image);
  chmodSync(onHost(root, program), 0o755);
  const cause = /needs 20000 libraries that do not lie beside it, and a set has at most 5000/;
  assertRefused(await root.start([program]), { status: 126, cause });
  for (const command of ['explain', 'graph', 'choose']) {
    const { status, stderr } = await root.manage([command, program]);
    assert.equal(status, 126, stderr);
    assert.match(stderr, cause);
  }
});
