// The launcher built for i686 is the interpreter of 32-bit programs on a 64-bit machine.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { builtLauncher } from '../../built-launcher.ts';
import { on32Bit } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';
import { putPreloader } from './put-preloader.ts';

const rig = await ensureRig('full');
const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-i686-'));
const output = path.join(directory, 'launcher');
const script = '/opt/tool/dist/nix-foreign.cjs';
await builtLauncher({ output, node: rig.node, script, flags: ['-m32'] });
const interpreter = { from: output, to: '/lib/ld-linux.so.2', mode: 'read-only' } as const;
const root = await openToolRoot(rig, { binds: [interpreter] });
const programs = rig.foreign.filter(({ architecture }) => architecture === 'i386');
after(() => rmSync(directory, { recursive: true, force: true }));

test('the rig has 32-bit programs', on32Bit, () => assert.ok(programs.length > 0));

for (const { suite, name, path: program, args, expect } of programs)
  test(`${suite}'s ${name}`, async () => {
    const without = await root.bare(program, args, {
      env: { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' },
    });
    assert.equal(without.status, 127);
    for (const env of [
      {},
      { LD_LIBRARY_PATH: '/nowhere' },
      { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' },
    ]) {
      const outcome = await root.bare(program, args, { env });
      assert.equal(outcome.status, 0, outcome.stderr);
      assert.match(outcome.stdout + outcome.stderr, expect);
    }
  });

test('one that a preloader mapped, as Wine starts', on32Bit, async () => {
  const { path: program, args, expect } = programs[0] ?? assert.fail();
  const preloader = putPreloader(root, '-m32');
  for (const env of [{}, { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' }]) {
    const outcome = await root.bare(preloader, [program, ...args], { env });
    assert.equal(outcome.status, 0, outcome.stderr);
    assert.match(outcome.stdout + outcome.stderr, expect);
  }
});
