// Names of programs → the plans that are forgotten: whatever name the other commands take.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { shimText } from '../../src/integrations/shims/shim-file.ts';
import { planFile, writePlan } from '../../src/plan/plan-files.ts';
import { MANAGER } from '../built-manager.ts';
import { barePlan } from '../plan/bare-plan.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const home = scratchDirectory();
const at = (name: string): string => path.join(home, name);
const plans = at('.cache/nix-run-foreign/v1/plans');
const dirs = { ...temporaryDirectories(0), plans };
for (const each of [plans, at('bin'), at('here')]) mkdirSync(each, { recursive: true, mode: 0o700 });
for (const name of ['bin/tool', 'shimmed']) writeFileSync(at(name), '', { mode: 0o755 });
writeFileSync(at('bin/short'), shimText('/nowhere/nix-run-foreign', at('shimmed')), { mode: 0o755 });

function forget(name: string) {
  const env = { HOME: home, PATH: `${at('bin')}:/usr/bin:/bin` };
  const options = { encoding: 'utf8', env, cwd: at('here'), timeout: 60_000 } as const;
  return spawnSync(process.execPath, [MANAGER, 'forget', name], options);
}

for (const [what, name, program] of [
  ['a name on PATH', 'tool', 'bin/tool'],
  ['a shim, whose program is meant', 'short', 'shimmed'],
  ['the name of a program that is gone', 'gone', 'here/gone'],
  ['one that is gone, where another of its name is on PATH that has no plan', 'tool', 'here/tool'],
] as const)
  test(what, () => {
    writePlan(dirs, barePlan(at(program)));
    const { status, stdout, stderr } = forget(name);
    assert.deepEqual([status, stdout, stderr], [0, `forgot ${at(program)}\n`, '']);
    assert.ok(!existsSync(planFile(dirs, at(program))));
  });

test('a program without a plan is named by the path that it was taken for', () => {
  const { status, stderr } = forget('tool');
  assert.equal(status, 125);
  assert.match(stderr, new RegExp(`^nix-foreign: ${at('bin/tool')}: no plan is kept for it\n`));
});
