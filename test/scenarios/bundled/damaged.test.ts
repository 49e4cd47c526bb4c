// A damaged library beside a program is told of as that, not as one that the store lacks; put right or away, all is well.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const place = path.join(homeInRoot, 'vendor');
const program = path.join(place, 'bin/program');
const bundled = path.join(place, 'lib/libz.so.1');
const source = `#include <stdio.h>
const char *zlibVersion(void);
int main(void) { printf("%s\\n", zlibVersion()[0] == '1' ? "of the store" : zlibVersion()); return 0; }`;

for (const tag of ['enable-new-dtags', 'disable-new-dtags'] as const) {
  const root = await openToolRoot(rig);
  const on = (file: string) => onHost(root, file);
  mkdirSync(on(place));
  compileLibrary(on(bundled), 'libz.so.1', 'const char *zlibVersion(void) { return "beside it"; }');
  compile(on(program), source, [on(bundled), `-Wl,--${tag},-rpath,$ORIGIN/../lib`]);
  const healthy = readFileSync(on(bundled));

  async function assertSays(text: string): Promise<void> {
    const { status, stdout, stderr } = await root.start([program]);
    assert.deepEqual([status, stdout, stderr], [0, `${text}\n`, '']);
  }

  /** In one step, as installers do it. */
  function replace(bytes: Buffer): void {
    writeFileSync(`${on(bundled)}.new`, bytes);
    renameSync(`${on(bundled)}.new`, on(bundled));
  }

  for (const [damage, bytes, why] of [
    ['empty', Buffer.alloc(0), 'it is empty'],
    ['a page of an error message', Buffer.from('<html>404</html>\n'.repeat(9)), 'it is not an ELF file'],
    ['cut off', healthy.subarray(0, 200), '.+'],
  ] as const)
    test(`${damage}, ${tag}`, async () => {
      const cause = new RegExp(`program: its library \\S*/lib/libz\\.so\\.1 cannot be loaded: ${why}$`);
      replace(bytes);
      assertRefused(await root.start([program]), { status: 126, cause });
      replace(healthy);
      await assertSays('beside it');
      replace(bytes);
      assertRefused(await root.start([program]), { status: 126, cause });
      rmSync(on(bundled));
      await assertSays('of the store');
      replace(healthy);
      await assertSays('beside it');
      rmSync(on(bundled));
      await assertSays('of the store');
    });
}
