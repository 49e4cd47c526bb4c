// What must not be touched → cause and remedy in a line each, and every byte and time as before.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { ALL } from '../../sample.ts';
import { compile } from '../compile.ts';
import { cacheOf, stateOf } from '../saved-state.ts';
import { everythingIn } from './everything-in.ts';
import { foreignNamed, openVendorRoot, uid } from './vendor-root.ts';

/** A file system of 1 MiB, and one that cannot be written. */
function prepare(dir: string): void {
  for (const name of ['tiny', 'frozen']) {
    mkdirSync(path.join(dir, name));
    execFileSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      name === 'tiny' ? 'size=1m,mode=777' : 'mode=777',
      'tmpfs',
      path.join(dir, name),
    ]);
    after(() => execFileSync('umount', ['-l', path.join(dir, name)]));
  }
}

const vendor = await openVendorRoot('small', { prepare });
const curl = foreignNamed(vendor.rig, 'curl');

const state = (): string => everythingIn(vendor.dir);

interface Refusal {
  readonly name: string;
  make(): void;
  readonly words: readonly string[];
  readonly cause: RegExp;
  readonly remedy: RegExp;
  readonly status?: number;
}

const at = (name: string): string => path.join(vendor.dir, name);

const refusals: readonly Refusal[] = [
  {
    name: 'a directory that cannot be written',
    make: () => {
      vendor.put(curl, 'read-only/curl');
      chownSync(at('read-only'), 0, 0);
    },
    words: ['/vendor/read-only/curl'],
    cause: /nothing can be written beside it: permission denied/,
    remedy: /-o OUT/,
  },
  {
    name: 'a file with another name by a hard link',
    make: () => linkSync(vendor.put(curl, 'linked/curl'), at('linked/other')),
    words: ['/vendor/linked/curl'],
    cause: /it has 1 other name by hard links: \/vendor\/linked\/other/,
    remedy: /--hard-links all/,
  },
  {
    name: 'an output that is the program itself',
    make: () => void vendor.put(curl, 'itself'),
    words: ['/vendor/itself', '-o', '/vendor/../vendor/itself'],
    cause: /the output is the file itself/,
    remedy: /name another, or leave -o out: nix-foreign patch \/vendor\/itself$/,
  },
  {
    name: "somebody else's file",
    make: () => chownSync(vendor.put(curl, 'roots-own'), 0, 0),
    words: ['/vendor/roots-own'],
    cause: /it belongs to somebody else/,
    // Not as root: in this directory another user may rename.
    remedy: /write another: nix-foreign patch \/vendor\/roots-own -o OUT$/,
  },
  {
    name: 'a full file system',
    make: () => {
      vendor.put(curl, 'tiny/curl');
      writeFileSync(at('tiny/filler'), Buffer.alloc(620 * 1024));
    },
    words: ['/vendor/tiny/curl'],
    cause: /cannot be written: no space left on the device/,
    remedy: /make room for 28\d{4} bytes/,
    status: 125,
  },
  {
    name: 'a file system that is read-only',
    make: () => {
      vendor.put(curl, 'frozen/curl');
      execFileSync('mount', ['-o', 'remount,ro', at('frozen')]);
    },
    words: ['/vendor/frozen/curl'],
    cause: /nothing can be written beside it: read-only file system/,
    remedy: /-o OUT/,
  },
  {
    name: 'a link into the store',
    make: () => symlinkSync(vendor.rig.node, at('from-the-store')),
    words: ['/vendor/from-the-store'],
    cause: /it lies in the store, as \/nix\/store\//,
    remedy: /nothing is to be done/,
  },
  {
    name: 'a script',
    make: () => {
      writeFileSync(at('script'), '#!/bin/sh\n', { mode: 0o755 });
      chownSync(at('script'), uid, uid);
    },
    words: ['/vendor/script'],
    cause: /it is a script/,
    remedy: /shim add/,
  },
  {
    name: 'a static program',
    make: () => chownSync(compile(at('static'), 'int main(void) { return 0; }', ['-static']), uid, uid),
    words: ['/vendor/static'],
    cause: /it is static and needs no library/,
    remedy: /start it as it is/,
  },
  {
    name: 'a static program that UPX would have packed',
    make: () => {
      const bytes = readFileSync(at('static'));
      bytes.write('UPX!', 0x3f0);
      writeFileSync(at('packed'), bytes, { mode: 0o755 });
      chownSync(at('packed'), uid, uid);
    },
    words: ['/vendor/packed'],
    cause: /it is packed by UPX/,
    remedy: /upx -d/,
  },
  {
    name: 'a directory',
    make: () => mkdirSync(at('directory')),
    words: ['/vendor/directory'],
    cause: /it is a directory/,
    remedy: /--tree/,
  },
  {
    name: 'something appended that nobody knows, where nothing fits',
    make: () => {
      const file = compile(at('appended'), 'int main(void) { return 0; }', [
        '-Wl,-z,noseparate-code',
        '-Wl,-z,norelro',
        '-s',
      ]);
      writeFileSync(file, Buffer.alloc(999, 7), { flag: 'a' });
      chownSync(file, uid, uid);
    },
    words: ['--method', 'in-place', '/vendor/appended'],
    cause: /cannot be patched: there are too few free bytes.*999 bytes are appended to it \(unknown\)/,
    remedy: /--method append --try/,
  },
  {
    name: 'a patched file that was changed afterwards',
    make: () => {},
    words: ['/vendor/changed'],
    cause: /it was changed after it was patched/,
    remedy: /from its vendor again/,
  },
  {
    name: 'a FIFO',
    make: () => execFileSync('mkfifo', [at('fifo')]),
    words: ['/vendor/fifo'],
    cause: /it is not a regular file/,
    remedy: /name a program/,
  },
  {
    name: 'a device',
    make: () => {},
    words: ['/dev/null'],
    cause: /it is not a regular file/,
    remedy: /name a program/,
  },
  {
    name: 'an empty file',
    make: () => {
      writeFileSync(at('empty'), '', { mode: 0o755 });
      chownSync(at('empty'), uid, uid);
    },
    words: ['/vendor/empty'],
    cause: /it is (not a program|empty|no dynamic program)/,
    remedy: /\S/,
  },
  {
    name: 'a link that leads nowhere',
    make: () => symlinkSync('/vendor/gone', at('dangling')),
    words: ['/vendor/dangling'],
    cause: /no such file/,
    remedy: /links on it/,
    status: 127,
  },
  {
    name: 'a link that leads to itself',
    make: () => symlinkSync('cycle', at('cycle')),
    words: ['/vendor/cycle'],
    cause: /too many/,
    remedy: /links on it/,
  },
  {
    name: 'a library',
    make: () =>
      chownSync(compile(at('library.so'), 'int f(void) { return 1; }', ['-shared', '-fPIC']), uid, uid),
    words: ['/vendor/library.so'],
    cause: /it is a shared library/,
    remedy: /\S/,
  },
  {
    name: 'half of a program',
    make: () => {
      writeFileSync(at('half'), readFileSync(curl).subarray(0, 100_000), { mode: 0o755 });
      chownSync(at('half'), uid, uid);
    },
    words: ['/vendor/half'],
    cause: /damaged|ends/,
    remedy: /\S/,
  },
  {
    name: 'no file',
    make: () => {},
    words: ['/vendor/nowhere'],
    cause: /no such file/,
    remedy: /spelling/,
    status: 127,
  },
];

vendor.put(curl, 'changed');
const { status: patchedFirst, stderr: why } = await vendor.root.manage(['patch', '/vendor/changed']);
assert.equal(patchedFirst, 0, why);
const changed = readFileSync(at('changed'));
changed.write('X', changed.indexOf('curl: ') + 2);
writeFileSync(at('changed'), changed);
for (const { make } of refusals) make();
const before = state();

for (const { name, words, cause, remedy, status = 126 } of refusals)
  test(`${name}: is refused, and everything is as before`, async () => {
    const outcome = await vendor.root.manage(['patch', '-y', ...words]);
    assert.equal(outcome.status, status, outcome.stderr + outcome.stdout);
    const [first = '', second = '', ...rest] = outcome.stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !line.includes(' leads to '));
    assert.match(first, cause);
    assert.match(second, remedy);
    assert.deepEqual(rest, []);
    assert.equal(state(), before);
  });

test('with all its names a hard-linked file is patched, and they stay one file', async () => {
  const { status, stderr } = await vendor.root.manage([
    'patch',
    '--hard-links',
    'all',
    '/vendor/linked/curl',
  ]);
  assert.equal(status, 0, stderr);
  assert.equal(lstatSync(at('linked/curl')).ino, lstatSync(at('linked/other')).ino);
  assert.equal((await vendor.root.bare('/vendor/linked/other', ['--version'])).status, 0);
  const refused = await vendor.root.manage(['unpatch', '/vendor/linked/curl']);
  assert.equal(refused.status, 126);
  assert.match(
    refused.stderr,
    /\n {2}unpatch them too, or leave them: --hard-links all, --hard-links one\n$/,
  );
});

for (const odd of ['a line\nmore', "it's", 'with "quotes"', 'a:b', 'ünï'])
  test(`a file called ${JSON.stringify(odd)} is patched and undone like any other`, async () => {
    vendor.put(curl, `odd ${odd}/${odd}`);
    const sha = () =>
      createHash('sha256')
        .update(readFileSync(at(`odd ${odd}/${odd}`)))
        .digest('hex');
    const first = sha();
    const file = `/vendor/odd ${odd}/${odd}`;
    const { status, stderr } = await vendor.root.manage(['patch', '-y', file]);
    assert.equal(status, 0, stderr);
    assert.equal((await vendor.root.bare(file, ['--version'])).status, 0);
    assert.equal((await vendor.root.manage(['unpatch', file])).status, 0);
    assert.equal(sha(), first);
  });

/** Descriptor 3 is where the root says how it ended. */
function start(argv: readonly [string, ...string[]]) {
  const { words, env } = vendor.root.wordsOf({ argv });
  const [file = '', ...args] = words;
  const given = Object.fromEntries(
    Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined),
  );
  return spawn(file, args, { env: given, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
}

test('a running program is patched, and goes on running', async () => {
  vendor.put(curl, 'running');
  const patchedAs = await vendor.root.manage(['patch', '/vendor/running', '-o', '/vendor/busy']);
  assert.equal(patchedAs.status, 0, patchedAs.stderr);
  const words = ['-sS', '--unix-socket', '/vendor/none', '--retry', '100', '--retry-all-errors', 'http://x/'];
  const child = start(['/vendor/busy', ...words]);
  try {
    const again = await vendor.root.manage(['patch', '--no-lift', '/vendor/busy']);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(child.exitCode, null);
  } finally {
    child.kill('SIGKILL');
  }
});

/** All of them take minutes. */
const MOMENTS = ALL ? 200 : 8;

test('killed at any moment it is the old file or the new one, which starts', async (t) => {
  const sha = (): string =>
    createHash('sha256')
      .update(readFileSync(at('killed')))
      .digest('hex');
  const words = ['patch', '-y', '/vendor/killed'];
  vendor.put(curl, 'killed');
  const old = sha();
  const began = performance.now();
  assert.equal((await vendor.root.manage(words)).status, 0);
  const whole = performance.now() - began;
  const patched = sha();
  const ends = new Map<string, number>();
  // On a machine that others share too the last moments may come before the end of one more patch.
  for (let moment = 0; moment < MOMENTS || (ends.size < 2 && moment < 3 * MOMENTS); moment += 1) {
    vendor.put(curl, 'killed');
    // Each round is another process namespace, in which nobody can see that the holder of the lock is gone.
    rmSync(path.join(cacheOf(vendor.root), 'locks'), { recursive: true, force: true });
    // Every other time the farm and its root are made anew.
    if (moment % 2 === 0)
      rmSync(path.join(stateOf(vendor.root), 'patched'), { recursive: true, force: true });
    const child = start([vendor.rig.node, '/opt/tool/dist/nix-foreign.cjs', ...words]);
    const timer = setTimeout(() => child.kill('SIGKILL'), whole * (0.3 + (0.8 * moment) / MOMENTS));
    // What is killed is the parent of the namespace: its descriptor 3 is closed when the patch is dead too.
    await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(timer);
    const now = sha();
    ends.set(now, (ends.get(now) ?? 0) + 1);
    if (now === old) continue;
    assert.equal(now, patched, `moment ${moment}`);
    assert.equal((await vendor.root.bare('/vendor/killed', ['--version'])).status, 0);
    assert.equal((await vendor.root.manage(['unpatch', '/vendor/killed'])).status, 0);
    assert.equal(sha(), old);
  }
  t.diagnostic([...ends].map(([hash, count]) => `${hash === old ? 'old' : 'new'} ${count}`).join(', '));
  assert.equal(ends.size, 2, 'all moments were too early, or too late');
});
