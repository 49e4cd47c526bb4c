// What is mounted directly below the root directory, and below that → the same in a view, and whoever is away stays so.
import assert from 'node:assert/strict';
import { chownSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, limited, openWorkshop, putScript, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { asRoot, needTool } from './tool-fixture.ts';

const workshop = await openWorkshop();
const program = putScript(workshop.directory, 'program', '');
const USER = 4321;
const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'] as const;
/** A directory of every system. */
const PLACE = '/mnt';

const onAutomounts =
  asRoot.skip !== undefined || readFileSync('/proc/filesystems', 'utf8').includes('\tautofs\n')
    ? asRoot
    : { skip: 'this kernel has no automounts' };

/** Words that have a view run this text of sh(1). The plan belongs to whoever starts. */
function inView(text: string, uid: number): readonly string[] {
  const records = ['V/view-of-a-test/ld.so ', 'x/bin/sh', '0', 'A-c', `A${text}`];
  const file = putPlan(workshop.place, program, planText(program, records));
  for (const each of [file, path.dirname(file)]) chownSync(each, uid, uid);
  return [...(uid === 0 ? [] : asUser), workshop.launcher, program];
}

const OF_PLACE = `grep -o " ${PLACE}[^ ]* .* - [^ ]*" /proc/self/mountinfo`;

test('an automount whose server is away is as before, and is not asked for', onAutomounts, async () => {
  const automount = compile(workshop, 'automount');
  for (const uid of [0, USER]) {
    const text = `${OF_PLACE}; echo in; ls ${PLACE} 2>/dev/null`;
    const words = ['--mount', automount, PLACE, ...inView(text, uid)];
    const { code, stdout, stderr } = await runCommand(workshop, ['unshare', ...words], limited);
    assert.match(stdout, /^ \/mnt .* - autofs\nin\nasked\n$/, `user ${uid}: ${code} ${stdout}${stderr}`);
  }
});

test(
  'where the kernel binds nothing without asking, an empty directory is in its place',
  onAutomounts,
  async () => {
    needTool('strace', 'strace');
    const automount = compile(workshop, 'automount');
    for (const error of ['ENOSYS', 'EPERM']) {
      const without = ['strace', '-qq', '-f', '-o', '/dev/null', '-e', `inject=open_tree:error=${error}`];
      const view = inView(`${OF_PLACE}; ls -a ${PLACE}`, USER);
      const words = ['--mount', automount, PLACE, ...without, ...view];
      const { stdout, stderr } = await runCommand(workshop, ['unshare', ...words], limited);
      assert.equal(stdout, 'asked\n.\n..\n', stderr);
    }
  },
);

test('what lies below, flags, and what is mounted there later', asRoot, async () => {
  const text = `${OF_PLACE}; echo ready > ${PLACE}/ready; read line < ${PLACE}/go; ${OF_PLACE}`;
  for (const uid of [0, USER]) {
    const script = `
mount -t tmpfs -o noexec of-test ${PLACE} && cd ${PLACE} && mkdir deeper later && mkfifo -m 666 ready go
mount -t tmpfs -o nosuid of-test deeper && mkdir deeper/deepest && mount -t tmpfs -o ro of-test deeper/deepest
"$@" & read line < ready
mount -t tmpfs of-test later; echo > go; wait`;
    const words = ['--mount', '--propagation', 'shared', 'sh', '-c', script, 'sh', ...inView(text, uid)];
    const { stdout, stderr } = await runCommand(workshop, ['unshare', ...words], limited);
    const found = stdout.split('\n').map((line) => line.replace(/ master:.*/, ' slave'));
    const before = [' /mnt rw,noexec,relatime slave', ' /mnt/deeper rw,nosuid,relatime slave'];
    assert.deepEqual(
      found,
      [
        ...[...before, ' /mnt/deeper/deepest ro,relatime slave'],
        ...[...before, ' /mnt/deeper/deepest ro,relatime slave', ' /mnt/later rw,relatime slave'],
        '',
      ],
      `user ${uid}: ${stderr}`,
    );
  }
});

test(
  'what is unmounted outside: gone where it lay deeper, and kept directly below the root directory',
  asRoot,
  async () => {
    const text = `echo > ${PLACE}/ready; read line < ${PLACE}/go; ${OF_PLACE}`;
    for (const uid of [0, USER]) {
      const script = `
mount -t tmpfs of-test ${PLACE} && cd ${PLACE} && mkdir deeper && mkfifo -m 666 ready go
mount -t tmpfs of-test deeper
exec 9<>go
"$@" & read line < ready
umount deeper; cd /; umount -l ${PLACE}
echo >&9; wait`;
      const words = ['--mount', '--propagation', 'shared', 'sh', '-c', script, 'sh', ...inView(text, uid)];
      const { stdout, stderr } = await runCommand(workshop, ['unshare', ...words], limited);
      assert.match(stdout, /^ \/mnt [^\n]*\n$/, `user ${uid}: ${stderr}`);
    }
  },
);
