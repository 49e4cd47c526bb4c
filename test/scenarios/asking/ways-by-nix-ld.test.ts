// `doctor` where nix-ld is at the interpreter path: foreign programs start as they are only if it enters a launcher.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check } from '../../../src/cli/doctor/checks.ts';
import { machinesRunBy } from '../../../src/elf/machine.ts';
import { ensureRig } from '../../rig/rig.ts';
import { launcher, openToolRoot } from '../tool.ts';

const root = await openToolRoot(await ensureRig('full'), { interpreter: 'nix-ld' });

for (const [what, NIX_LD, found] of [
  ['the launcher', launcher, /^ok +starts .*as they are, by nix-ld at /m],
  ['a launcher that is gone', '/gone/nix-run-foreign', /^ok +starts (?!.*by nix-ld at )/m],
] as const)
  test(`NIX_LD is ${what}`, async () => {
    const { stdout, stderr } = await root.manage(['doctor'], { env: { NIX_LD } });
    assert.match(stdout, found, stderr);
  });

test('a session that does not name the launcher is told how to, another needs no hook', async () => {
  const checks = async (env: Record<string, string>) => {
    const { stdout } = await root.manage(['doctor', '--json'], { env: { ...env, SHELL: '/bin/bash' } });
    return JSON.parse(stdout) as Check[];
  };
  const [own] = machinesRunBy(process.arch);
  const of = (all: readonly Check[], wanted: string | undefined) =>
    all.find(({ subject }) => subject === wanted);
  const before = await checks({});
  assert.equal(of(before, own?.system)?.state, 'note');
  assert.match(of(before, own?.system)?.remedy ?? '', /NIX_LD=|new login/);
  assert.match(of(before, 'hook')?.remedy ?? '', /^for bash add to /);
  const after = await checks({ NIX_LD: launcher });
  assert.equal(of(after, own?.system)?.state, 'ok');
  assert.equal(of(after, 'hook'), undefined);
  assert.match(of(after, 'no hook')?.detail ?? '', /programs start as they are, by nix-ld at /);
  assert.doesNotMatch(of(after, 'starts')?.detail ?? '', /shell hook/);
});
