// A user who is not in /etc/passwd and has no HOME → what needs a home says so, everything else works.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { MANAGER } from '../built-manager.ts';
import { asRoot } from '../launcher/tool-fixture.ts';

const uid = 3_000_000 + process.pid;
after(() => rmSync(`/tmp/nix-run-foreign-${uid}`, { recursive: true, force: true }));

function manager(...words: string[]) {
  const env = { HOME: '/', SHELL: '/bin/bash', PATH: '/usr/bin:/bin' };
  const options = { encoding: 'utf8', uid, gid: uid, env, cwd: '/', timeout: 60_000 } as const;
  return spawnSync(process.execPath, [MANAGER, ...words], options);
}

for (const words of [
  ['hook', 'bash'],
  ['dirs', 'add', '/usr'],
  ['shim', 'list'],
])
  test(`${words.join(' ')} says what is missing`, asRoot, () => {
    const { status, stdout, stderr } = manager(...words);
    assert.deepEqual([status, stdout], [125, '']);
    assert.equal(stderr, 'nix-foreign: you have no home directory\n  set HOME to a directory of yours\n');
  });

test('doctor tells it beside everything else', asRoot, () => {
  const { stdout, stderr } = manager('doctor');
  assert.equal(stderr, '');
  assert.match(stdout, /^note +shims +you have no home directory, so there are neither shims nor a hook\n/m);
  assert.match(stdout, /^(ok|lack) +directories? /m);
  assert.doesNotMatch(stdout, /\.bashrc/);
});
