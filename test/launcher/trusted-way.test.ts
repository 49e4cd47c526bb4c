// A base directory from the environment → whether it counts: whose it is, and whose each directory on the way is.
// The launcher and src/ must give the same answer, or the one would not find what the other wrote.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lchownSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { isTrustedWay } from '../../src/host/trusted-way.ts';
import { compile, openWorkshop, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { asRoot } from './tool-fixture.ts';

const workshop = await openWorkshop();
const program = compile(workshop, 'say-started');
const tree = path.join(workshop.directory, 'tree');
const at = (name: string): string => path.join(tree, name);
const base = at('outer/base');
const [victim, attacker] = [4711, 4712];

/** A tree with the base in it and, in the base, a plan of the user's own. */
beforeEach(() => {
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(base, { recursive: true, mode: 0o755 });
  chmodSync(tree, 0o755);
  putPlan(path.join(base, 'nix-run-foreign'), program, planText(program));
  execFileSync('chown', ['-R', `${victim}:${victim}`, base]);
});

async function isFollowed(name: 'XDG_CACHE_HOME' | 'HOME', value: string): Promise<boolean> {
  const env: Record<string, string> = { ...workshop.environment, [name]: value };
  if (name === 'HOME') delete env['XDG_CACHE_HOME'];
  const user = ['setpriv', `--reuid=${victim}`, `--regid=${victim}`, '--clear-groups'] as const;
  const { stdout } = await runCommand(workshop, [...user, workshop.launcher, program], { env });
  return stdout === 'started\n';
}

function give(name: string, owner: number, group: number, mode: number): void {
  chownSync(at(name), owner, group);
  chmodSync(at(name), mode);
}

const cases: Record<string, readonly [counts: boolean, prepare: () => void, value?: string]> = {
  'below directories of root': [true, () => {}],
  'below a directory of another user': [false, () => chownSync(at('outer'), attacker, attacker)],
  'two levels below one': [false, () => chownSync(tree, attacker, attacker)],
  'below one that all may write': [false, () => chmodSync(at('outer'), 0o777)],
  'below one that a group may write': [false, () => give('outer', 0, attacker, 0o775)],
  "below one of the user's, that his private group may write": [
    true,
    () => give('outer', victim, victim, 0o775),
  ],
  'below a sticky one that all may write': [true, () => chmodSync(at('outer'), 0o1777)],
  'below a sticky one of another user': [false, () => give('outer', attacker, attacker, 0o1777)],
  "another user's itself": [false, () => chownSync(base, attacker, attacker)],
  'itself for all to write': [false, () => chmodSync(base, 0o777)],
  'with a dot and two slashes': [true, () => {}, `${tree}/./outer//base/`],
  'back and forth': [true, () => {}, `${tree}/outer/../outer/base`],
  "through the user's own links": [
    true,
    () => {
      symlinkSync('outer', at('link'));
      lchownSync(at('link'), victim, victim);
      symlinkSync('link/base', at('again'));
    },
    at('again'),
  ],
  'through a link in a directory of another user': [
    false,
    () => {
      mkdirSync(at('theirs'));
      symlinkSync(base, at('theirs/link'));
      chownSync(at('theirs'), attacker, attacker);
    },
    at('theirs/link'),
  ],
  'through a link that leads through a directory of another user': [
    false,
    () => {
      mkdirSync(at('theirs'));
      symlinkSync('../outer/base', at('theirs/second'));
      symlinkSync('theirs/second', at('first'));
      chownSync(at('theirs'), attacker, attacker);
    },
    at('first'),
  ],
  "through another user's link in a sticky directory": [
    false,
    () => {
      chmodSync(tree, 0o1777);
      symlinkSync(base, at('link'));
      lchownSync(at('link'), attacker, attacker);
    },
    at('link'),
  ],
  'through a link to a directory of another user': [
    false,
    () => {
      chownSync(at('outer'), attacker, attacker);
      symlinkSync('outer', at('link'));
    },
    at('link/base'),
  ],
};

for (const [name, [counts, prepare, value = base]] of Object.entries(cases))
  test(`a base ${name} ${counts ? 'counts' : 'does not count'}`, asRoot, async () => {
    prepare();
    assert.equal(isTrustedWay(value, victim), counts, 'src/');
    assert.equal(await isFollowed('XDG_CACHE_HOME', value), counts, 'launcher, XDG_CACHE_HOME');
    mkdirSync(at('home'));
    symlinkSync(value, at('home/.cache'));
    execFileSync('chown', ['-hR', `${victim}`, at('home')]);
    assert.equal(await isFollowed('HOME', at('home')), counts, 'launcher, HOME with a link');
  });

test('a base that does not count is as if it was not set', asRoot, async () => {
  mkdirSync(at('home'));
  putPlan(at('home/.cache/nix-run-foreign'), program, planText(program));
  execFileSync('chown', ['-R', `${victim}:${victim}`, at('home')]);
  chownSync(at('outer'), attacker, attacker);
  const env = { ...workshop.environment, XDG_CACHE_HOME: base, HOME: at('home') };
  const user = ['setpriv', `--reuid=${victim}`, `--regid=${victim}`, '--clear-groups'] as const;
  const started = () => runCommand(workshop, [...user, workshop.launcher, program], { env });
  assert.equal((await started()).stdout, 'started\n');
  chownSync(at('outer'), 0, 0);
  renameSync(path.join(base, 'nix-run-foreign'), at('gone'));
  assert.equal((await started()).stdout, '', 'one that counts is not passed over');
});

test('a base that is not UTF-8 is as if it was not set', async () => {
  mkdirSync(at('home'));
  putPlan(at('home/.cache/nix-run-foreign'), program, planText(program));
  const script = `XDG_CACHE_HOME="$(printf '/tmp/c\\351')" HOME='${at('home')}' exec "$@"`;
  const { stdout } = await runCommand(workshop, ['sh', '-c', script, 'sh', workshop.launcher, program]);
  assert.equal(stdout, 'started\n');
});

test('a loop of links does not count, and ends', async () => {
  symlinkSync('b', at('a'));
  symlinkSync('a', at('b'));
  mkdirSync(at('home'));
  putPlan(at('home/.cache/nix-run-foreign'), program, planText(program));
  const env = { ...workshop.environment, XDG_CACHE_HOME: at('a'), HOME: at('home') };
  const { stdout } = await runCommand(workshop, [workshop.launcher, program], { env });
  assert.equal(stdout, 'started\n', 'launcher');
  assert.equal(isTrustedWay(at('a'), victim), false, 'src/');
});

test('forty links count, forty-one do not', asRoot, async () => {
  symlinkSync('outer/base', at('1'));
  for (let count = 2; count <= 41; count += 1) symlinkSync(String(count - 1), at(String(count)));
  for (const [name, counts] of [
    ['40', true],
    ['41', false],
  ] as const) {
    assert.equal(isTrustedWay(at(name), victim), counts, `src/, ${name}`);
    assert.equal(await isFollowed('XDG_CACHE_HOME', at(name)), counts, `launcher, ${name}`);
  }
});
