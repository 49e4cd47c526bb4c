// Preloaded libraries with thread storage → a start without the audit module, which they could not be beside.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot, type Settings } from '../tool.ts';
import { LARGE_STORAGE, openRunTimeWays, putPlugIn, putProgram } from './ways.ts';

const rig = await ensureRig('full');
const nixLd = await openToolRoot(rig, { interpreter: 'nix-ld' });
const byNixLd = (words: readonly string[], settings?: Settings) =>
  nixLd.start(['--strategy', 'nix-ld', ...words], settings);
const ways = [
  ...(await openRunTimeWays(rig)),
  { name: 'strategy nix-ld', root: nixLd, start: byNixLd, hit: byNixLd },
];

const UNSEEN = 'LD_AUDIT=unset LD_LIBRARY_PATH=unset\n';

for (const { name, root, start, hit } of ways) {
  const large = putPlugIn(root, 'libstorage.so', LARGE_STORAGE, []);
  const plain = putPlugIn(root, 'libplain.so', 'int plain;', []);
  const program = putProgram(root, 'open-names', 'preloads');

  test(`${name}: beside a preload with thread storage a program starts, and is served from its set`, async () => {
    for (const list of [large, `${plain}:${large}`, `${large} ${plain}`]) {
      const { status, stdout, stderr } = await start([program, 'libexpat.so.1'], {
        env: { LD_PRELOAD: list },
      });
      assert.match(stdout, /^libexpat\.so\.1 libexpat\.so\.1: cannot open shared object file/, stderr);
      assert.ok(stdout.endsWith(UNSEEN), stdout);
      assert.deepEqual([status, stderr], [1, '']);
    }
  });

  test(`${name}: beside any other preload names are looked for`, async () => {
    const { status, stdout, stderr } = await start([program, 'libz.so.1'], { env: { LD_PRELOAD: plain } });
    assert.deepEqual({ status, stdout }, { status: 0, stdout: `libz.so.1 opened\n${UNSEEN}` }, stderr);
  });

  // The loaders of the rig read no such file (test/rig/store/own-directories.ts): the launcher looks for it.
  test(`${name}: beside preloads of the whole machine it is served from its set`, async () => {
    const file = path.join(root.homeDir, '../etc/ld-nix.so.preload');
    writeFileSync(file, large);
    const { status, stdout } = await hit([program, 'libexpat.so.1']);
    rmSync(file);
    assert.match(stdout, /^libexpat\.so\.1 libexpat\.so\.1: cannot open shared object file/);
    assert.equal(status, 1);
    assert.match((await hit([program, 'libexpat.so.1'])).stdout, /^libexpat\.so\.1 opened/);
  });
}
