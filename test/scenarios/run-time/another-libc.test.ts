// A library that is opened at run time and whose run path leads to an older glibc → never loaded beside two of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openRunTimeWays, putProgram } from './ways.ts';

const rig = await ensureRig('full');
const ways = await openRunTimeWays(rig);

/** Built with glibc 2.31, which has a libpthread.so.0; newer ones have its functions in libc.so.6. */
const pcre = rig.storeObjects.find(
  ({ suite, provides }) => suite === 'bullseye' && provides.includes('libpcre.so.3'),
);

for (const way of ways) {
  test(`${way.name}: a library that would bring another libc is not opened, and the next start has it`, async () => {
    const program = putProgram(way.root, 'open-lazily');
    const { loader } = rig.foreign.find(({ suite }) => suite === 'trixie') ?? assert.fail();
    const libraryPath = `${pcre?.path ?? assert.fail()}/lib`;
    const mixed = await way.root.run({
      argv: [loader, '--library-path', libraryPath, program, 'libpcre.so.3'],
    });
    assert.match(
      mixed.stderr,
      /glibc-2\.31\/lib\/libpthread\.so\.0: undefined symbol: \w+, version GLIBC_PRIVATE/,
    );
    const first = await way.start([program, 'libpcre.so.3', 'libexpat.so.1']);
    assert.match(
      first.stdout,
      /^libpcre\.so\.3 libpcre\.so\.3: cannot open shared object file: .*\nlibexpat\.so\.1 opened\n/,
    );
    assert.deepEqual([first.status, first.stderr], [1, '']);
    const second = await way.start([program, 'libpcre.so.3', 'libexpat.so.1']);
    assert.match(second.stdout, /^libpcre\.so\.3 opened\nlibexpat\.so\.1 opened\n/);
    assert.deepEqual([second.status, second.stderr], [0, '']);
  });
}
