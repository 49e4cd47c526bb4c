// The README's table of ways: each cell is what a program sees that is started by this way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needTool } from '../../launch/launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { observations } from './observations.ts';
import { putPrograms } from './probe.ts';
import { readWaysTable } from './readme-table.ts';
import { type OpenWay, openWay, type WayName, ways } from './ways.ts';

needTool('strace', 'strace');
const rig = await ensureRig('full');
const { columns, rows } = readWaysTable();
/** The one row that is measured: `npm run bench -- reach` and `-- interpreter`. */
const measured = 'start cost';
const names = Object.keys(ways) as WayName[];

/** All before the first test: what is to be removed afterwards may go when no test is left to run. */
const open: OpenWay[] = [];
for (const name of names) {
  const way = await openWay(rig, name);
  await putPrograms(way);
  open.push(way);
}

test('its columns are the ways, its rows what is observed and what is measured', () => {
  assert.deepEqual(columns, names);
  const [last = '', ...others] = [...rows.keys()].toReversed();
  assert.deepEqual(others.toReversed(), Object.keys(observations));
  assert.ok(last.startsWith(measured) && last.includes('npm run bench'), last);
  for (const [row, cells] of rows) assert.equal(cells.length, names.length, row);
});

for (const [column, way] of open.entries())
  for (const [row, observe] of Object.entries(observations))
    test(`${way.name}: ${row}`, async () => {
      assert.equal(rows.get(row)?.[column], await observe(way));
    });
