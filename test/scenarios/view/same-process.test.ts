// A start in a view → what the process and whoever looks at it from outside see: as without one.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { onHost } from '../foreign-files.ts';
import { launcher } from '../tool.ts';
import { giveHome, openViewRoot, putProgram, USER } from './view-root.ts';

const rig = await ensureRig('full');

/** A program's own sandbox, as Chromium and bubblewrap make it: new user and mount namespaces, a proc, a root. */
const SANDBOX = `
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static const char *own = "/proc/self/exe";
static void line(const char *file, const char *text) {
  int fd = open(file, O_WRONLY);
  if (fd >= 0) { write(fd, text, strlen(text)); close(fd); }
}
int main(void) {
  char map[64];
  if (access(own, R_OK)) return 1;
  int group = getegid();
  sprintf(map, "0 %d 1", geteuid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID)) return perror("unshare"), 2;
  line("/proc/self/setgroups", "deny");
  line("/proc/self/uid_map", map);
  sprintf(map, "0 %d 1", group);
  line("/proc/self/gid_map", map);
  if (mount("tmpfs", "/tmp", "tmpfs", 0, 0)) return perror("tmpfs"), 3;
  mkdir("/tmp/old", 0700);
  mkdir("/tmp/usr", 0700);
  if (mount("/nix", "/tmp/usr", 0, MS_BIND | MS_REC, 0)) return perror("bind"), 4;
  if (syscall(SYS_pivot_root, "/tmp", "/tmp/old")) return perror("pivot_root"), 5;
  if (chdir("/") || umount2("/old", MNT_DETACH)) return perror("umount"), 6;
  if (access("/usr/store", R_OK)) return perror("store"), 7;
  puts("sandboxed");
  return 0;
}`;

for (const uid of [0, USER]) {
  const root = await openViewRoot(rig, { interpreter: 'none', uid });
  const sandbox = putProgram(root, 'bin/sandbox', SANDBOX);
  for (const name of ['here', 'gone']) mkdirSync(onHost(root, `/home/tester/${name}`));
  giveHome(root, uid);
  const named = `user ${uid}`;

  /** What a shell sees of itself, started with and without a view. */
  const sight = `echo $$ $(umask) "$PWD" $(readlink /proc/self/cwd) $(readlink /proc/self/fd/7) $UID $EUID
while read -r key rest; do case $key in Groups:|NSpid:|PPid:|SigIgn:) echo $key $rest;; esac; done </proc/self/status`;
  const around = (start: string, before = '') =>
    `cd /home/tester/here; umask 027; exec 7</etc/passwd; trap '' HUP; ${before}
echo shell $$; exec ${start} ${rig.bash} -c '${sight.replaceAll("'", "'\\''")}'`;
  const seen = async (start: string, before?: string) => {
    const { stdout } = await root.run({ argv: [rig.bash, '-c', around(start, before)] });
    const shell = /^shell (\d+)$/m.exec(stdout)?.[1] ?? 'none';
    return stdout.replaceAll(new RegExp(`\\b${shell}\\b`, 'g'), 'SHELL').replaceAll(/^PPid: .*$/gm, '');
  };

  test(`${named}: process id, umask, working directory, descriptors, groups, ignored signals`, async () => {
    await root.manage(['resolve', rig.bash]);
    const outside = await seen('');
    assert.match(outside, /^shell SHELL\nSHELL 0027 \/home\/tester\/here /);
    assert.equal(await seen(launcher), outside);
  });

  test(`${named}: a working directory that is gone, and one on a mount`, async () => {
    const gone = await seen(
      launcher,
      'mkdir -p /home/tester/gone; cd /home/tester/gone; rmdir /home/tester/gone;',
    );
    assert.match(gone, / \/home\/tester\/gone \(deleted\)/);
    const words = [
      rig.bash,
      '-c',
      'readlink /proc/self/cwd; [ . -ef /dev/shm ] || [ . -ef /dev ] && echo same',
    ];
    const { stdout } = await root.start(words, { cwd: '/dev' });
    assert.equal(stdout, '/dev\nsame\n');
  });

  test(`${named}: mounts are listed once, and the old root is not among them`, async () => {
    const text = 'while read -r _ _ _ _ at _; do echo "$at"; done </proc/self/mountinfo';
    const { stdout } = await root.start([rig.bash, '-c', text]);
    const points = stdout.trim().split('\n');
    assert.equal(points.filter((each) => each === '/').length, 1);
    // Root has its store as a mount of its own, in a directory of the view.
    assert.equal(points.filter((each) => each === (uid === 0 ? '/nix/store' : '/nix')).length, 1);
    assert.equal(new Set(points).size, points.length);
  });

  test(`${named}: a program makes its own sandbox in it`, async () => {
    assert.match((await root.manage(['resolve', sandbox])).stdout, /strategy view\n$/);
    const { stdout, stderr } = await root.start([sandbox]);
    assert.equal(stdout, 'sandboxed\n', stderr);
  });

  test(`${named}: exit status and fatal signal are its own`, async () => {
    assert.equal((await root.start([rig.bash, '-c', 'exit 23'])).status, 23);
    const { stdout } = await root.run({
      argv: [rig.bash, '-c', `${launcher} ${rig.bash} -c 'kill -TERM $$'; echo $?`],
    });
    assert.equal(stdout, '143\n');
  });
}

test('what root mounts outside later is seen inside, below a mount that was moved and below one that was bound', async () => {
  const root = await openViewRoot(rig, { interpreter: 'none', uid: 0 });
  // As systemd has it on every mount from the start.
  const source = `
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
int main(int argc, char **argv) {
  char later[100];
  if (argc > 2) return !!mount(NULL, argv[1], NULL, MS_SHARED, NULL);
  snprintf(later, sizeof later, "%s/later", argv[1]);
  return mkdir(later, 0755) || mount("later", later, "tmpfs", 0, NULL);
}`;
  const mounts = putProgram(root, 'bin/mounts', source, ['-static']);
  await root.manage(['resolve', rig.bash]);
  for (const directory of ['/home/tester', '/tmp']) {
    const file = `${directory}/later/file`;
    const wait = `for ((i = 0; i < 200; i++)); do [ -e ${file} ] && echo seen && exit; sleep 0.05; done`;
    const text = `${mounts} ${directory} share; ${launcher} ${rig.bash} -c '${wait}' & sleep 0.5; ${mounts} ${directory} || echo failed; : > ${file}; wait`;
    const { stdout } = await root.run({ argv: [rig.bash, '-c', text] });
    assert.equal(stdout, 'seen\n', directory);
  }
});
