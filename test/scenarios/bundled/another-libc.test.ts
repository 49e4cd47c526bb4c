// A libc of another build beside a program: ld.so --list accepts the mixture, and the program would crash. So we refuse,
// and notice it although the program and its plan did not change.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { rootLinks } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const place = path.join(homeInRoot, 'vendor');
const on = (name: string) => onHost(root, path.join(place, name));
const program = path.join(place, 'program');
mkdirSync(on('.'));
compile(on('program'), '#include <stdio.h>\nint main(void) { puts("fine"); return 0; }', [
  '-Wl,--disable-new-dtags,-rpath,$ORIGIN',
]);

/** The libc of the oldest glibc in the store, which is never the one that is chosen. */
function otherLibc(): string {
  const store = path.join(root.nixDir, 'store');
  const object = readdirSync(store).find((name) => /^[0-9a-z]{32}-glibc-2\.31/.test(name));
  assert.ok(object, 'the rig has glibc 2.31');
  const directory = path.join(store, object, 'lib');
  const file = readdirSync(directory).find((name) => name === 'libc.so.6' || name === 'libc-2.31.so');
  return path.join(directory, file ?? '');
}

test('starts, and is a hit', async () => {
  assert.equal((await root.bare(program)).status, 127);
  assert.equal((await root.start([program])).stdout, 'fine\n');
  assert.equal((await root.startHit([program])).stdout, 'fine\n');
});

test('a libc.so.6 that appears beside it is noticed, and the mixture refused', async () => {
  copyFileSync(otherLibc(), on('libc.so.6'));
  const refused = await root.start([program]);
  assertRefused(refused, { status: 126, cause: /libc\.so\.6/ });
});

test('when it is gone, the plan from before holds, and so does its root', async () => {
  rmSync(on('libc.so.6'));
  assert.equal(rootLinks(root).length, 1);
  const again = await root.startHit([program]);
  assert.deepEqual([again.status, again.stdout], [0, 'fine\n']);
});

test('a refresh that fails leaves plan and root as they were', async () => {
  copyFileSync(otherLibc(), on('libc.so.6'));
  assertRefused(await root.start(['--refresh', program]), { status: 126, cause: /libc\.so\.6/ });
  rmSync(on('libc.so.6'));
  const again = await root.startHit([program]);
  assert.deepEqual([again.status, again.stdout], [0, 'fine\n']);
});
