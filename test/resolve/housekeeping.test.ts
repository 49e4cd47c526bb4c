// Plans of other paths of a program's content → which of them a start forgets.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { rootLink } from '../../src/fingerprint/saved-fingerprints.ts';
import { temporaryName } from '../../src/host/atomic-file.ts';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { writePlan } from '../../src/plan/plan-files.ts';
import { planKey } from '../../src/plan/plan-format.ts';
import { cleanBefore, cleanPatched, forgetMoved } from '../../src/resolve/housekeeping.ts';
import { barePlan } from '../plan/bare-plan.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'housekeeping-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('a copy that was moved is forgotten, one that is there or cannot be looked at is not', () => {
  const [plans, roots] = [path.join(scratch, 'plans'), path.join(scratch, 'roots')];
  const dirs = { ...temporaryDirectories(0), plans, roots };
  const sha256 = 'a'.repeat(64);
  mkdirSync(plans);
  mkdirSync(path.join(roots, sha256), { recursive: true });
  symlinkSync('loop', path.join(scratch, 'loop'));
  writeFileSync(path.join(scratch, 'there'), '');
  const programs = ['there', 'loop/tool', 'moved'].map((name) => path.join(scratch, name));
  for (const program of programs) {
    writePlan(dirs, barePlan(program));
    symlinkSync('/nix/store/nothing', rootLink(dirs, sha256, planKey(program)));
  }
  forgetMoved(dirs, sha256);
  const kept = programs.slice(0, 2).map(planKey).sort();
  assert.deepEqual(readdirSync(plans).sort(), kept);
  assert.deepEqual(readdirSync(path.join(roots, sha256)).sort(), kept);
});

/** A name that no process has; the kernel gives no such id (proc(5), pid_max). */
function leftIn(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const name = temporaryName(path.join(directory, 'file')).replace(/\.\d+(\.\d+\.tmp)$/, '.4194304$1');
  writeFileSync(name, 'half');
  return name;
}

test('whatever a killed process wrote goes, in each directory of the place', () => {
  const [cache, state] = [path.join(scratch, 'cache'), path.join(scratch, 'state')];
  const dirs = { ...temporaryDirectories(0), cache, state, locks: path.join(cache, 'locks') };
  const below = ['catalogues', 'plans', 'copies', 'run-times'].map((name) => path.join(cache, name));
  const left = [cache, state, ...below, path.join(state, 'choices'), path.join(state, 'fetched')].map(leftIn);
  const inPatch = leftIn(path.join(state, 'patched/hash'));
  const kept = path.join(cache, 'catalogues/file');
  writeFileSync(kept, 'whole');
  cleanBefore(dirs);
  assert.deepEqual(left.filter(existsSync), []);
  assert.ok(existsSync(kept) && existsSync(inPatch));
  cleanPatched(dirs);
  assert.ok(!existsSync(inPatch));
});
