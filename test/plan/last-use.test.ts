// The times of a plan and of its root link → when it was last followed; a backup that reads them is no use.
import assert from 'node:assert/strict';
import { lutimesSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { plansToDrop } from '../../src/cli/prune.ts';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { identityOf } from '../../src/host/file-identity.ts';
import { lastUseOf, planFile, writePlan } from '../../src/plan/plan-files.ts';
import { barePlan } from './bare-plan.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'last-use-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const DAY = 24 * 60 * 60;
const now = Date.now() / 1000;

test('the newest time of modification of the plan and of its link counts, the time of access does not', () => {
  const file = path.join(scratch, 'plan');
  const link = path.join(scratch, 'root');
  writeFileSync(file, '');
  symlinkSync('/nowhere', link);
  lutimesSync(file, now, 1000);
  lutimesSync(link, now, 2000);
  assert.equal(lastUseOf(file, link), 2_000_000);
  assert.equal(lastUseOf(file, undefined), 1_000_000);
  assert.equal(lastUseOf(path.join(scratch, 'missing'), path.join(scratch, 'too')), 0);
});

test('the files of an AppImage go by the last start, though a backup reads its plan daily', () => {
  const cache = path.join(scratch, 'cache/v1');
  const dirs = { ...temporaryDirectories(0), cache, plans: path.join(cache, 'plans') };
  mkdirSync(dirs.plans, { recursive: true });
  const program = path.join(scratch, 'image');
  writeFileSync(program, '');
  const directories = [path.join(cache, 'unpacked/one')];
  writePlan(dirs, barePlan(program, { identity: identityOf(program), directories }));
  lutimesSync(planFile(dirs, program), now, now - 100 * DAY);
  assert.deepEqual(plansToDrop(dirs, 90, now * 1000), [{ program, why: 'not started for 100 days' }]);
  assert.deepEqual(plansToDrop(dirs, 101, now * 1000), []);
});

test('an AppImage that cannot be looked at may be there, one that is gone goes', () => {
  const cache = path.join(scratch, 'other/v1');
  const dirs = { ...temporaryDirectories(0), cache, plans: path.join(cache, 'plans') };
  mkdirSync(dirs.plans, { recursive: true });
  const loop = path.join(scratch, 'loop');
  symlinkSync('loop', loop);
  const directories = [path.join(cache, 'unpacked/one')];
  for (const name of ['loop/image', 'gone/image'])
    writePlan(dirs, barePlan(path.join(scratch, name), { directories }));
  const gone = { program: path.join(scratch, 'gone/image'), why: 'the program is gone' };
  assert.deepEqual(plansToDrop(dirs, undefined, now * 1000), [gone]);
});

test('the plan of a program that is gone goes where its root went before it; of one that is there it stays', () => {
  const cache = path.join(scratch, 'third/v1');
  const dirs = { ...temporaryDirectories(0), cache, plans: path.join(cache, 'plans') };
  mkdirSync(dirs.plans, { recursive: true });
  const [there, gone] = ['there', 'gone'].map((name) => path.join(scratch, name)) as [string, string];
  writeFileSync(there, '');
  const root = path.join(scratch, 'a-root');
  symlinkSync('/nowhere', root);
  const write = (program: string, kept: string): void =>
    void writePlan(
      dirs,
      barePlan(program, { root: kept, ...(program === there && { identity: identityOf(there) }) }),
    );
  for (const program of [there, gone]) write(program, root);
  assert.deepEqual(plansToDrop(dirs, undefined, now * 1000), []);
  rmSync(root);
  assert.deepEqual(plansToDrop(dirs, undefined, now * 1000), [{ program: gone, why: 'the program is gone' }]);
});
