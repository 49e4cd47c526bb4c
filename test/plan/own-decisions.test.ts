// What is noted of a user's decisions, beside plans and choices of the same program.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { choicesFile } from '../../src/choices/choices-file.ts';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { hasDecisions, markDecided, unmarkUndecided } from '../../src/plan/own-decisions.ts';
import { planFile } from '../../src/plan/plan-files.ts';
import { planKey } from '../../src/plan/plan-format.ts';
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
