// Farms without a plan go: at once when asked, else a day after they were first seen unused; none that a plan names.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { makeFarm } from '../../src/farm/farm.ts';
import type { Directories } from '../../src/host/directories.ts';
import { collectFarms, collectFarmsDaily } from '../../src/plan/collect-farms.ts';
import { planFile, writePlan } from '../../src/plan/plan-files.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { buildFailingCalls, failing } from '../store/failing-calls.ts';
import { barePlan } from './bare-plan.ts';

function openPlace(): Directories {
  const cache = scratchDirectory();
  const at = (name: string): string => path.join(cache, name);
  for (const name of ['plans', 'farms']) mkdirSync(at(name));
  return { cache, plans: at('plans'), farms: at('farms') } as Directories;
}

function farmOf(dirs: Directories, name: string): string {
  return makeFarm(dirs.farms, new Map([[name, `/nix/store/${name}`]]));
}

function plan(dirs: Directories, program: string, farm: string): void {
  writePlan(dirs, barePlan(program, { directories: [farm] }));
}

/** As if so many days had gone by since the last look. */
function age(dirs: Directories, days: number): void {
  const then = Date.now() / 1000 - days * 86_400;
  utimesSync(path.join(dirs.cache, 'unused-farms'), then, then);
}

test('asked to: farms without a plan go, everything else stays', () => {
  const dirs = openPlace();
  const [used, unused] = [farmOf(dirs, 'liba.so'), farmOf(dirs, 'libb.so')];
  plan(dirs, '/a', used);
  writeFileSync(path.join(dirs.farms, 'mine'), 'not a farm');
  collectFarms(dirs);
  assert.ok(existsSync(used));
  assert.ok(!existsSync(unused));
  assert.deepEqual(readdirSync(dirs.farms).sort(), [path.basename(used), 'mine'].sort());
});

test('what a process was started with stays until it ends', async () => {
  const dirs = openPlace();
  const unused = farmOf(dirs, 'liba.so');
  const child = spawn('sh', ['-c', 'echo; read -r line', 'sh', `--library-path=${unused}:/lib`]);
  await once(child.stdout, 'data');
  collectFarms(dirs);
  assert.ok(existsSync(unused));
  child.stdin.end();
  await once(child, 'exit');
  collectFarms(dirs);
  assert.ok(!existsSync(unused));
});

test('now and then: only at the second look, a day after the first', () => {
  const dirs = openPlace();
  const [used, unused] = [farmOf(dirs, 'liba.so'), farmOf(dirs, 'libb.so')];
  plan(dirs, '/a', used);
  collectFarmsDaily(dirs);
  assert.ok(existsSync(unused));
  age(dirs, 0.9);
  collectFarmsDaily(dirs);
  assert.ok(existsSync(unused), 'it is not due yet');
  age(dirs, 1.1);
  const late = farmOf(dirs, 'libc.so');
  collectFarmsDaily(dirs);
  assert.deepEqual([used, unused, late].map(existsSync), [true, false, true]);
});

test('a farm that was taken again between two looks stays', () => {
  const dirs = openPlace();
  const farm = farmOf(dirs, 'liba.so');
  collectFarmsDaily(dirs);
  plan(dirs, '/a', farm);
  age(dirs, 2);
  collectFarmsDaily(dirs);
  rmSync(planFile(dirs, '/a'));
  age(dirs, 2);
  collectFarmsDaily(dirs);
  assert.ok(existsSync(farm), 'this was the first look that found it unused');
  age(dirs, 2);
  collectFarmsDaily(dirs);
  assert.ok(!existsSync(farm));
});

test('a clock that was put back does not stop it for ever', () => {
  const dirs = openPlace();
  const farm = farmOf(dirs, 'liba.so');
  collectFarmsDaily(dirs);
  age(dirs, -400);
  collectFarmsDaily(dirs);
  assert.ok(!existsSync(farm));
});

test('a stamp that is damaged, or cannot be written, is nobody’s failure', () => {
  const dirs = openPlace();
  const farm = farmOf(dirs, 'liba.so');
  writeFileSync(path.join(dirs.cache, 'unused-farms'), '\0\n../../etc\n');
  age(dirs, 2);
  collectFarmsDaily(dirs);
  assert.ok(existsSync(farm));
  assert.equal(readFileSync(path.join(dirs.cache, 'unused-farms'), 'utf8'), path.basename(farm));
  collectFarmsDaily({ ...dirs, cache: '/nowhere' });
  assert.ok(existsSync(farm));
});

test('while plans are written: whoever finds the farm after writing keeps it', {
  timeout: 60_000,
}, async () => {
  const dirs = openPlace();
  const module = path.resolve(import.meta.dirname, '../../src/plan/collect-farms.ts');
  const script = `import { collectFarms } from ${JSON.stringify(module)};
    import { existsSync } from 'node:fs';
    const place = ${JSON.stringify(dirs)};
    while (!existsSync(place.cache + '/done')) collectFarms(place);`;
  const collector = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const saved: string[] = [];
  let again = 0;
  // The collector must have begun: its first round removes this one.
  const first = farmOf(dirs, 'first.so');
  while (existsSync(first)) await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 200; i += 1) {
    const farm = farmOf(dirs, `lib${i}.so`);
    plan(dirs, `/program${i}`, farm);
    if (existsSync(farm)) saved.push(farm);
    else again += 1;
  }
  writeFileSync(path.join(dirs.cache, 'done'), '');
  await collector;
  assert.deepEqual(
    saved.filter((farm) => !existsSync(farm)),
    [],
    `${again} had to be made again`,
  );
  assert.deepEqual(
    readdirSync(dirs.farms).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('where the plans cannot be read no farm goes', () => {
  const dirs = openPlace();
  const farm = farmOf(dirs, 'liba.so');
  rmSync(dirs.plans, { recursive: true });
  symlinkSync('plans', dirs.plans);
  collectFarms(dirs);
  assert.ok(existsSync(farm));
});

test('where one plan cannot be read now, its farm stays, and the others too', () => {
  const dirs = openPlace();
  const [used, unused] = [farmOf(dirs, 'liba.so'), farmOf(dirs, 'libb.so')];
  plan(dirs, '/a', used);
  const library = path.join(dirs.cache, 'failing-calls.so');
  buildFailingCalls(library);
  const module = path.resolve('src/plan/collect-farms.ts');
  const script = `import { collectFarms } from ${JSON.stringify(module)}; collectFarms(${JSON.stringify(dirs)})`;
  const calls = { call: 'read', below: planFile(dirs, '/a'), errno: constants.errno.EIO } as const;
  const env = { ...process.env, ...failing(library, calls) };
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { env });
  assert.deepEqual([existsSync(used), existsSync(unused)], [true, true]);
  collectFarms(dirs);
  assert.deepEqual([existsSync(used), existsSync(unused)], [true, false]);
});
