// A plan of a program that needs a library by a path, and a requested strategy → whether the plan stays.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Directories } from '../../src/host/directories.ts';
import { withoutLoader } from '../../src/plan/make-plan.ts';
import { planWithLoader, writePlan } from '../../src/plan/plan-files.ts';
import { parsePlan, type Strategy, serialisePlan } from '../../src/plan/plan-format.ts';
import { runTimeDirectoryOf } from '../../src/plan/run-time-record.ts';
import { isAsRequested } from '../../src/resolve/choose-strategy.ts';
import type { Context } from '../../src/resolve/context.ts';
import type { DynamicProgram } from '../../src/resolve/job.ts';
import { barePlan } from '../plan/bare-plan.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const full = barePlan('/opt/tool', {
  strategy: 'patched',
  execute: '/copies/tool',
  loader: '/store/ld.so',
  libraryPath: '/farm',
  auditModule: '/run-time/1/nix-foreign-audit.so',
});
const kept = withoutLoader(full);
const program = { plainNames: new Map([['/gone/libz.so.1', 'libz.so.1']]) } as unknown as DynamicProgram;
const asked = (requested: 'auto' | Strategy) => ({ requested }) as unknown as Context;

for (const [requested, stays] of [
  ['auto', true],
  ['patched', true],
  ['view', false],
  // Nothing but a view or a copy serves a needed path.
  ['loader', true],
  ['nix-ld', true],
] as const)
  test(`a plan that starts a copy, and ${requested}`, () => {
    assert.equal(isAsRequested(kept, program, asked(requested)), stays);
  });

test('a view where a copy is asked for, and a view where that is', () => {
  const plan = { ...full, strategy: 'view' } as const;
  assert.ok(!isAsRequested(plan, program, asked('patched')));
  assert.ok(isAsRequested(plan, program, asked('view')));
});

test('a plan without a loader keeps its run-time directory; the loader is in that of the copy', () => {
  const dirs = { plans: path.join(scratch, 'plans') } as Directories;
  mkdirSync(dirs.plans, { mode: 0o700 });
  const read = parsePlan(serialisePlan(kept)) ?? assert.fail();
  assert.equal(read.loader, undefined);
  assert.equal(runTimeDirectoryOf(read), runTimeDirectoryOf(full));
  assert.equal(planWithLoader([dirs], read), read);
  writePlan(dirs, { ...full, program: '/copies/tool', strategy: 'interpreter' });
  assert.equal(planWithLoader([dirs], read).loader, '/store/ld.so');
});
