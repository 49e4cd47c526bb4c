// The table of docs/what-each-way-keeps.md: each cell is what a program sees that is started by this way.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { sampled } from '../../sample.ts';
import { observations } from './observations.ts';
import { putPrograms } from './probe.ts';
import { type OpenWay, openWay, type WayName, ways } from './ways.ts';
import { readWaysTable } from './ways-table.ts';

needTool('strace', 'strace');
const rig = await ensureRig('full');
const { columns, rows } = readWaysTable();
/** The one row that is measured: by which part of `npm run bench`, and over what. */
const measured = 'start cost';
const measuredBy: Readonly<Record<WayName, readonly [part: string, over: '' | ' over nix-ld']>> = {
  'prefix, `loader`': ['reach', ''],
  'prefix, nix-ld': ['interpreter', ' over nix-ld'],
  '`NIX_LD`': ['interpreter', ' over nix-ld'],
  interpreter: ['interpreter', ''],
  binfmt_misc: ['reach', ''],
  '`namespace`': ['reach', ''],
  '`patched`': ['reach', ''],
  '`view`': ['reach', ''],
  'patched file': ['reach', ''],
};
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

test('what is measured is a number, by a part of the benchmarks that has the case', () => {
  const bench = (name: string) =>
    readFileSync(path.resolve(import.meta.dirname, `../../bench/${name}.ts`), 'utf8');
  const [cells = []] = [...rows].flatMap(([row, found]) => (row.startsWith(measured) ? [found] : []));
  for (const [at, name] of names.entries()) {
    const [part, over] = measuredBy[name];
    assert.match(cells[at] ?? '', /^\+\d\.\d+( to \d\.\d+)? ms/, name);
    assert.equal((cells[at] ?? '').replace(/^.* ms/, ''), over, name);
    assert.match(bench('bench'), new RegExp(`^ {2}${part}: `, 'm'), name);
    const interpreterPath = {
      none: 'stub-ld',
      'stub-ld': 'stub-ld',
      'nix-ld': 'nixLd',
      launcher: "'launcher'",
    }[ways[name].interpreterPath];
    assert.ok(
      bench(part).includes(interpreterPath),
      `${name}: no case in the root where ${interpreterPath} is`,
    );
  }
});

/** Every third cell: of each row some, and of each column. */
for (const [column, way] of open.entries())
  for (const [row, observe] of sampled(Object.entries(observations), 3, column))
    test(`${way.name}: ${row}`, async () => {
      assert.equal(rows.get(row)?.[column], await observe(way));
    });
