// The commands about binfmt_misc: what they print, register and remove, and when they refuse.
import assert from 'node:assert/strict';
import {
  copyFileSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { foreign } from '../foreign-files.ts';
import { launcher, openToolRoot } from '../tool.ts';
import { onOwnBinfmt, openOwnInstance } from './own-instance.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const { manager, session } = openOwnInstance(root);

test('status before, after install, after remove; install again is no error', onOwnBinfmt, async () => {
  const status = `${manager} binfmt status --json`;
  const script = [status, 'echo ,', `${manager} binfmt install --json`, 'echo ,', status, 'echo ,'];
  const more = [
    `${manager} binfmt install >/dev/null && ${status}`,
    'echo ,',
    `${manager} binfmt remove --json`,
  ];
  const { stdout, stderr } = await session([...script, ...more, 'echo ,', status].join('; '));
  assert.equal(stderr, '');
  const [before, installed, during, again, removed, after] = JSON.parse(`[${stdout}]`);
  assert.deepEqual([before.mounted, before.enabled, before.rules, before.natives], [true, true, [], []]);
  const names = installed.map(({ name }: { name: string }) => name).sort();
  assert.ok(names.includes('nix-run-foreign-x86_64') && names.includes('nix-run-foreign-appimage-2-x86_64'));
  for (const { flags } of installed) assert.match(flags, /^(PF|LF)$/);
  assert.deepEqual(
    during.rules.map(({ name }: { name: string }) => name),
    names,
  );
  for (const rule of during.rules) assert.deepEqual([rule.enabled, rule.interpreter], [true, launcher]);
  assert.deepEqual(again.rules, during.rules);
  assert.deepEqual(removed, names);
  assert.deepEqual(after.rules, []);
});

test(
  'print has the same rules, as binfmt.d wants them, and the kernel takes each line',
  onOwnBinfmt,
  async () => {
    const script = `${manager} binfmt print > /tmp/rules; while read -r line; do
    case $line in '#'*) ;; *) printf '%s' "$line" > /proc/sys/fs/binfmt_misc/register || echo "refused $line";; esac
    done < /tmp/rules; ${manager} binfmt status --json`;
    const { stdout, stderr } = await session(script);
    assert.equal(stderr, '');
    const { rules } = JSON.parse(stdout) as { rules: { name: string; flags: string }[] };
    assert.ok(rules.length >= 4);
    for (const { flags } of rules) assert.match(flags, /^P.*F|^PF/);
  },
);

test(
  'where native programs would match, install refuses and says which; nothing is registered',
  onOwnBinfmt,
  async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'usr-bin-'));
    after(() => rmSync(directory, { recursive: true, force: true }));
    copyFileSync(foreign(rig, 'bookworm', 'curl').path, path.join(directory, 'curl'));
    mkdirSync(path.join(directory, 'd'));
    writeFileSync(path.join(directory, 'script'), '#!/bin/sh\n');
    const native = await openToolRoot(rig, {
      binds: [{ from: directory, to: '/usr/bin', mode: 'read-only' }],
    });
    const instance = openOwnInstance(native);
    const { stdout, stderr } = await instance.session(
      `${instance.manager} binfmt install; echo "status $?"; ${instance.manager} binfmt status`,
    );
    assert.match(
      stderr,
      /^nix-foreign: the rules would match 1 programs of this machine itself, such as \/usr\/bin\/curl\n {2}\S/,
    );
    assert.match(stdout, /^status 125\nno rule of ours is registered\ninstall refuses: /);
  },
);

test('a launcher that others than root can change is named', onOwnBinfmt, async () => {
  const copy = "require('fs').cpSync('/opt/tool', '/tmp/own', { recursive: true, verbatimSymlinks: true })";
  const open = "require('fs').chmodSync('/tmp/own', 0o777)";
  const own = manager.replaceAll('/opt/tool', '/tmp/own');
  const install = (words: string) => `${own} binfmt ${words} >/dev/null`;
  const { stderr } = await session(
    `${rig.node} -e "${copy}"; ${install('install')}; ${rig.node} -e "${open}"; ${install('install')}; ${install('remove')}`,
  );
  assert.match(
    stderr,
    /^nix-foreign: others than root can change \/tmp\/own\/\S*, and every user's programs[^\n]*\n$/,
    'once, and not while only root can',
  );
});

test('on NixOS its option is named, since /etc/binfmt.d is not read there', onOwnBinfmt, async () => {
  const nixos = await openToolRoot(rig);
  writeFileSync(path.join(nixos.homeDir, '../etc/NIXOS'), '');
  const instance = openOwnInstance(nixos);
  const { stdout, stderr } = await instance.session(
    `${instance.manager} binfmt install; ${instance.manager} binfmt print >/dev/null`,
  );
  assert.match(stdout, /^until the next restart; for good: programs\.nix-run-foreign\.binfmt = true;$/m);
  assert.match(
    stderr,
    /^nix-foreign: NixOS does not read \S+; for good: programs\.nix-run-foreign\.binfmt = true;\n$/,
  );
});

test('where it is not mounted, the command for it is named', async () => {
  const { status, stderr } = await root.manage(['binfmt', 'install']);
  assert.equal(status, 125);
  assert.match(stderr, /binfmt_misc is not mounted at .*\n {2}as root: mount -t binfmt_misc /);
  assert.equal((await root.manage(['binfmt', 'status'])).status, 0);
  assert.equal((await root.manage(['binfmt', 'remove'])).status, 125);
});

test("printed by a launcher that only the store has, rules need root's profile: a link of the user's is none", async () => {
  const object = `/nix/store/${'0'.repeat(32)}-nix-run-foreign-0.1.0`;
  const copy = `require('fs').cpSync('/opt/tool', '${object}', { recursive: true, verbatimSymlinks: true })`;
  assert.equal((await root.run({ argv: [rig.node, '-e', copy] })).status, 0);
  const profile = path.join(homeInRoot, 'profile');
  const link = path.join(root.homeDir, 'profile');
  symlinkSync(path.join(object, 'bin'), link);
  const print = () =>
    root.run({
      argv: [rig.node, `${object}/dist/nix-foreign.cjs`, 'binfmt', 'print', '--force'],
      env: { PATH: [path.join(object, 'bin'), profile, path.dirname(rig.bash)].join(':') },
    });
  const ofRoot = await print();
  assert.deepEqual([ofRoot.status, ofRoot.stderr], [0, '']);
  assert.match(ofRoot.stdout, new RegExp(`:${profile}/nix-run-foreign:PF$`, 'm'));
  lchownSync(link, 1000, 1000);
  const ofUser = await print();
  assert.match(ofUser.stdout, new RegExp(`:${object}/\\S+:PF$`, 'm'));
  assert.match(
    ofUser.stderr,
    /^nix-foreign: the rules end when the store is collected .*; install the package in root's profile, and print/,
  );
});
