// First starts while the collector runs: every program starts, since the root comes before the plan.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { ForeignProgram } from '../../rig/foreign.ts';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { catalogue: 'none' });
const AT_ONCE = 3;
/** Bytes after which one collection stops, so that there are many. */
const BITE = '20000000';
// SQLite's shell takes no other version than its own; which one is chosen depends on what is deleted first.
const programs = rig.foreign.filter(({ name }) => name !== 'sqlite3').slice(0, 30);

/** One working set of each program cannot be collected; whatever else the solver prefers can. */
function protectOneSetEach(): void {
  const protector = path.join(root.nixDir, 'var/nix/gcroots/kept-by-the-test');
  mkdirSync(protector);
  const paths = programs.flatMap(({ libraryDirectories, loader }) => [...libraryDirectories, loader]);
  const objects = new Set(paths.map((each) => each.split('/').slice(0, 4).join('/')));
  for (const object of objects) symlinkSync(object, path.join(protector, path.basename(object)));
}

async function collectUntil(done: () => boolean): Promise<number> {
  let collected = 0;
  while (!done()) {
    const { status, stdout, stderr } = await root.run({
      argv: ['nix-store', '--gc', '--max-freed', BITE],
    });
    assert.equal(status, 0, stderr);
    collected += Number(/^(\d+) store paths deleted/m.exec(stdout)?.[1] ?? 0);
  }
  return collected;
}

async function startAll(start: typeof root.start): Promise<string[]> {
  const failures: string[] = [];
  const waiting = [...programs];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const failure = await failureOf(next, start);
      if (failure !== undefined) failures.push(failure);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failures;
}

async function failureOf(program: ForeignProgram, start: typeof root.start): Promise<string | undefined> {
  const { status, stdout, stderr } = await start([program.path, ...program.args]);
  const ran = status === 0 && program.expect.test(stdout + stderr) && !/^nix-run-foreign: /m.test(stderr);
  return ran ? undefined : `${program.path}: ${status}\n${stderr}`;
}

test('thirty first starts beside a collecting loop', async () => {
  protectOneSetEach();
  let finished = false;
  const collecting = collectUntil(() => finished);
  const failures = await startAll(root.start);
  finished = true;
  const collected = await collecting;
  assert.deepEqual(failures, []);
  assert.ok(collected > 0, 'nothing was collected meanwhile');
});

test('after one more collection all are hits', async () => {
  assert.equal((await root.run({ argv: ['nix-store', '--gc'] })).status, 0);
  assert.deepEqual(await startAll(root.startHit), []);
});
