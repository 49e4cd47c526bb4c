// A foreign program at any depth of a tree that was started by one prefix: bare it fails, in the view it starts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { onHost } from '../foreign-files.ts';
import { reportOf } from '../strategies/self.ts';
import { launcher } from '../tool.ts';
import {
  cases,
  giveHome,
  openViewRoot,
  putProgram,
  putScript,
  putVendor,
  USER,
  vendor,
} from './view-root.ts';

const rig = await ensureRig('full');
const { program, script } = vendor;

/** posix_spawn of argv[1], as Cargo, Gradle and Playwright start what they downloaded. */
const SPAWN = `
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
extern char **environ;
int main(int argc, char **argv) {
  pid_t pid;
  int status = 0, error = posix_spawn(&pid, argv[1], 0, 0, argv + 1, environ);
  if (error) return printf("cannot spawn: %d\\n", error), 31;
  waitpid(pid, &status, 0);
  return WEXITSTATUS(status);
}`;

for (const { interpreter, uid } of cases) {
  const root = await openViewRoot(rig, { interpreter, uid });
  const named = `interpreter ${interpreter}, user ${uid}`;
  putVendor(root);
  const spawn = putProgram(root, 'bin/spawn', SPAWN);
  const helper = putScript(
    root,
    '/home/tester/helper.sh',
    '#!/bin/bash\n/bin/rm -f "$1"\n/usr/bin/env echo helper\n',
  );
  giveHome(root, uid);
  const isSelf = (outcome: Parameters<typeof reportOf>[0]) => {
    const seen = reportOf(outcome);
    assert.deepEqual([seen['exe'], seen['zlib'], seen['user']], [program, '1', String(uid)]);
    return seen;
  };

  test(`${named}: by the loader no child starts`, async () => {
    const { stdout } = await root.start(['--strategy', 'loader', spawn, program, 'report']);
    assert.match(stdout, /^cannot spawn|^$/);
    assert.doesNotMatch(stdout, /zlib/);
    assert.equal((await root.manage(['resolve', '--strategy', 'auto', spawn])).status, 0);
  });

  test(`${named}: a vendor's script, a child of it, and its hit`, async () => {
    assert.notEqual((await root.bare(rig.bash, [script, 'report'])).status, 0);
    const { stdout } = await root.manage(['resolve', script]);
    assert.match(stdout, /strategy view\n$/);
    isSelf(await root.start([script, 'report']));
    isSelf(await root.startHit([script, 'report']));
  });

  test(`${named}: a program of Nix is the tree's first`, async () => {
    assert.notEqual((await root.bare(rig.bash, ['-c', `${program} report`])).status, 0);
    isSelf(await root.start([rig.bash, '-c', `${program} report; exit $?`]));
  });

  test(`${named}: a foreign program starts a foreign program, and a script`, async () => {
    isSelf(await root.start([spawn, program, 'report']));
    const { stdout, status } = await root.start([spawn, helper, '/home/tester/nothing']);
    assert.deepEqual([stdout, status], ['helper\n', 0]);
    isSelf(await root.start([spawn, spawn, spawn, program, 'report']));
  });

  test(`${named}: a program that came while the tree ran`, async () => {
    const text = `cp ${program} /home/tester/new && /home/tester/new report`;
    const seen = reportOf(await root.start([rig.bash, '-c', text]));
    assert.deepEqual([seen['exe'], seen['zlib']], ['/home/tester/new', '1']);
    // The plan that was made inside holds outside once it was looked at there.
    assert.equal(reportOf(await root.start(['/home/tester/new', 'report']))['zlib'], '1');
    const again = await root.startHit([rig.bash, '-c', '/home/tester/new report; exit $?']);
    assert.equal(reportOf(again)['zlib'], '1');
  });

  test(`${named}: it starts itself again with an empty environment`, async () => {
    const { stdout } = await root.manage(['resolve', program]);
    assert.match(stdout, /strategy view\n$/);
    const seen = isSelf(await root.startHit([program, 'again']));
    assert.equal(seen['library-path'], 'unset');
  });

  test(`${named}: a prefix within is a plain start, and no view is made in a view`, async () => {
    const text = `readlink /proc/self/ns/mnt; ${launcher} ${rig.bash} -c 'readlink /proc/self/ns/mnt'; ${launcher} ${program} report`;
    const { stdout } = await root.startHit([rig.bash, '-c', text]);
    const [outer, inner, exe] = stdout.split('\n');
    assert.match(outer ?? '', /^mnt:/);
    assert.equal(inner, outer);
    assert.equal(exe, `exe ${program}`);
  });

  test(`${named}: explain says what is done for its children`, async () => {
    assert.match(
      (await root.manage(['explain', script])).stdout,
      /^because {3}its foreign children start too/m,
    );
    assert.match((await root.manage(['explain', program])).stdout, /^strategy {2}view$/m);
  });
}

test('a static program is started as it is, and in a view where it is asked for', async () => {
  const root = await openViewRoot(rig, { interpreter: 'none', uid: USER });
  putVendor(root);
  const spawn = putProgram(root, 'bin/spawn-static', SPAWN, ['-static']);
  const env = { PATH: '/home/tester/tools:/nix/var/nix/profiles/default/bin' };
  mkdirSync(onHost(root, '/home/tester/tools'));
  giveHome(root, USER);
  assert.equal((await root.start([spawn, program, 'report'])).stdout, 'cannot spawn: 2\n');
  const asked = await root.start(['--strategy', 'view', spawn, program, 'report'], { env });
  assert.equal(reportOf(asked)['zlib'], '1', asked.stderr);
  assert.equal(reportOf(await root.startHit([spawn, program, 'report']))['zlib'], '1');
  writeFileSync(onHost(root, '/home/tester/tools/new'), '');
  assert.equal((await root.startHit([spawn, program, 'report'], { env })).status, 125);
  const planned = await root.start([spawn, program, 'report'], { env });
  assert.equal(reportOf(planned)['zlib'], '1', planned.stderr);
  assert.equal(reportOf(await root.startHit([spawn, program, 'report']))['zlib'], '1');
  await root.start(['--strategy', 'auto', spawn, program, 'report']);
  assert.equal((await root.startHit([spawn, program, 'report'])).stdout, 'cannot spawn: 2\n');
});

test('what a running tree starts its children by outlives its plan', async () => {
  const root = await openViewRoot(rig, { interpreter: 'none', uid: USER });
  putVendor(root);
  putScript(
    root,
    '/home/tester/long.sh',
    `#!/bin/bash\n: > ~/begun\nuntil [ -e ~/go ]; do read -t 0.05 <> ~/never; done\n${program} report\n`,
  );
  execFileSync('mkfifo', [onHost(root, '/home/tester/never')]);
  giveHome(root, USER);
  const manager = `${rig.node} /opt/tool/dist/nix-foreign.cjs`;
  const text = `${launcher} ~/long.sh & until [ -e ~/begun ]; do read -t 0.05 <> ~/never; done
    ${manager} forget ~/long.sh >&2; ${manager} prune >&2; : > ~/go; wait $!`;
  const outcome = await root.run({ argv: [rig.bash, '-c', text], timeoutMs: 120_000 });
  assert.equal(reportOf(outcome)['zlib'], '1', outcome.stderr);
  const views = onHost(root, '/home/tester/.cache/nix-run-foreign/v1/views');
  assert.ok(readdirSync(views).length > 0);
  await root.manage(['prune']);
  assert.equal(existsSync(views) ? readdirSync(views).length : 0, 0);
});

test('where nix-ld is, a script and a program of Nix are told the launcher, without a namespace', async () => {
  const root = await openViewRoot(rig, { interpreter: 'nix-ld', uid: USER });
  putVendor(root);
  giveHome(root, USER);
  assert.notEqual((await root.bare(rig.bash, ['-c', `${program} report`])).status, 0);
  for (const words of [
    [script, 'report'],
    [rig.bash, '-c', `${program} report; exit $?`],
  ] as const)
    assert.equal(reportOf(await root.start(words))['exe'], program);
  const { stdout } = await root.startHit([
    rig.bash,
    '-c',
    'echo $NIX_LD_x86_64_linux; [ -e /bin ] || echo as outside',
  ]);
  assert.equal(stdout, `${launcher}\nas outside\n`);
});
