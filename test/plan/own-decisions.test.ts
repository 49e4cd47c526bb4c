// What is noted of a user's decisions, for as long as any is saved, whoever takes back another at the same time.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { choicesFile } from '../../src/choices/choices-file.ts';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { withLock } from '../../src/host/mutex.ts';
import { decideStrategy, hasDecisions, markDecided, unmarkUndecided } from '../../src/plan/own-decisions.ts';
import { planFile } from '../../src/plan/plan-files.ts';
import { planKey } from '../../src/plan/plan-format.ts';
import { readStrategy } from '../../src/plan/strategy.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const program = '/opt/tool';

/** As the user's, with the state elsewhere than the cache or, as XDG_STATE_HOME may say, in the same directory. */
function directoriesIn(base: string, state: string) {
  const moved = Object.entries(temporaryDirectories(0)).map(([name, directory]) => {
    const { cache, state: ofState } = temporaryDirectories(0);
    const isState = directory === ofState || directory.startsWith(`${ofState}/`);
    const [from, to] = isState ? [ofState, path.join(base, state)] : [cache, path.join(base, 'cache')];
    return [name, path.join(to, path.relative(from, directory))];
  });
  return Object.fromEntries(moved) as ReturnType<typeof temporaryDirectories>;
}

test('one directory for cache and state: the note is not the plan', () => {
  const dirs = directoriesIn(scratchDirectory(), 'cache');
  const plan = planFile(dirs, program);
  mkdirSync(path.dirname(plan), { recursive: true });
  writeFileSync(plan, 'plan');
  assert.equal(hasDecisions(dirs, program), false);
  markDecided(dirs, program);
  assert.equal(hasDecisions(dirs, program), true);
  unmarkUndecided(dirs, program);
  assert.equal(hasDecisions(dirs, program), false);
  assert.ok(existsSync(plan));
});

test('the note stays while there are choices', () => {
  const dirs = directoriesIn(scratchDirectory(), 'state');
  const choices = choicesFile(dirs, planKey(program));
  mkdirSync(path.dirname(choices), { recursive: true });
  writeFileSync(choices, '{}');
  markDecided(dirs, program);
  unmarkUndecided(dirs, program);
  assert.equal(hasDecisions(dirs, program), true);
});

test('a strategy is saved under the lock in which choices are taken back', async () => {
  const dirs = directoriesIn(scratchDirectory(), 'state');
  mkdirSync(dirs.locks, { recursive: true });
  markDecided(dirs, program);
  const saving = await withLock(path.join(dirs.locks, planKey(program)), async () => {
    const begun = { done: decideStrategy(program, 'loader', dirs, []) };
    await setTimeout(100);
    assert.equal(readStrategy([dirs], program), undefined, 'saved while another holds the lock');
    unmarkUndecided(dirs, program);
    return begun;
  });
  await saving.done;
  assert.equal(readStrategy([dirs], program), 'loader');
  rmSync(path.join(dirs.state, 'strategies'), { recursive: true });
  assert.ok(hasDecisions(dirs, program), 'the mark is gone');
  await decideStrategy(program, undefined, dirs, []);
  assert.ok(!hasDecisions(dirs, program));
});
