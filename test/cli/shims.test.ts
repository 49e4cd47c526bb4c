// `nix-foreign shim`: what it tells to type does what it says, and what fails leaves nothing behind.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { shimText } from '../../src/integrations/shims/shim-file.ts';
import { MANAGER } from '../built-manager.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const home = scratchDirectory();
const at = (name: string): string => path.join(home, name);
const shim = (name: string): string => at(`.local/share/nix-run-foreign/shims/${name}`);
const env = { HOME: home, PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`, MANAGER };
const options = { encoding: 'utf8', env, cwd: home, timeout: 60_000 } as const;
mkdirSync(path.dirname(shim('x')), { recursive: true, mode: 0o700 });

function program(name: string): string {
  writeFileSync(at(name), '#!/bin/sh\n', { mode: 0o755 });
  return at(name);
}

const manage = (...words: string[]) => spawnSync(process.execPath, [MANAGER, ...words], options);

test('the remedy for a launcher that is gone mends that shim, and makes no other', () => {
  const target = program('a b;c');
  writeFileSync(shim('named'), shimText('/gone/nix-run-foreign', target), { mode: 0o755 });
  const { stdout } = manage('shim', 'list');
  const [, remedy = ''] = /the launcher is gone; nix-foreign (.*) names the one of now/.exec(stdout) ?? [];
  const done = spawnSync('sh', ['-c', `node "$MANAGER" ${remedy}`], options);
  assert.equal(done.status, 0, done.stderr);
  const rows = JSON.parse(manage('shim', 'list', '--json').stdout);
  assert.deepEqual(rows, [{ name: 'named', program: target, file: shim('named'), state: 'ready' }]);
});

test('an update is followed also where nothing can be added', () => {
  const target = program('moved');
  writeFileSync(shim('moved'), shimText('/gone/nix-run-foreign', target), { mode: 0o755 });
  assert.equal(manage('shim', 'add', at('nothing')).status, 127);
  assert.doesNotMatch(readFileSync(shim('moved'), 'utf8'), /gone/);
});

test('a menu entry that cannot be made takes the new shim back, and leaves one that was there', () => {
  const target = program('lone');
  for (const [isThere, words] of [
    [false, [target, '--desktop']],
    [true, [target]],
    [true, [target, '--desktop']],
    [true, [target, '--desktop-file', at('none.desktop')]],
  ] as const) {
    const { status, stderr } = manage('shim', 'add', ...words);
    assert.equal(status, words.length === 1 ? 0 : 125, stderr);
    assert.equal(existsSync(shim('lone')), isThere, words.join(' '));
  }
});

const NAME_IT = 'name the one that the vendor ships: nix-foreign shim add PROGRAM --desktop-file FILE';

test('of a directory, a program without a menu entry keeps its shim, and one line names it', () => {
  mkdirSync(at('several'));
  for (const name of ['drawer', 'helper', 'other']) program(`several/${name}`);
  writeFileSync(at('several/drawer.desktop'), `[Desktop Entry]\nExec=${at('several/drawer')}\n`);
  const entry = at('.local/share/applications/drawer.desktop');
  const { status, stdout, stderr } = manage('shim', 'add', '--all', at('several'), '--desktop');
  assert.equal(status, 0, stderr);
  for (const name of ['drawer', 'helper', 'other']) assert.ok(existsSync(shim(name)), name);
  assert.ok(existsSync(entry) && stdout.endsWith(`${entry} is in the menu\n`), stdout);
  const helper = at('several/helper');
  assert.deepEqual(stderr.match(/^.*in the menu.*$/gm), [
    `nix-foreign: not in the menu: helper, other; no .desktop file near ${helper} starts it; ${NAME_IT}`,
  ]);
  const json = manage('shim', 'add', '--all', at('several'), '--desktop', '--json');
  const { entries, skipped } = JSON.parse(json.stdout) as Record<string, { name: string; why: string }[]>;
  assert.deepEqual(entries, [entry]);
  assert.deepEqual(
    skipped?.map(({ name }) => name),
    ['drawer.desktop', 'helper', 'other'],
  );
  assert.match(skipped?.[1]?.why ?? '', /^not in the menu: no \.desktop file near /);
});

test('of programs that are not in the menu for several reasons, each reason is told', () => {
  mkdirSync(at('reasons'));
  for (const name of ['bare', 'plain', 'viewer']) program(`reasons/${name}`);
  writeFileSync(at('reasons/viewer.desktop'), `[Desktop Entry]\nExec=${at('reasons/viewer')}\n`);
  const taken = at('.local/share/applications/viewer.desktop');
  writeFileSync(taken, '[Desktop Entry]\nExec=viewer\n');
  const { status, stderr } = manage('shim', 'add', '--all', at('reasons'), '--desktop');
  assert.equal(status, 0, stderr);
  assert.deepEqual(stderr.match(/^.*not in the menu.*$/gm), [
    `nix-foreign: not in the menu: bare, plain; no .desktop file near ${at('reasons/bare')} starts it; ${NAME_IT}`,
    `nix-foreign: not in the menu: viewer; ${taken} is there and is not this shim's; take it away first, if it is not needed`,
  ]);
});

test('one .desktop file cannot start all programs of a directory', () => {
  mkdirSync(at('two'));
  program('two/one');
  const { status, stderr } = manage('shim', 'add', '--all', at('two'), '--desktop-file', at('one.desktop'));
  assert.equal(status, 125);
  assert.match(stderr, /^nix-foreign: --desktop-file names the entry of one program.*\n {2}\S/);
  assert.equal(existsSync(shim('one')), false);
});

test('what is broken beside the entry of the vendor is passed over', { timeout: 60_000 }, () => {
  const target = program('vendor');
  writeFileSync(at('vendor.desktop'), `[Desktop Entry]\nExec=${target}\nIcon=picture\n`);
  symlinkSync('nowhere', at('dangling.desktop'));
  for (const name of ['loop.desktop', 'picture.png']) symlinkSync(name, at(name));
  mkdirSync(at('directory.desktop'));
  spawnSync('mkfifo', [at('pipe.desktop')]);
  const { status, stdout, stderr } = manage('shim', 'add', '--json', '--desktop', target);
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).entries, [at('.local/share/applications/vendor.desktop')]);
});
