// AppImages where no program of theirs finds a loader: bare they fail, with us AppRun and all that it starts run.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { onHost } from '../foreign-files.ts';
import { cacheOf, rootLinks } from '../saved-state.ts';
import { putSelf } from '../strategies/self.ts';
import { launcher, openToolRoot, type ToolRoot } from '../tool.ts';
import { type AppRun, makeHostTools, putAppImage } from './app-image.ts';

needTool('mksquashfs', 'squashfs-tools');
needTool('xorriso', 'xorriso');
needTool('bsdtar', 'libarchive-tools');
const rig = await ensureRig('full');
const tools = mkdtempSync(path.join(tmpdir(), 'unpackers-'));
after(() => rmSync(tools, { recursive: true, force: true }));
makeHostTools(tools, '/opt/unpackers', ['unsquashfs', 'bsdtar']);
const binds = [{ from: tools, to: '/opt/unpackers', mode: 'read-only' }] as const;
const PATH = `/opt/unpackers:${path.dirname(rig.bash)}`;

const NOTHING = /^$/;
/** In a view the kernel starts a script, which has no plan there: nothing else is said while starts are debugged. */
const NO_PLAN = /^(?:nix-run-foreign: debug: there is no [^\n]*\/squashfs-root\/AppRun\n){2}$/;

function linesOf({ status, stdout, stderr }: Outcome, said = NOTHING): Record<string, string> {
  assert.equal(status, 0, stderr);
  assert.match(stderr, said);
  const pairs = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ (.*)/s));
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value]));
}

const unpackedIn = (root: ToolRoot) => {
  const directory = path.join(cacheOf(root), 'unpacked');
  return existsSync(directory) ? readdirSync(directory) : [];
};

for (const [turn, interpreter] of (['none', 'nix-ld'] as const).entries()) {
  const root = await openToolRoot(rig, { interpreter, binds });
  for (const [type, appRun] of sampled(
    [
      [2, 'script'],
      [2, 'program'],
      [2, 'link'],
      [1, 'script'],
    ] as const satisfies readonly (readonly [1 | 2, AppRun])[],
    2,
    turn,
  ))
    test(`type ${type}, AppRun a ${appRun}, interpreter ${interpreter}`, async () => {
      const image = putAppImage(root, 'App-1.0.AppImage', type, appRun);
      rmSync(path.join(cacheOf(root), 'unpacked'), { recursive: true, force: true });
      const bare = await root.bare(image);
      assert.notEqual(bare.status, 0);
      assert.equal(bare.stdout, '');

      const settings = { cwd: path.dirname(image), env: { PATH } };
      const first = linesOf(await root.start(['./App-1.0.AppImage', 'a', 'b c', ''], settings));
      const [name] = unpackedIn(root);
      const appDir = path.join(homeInRoot, '.cache/nix-run-foreign/v1/unpacked', name ?? '', 'squashfs-root');
      assert.deepEqual(
        [first['APPDIR'], first['APPIMAGE'], first['ARGV0'], first['OWD']],
        [appDir, image, './App-1.0.AppImage', path.dirname(image)],
      );
      assert.deepEqual([first['arg1'], first['arg2'], first['arg3']], ['a', 'b c', '']);
      assert.deepEqual([first['inside'], first['zlib']], ['bundled', '1']);
      assert.equal(first['exe'], path.join(appDir, 'usr/bin/app'));
      assert.equal(first['cwd'], path.dirname(image));

      const said = appRun === 'script' && interpreter === 'none' ? NO_PLAN : NOTHING;
      const again = linesOf(await root.startHit([image, 'a', 'b c', ''], settings), said);
      assert.deepEqual(again, { ...first, ARGV0: image, ...(appRun === 'script' ? {} : { argv0: image }) });
      const failing = await root.startHit([image, 'fail'], settings);
      assert.equal(failing.status, 7);
      assert.match(failing.stderr, said);
    });
}

const root = await openToolRoot(rig, { binds });
beforeEach(() => {
  for (const name of ['.cache', '.local'])
    rmSync(path.join(root.homeDir, name), { recursive: true, force: true });
});

test('a program that another one inside starts goes the same way', async () => {
  const image = putAppImage(root, 'two.AppImage', 2, 'link');
  const { status, stdout, stderr } = await root.start([image, 'second'], { env: { PATH } });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^second ended 0$/m);
  assert.match(stdout, /^exe .*\/usr\/bin\/second$/m);
  assert.equal(stdout.match(/^inside bundled$/gm)?.length, 2);
});

for (const interpreter of ['stub-ld', 'nix-ld'] as const)
  test(`a foreign program outside that AppRun starts has its libraries, interpreter ${interpreter}`, async () => {
    const other = await openToolRoot(rig, { interpreter, binds });
    const image = putAppImage(other, 'editor.AppImage', 2, 'link');
    const words = [image, 'outside', putSelf(other, 'self', 'plain')];
    const settings = { env: { PATH } };
    const report = /^exe \/home\/tester\/bin\/self$/m;
    for (const start of [other.start, other.startHit]) {
      const { stdout, stderr } = await start(words, settings);
      assert.match(stdout, /^outside ended 0$/m, stderr);
      assert.match(stdout, report);
    }
    const because = (await other.manage(['explain', image], settings)).stdout;
    assert.match(because, /its foreign children start too: .*; it is an AppImage of type 2, unpacked in /);
    assert.match((await other.manage(['doctor', image], settings)).stdout, /^ok {4}children/m);
    // Without a way for them the same child does not start, until that is taken back.
    for (const asked of [['--strategy', 'loader'], ['--refresh']]) {
      const { stdout } = await other.start([...asked, ...words], settings);
      assert.match(stdout, /^outside ended/m);
      assert.doesNotMatch(stdout, report);
    }
    const again = await other.start(['--strategy', 'auto', ...words], settings);
    assert.match(again.stdout, report);
  });

test('unpacked once for its content, and gone with it', async () => {
  const image = putAppImage(root, 'one.AppImage', 2, 'script');
  const settings = { env: { PATH } };
  const first = await root.start([image], settings);
  assert.equal(first.status, 0, first.stderr);
  const before = unpackedIn(root);
  assert.equal(before.length, 1);
  // Without an unpacker nothing can be unpacked again.
  await root.runOnHost({ argv: ['cp', onHost(root, image), onHost(root, `${image}.copy`)] });
  const copied = await root.start([`${image}.copy`], { env: { PATH: path.dirname(rig.bash) } });
  assert.equal(copied.status, 0, copied.stderr);
  assert.deepEqual(unpackedIn(root), before);
  await root.manage(['forget', image], settings);
  assert.deepEqual(unpackedIn(root), before, 'the copy needs them still');
  rmSync(onHost(root, `${image}.copy`));
  rmSync(onHost(root, image));
  const pruned = await root.manage(['prune'], settings);
  assert.match(pruned.stdout, /pruned .*one\.AppImage\.copy: the program is gone/);
  assert.deepEqual(unpackedIn(root), []);
  assert.deepEqual(rootLinks(root), []);
});

test('without an unpacker it is said what to install, and nothing is left', async () => {
  for (const [type, names] of [
    [2, 'unsquashfs'],
    [1, 'bsdtar or xorriso'],
  ] as const) {
    const image = putAppImage(root, `type${type}.AppImage`, type, 'script');
    const { status, stdout, stderr } = await root.start([image], { env: { PATH: path.dirname(rig.bash) } });
    assert.deepEqual([status, stdout], [126, '']);
    assert.match(stderr, new RegExp(`AppImage of type ${type}, and there is no ${names} on PATH`));
    assert.match(stderr, /\n {2}install /);
    assert.deepEqual(unpackedIn(root), []);
  }
});

test('a shim puts the entry that is in it into the menu, with an icon that outlives the cache', async () => {
  const image = putAppImage(root, 'menu.AppImage', 2, 'link');
  const data = path.join(homeInRoot, '.local/share');
  const shim = path.join(data, 'nix-run-foreign/shims/menu');
  const line = ['shim', 'add', image, '--as', 'menu', '--desktop'];
  const refused = await root.manage(line, { env: { PATH: path.dirname(rig.bash) } });
  assert.equal(refused.status, 126, refused.stderr);
  assert.equal(existsSync(onHost(root, shim)), false);
  const { status, stdout, stderr } = await root.manage(line, { env: { PATH } });
  assert.equal(status, 0, stderr);
  const entry = path.join(data, 'applications/app.desktop');
  assert.ok(stdout.endsWith(`${entry} is in the menu\n`), stdout);
  const icon = path.join(data, 'nix-run-foreign/icons/menu/app.svg');
  const text = readFileSync(onHost(root, entry), 'utf8');
  assert.match(text, new RegExp(`^Exec=${shim} %U\nIcon=${icon}$`, 'm'));
  rmSync(cacheOf(root), { recursive: true });
  assert.match(readFileSync(onHost(root, icon), 'utf8'), /^<svg/);
  assert.equal((await root.manage(['shim', 'remove', 'menu'])).status, 0);
  for (const each of [shim, entry, icon]) assert.equal(existsSync(onHost(root, each)), false, each);
});

test('several first starts at once unpack to one directory, and all start', async () => {
  const image = putAppImage(root, 'many.AppImage', 2, 'script');
  const settings = { env: { PATH } };
  const outcomes = await Promise.all([1, 2, 3].map(() => root.start([image], settings)));
  for (const { status, stderr } of outcomes) assert.deepEqual([status, stderr], [0, '']);
  assert.match(unpackedIn(root).join(), /^[0-9a-f]{32}$/);
});

test('an updated AppImage is unpacked anew, and the old files can be dropped', async () => {
  const image = putAppImage(root, 'updated.AppImage', 2, 'script');
  const settings = { env: { PATH } };
  await root.start([image], settings);
  const [before] = unpackedIn(root);
  putAppImage(root, 'updated.AppImage', 2, 'link');
  const { status, stderr } = await root.start([image], settings);
  assert.deepEqual([status, stderr], [0, '']);
  assert.equal(unpackedIn(root).length, 2);
  await root.manage(['prune'], settings);
  const [after, ...others] = unpackedIn(root);
  assert.ok(after !== undefined && after !== before && others.length === 0);
  assert.equal((await root.startHit([image], settings)).status, 0);
});

const varLib = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-var-lib-'));
after(() => rmSync(varLib, { recursive: true, force: true }));
chmodSync(varLib, 0o755);
const shared = { from: varLib, to: '/var/lib', mode: 'read-write' } as const;
const machine = await openToolRoot(rig, { binds: [...binds, shared] });

test('resolved by root for everybody: another user starts it, and unpacks nothing', async () => {
  const image = putAppImage(machine, 'all.AppImage', 2, 'script');
  const unpacked = path.join(varLib, 'nix-run-foreign/v1/unpacked');
  mkdirSync(path.join(unpacked, 'of-an-older-version'), { recursive: true, mode: 0o700 });
  const resolved = await machine.manage(['resolve', '--system', image], { env: { PATH } });
  assert.deepEqual([resolved.status, resolved.stderr], [0, '']);
  assert.match(readdirSync(unpacked).join(), /^[0-9a-f]{32}$/, 'what an older version left is gone');
  const home = path.join(homeInRoot, 'user');
  mkdirSync(onHost(machine, home));
  chownSync(onHost(machine, home), 1000, 1000);
  const argv = [rig.enterRoot, '-1', '1000', '1000', launcher, image, 'word'] as [string, ...string[]];
  const outcome = await machine.run({ argv, env: { PATH: path.dirname(rig.bash), HOME: home } });
  // This user has no Nix that could pin, which stderr says.
  const started = linesOf({ ...outcome, stderr: '' });
  assert.deepEqual([started['arg1'], started['inside']], ['word', 'bundled']);
  const [name = ''] = readdirSync(unpacked);
  assert.equal(started['exe'], `/var/lib/nix-run-foreign/v1/unpacked/${name}/squashfs-root/usr/bin/app`);
  assert.equal(existsSync(path.join(onHost(machine, home), '.cache/nix-run-foreign/v1/unpacked')), false);
});

test('one that others may not read is not unpacked for everybody, and what was goes', async () => {
  const image = putAppImage(machine, 'group.AppImage', 2, 'link');
  const file = onHost(machine, image);
  const place = path.join(varLib, 'nix-run-foreign/v1');
  const saved = () => ['plans', 'unpacked'].map((name) => readdirSync(path.join(place, name)).length);
  const resolve = () => machine.manage(['resolve', '--system', image], { env: { PATH } });
  rmSync(place, { recursive: true, force: true });
  for (const closed of [file, path.dirname(file)]) {
    assert.equal((await resolve()).status, 0);
    assert.deepEqual(saved(), [1, 1]);
    chmodSync(closed, 0o750);
    const { status, stdout, stderr } = await resolve();
    assert.deepEqual([status, stdout], [125, '']);
    assert.match(stderr, /group\.AppImage: others may not read it, and would read its unpacked files\n/);
    assert.match(stderr, /\n {2}let them: chmod o\+rx \S*group\.AppImage, .*; or leave --system out\n$/);
    assert.deepEqual(saved(), [0, 0]);
    chmodSync(closed, 0o755);
  }
});
