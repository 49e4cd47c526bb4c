// Directories that a view shows → nothing is written there, each user may enter them, and they are where they seem to be.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { giveHome, openViewRoot, USER } from './view-root.ts';

const rig = await ensureRig('full');
const VIEWS = '.cache/nix-run-foreign/v1/views';

/** Each line that ends well is printed. */
const WRITES = [
  'rm -f /lib64/ld-linux-x86-64.so.2',
  'rm -f /usr/bin/cat',
  'echo x > /usr/lib/libnew.so',
  'echo x > /bin/new',
  'echo x > /usr/bin/cat',
  'mv /usr/bin/cat /usr/bin/dog',
  'chmod 777 /bin',
];

for (const uid of [0, USER]) {
  const root = await openViewRoot(rig, { interpreter: 'none', uid });
  giveHome(root, uid);
  const named = `user ${uid}`;
  const inView = async (text: string) => await root.start([rig.bash, '-c', text]);

  test(`${named}: what is shown cannot be changed, nor what it leads to`, async () => {
    const text = WRITES.map((line) => `if ${line}; then echo '${line}'; fi`).join('\n');
    const { stdout, stderr } = await inView(
      `file=$(readlink -f /usr/bin/cat); before=$(cksum < $file)\n${text}\n[ "$(cksum < $file)" = "$before" ] && echo same`,
    );
    assert.equal(stdout, 'same\n', stderr);
  });

  test(`${named}: what lies beside and above is that of the machine`, async () => {
    const { stdout, stderr } = await inView(
      'cd /usr/bin && pwd && cd .. && pwd; echo /bin/../n*; readlink -f /lib64/..',
    );
    assert.equal(stdout, '/usr/bin\n/usr\n/bin/../nix\n/\n', stderr);
  });

  test(`${named}: what is nowhere on the machine is one mount in each directory, with the other names as links`, async () => {
    const { stdout, stderr } = await inView(
      'readlink /sbin /usr/sbin /lib64 /usr/lib64; readlink -f /usr/sbin/..; [ -x /usr/sbin/cat ] && echo cat',
    );
    assert.equal(stdout, '/bin\n/usr/bin\n/lib\n/usr/lib\n/usr\ncat\n', stderr);
  });

  test(`${named}: what somebody changed in the cache is mended when a plan is made`, async () => {
    await inView('exit 0');
    const views = path.join(root.homeDir, VIEWS);
    const programs = readdirSync(views)
      .map((name) => path.join(views, name))
      .find((each) => readdirSync(each).includes('cat')) as string;
    const before = readdirSync(programs);
    rmSync(path.join(programs, 'cat'));
    rmSync(path.join(programs, 'ls'));
    symlinkSync('/nowhere', path.join(programs, 'ls'));
    writeFileSync(path.join(programs, 'strange'), '');
    chmodSync(path.join(programs, 'ldd'), 0o644);
    chmodSync(programs, 0o700);
    const { stdout, stderr } = await root.start(['--refresh', rig.bash, '-c', 'cat < /dev/null && ls -d /']);
    assert.equal(stdout, '/\n', stderr);
    assert.deepEqual(readdirSync(programs), before);
    assert.deepEqual(
      [statSync(programs), statSync(path.join(programs, 'ldd'))].map(({ mode }) => mode & 0o777),
      [0o755, 0o555],
    );
  });
}

test('for root the store is as on NixOS: read-only, without setuid programs and devices', async () => {
  const root = await openViewRoot(rig, { interpreter: 'none', uid: 0 });
  const text = 'while read -r _ _ _ _ at options _; do [ $at = /nix/store ] && echo $options; done';
  const { stdout, stderr } = await root.start([rig.bash, '-c', `${text} < /proc/self/mountinfo; exit 0`]);
  assert.match(stdout.trim().split('\n').at(-1) ?? '', /^ro,nosuid,nodev\b/, stderr);
});

test('a child of root that gives its rights up, where root has its home for itself', async () => {
  const root = await openViewRoot(rig, { interpreter: 'none', uid: 0 });
  chmodSync(root.homeDir, 0o700);
  const words = `chroot --userspec=${USER}:${USER} / /bin/cat /proc/self/status`;
  const { stdout, stderr } = await root.start([rig.bash, '-c', words]);
  assert.match(stdout, new RegExp(`^Uid:\\s+${USER}\\s`, 'm'), stderr);
});

test('a working directory at whose path a view shows something', async () => {
  const host = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-host-'));
  after(() => rmSync(host, { recursive: true, force: true }));
  symlinkSync(rig.bash, path.join(host, 'env'));
  chmodSync(host, 0o755);
  const binds = [{ from: host, to: '/usr/bin', mode: 'read-only' }] as const;
  const root = await openViewRoot(rig, { interpreter: 'none', uid: 0, binds });
  const { stdout, stderr } = await root.start([rig.bash, '-c', 'pwd -P; echo c?t'], { cwd: '/usr/bin' });
  assert.deepEqual([stdout, stderr], ['/usr/bin\ncat cut\n', '']);
});
