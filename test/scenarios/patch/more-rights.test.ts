// A program that starts with more rights than its user, patched by root → it keeps them, and names only what lies in the store.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { compile } from '../compile.ts';
import { stateOf } from '../saved-state.ts';
import { everythingIn } from './everything-in.ts';
import { openVendorRoot } from './vendor-root.ts';

const SOURCE = `#include <stdio.h>
  #include <sys/auxv.h>
  #include <unistd.h>
  int main(void) {
    printf("secure %lu, user %d\\n", getauxval(AT_SECURE), geteuid());
    return 0;
  }`;

const varLib = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-var-lib-'));
chmodSync(varLib, 0o755);
const vendor = await openVendorRoot('small', {
  user: 0,
  binds: [{ from: varLib, to: '/var/lib', mode: 'read-write' }],
});
after(() => rmSync(varLib, { recursive: true, force: true }));
const at = (name: string): string => path.join(vendor.dir, name);

/** Of another user, where this root's /nix is. */
async function asOther(file: string, user = 4321) {
  const argv = ['/usr/bin/setpriv', `--reuid=${user}`, '--clear-groups', file] as const;
  return await vendor.root.runOnHost({ argv });
}

async function patch(name: string) {
  return await vendor.root.manage(['patch', '-y', `/vendor/${name}`]);
}

test('a setuid program keeps the bit, its owner, and starts with the rights of root', async () => {
  compile(at('setuid'), SOURCE);
  chmodSync(at('setuid'), 0o4755);
  const patched = await patch('setuid');
  assert.equal(patched.status, 0, patched.stderr);
  assert.equal(statSync(at('setuid')).mode & 0o7777, 0o4755);
  assert.equal(statSync(at('setuid')).uid, 0);
  const { status, stdout, stderr } = await asOther(at('setuid'));
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'secure 1, user 0\n');
  assert.equal((await vendor.root.manage(['unpatch', '/vendor/setuid'])).status, 0);
  assert.equal(statSync(at('setuid')).mode & 0o7777, 0o4755);
});

test('a setuid program of another user is patched by root, and root starts it by no plan of it', async () => {
  compile(at('theirs-setuid'), SOURCE);
  chownSync(at('theirs-setuid'), 4321, 4321);
  chmodSync(at('theirs-setuid'), 0o6755);
  const before = everythingIn(vendor.dir);
  const dry = await vendor.root.manage(['patch', '-n', '/vendor/theirs-setuid']);
  assert.equal(dry.status, 0, dry.stderr);
  assert.equal(everythingIn(vendor.dir), before);
  const started = await vendor.root.start(['/vendor/theirs-setuid']);
  assert.equal(started.status, 126);
  assert.match(started.stderr, /it is setuid or setgid/);
  const patched = await patch('theirs-setuid');
  assert.equal(patched.status, 0, patched.stderr);
  const { mode, uid, gid } = statSync(at('theirs-setuid'));
  assert.deepEqual([mode & 0o7777, uid, gid], [0o6755, 4321, 4321]);
  const { status, stdout, stderr } = await asOther(at('theirs-setuid'), 4322);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'secure 1, user 4321\n');
  assert.equal((await vendor.root.manage(['unpatch', '/vendor/theirs-setuid'])).status, 0);
  assert.equal(statSync(at('theirs-setuid')).mode & 0o7777, 0o6755);
});

test('a set-id bit that was taken away after patching does not come back', async () => {
  for (const [name, given, left] of [
    ['tamed', 0o6755, 0o755],
    ['half-tamed', 0o6755, 0o2755],
  ] as const) {
    compile(at(name), SOURCE);
    chmodSync(at(name), given);
    assert.equal((await patch(name)).status, 0);
    chmodSync(at(name), left);
    const { status, stderr } = await vendor.root.manage(['unpatch', `/vendor/${name}`]);
    assert.equal(status, 0, stderr);
    assert.equal(statSync(at(name)).mode & 0o7777, left, name);
  }
});

test('file capabilities are kept, there and back', async () => {
  compile(at('capable'), SOURCE);
  execFileSync('setcap', ['cap_net_raw+ep', at('capable')]);
  const patched = await patch('capable');
  assert.equal(patched.status, 0, patched.stderr);
  const capabilities = () => execFileSync('getcap', [at('capable')], { encoding: 'utf8' });
  assert.match(capabilities(), /cap_net_raw=ep/);
  const { status, stdout, stderr } = await asOther(at('capable'));
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'secure 1, user 4321\n');
  assert.equal((await vendor.root.manage(['unpatch', '/vendor/capable'])).status, 0);
  assert.match(capabilities(), /cap_net_raw=ep/);
});

test('with a run path of its own outside the store it is refused', async () => {
  compile(at('open'), SOURCE, ['-Wl,-rpath,/vendor/lib']);
  chmodSync(at('open'), 0o4755);
  const before = statSync(at('open'), { bigint: true });
  const { status, stderr } = await patch('open');
  assert.equal(status, 126);
  assert.match(stderr, /setuid or setgid.*\/vendor\/lib, which lies outside the store\n.*chmod u-s,g-s/s);
  assert.equal(statSync(at('open'), { bigint: true }).mtimeNs, before.mtimeNs);
});

test('what is patched for everybody is known as patched, and goes back', async () => {
  const manage = async (...words: string[]) => {
    const { status, stdout, stderr } = await vendor.root.manage(words);
    assert.equal(status, 0, `${words.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  compile(at('for-all'), SOURCE);
  const before = readFileSync(at('for-all'));
  for (const method of ['interpreter', 'auto']) {
    await manage('patch', '-y', '--system', '--method', method, '/vendor/for-all');
    assert.match(await manage('patch', '--check', '/vendor/for-all'), /can be undone/);
    assert.match(await manage('list'), /^patched file {2}\/vendor\/for-all$/m);
    await manage(...(method === 'auto' ? ['unpatch', '--all'] : ['unpatch', '/vendor/for-all']));
    assert.ok(readFileSync(at('for-all')).equals(before), method);
    assert.doesNotMatch(await manage('list'), /patched file/);
  }
});

test('what a link of somebody else leads to is neither patched nor taken back, itself or as a tree', async () => {
  for (const each of ['app', 'theirs']) mkdirSync(at(each));
  compile(at('app/tool'), SOURCE);
  symlinkSync('/vendor/app/tool', at('theirs/tool'));
  symlinkSync('/vendor/app', at('theirs/tree'));
  for (const each of ['theirs/tool', 'theirs/tree']) lchownSync(at(each), 4321, 4321);
  chownSync(at('theirs'), 4321, 4321);
  const before = readFileSync(at('app/tool'));
  for (const command of ['patch', 'unpatch'])
    for (const [tree, link, real] of [
      [[], '/vendor/theirs/tool', '/vendor/app/tool'],
      [['--tree'], '/vendor/theirs/tree', '/vendor/app'],
    ] as const) {
      if (command === 'unpatch') assert.equal((await patch('app/tool')).status, 0);
      const patched = readFileSync(at('app/tool'));
      const yes = command === 'patch' ? ['-y'] : [];
      const { status, stderr } = await vendor.root.manage([command, ...yes, ...tree, link]);
      assert.equal(status, 126, stderr);
      const words = ['nix-foreign', command, ...tree, real].join(' ');
      assert.ok(stderr.includes(`others may change where it leads, which is ${real} now\n`), stderr);
      assert.ok(stderr.endsWith(`if that is meant, name it itself: ${words}\n`), stderr);
      assert.deepEqual(readFileSync(at('app/tool')), patched);
    }
  assert.equal((await vendor.root.manage(['unpatch', '/vendor/app/tool'])).status, 0);
  assert.deepEqual(readFileSync(at('app/tool')), before);
});

test('what only looks follows it, and a choice is not kept of what is refused', async () => {
  for (const look of ['--check', '--show']) {
    const looked = await vendor.root.manage(['patch', look, '--tree', '/vendor/theirs/tree']);
    assert.match(looked.stdout + looked.stderr, /^(?:nix-foreign: )?\/vendor\/app\/tool: .*not patched/m);
  }
  const choice = ['--exclude', 'nothing-of-this-name'];
  const { status, stderr } = await vendor.root.manage(['patch', '-y', ...choice, '/vendor/theirs/tool']);
  assert.equal(status, 126);
  assert.match(stderr, /others may change where it leads/);
  compile(at('app/linked'), SOURCE);
  linkSync(at('app/linked'), at('app/other'));
  const hard = await vendor.root.manage(['patch', '-y', ...choice, '/vendor/app/linked']);
  assert.equal(hard.status, 126, 'hard links');
  const kept = path.join(stateOf(vendor.root), 'choices');
  assert.equal(existsSync(kept), false, 'no choice');
  await vendor.root.manage(['choose', ...choice, '/vendor/app/tool']);
  assert.equal(readdirSync(kept).length, 1);
  await vendor.root.manage(['choose', '--reset', '/vendor/app/tool']);
});

test('a tree that a link names is copied, and stays as it is', async () => {
  symlinkSync('app', at('current'));
  const before = readFileSync(at('app/tool'));
  const { status, stderr } = await vendor.root.manage([
    'patch',
    '-y',
    '--tree',
    '/vendor/current',
    '-o',
    '/vendor/copy',
  ]);
  assert.equal(status, 0, stderr);
  assert.equal(lstatSync(at('copy')).isDirectory(), true);
  assert.deepEqual(readFileSync(at('app/tool')), before);
  assert.notDeepEqual(readFileSync(at('copy/tool')), before);
  const gone = await vendor.root.manage(['patch', '-y', '--tree', '/vendor/gone', '-o', '/vendor/copy2']);
  assert.match(gone.stderr, /^nix-foreign: \/vendor\/gone: no such file or directory\n/);
});

test('what is written elsewhere by -o gives nobody more rights, whatever its run path', async () => {
  const flags = ['-Wl,-rpath,/vendor/lib'];
  execFileSync('setcap', ['cap_net_raw+ep', compile(at('elsewhere'), SOURCE, flags)]);
  chmodSync(compile(at('elsewhere-setuid'), SOURCE, flags), 0o6755);
  for (const name of ['elsewhere', 'elsewhere-setuid']) {
    const words = ['patch', '-y', `/vendor/${name}`, '-o', `/vendor/${name}-out`];
    const { status, stderr } = await vendor.root.manage(words);
    assert.equal(status, 0, stderr);
    assert.equal(statSync(at(`${name}-out`)).mode & 0o7777, 0o755);
    assert.equal(execFileSync('getcap', [at(`${name}-out`)], { encoding: 'utf8' }), '');
    assert.equal((await asOther(at(`${name}-out`))).stdout, 'secure 0, user 4321\n');
  }
});
