// Foreign programs, as they are planned → the simulation lists what the chosen loader lists, object for object.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Explanation } from '../../../src/cli/explain/explain.ts';
import { ensureNpmPrograms } from '../../rig/npm/programs.ts';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { openToolRoot } from '../tool.ts';

test('simulation and loader agree on every planned program, and every object has its rule', async (t) => {
  const rig = await ensureRig('full');
  const npm = await ensureNpmPrograms();
  const root = await openToolRoot(rig, { binds: npm.binds });
  const paths = sampled([...new Set([...rig.foreign, ...npm.programs].map(({ path }) => path))], 6);
  const differing: string[] = [];
  let objectCount = 0;
  for (const program of paths) {
    const { status, stdout, stderr } = await root.manage(['explain', program, '--json']);
    assert.equal(status, 0, stderr);
    const { objects = [], disagreement, warnings } = JSON.parse(stdout) as Explanation;
    objectCount += objects.length;
    const lost = objects.filter(({ how }) => how === null || how.by === 'nowhere').map(({ name }) => name);
    const unruled = lost.length > 0 ? [`no rule for ${lost.join(', ')}`] : [];
    const said = [...unruled, ...(disagreement == null ? [] : [disagreement])];
    if (said.length > 0) differing.push(`${program}: ${said.join('; ')}`);
    for (const warning of warnings ?? []) t.diagnostic(`${program}: ${warning}`);
  }
  t.diagnostic(`${paths.length - differing.length} of ${paths.length} programs, ${objectCount} objects`);
  assert.deepEqual(differing, []);
  assert.ok(objectCount > 9 * paths.length && paths.length > 9);
});
