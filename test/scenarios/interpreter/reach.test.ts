// How far each way in reaches: a wiped environment, another user, many starts at once, a program that is replaced.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { planFiles } from '../saved-state.ts';
import { launcher } from '../tool.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const says = (word: string) => `#include <stdio.h>\nint main(void) { return puts("${word}") < 0; }`;
const asOther = readFileSync(path.join(import.meta.dirname, 'programs/as-other.c'), 'utf8');
const program = path.join(homeInRoot, 'bin/program');
const other = path.join(homeInRoot, 'bin/as-other');
const wiped = { HOME: undefined, USER: undefined, PATH: undefined };

for (const root of await openWays(rig)) {
  const { way } = root;
  mkdirSync(path.dirname(onHost(root, program)), { recursive: true });
  compile(onHost(root, program), says('one'));
  compile(onHost(root, other), asOther, ['-static']);
  for (const directory of ['.', 'bin']) chmodSync(onHost(root, path.join(homeInRoot, directory)), 0o755);

  test(`a wiped environment, entered by ${way}`, async () => {
    assert.equal((await root.plain(program)).stdout, 'one\n');
    // nix-ld is told by a variable only.
    const outcome = await root.bare(program, [], { env: wiped });
    if (way === 'launcher')
      assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, 'one\n', '']);
    else assert.notEqual(outcome.status, 0);
    const saved = await root.plainHit(program, [], { env: wiped });
    assert.deepEqual([saved.status, saved.stdout, saved.stderr], [0, 'one\n', '']);
  });

  test(`another user, as sudo starts it, entered by ${way}`, async () => {
    const outcome = await root.plain(other, ['65534', program]);
    if (way === 'nix-ld') return assert.notEqual(outcome.status, 0);
    assert.deepEqual([outcome.status, outcome.stdout], [0, 'one\n'], outcome.stderr);
  });

  test(`twelve first starts at once, entered by ${way}`, async () => {
    for (const file of planFiles(root)) rmSync(file);
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => root.plain(program)));
    for (const { status, stdout, stderr } of outcomes)
      assert.deepEqual([status, stdout, stderr], [0, 'one\n', '']);
    assert.equal(planFiles(root).length, 1);
  });

  test(`a program that is replaced is resolved again, entered by ${way}`, async () => {
    const arriving = `${onHost(root, program)}.new`;
    compile(arriving, says('two'));
    renameSync(arriving, onHost(root, program));
    const outcome = await root.plain(program);
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, 'two\n', '']);
  });

  // Who sits at the interpreter path is started by hand too, as `ld.so PROGRAM`.
  if (way === 'nix-ld') continue;
  test("the loader's own command line", async () => {
    const outcome = await root.bare('/lib64/ld-linux-x86-64.so.2', [program]);
    assert.deepEqual([outcome.status, outcome.stdout], [0, 'two\n'], outcome.stderr);
    assert.equal((await root.bare(launcher, [program])).stdout, 'two\n');
  });
}
