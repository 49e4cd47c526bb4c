// Thread storage of the libraries of a start → an audit module, unless the loader has to set more aside than it can.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openShop } from '../diamonds/shop.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shop = openShop(root);

const source = '_Thread_local char storage[700]; char *thread_storage(void) { return storage; }';
const opens = `#include <dlfcn.h>
  #include <stdio.h>
  char *thread_storage(void);
  int main(int c, char **v) { thread_storage()[0] = 1; puts(dlopen(v[1], RTLD_NOW) ? "opened" : dlerror()); return 0; }`;

for (const [model, printed] of [
  ['global-dynamic', /^opened\n$/],
  ['initial-exec', /^libexpat\.so\.1: cannot open shared object file/],
] as const)
  test(`${model}: what a program opens is ${model === 'initial-exec' ? 'not ' : ''}looked for`, async () => {
    const flags = [`-ftls-model=${model}`];
    const library = await shop.library(`storage-${model}`, {
      soname: `libstorage-${model}.so.1`,
      source,
      flags,
    });
    const program = shop.program(`storage-${model}`, opens, [library]);
    const { stdout, stderr, status } = await root.start([program, 'libexpat.so.1']);
    assert.match(stdout, printed);
    assert.deepEqual([status, stderr], [0, '']);
  });
