// Plans of other paths of a program's content → which of them a start forgets.
import assert from 'node:assert/strict';
import {
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { allLinks, keysPinning, rootLink, unpin } from '../../src/fingerprint/saved-fingerprints.ts';
import { temporaryName } from '../../src/host/atomic-file.ts';
import { type Directories, temporaryDirectories } from '../../src/host/directories.ts';
import { isThere } from '../../src/host/files.ts';
import { writePlan } from '../../src/plan/plan-files.ts';
import { planKey } from '../../src/plan/plan-format.ts';
import { listRunTimeRoots } from '../../src/plan/run-time-roots.ts';
import type { Context } from '../../src/resolve/context.ts';
import {
  cleanBefore,
  cleanPatched,
  cleanRoots,
  cleanRootsOf,
  forgetMoved,
} from '../../src/resolve/housekeeping.ts';
import { barePlan } from '../plan/bare-plan.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'housekeeping-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('a copy that was moved is forgotten, one that is there or cannot be looked at is not', () => {
  const [plans, roots] = [path.join(scratch, 'plans'), path.join(scratch, 'roots')];
  const dirs = { ...temporaryDirectories(0), plans, roots };
  const sha256 = 'a'.repeat(64);
  mkdirSync(plans);
  mkdirSync(path.join(roots, sha256), { recursive: true });
  symlinkSync('loop', path.join(scratch, 'loop'));
  writeFileSync(path.join(scratch, 'there'), '');
  const programs = ['there', 'loop/tool', 'moved'].map((name) => path.join(scratch, name));
  for (const program of programs) {
    writePlan(dirs, barePlan(program));
    symlinkSync('/nix/store/nothing', rootLink(dirs, sha256, planKey(program)));
  }
  forgetMoved(dirs, sha256);
  const kept = programs.slice(0, 2).map(planKey).sort();
  assert.deepEqual(readdirSync(plans).sort(), kept);
  assert.deepEqual(readdirSync(path.join(roots, sha256)).sort(), kept);
});

/** A name that no process has; the kernel gives no such id (proc(5), pid_max). */
function leftIn(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const name = temporaryName(path.join(directory, 'file')).replace(/\.\d+(\.\d+\.tmp)$/, '.4194304$1');
  writeFileSync(name, 'half');
  return name;
}

test('whatever a killed process wrote goes, in each directory of the place', () => {
  const [cache, state] = [path.join(scratch, 'cache'), path.join(scratch, 'state')];
  const dirs = { ...temporaryDirectories(0), cache, state, locks: path.join(cache, 'locks') };
  const below = ['catalogues', 'plans', 'copies', 'run-times'].map((name) => path.join(cache, name));
  const left = [cache, state, ...below, path.join(state, 'choices'), path.join(state, 'fetched')].map(leftIn);
  const inPatch = leftIn(path.join(state, 'patched/hash'));
  const kept = path.join(cache, 'catalogues/file');
  writeFileSync(kept, 'whole');
  cleanBefore(dirs);
  assert.deepEqual(left.filter(existsSync), []);
  assert.ok(existsSync(kept) && existsSync(inPatch));
  cleanPatched(dirs);
  assert.ok(!existsSync(inPatch));
});

const [KEY, OTHER] = ['0123456789abcdef', 'fedcba9876543210'];
const SHA256 = 'b'.repeat(64);

/** A link of Nix that was killed before it renamed it. */
function halfMade(link: string, age: 'now' | 'long ago' = 'now'): string {
  const half = `${link}.tmp-77-1804289383`;
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync('/nix/store/nothing', half);
  if (age === 'long ago') lutimesSync(half, 1, 1);
  return half;
}

function placeWithRoot(name: string): { dirs: Directories; link: string } {
  const at = (below: string) => path.join(scratch, name, below);
  const dirs = { ...temporaryDirectories(0), state: at('state'), roots: at('state/roots') };
  const link = rootLink(dirs, SHA256, KEY);
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync('/nix/store/nothing', link);
  return { dirs, link };
}

test('what Nix left half made is no root; the next start of the program takes its own', () => {
  const { dirs, link } = placeWithRoot('start');
  const [own, others] = [halfMade(link), halfMade(rootLink(dirs, SHA256, OTHER))];
  assert.deepEqual(allLinks(dirs), [link]);
  assert.deepEqual(keysPinning(dirs, SHA256), [KEY]);
  const context = { location: { storeDir: '/nix/store' } } as Context;
  cleanRootsOf(link, { ...dirs, fingerprints: path.join(scratch, 'none') }, context);
  assert.deepEqual([isThere(link), isThere(own), isThere(others)], [true, false, true]);
});

test('whoever unpins a program takes it too, and the directory', () => {
  const { dirs, link } = placeWithRoot('unpin');
  halfMade(link);
  unpin(link);
  assert.deepEqual(readdirSync(dirs.roots), []);
});

test('prune takes it where nobody can be at it any more, with a directory that is empty then', () => {
  const { dirs, link } = placeWithRoot('prune');
  const runTime = path.join(dirs.state, 'run-time/directory/object');
  const kept = [halfMade(link), halfMade(path.join(dirs.state, 'patched/farm/root')), halfMade(runTime)];
  halfMade(path.join(dirs.roots, 'c'.repeat(64), KEY), 'long ago');
  for (const name of ['run-time/directory/old', 'patched/farm/old'])
    halfMade(path.join(dirs.state, name), 'long ago');
  assert.deepEqual(listRunTimeRoots({ ...dirs, cache: path.join(scratch, 'none') })[0]?.links, []);
  cleanRoots(dirs);
  cleanPatched(dirs);
  assert.deepEqual(readdirSync(dirs.roots), [SHA256]);
  assert.deepEqual(kept.filter(isThere), kept);
  for (const name of ['run-time/directory', 'patched/farm'])
    assert.equal(readdirSync(path.join(dirs.state, name)).length, 1, name);
});
