// `doctor` where nix-ld is at the interpreter path: foreign programs start as they are only if it enters a launcher.
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
