// Patches at the same time, a file that is replaced meanwhile, a tree whose patch is killed → old files or new ones.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chownSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, compileLibrary } from '../compile.ts';
import { foreignNamed, openVendorRoot, uid } from './vendor-root.ts';

const vendor = await openVendorRoot('small');
const at = (name: string): string => path.join(vendor.dir, name);
const sha = (name: string): string =>
  createHash('sha256')
    .update(readFileSync(at(name)))
    .digest('hex');
const manage = async (...words: string[]) => await vendor.root.manage(words);

/** A copy that nobody finished is called like the file, with something behind. */
function leftIn(directory: string): string[] {
  return readdirSync(at(directory), { recursive: true, encoding: 'utf8' }).filter((each) =>
    /\.tmp|~/.test(each),
  );
}

test('two patches of one file at once: both end well, and the file is as after one', async () => {
  for (const name of ['alone', 'both']) vendor.put(foreignNamed(vendor.rig, 'curl'), `${name}/curl`);
  const first = sha('both/curl');
  assert.equal((await manage('patch', '-y', '/vendor/alone/curl')).status, 0);
  const ended = await Promise.all([1, 2, 3].map(() => manage('patch', '-y', '/vendor/both/curl')));
  for (const { status, stderr } of ended) assert.equal(status, 0, stderr);
  const said = ended.map(({ stdout }) => /nothing is to be done/.test(stdout));
  assert.deepEqual(said.sort(), [false, true, true]);
  assert.equal((await vendor.root.bare('/vendor/both/curl', ['--version'])).status, 0);
  assert.deepEqual(leftIn('both'), []);
  assert.equal((await manage('unpatch', '/vendor/both/curl')).status, 0);
  assert.equal(sha('both/curl'), first);
});

test('patch and unpatch at once: the file is the old one or the new one, and known as what it is', async () => {
  vendor.put(foreignNamed(vendor.rig, 'curl'), 'race/curl');
  const old = sha('race/curl');
  assert.equal((await manage('patch', '-y', '/vendor/race/curl')).status, 0);
  const patched = sha('race/curl');
  for (let round = 0; round < 3; round += 1) {
    await Promise.all([manage('unpatch', '/vendor/race/curl'), manage('patch', '-y', '/vendor/race/curl')]);
    assert.ok([old, patched].includes(sha('race/curl')), `round ${round}`);
    assert.deepEqual(leftIn('race'), []);
    const again = await manage('patch', '-y', '/vendor/race/curl');
    assert.equal(again.status, 0, again.stderr);
    assert.equal(sha('race/curl'), patched);
    assert.equal((await manage('patch', '--check', '/vendor/race/curl')).status, 0);
    const collected = await vendor.root.run({ argv: [`${vendor.rig.nixBin}/nix-store`, '--gc'] });
    assert.equal(collected.status, 0);
    assert.equal((await vendor.root.bare('/vendor/race/curl', ['--version'])).status, 0, `round ${round}`);
  }
});

test('a file that is replaced before the rename stays what it was replaced by', async () => {
  mkdirSync(at('swap'));
  chownSync(at('swap'), uid, uid);
  const source = `#include <stdio.h>
    int main(int n, char **v) { if (n > 1) rename("/vendor/swap/update", "/vendor/swap/tool"); return 0; }`;
  for (const name of ['tool', 'update'])
    chownSync(compile(at(`swap/${name}`), `${source}\nint ${name};`), uid, uid);
  const update = sha('swap/update');
  // The run before and after is where it is replaced: behind the look at the file, in front of the rename.
  const { status, stderr } = await manage('patch', '-y', '--try', 'now', '/vendor/swap/tool');
  assert.equal(status, 126, stderr);
  assert.match(stderr, /it was changed meanwhile\n.*say it again/);
  assert.equal(sha('swap/tool'), update);
  assert.deepEqual(readdirSync(at('swap')), ['tool']);
  assert.doesNotMatch((await manage('list')).stdout, /patched file {2}\/vendor\/swap/);
});

/** Node's: starts the words, kills them after a while, prints the sums of files, starts the words again. */
const KILL_AND_REPEAT = `
  const [wait, files, script, ...words] = process.argv.slice(1);
  const { spawn, spawnSync } = require('node:child_process');
  const sum = (file) => require('node:crypto').hash('sha256', require('node:fs').readFileSync(file));
  const child = spawn(process.execPath, [script, ...words], { stdio: 'ignore' });
  const timer = setTimeout(() => child.kill('SIGKILL'), Number(wait));
  child.on('exit', () => {
    clearTimeout(timer);
    const sums = files.split(' ').map(sum);
    const { status, stderr } = spawnSync(process.execPath, [script, ...words], { encoding: 'utf8' });
    console.log(JSON.stringify({ sums, status, stderr }));
  });`;

/** In one process namespace, as on a real machine, where the dead can be told from the living. */
async function killAndRepeat(
  words: readonly string[],
  wait: number,
  files: readonly string[],
): Promise<{ sums: string[]; status: number; stderr: string }> {
  const given = [String(wait), files.join(' '), '/opt/tool/dist/nix-foreign.cjs', ...words];
  const argv = [vendor.rig.node, '-e', KILL_AND_REPEAT, '--', ...given] as const;
  return JSON.parse((await vendor.root.run({ argv })).stdout);
}

test('a tree whose patch was killed: each file is the old one or the new one; said again all is done', async (t) => {
  mkdirSync(at('tree/lib'), { recursive: true });
  const say = '#include <stdio.h>\nint main(void) { return puts("said") < 0; }';
  const names = ['bin/one', 'bin/two', 'bin/three', 'lib/plug.so'];
  for (const name of names.slice(0, 3)) compile(at(`tree/${name}`), `${say}\nint ${path.basename(name)};`);
  const plug = 'const char *zlibVersion(void); const char *say(void) { return zlibVersion(); }';
  compileLibrary(at('tree/lib/plug.so'), 'plug.so', plug, ['-l:libz.so.1', '-Wl,-rpath,$ORIGIN']);
  for (const each of ['.', ...readdirSync(at('tree'), { recursive: true, encoding: 'utf8' })])
    chownSync(at(path.join('tree', each)), uid, uid);
  const sums = () => names.map((name) => sha(`tree/${name}`));
  const old = sums();
  const words = ['patch', '-y', '--tree', '/vendor/tree'];
  const began = performance.now();
  assert.equal((await manage(...words)).status, 0);
  const whole = performance.now() - began;
  const patched = sums();
  patched.forEach((each, index) => {
    assert.notEqual(each, old[index], names[index]);
  });
  const ends = new Set<string>();
  for (let moment = 0; moment < 8; moment += 1) {
    assert.equal((await manage('unpatch', '--tree', '/vendor/tree')).status, 0);
    assert.deepEqual(sums(), old, `moment ${moment}`);
    const files = names.map((name) => `/vendor/tree/${name}`);
    const { sums: now, ...again } = await killAndRepeat(words, whole * (0.4 + 0.08 * moment), files);
    now.forEach((each, index) => {
      assert.ok(each === old[index] || each === patched[index], `moment ${moment}: ${names[index]}`);
    });
    ends.add(now.map((each, index) => (each === old[index] ? 'o' : 'n')).join(''));
    assert.equal(again.status, 0, again.stderr);
    assert.deepEqual(sums(), patched, `moment ${moment}`);
    assert.equal((await vendor.root.bare('/vendor/tree/bin/three')).stdout, 'said\n');
  }
  t.diagnostic([...ends].join(' '));
  assert.ok(lstatSync(at('tree/lib/plug.so')).isFile());
});
