// The records of a plan that name files: when they hold, and when each makes a miss.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openWorkshop, putScript, run } from './launcher-fixture.ts';
import { identity, planText, putPlan } from './plan-fixture.ts';
import { asRoot } from './tool-fixture.ts';

const workshop = await openWorkshop();
const program = putScript(workshop.directory, 'program', 'exit 0');
const at = (name: string): string => path.join(workshop.directory, name);

async function holds(...records: readonly string[]): Promise<boolean> {
  putPlan(workshop.place, program, planText(program, records));
  const { code } = await run(workshop, [program]);
  assert.ok(code === 0 || code === 125);
  return code === 0;
}

test('f: a file must be there, whatever it is', async () => {
  writeFileSync(at('file'), '');
  symlinkSync('file', at('link'));
  symlinkSync('nothing', at('dangling'));
  for (const name of ['file', 'link', '.']) assert.ok(await holds(`f${at(name)}`), name);
  for (const name of ['dangling', 'nothing', 'file/x']) assert.ok(!(await holds(`f${at(name)}`)), name);
  assert.ok(!(await holds('f.')), 'a relative path holds in one directory only');
});

test('w: a file must be the very same, links followed', async () => {
  writeFileSync(at('watched'), 'content');
  symlinkSync('watched', at('watched-link'));
  const before = identity(at('watched'));
  assert.ok(await holds(`w${before} ${at('watched')}`));
  assert.ok(await holds(`w${before} ${at('watched-link')}`));
  assert.ok(!(await holds(`w${before}${at('watched')}`)));
  assert.ok(!(await holds(`w${before}9 ${at('watched')}`)));
  assert.ok(!(await holds(`w${before}`)));
  assert.ok(!(await holds(`w ${at('watched')}`)));
  utimesSync(at('watched'), 1, 1.5);
  assert.ok(!(await holds(`w${before} ${at('watched')}`)));
  assert.ok(await holds(`w${identity(at('watched'))} ${at('watched')}`));
  unlinkSync(at('watched'));
  assert.ok(!(await holds(`w${before} ${at('watched')}`)));
});

test('k: whoever sits at the interpreter path must be the very same, for a command', async () => {
  writeFileSync(at('interpreter'), 'content');
  const before = identity(at('interpreter'));
  assert.ok(await holds(`k${before} ${at('interpreter')}`));
  assert.ok(!(await holds(`k${before}9 ${at('interpreter')}`)));
  utimesSync(at('interpreter'), 1, 1.5);
  assert.ok(!(await holds(`k${before} ${at('interpreter')}`)));
});

test('w: times before 1970 and names with spaces', async () => {
  writeFileSync(at('old one'), '');
  execFileSync('touch', ['-d', '@-1.5', at('old one')]);
  assert.match(identity(at('old one')), /:-2\.500000000:/);
  assert.ok(await holds(`w${identity(at('old one'))} ${at('old one')}`));
});

test('a: a file must not be there', async () => {
  writeFileSync(at('present'), '');
  symlinkSync('nowhere', at('to-nowhere'));
  assert.ok(!(await holds(`a${at('present')}`)));
  assert.ok(await holds(`a${at('absent')}`));
  assert.ok(await holds(`a${at('absent/deeper')}`));
  assert.ok(await holds(`a${at('present/below')}`));
  assert.ok(await holds(`a${at('to-nowhere')}`));
  assert.ok(!(await holds(`a${at('x'.repeat(300))}`)), 'an error is not absence');
});

test('d: a directory must be ours alone to write', async () => {
  mkdirSync(at('own'), { mode: 0o755 });
  symlinkSync('own', at('own-link'));
  assert.ok(await holds(`d${at('own')}`));
  assert.ok(!(await holds(`d${at('own-link')}`)));
  assert.ok(!(await holds(`d${program}`)));
  for (const mode of [0o775, 0o757, 0o777, 0o1777]) {
    chmodSync(at('own'), mode);
    assert.ok(!(await holds(`d${at('own')}`)), mode.toString(8));
  }
  rmSync(at('own'), { recursive: true });
  assert.ok(!(await holds(`d${at('own')}`)));
});

test('f: files within a directory of the plan, and beside it', async () => {
  for (const name of ['farm', 'farm-2', 'farm/deep']) mkdirSync(at(name), { mode: 0o755 });
  for (const name of ['farm/here', 'farm-2/there', 'farm/deep/er', 'outside']) writeFileSync(at(name), '');
  symlinkSync('../outside', at('farm/out'));
  const directories = [`d${at('farm-2')}`, `d${at('farm')}`];
  const found = [
    'farm/here',
    'farm/out',
    'farm/deep/er',
    'farm/',
    'farm',
    'farm//here',
    'farm/../outside',
    'farm-2/there',
  ];
  for (const name of found) assert.ok(await holds(...directories, `f${at(name)}`), name);
  assert.ok(await holds(...directories, ...found.map((name) => `f${at(name)}`)));
  const missing = [
    'farm/nothing',
    'farm/there',
    'farm-2/here',
    'farm-2/nothing',
    'farm/here/x',
    'farm/../nothing',
  ];
  for (const name of missing) assert.ok(!(await holds(...directories, `f${at(name)}`)), name);
});

test('d: a directory of another user is not ours', asRoot, async () => {
  mkdirSync(at('others'), { mode: 0o755 });
  chownSync(at('others'), 65534, 65534);
  assert.ok(!(await holds(`d${at('others')}`)));
});
