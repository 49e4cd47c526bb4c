// Libraries of the store that lie beside others: those they find by $ORIGIN, and variants for better processors.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const main = (name: string) =>
  `#include <stdio.h>\nint ${name}(void);\nint main(void) { printf("%d\\n", ${name}()); return 0; }`;

function assertSays({ status, stdout, stderr }: Outcome, text: string): void {
  assert.deepEqual([status, stdout, stderr], [0, text, '']);
}

for (const interpreter of ['none', 'nix-ld'] as const) {
  const root = await openToolRoot(rig, { interpreter });
  const on = (name: string) => onHost(root, path.join(homeInRoot, name));
  const addToStore = async (name: string) => {
    const { status, stderr } = await root.run({ argv: ['nix-store', '--add', `${homeInRoot}/${name}`] });
    assert.equal(status, 0, stderr);
  };
  const start = async (program: string, text: string) => {
    assert.notEqual((await root.bare(program)).stdout, text);
    assertSays(await root.start([program]), text);
    assertSays(await root.startHit([program]), text);
  };

  test(`by $ORIGIN, interpreter: ${interpreter}`, async () => {
    const inner = compileLibrary(
      on('near-1.0/lib/inner/libinner.so.1'),
      'libinner.so.1',
      'int inner(void) { return 6; }',
    );
    const source = 'int inner(void); int near(void) { return inner() + 1; }';
    const near = compileLibrary(on('near-1.0/lib/libnear.so.1'), 'libnear.so.1', source, [
      inner,
      '-Wl,-rpath,$ORIGIN/inner',
    ]);
    compile(on('near'), main('near'), [near, '-Wl,--allow-shlib-undefined']);
    await addToStore('near-1.0');
    await start(`${homeInRoot}/near`, '7\n');
  });

  test(`for better processors, interpreter: ${interpreter}`, async () => {
    const variant = (n: number) => `int level(void) { return ${n}; }`;
    const plain = compileLibrary(on('level-1.0/lib/liblevel.so.1'), 'liblevel.so.1', variant(1));
    compileLibrary(on('level-1.0/lib/glibc-hwcaps/x86-64-v2/liblevel.so.1'), 'liblevel.so.1', variant(2));
    compile(on('level'), main('level'), [plain]);
    await addToStore('level-1.0');
    const hasLevel2 = / sse4_2 .*\bssse3\b|\bssse3\b.* sse4_2 /.test(readFileSync('/proc/cpuinfo', 'utf8'));
    await start(`${homeInRoot}/level`, hasLevel2 ? '2\n' : '1\n');
  });
}
