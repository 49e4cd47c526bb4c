// What `ldconfig -p` prints in a view of drivers: the running one, each file by its own class, and none of the store.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openViewRoot, putProgram } from './view-root.ts';

const rig = await ensureRig('full');
const run = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-run-'));
after(() => rmSync(run, { recursive: true, force: true }));
const root = await openViewRoot(rig, {
  interpreter: 'stub-ld',
  uid: 0,
  binds: [{ from: run, to: '/run', mode: 'read-only' }],
});

const NAMES = ['libcuda.so.1', 'libnvidia-ml.so.1'] as const;

const stored = path.join(homeInRoot, 'nvidia-x11-560.2');
for (const name of NAMES) compileLibrary(onHost(root, path.join(stored, 'lib', name)), name, 'int driver;');
const added = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--add', stored] });
assert.equal(added.status, 0, added.stderr);

const ASKS = `#include <stdlib.h>
const char *zlibVersion(void);
int main(void) { return zlibVersion()[0] != '1' || system("/sbin/ldconfig -p"); }`;

/** What a command of a shell in a view is told of drivers. */
async function offeredTo(caller: string): Promise<string[]> {
  const { stdout, stderr } = await root.start([rig.bash, '-c', caller]);
  assert.match(stdout, /^\d+ libs found/, stderr);
  return stdout.split('\n').filter((line) => /libcuda|libnvidia|lib32/.test(line));
}

test('without a driver none is offered, whatever the store has', async () => {
  assert.deepEqual(await offeredTo('/sbin/ldconfig -p'), []);
});

test('the running driver is offered, for each machine its own', async () => {
  const small = rig.foreign.find(({ architecture }) => architecture === 'i386');
  assert.ok(small, 'the rig has a 32-bit program');
  const loader = path.join(rig.nixDir, path.relative('/nix', small.loader));
  const [native, other] = ['/run/opengl-driver/lib', '/run/opengl-driver-32/lib'];
  for (const name of NAMES) compileLibrary(path.join(run, 'opengl-driver/lib', name), name, 'int driver;');
  mkdirSync(path.join(run, 'opengl-driver-32/lib'), { recursive: true });
  for (const name of ['libcuda.so.1', 'lib32.so.1'])
    copyFileSync(loader, path.join(run, 'opengl-driver-32/lib', name));
  const asks = putProgram(root, 'asks', ASKS, ['-l:libz.so.1']);
  const expected = [
    `\tlib32.so.1 (libc6) => ${other}/lib32.so.1`,
    `\tlibcuda.so.1 (libc6) => ${other}/libcuda.so.1`,
    `\tlibcuda.so.1 (libc6,x86-64) => ${native}/libcuda.so.1`,
    `\tlibnvidia-ml.so.1 (libc6,x86-64) => ${native}/libnvidia-ml.so.1`,
  ];
  for (const caller of ['/sbin/ldconfig -p', asks])
    assert.deepEqual((await offeredTo(caller)).sort(), expected, caller);
});
