// A program that replaces /proc/self/exe: in a view itself, by the loader a copy of that, and never a file of the store.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { cases, giveHome, openViewRoot, putProgram, USER } from './view-root.ts';

const rig = await ensureRig('full');

/** Writes argv[1] beside /proc/self/exe and renames it over that. */
const UPDATES = `
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char own[PATH_MAX] = {0}, next[PATH_MAX + 8], bytes[65536];
  size_t size;
  puts("version " VERSION);
  if (argc < 2) return 0;
  if (readlink("/proc/self/exe", own, sizeof own - 1) < 0) return 2;
  snprintf(next, sizeof next, "%s.new", own);
  FILE *from = fopen(argv[1], "rb"), *to = fopen(next, "wb");
  if (!from || !to) return puts("cannot write"), 3;
  while ((size = fread(bytes, 1, sizeof bytes, from)) > 0) fwrite(bytes, 1, size, to);
  fclose(to);
  chmod(next, 0755);
  return rename(next, own) ? 4 : (printf("updated %s\\n", own), 0);
}`;

for (const { interpreter, uid } of cases) {
  const root = await openViewRoot(rig, { interpreter, uid });
  const named = `interpreter ${interpreter}, user ${uid}`;
  const [first, second] = ['1', '2'].map((version) =>
    putProgram(root, `bin/update${version}`, UPDATES, [`-DVERSION="${version}"`]),
  ) as [string, string];
  giveHome(root, uid);
  const store = () =>
    root.runOnHost({ argv: ['find', '/nix/store', '-newer', '/proc/self/exe', '-name', '*.new*'] });
  const sums = async () =>
    (await root.runOnHost({ argv: ['sh', '-c', 'cat /nix/store/*/lib/ld-linux-x86-64.so.2 | sha256sum'] }))
      .stdout;
  const before = await sums();

  test(`${named}: in a view the program at its own path is the new one, and resolved anew`, async () => {
    const { stdout } = await root.start([first, second]);
    assert.equal(stdout, `version 1\nupdated ${first}\n`);
    assert.equal((await root.start([first])).stdout, 'version 2\n');
    assert.equal((await root.startHit([first])).stdout, 'version 2\n');
  });

  test(`${named}: asked for, the loader starts it, and the store stays as it is`, async () => {
    const { stdout } = await root.start(['--strategy', 'loader', first, second]);
    if (uid === USER) assert.match(stdout, /cannot write/);
    else assert.match(stdout, /^updated \/home\/tester\/.cache\/nix-run-foreign\/v1\/copies\/.*ld-linux/m);
    assert.equal(await sums(), before);
    assert.equal((await store()).stdout, '');
    assert.equal((await root.start([first])).stdout, 'version 2\n');
    assert.equal((await root.start([second])).stdout, 'version 2\n');
  });

  test(`${named}: by a patched copy, the copy is replaced, and the next start is that of the old program`, async () => {
    const { stdout } = await root.start(['--strategy', 'patched', second, first]);
    assert.match(stdout, /^version 2\nupdated \/home\/tester\/.cache\/nix-run-foreign\/v1\/copies\/\S+\n$/);
    assert.equal((await root.start([second])).stdout, 'version 2\n');
  });
}
