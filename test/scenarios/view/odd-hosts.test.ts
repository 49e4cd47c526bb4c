// Machines on which a view is hard to make or impossible → it is made, or the next best way is taken and one line says so.
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { compileInterpreter } from '../../rig/program-interpreters.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { reportOf } from '../strategies/self.ts';
import { launcher, type ToolRoot } from '../tool.ts';
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
const ODD = readFileSync(path.join(import.meta.dirname, 'odd-host.c'), 'utf8');
const ONE_LINE =
  /^nix-run-foreign: [^\n]*: foreign programs that it starts will not find their interpreter [^\n]* enable nix-ld\n/;

function putOdd(root: ToolRoot): string {
  return putProgram(root, 'bin/odd-host', ODD, ['-static', '-w']);
}

const host = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-odd-'));
after(() => rmSync(host, { recursive: true, force: true }));
chmodSync(host, 0o755);
mkdirSync(path.join(host, 'usr/bin'), { recursive: true });
symlinkSync(rig.bash, path.join(host, 'usr/bin/env'));
mkdirSync(path.join(host, 'usr/local'));
writeFileSync(path.join(host, 'usr/local/own'), 'own\n');
mkdirSync(path.join(host, 'lib64'));
for (const name of ['run/current-system/sw/share/mime', 'linked'])
  mkdirSync(path.join(host, name), { recursive: true });
for (const name of ['share', 'lib', 'bin'])
  symlinkSync(path.dirname(rig.bash), path.join(host, 'linked', name));
copyFileSync(await compileInterpreter('stub-ld'), path.join(host, 'lib64/ld-linux-x86-64.so.2'));

for (const { interpreter, uid } of cases) {
  const binds = [{ from: host, to: '/machine', mode: 'read-only' }] as const;
  const root = await openViewRoot(rig, { interpreter, uid, binds });
  const named = `interpreter ${interpreter}, user ${uid}`;
  putVendor(root);
  const odd = putOdd(root);
  giveHome(root, uid);
  const on = (mode: string, text: string, option = '--refresh') =>
    root.run({ argv: [odd, mode, launcher, option, rig.bash, '-c', text], timeoutMs: 120_000 });

  for (const mode of ['no-namespaces-left', 'unreadable-root'] as const)
    test(`${named}, ${mode}: a view where that is possible, else the program starts and one line says so`, async () => {
      const { stdout, stderr, status } = await on(mode, `echo started; ${vendor.program} report; exit 0`);
      assert.match(stdout, /^started\n/, stderr);
      assert.equal(status, 0);
      // Root needs no user namespace, and may read each directory.
      if (uid === 0) assert.match(stdout, /^zlib 1/m, stderr);
      else assert.match(stderr, ONE_LINE);
      assert.equal(uid === 0, stderr === '', stderr);
    });

  test(`${named}: a mount table of 5,000 entries`, async () => {
    const text = `mapfile -t all </proc/self/mountinfo; echo $((\${#all[@]} > 5000)) >&2; exec ${vendor.program} report`;
    const outcome = await on('many-mounts', text);
    assert.equal(reportOf(outcome)['zlib'], '1');
    assert.equal(outcome.stderr, '1\n');
  });

  test(`${named}: /usr is a link`, async () => {
    const text = `readlink /usr; readlink /usr/bin/env; echo $(</usr/local/own); pwd; [ -x /usr/bin/ldd ] && echo ldd; exec ${vendor.program} report`;
    const { stdout, stderr } = await on('usr-is-a-link', text);
    assert.equal(stdout.split('\n').slice(0, 5).join(' '), `/machine/usr ${rig.bash} own / ldd`, stderr);
    assert.match(stdout, /^zlib 1/m);
    assert.equal(stderr, '');
  });
}

for (const uid of [0, USER]) {
  const binds = [{ from: path.join(host, 'usr'), to: '/usr', mode: 'read-only' }] as const;
  const root = await openViewRoot(rig, { interpreter: 'stub-ld', uid, binds });
  putVendor(root);
  const names = [
    'bin/sh',
    'usr/bin/env',
    'lib64/ld-linux-x86-64.so.2',
    'nix',
    'proc/self/exe',
    'tmp',
    'sbin/ldconfig',
  ];
  for (const name of names)
    putScript(root, `${homeInRoot}/hostile/${name}/x`, `#!${rig.bash}\necho hostile\n`);
  for (const name of ['rm', 'bash', 'ldd', 'sh'])
    putScript(root, `${homeInRoot}/hostile/${name}`, `#!${rig.bash}\necho hostile\n`);
  giveHome(root, uid);

  test(`user ${uid}: /usr is a mount, which cannot be written`, async () => {
    const text = `echo $(</usr/local/own); readlink /usr/bin/env; /usr/bin/rm --version; exec ${vendor.program} report`;
    const { stdout, stderr } = await root.start([rig.bash, '-c', text]);
    assert.deepEqual(stdout.split('\n').slice(0, 2), ['own', rig.bash], stderr);
    assert.match(stdout, /^rm \(GNU coreutils\)/m);
    assert.match(stdout, /^zlib 1/m);
  });

  test(`user ${uid}: a hostile working directory puts nothing in place of the host's`, async () => {
    const cwd = `${homeInRoot}/hostile`;
    const text = `/bin/sh -c 'echo sh'; /usr/bin/rm --version; readlink /usr/bin/env; pwd; exec ${vendor.program} report`;
    const env = { PATH: ':.:bin:usr/bin:/nix/var/nix/profiles/default/bin' };
    const { stdout, stderr } = await root.start(['--refresh', rig.bash, '-c', text], { cwd, env });
    assert.doesNotMatch(stdout + stderr, /hostile\n(?!zlib)(?<!tester\/hostile\n)/);
    assert.match(stdout, /^sh\nrm \(GNU coreutils\)/);
    assert.match(stdout, new RegExp(`^${cwd}\n(?:.*\n)*zlib 1`, 'm'));
  });

  test(`user ${uid}: a PATH of 200 entries, most of them dead`, async () => {
    const dead = Array.from({ length: 199 }, (_, index) => `/nowhere/${index}/${'x'.repeat(60)}`);
    const env = { PATH: [...dead, '/nix/var/nix/profiles/default/bin'].join(':') };
    const text = `/usr/bin/rm --version; exec ${vendor.program} report`;
    assert.match((await root.start(['--refresh', rig.bash, '-c', text], { env })).stdout, /^zlib 1/m);
    assert.match((await root.startHit([rig.bash, '-c', text], { env })).stdout, /^rm \(GNU coreutils\)/m);
  });
}

for (const uid of [0, USER])
  test(`user ${uid}: a stub at the interpreter path that is a file, no link`, async () => {
    const binds = [{ from: path.join(host, 'lib64'), to: '/lib64', mode: 'read-only' }] as const;
    const root = await openViewRoot(rig, { interpreter: 'none', uid, binds });
    putVendor(root);
    giveHome(root, uid);
    assert.notEqual((await root.bare(vendor.program, ['report'])).status, 0);
    const { stdout, stderr } = await root.start([vendor.script, 'report']);
    assert.match(stdout, /^zlib 1/m, stderr);
  });

for (const uid of [0, USER])
  test(`user ${uid}: an interpreter that is named below the home: it can be written`, async () => {
    const root = await openViewRoot(rig, { interpreter: 'none', uid });
    const source = `
#include <fcntl.h>
const char *zlibVersion(void);
int main(void) { return zlibVersion()[0] != '1' || open("${homeInRoot}/written", O_CREAT | O_WRONLY, 0600) < 0; }`;
    const named = `-Wl,--dynamic-linker=${homeInRoot}/gone/ld-linux-x86-64.so.2`;
    const program = putProgram(root, 'writes', source, ['-l:libz.so.1', named]);
    giveHome(root, uid);
    const { status, stderr } = await root.start(['--strategy', 'view', program]);
    assert.equal(status, 0, stderr);
    assert.equal((await root.startHit([program])).status, 0);
  });

for (const uid of [0, USER])
  test(`user ${uid}: directories of /usr lead into the store: no directory of it is opened`, async () => {
    const binds = [
      { from: path.join(host, 'linked'), to: '/usr', mode: 'read-only' },
      { from: path.join(host, 'run'), to: '/run', mode: 'read-only' },
    ] as const;
    const root = await openViewRoot(rig, { interpreter: 'none', uid, binds });
    putVendor(root);
    giveHome(root, uid);
    const text = `while read -r _ _ _ _ at _; do [[ $at == /nix/store/* ]] && echo $at; done < /proc/self/mountinfo; exec ${vendor.program} report`;
    const { stdout, stderr } = await root.start([rig.bash, '-c', text]);
    assert.match(stdout, /^zlib 1/m, stderr);
    assert.doesNotMatch(stdout, /^\/nix\/store/m);
  });

test('a read-only home: the view lies below /tmp', async () => {
  const root = await openViewRoot(rig, { interpreter: 'none', uid: USER, readOnly: ['home'] });
  putVendor(root);
  giveHome(root, USER);
  const { stdout, stderr } = await root.start([vendor.script, 'report']);
  assert.match(stdout, /^zlib 1/m, stderr);
  assert.match((await root.startHit([vendor.script, 'report'])).stdout, /^zlib 1/m);
});
