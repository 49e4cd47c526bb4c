// Diamonds, built: what a person would try first fails, and the one set that works is found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { openToolRoot } from '../tool.ts';
import { ownLibraries } from './own-libraries.ts';
import { openShop } from './shop.ts';
import { systemLibraries } from './system-libraries.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shop = openShop(root);

interface Explained {
  readonly objects: readonly { readonly name: string; readonly file: string }[];
}

for (const { name, build, output, loads = {} } of sampled([...systemLibraries, ...ownLibraries], 2)) {
  test(name, async () => {
    const { program, naive } = await build(shop);
    assert.notEqual((await root.bare(program)).status, 0);

    const loader = `${naive.libc.directory}/ld-linux-x86-64.so.2`;
    const libraryPath = naive.directories.map(({ directory }) => directory).join(':');
    const first = await root.run({ argv: [loader, '--library-path', libraryPath, program] });
    assert.match(first.stdout + first.stderr, naive.fails);

    const outcome = await root.start([program]);
    assert.equal(outcome.stdout, `${output}\n`, outcome.stderr);
    assert.equal(outcome.stderr, '');
    assert.equal(outcome.status, 0);

    const explained = await root.manage(['explain', '--json', program]);
    const { objects } = JSON.parse(explained.stdout) as Explained;
    for (const [needed, file] of Object.entries(loads)) {
      assert.match(objects.find((each) => each.name === needed)?.file ?? '', file);
    }
    const libcs = objects.filter(({ name: each }) => /^(libc|libm|libpthread)\.so/.test(each));
    assert.equal(new Set(libcs.map(({ file }) => file.slice(0, file.lastIndexOf('/')))).size, 1);
  });
}
