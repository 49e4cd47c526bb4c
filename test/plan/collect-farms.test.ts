// Farms without a plan go: at once when asked, else a day after they were first seen unused; none that a plan names.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { makeFarm } from '../../src/farm/farm.ts';
import type { Place } from '../../src/host/directories.ts';
import { collectFarms, collectFarmsDaily } from '../../src/plan/collect-farms.ts';
import { planFile, writePlan } from '../../src/plan/plan-files.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { barePlan } from './bare-plan.ts';

function openPlace(): Place {
  const cache = scratchDirectory();
  const at = (name: string): string => path.join(cache, name);
  for (const name of ['plans', 'farms']) mkdirSync(at(name));
  return { cache, plans: at('plans'), farms: at('farms') } as Place;
}

function farmOf(place: Place, name: string): string {
  return makeFarm(place.farms, new Map([[name, `/nix/store/${name}`]]));
}

function plan(place: Place, program: string, farm: string): void {
  writePlan(place, barePlan(program, { directories: [farm] }));
}

/** As if so many days had gone by since the last look. */
function age(place: Place, days: number): void {
  const then = Date.now() / 1000 - days * 86_400;
  utimesSync(path.join(place.cache, 'unused-farms'), then, then);
}

test('asked to: farms without a plan go, everything else stays', () => {
  const place = openPlace();
  const [used, unused] = [farmOf(place, 'liba.so'), farmOf(place, 'libb.so')];
  plan(place, '/a', used);
  writeFileSync(path.join(place.farms, 'mine'), 'not a farm');
  collectFarms(place);
  assert.ok(existsSync(used));
  assert.ok(!existsSync(unused));
  assert.deepEqual(readdirSync(place.farms).sort(), [path.basename(used), 'mine'].sort());
});

test('now and then: only at the second look, a day after the first', () => {
  const place = openPlace();
  const [used, unused] = [farmOf(place, 'liba.so'), farmOf(place, 'libb.so')];
  plan(place, '/a', used);
  collectFarmsDaily(place);
  assert.ok(existsSync(unused));
  age(place, 0.9);
  collectFarmsDaily(place);
  assert.ok(existsSync(unused), 'it is not due yet');
  age(place, 1.1);
  const late = farmOf(place, 'libc.so');
  collectFarmsDaily(place);
  assert.deepEqual([used, unused, late].map(existsSync), [true, false, true]);
});

test('a farm that was taken again between two looks stays', () => {
  const place = openPlace();
  const farm = farmOf(place, 'liba.so');
  collectFarmsDaily(place);
  plan(place, '/a', farm);
  age(place, 2);
  collectFarmsDaily(place);
  rmSync(planFile(place, '/a'));
  age(place, 2);
  collectFarmsDaily(place);
  assert.ok(existsSync(farm), 'this was the first look that found it unused');
  age(place, 2);
  collectFarmsDaily(place);
  assert.ok(!existsSync(farm));
});

test('a clock that was put back does not stop it for ever', () => {
  const place = openPlace();
  const farm = farmOf(place, 'liba.so');
  collectFarmsDaily(place);
  age(place, -400);
  collectFarmsDaily(place);
  assert.ok(!existsSync(farm));
});

test('a stamp that is damaged, or cannot be written, is nobody’s failure', () => {
  const place = openPlace();
  const farm = farmOf(place, 'liba.so');
  writeFileSync(path.join(place.cache, 'unused-farms'), '\0\n../../etc\n');
  age(place, 2);
  collectFarmsDaily(place);
  assert.ok(existsSync(farm));
  assert.equal(readFileSync(path.join(place.cache, 'unused-farms'), 'utf8'), path.basename(farm));
  collectFarmsDaily({ ...place, cache: '/nowhere' });
  assert.ok(existsSync(farm));
});

test('while plans are written: whoever finds the farm after writing keeps it', {
  timeout: 60_000,
}, async () => {
  const place = openPlace();
  const module = path.resolve(import.meta.dirname, '../../src/plan/collect-farms.ts');
  const script = `import { collectFarms } from ${JSON.stringify(module)};
    import { existsSync } from 'node:fs';
    const place = ${JSON.stringify(place)};
    while (!existsSync(place.cache + '/done')) collectFarms(place);`;
  const collector = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const saved: string[] = [];
  let again = 0;
  // The collector must have begun: its first round removes this one.
  const first = farmOf(place, 'first.so');
  while (existsSync(first)) await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 200; i += 1) {
    const farm = farmOf(place, `lib${i}.so`);
    plan(place, `/program${i}`, farm);
    if (existsSync(farm)) saved.push(farm);
    else again += 1;
  }
  writeFileSync(path.join(place.cache, 'done'), '');
  await collector;
  assert.deepEqual(
    saved.filter((farm) => !existsSync(farm)),
    [],
    `${again} had to be made again`,
  );
  assert.deepEqual(
    readdirSync(place.farms).filter((name) => name.endsWith('.tmp')),
    [],
  );
});
