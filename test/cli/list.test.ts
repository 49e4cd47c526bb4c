// One row for each program, of the plan that the launcher would follow, and whether a root keeps its libraries.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { rowsOf, tableOf } from '../../src/cli/list.ts';
import { createDirectories, type Directories, temporaryDirectories } from '../../src/host/directories.ts';
import { identityOf } from '../../src/host/file-identity.ts';
import { writePlan } from '../../src/plan/plan-files.ts';
import type { LaunchPlan } from '../../src/plan/plan-format.ts';
import { base32 } from '../../src/store/fixed-path.ts';
import { barePlan } from '../plan/bare-plan.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const uid = process.geteuid?.() ?? 0;
const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);
const program = (name: string): string => {
  writeFileSync(at(name), '#!/bin/sh\n', { mode: 0o755 });
  return at(name);
};

function directoriesAt(name: string): Directories {
  const model = temporaryDirectories(uid);
  const moved = Object.entries(model).map(([key, directory]) => [
    key,
    directory.replace(path.dirname(model.cache), at(name)),
  ]);
  const dirs = Object.fromEntries(moved) as Directories;
  createDirectories(dirs, uid);
  return dirs;
}

function plan(file: string, more: Partial<LaunchPlan> = {}): LaunchPlan {
  return barePlan(file, { identity: identityOf(file), ...more });
}

const [first, second] = [directoriesAt('first'), directoriesAt('second')];
const stateDir = at('nix');
const asking = { uid, env: { NIX_STATE_DIR: stateDir } };
const stale = { identity: '1:1:1:1.1:1.1' };

test('a program with plans in two places is one row', () => {
  const [both, outdated, other, twice] = ['both', 'outdated', 'other', 'twice'].map(program) as [
    string,
    string,
    string,
    string,
  ];
  writePlan(first, plan(both));
  writePlan(second, plan(both, { strategy: 'nix-ld' }));
  writePlan(first, plan(outdated, stale));
  writePlan(second, plan(outdated, { strategy: 'nix-ld' }));
  writePlan(first, plan(twice, stale));
  writePlan(second, plan(twice, { ...stale, strategy: 'nix-ld' }));
  writePlan(second, plan(other));
  const rows = rowsOf([first, second], asking).map((row) => [row.program, row.strategy, row.state]);
  assert.deepEqual(rows, [
    [both, 'loader', 'ready'],
    [other, 'loader', 'ready'],
    [outdated, 'nix-ld', 'ready'],
    [twice, 'loader', 'the program changed'],
  ]);
});

test('what no root keeps is said', () => {
  const dirs = directoriesAt('roots');
  mkdirSync(path.join(dirs.roots, 'abc'));
  mkdirSync(dirs.fingerprints);
  const link = path.join(dirs.roots, 'abc/1');
  symlinkSync('/nix/store/gone', link);
  const plain = path.join(dirs.fingerprints, 'abc.json');
  writeFileSync(plain, '');
  symlinkSync(plain, path.join(dirs.fingerprints, 'link'));
  const roots = {
    saved: link,
    plain,
    elsewhere: path.join(dirs.fingerprints, 'link'),
    missing: path.join(dirs.roots, 'abc/2'),
    lost: path.join(dirs.roots, 'gone/1'),
  };
  for (const [name, root] of Object.entries(roots)) writePlan(dirs, plan(program(name), { root }));
  writePlan(dirs, plan(program('needs-nothing'), { strategy: 'direct' }));
  const rows = rowsOf([first, dirs], asking).filter(({ strategy, root }) => strategy === 'direct' || root);
  const pinned = Object.fromEntries(rows.map((row) => [path.basename(row.program), row.pinned]));
  assert.deepEqual(pinned, {
    saved: true,
    plain: false,
    elsewhere: false,
    missing: false,
    lost: false,
    'needs-nothing': null,
  });
  const saying = tableOf(rows)
    .split('\n')
    .filter((line) => line.includes('not pinned'));
  assert.deepEqual(
    saying,
    ['elsewhere', 'lost', 'missing', 'plain'].map((name) => `loader  ${at(name)}  (not pinned)`),
  );
});

test('a link that Nix has dropped from its roots keeps nothing', () => {
  const dirs = directoriesAt('dropped');
  const [known = '', dropped = ''] = ['known', 'dropped-root'].map((name) => {
    const link = path.join(dirs.roots, name, '1');
    mkdirSync(path.dirname(link));
    symlinkSync('/nix/store/gone', link);
    writePlan(dirs, plan(program(name), { root: link }));
    return link;
  });
  const auto = path.join(stateDir, 'gcroots/auto');
  const pinned = () => rowsOf([dirs], asking).map(({ root, pinned }) => [root, pinned]);
  assert.deepEqual(pinned(), [
    [dropped, true],
    [known, true],
  ]);
  mkdirSync(auto, { recursive: true });
  symlinkSync(known, path.join(auto, base32(createHash('sha1').update(known).digest())));
  assert.deepEqual(pinned(), [
    [dropped, false],
    [known, true],
  ]);
});
