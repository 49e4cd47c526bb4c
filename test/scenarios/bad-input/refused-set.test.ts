// The loader refuses a set that could be chosen → the failure says which object needed what, and where it was looked for.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const root = await openToolRoot(await ensureRig('full'));
const place = path.join(homeInRoot, 'vendor');
const program = path.join(place, 'program');

const SOURCE = 'int outer(void) { return 0; }';
const bundled = compileLibrary(onHost(root, path.join(place, 'lib/libouter.so.1')), 'libouter.so.1', SOURCE);
/** What a variant beside the program needs is not looked at; the loader takes it, and insists on that. */
for (const level of ['v2', 'v3', 'v4'])
  compileLibrary(
    onHost(root, path.join(place, `lib/glibc-hwcaps/x86-64-${level}/libouter.so.1`)),
    'libouter.so.1',
    SOURCE,
    ['-Wl,--filter=libfiltee.so.1', `-Wl,--enable-new-dtags,-rpath,${place}/lib/more`],
  );
compile(onHost(root, program), 'int outer(void); int main(void) { return outer(); }', [
  bundled,
  '-Wl,--enable-new-dtags,-rpath,$ORIGIN/lib',
]);

test('who needed it, and every list of directories with its owner', async () => {
  const variant = `${place}/lib/glibc-hwcaps/x86-64-v\\d/libouter\\.so\\.1`;
  const searched = `the library path \\(\\S+/farms/\\w+\\), the runpath of ${variant} \\(${place}/lib/more\\), the loader's default directories \\([^)]*/nix/store/\\S+-glibc-\\S+/lib`;
  const outcome = await root.start([program]);
  assertRefused(outcome, {
    status: 126,
    cause: new RegExp(
      `refuses the set: libfiltee\\.so\\.1 is in none of the searched directories, needed by ${variant}; searched: ${searched}`,
    ),
  });
});

test('once it is there, the program starts', async () => {
  compileLibrary(
    onHost(root, path.join(place, 'lib/more/libfiltee.so.1')),
    'libfiltee.so.1',
    'int outer(void) { return 0; }',
  );
  assert.deepEqual(await root.start([program]).then(({ status, stderr }) => [status, stderr]), [0, '']);
});
