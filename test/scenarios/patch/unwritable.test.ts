// File systems and files that cannot be written, before a patch and before it is taken back → cause and remedy in a line
// each, and every byte and time as before; overlays, which can.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { everythingIn } from './everything-in.ts';
import { foreignNamed, openVendorRoot, uid } from './vendor-root.ts';

function mountAt(dir: string, name: string, words: readonly string[]): void {
  const place = path.join(dir, name);
  mkdirSync(place);
  execFileSync('mount', [...words, place]);
  after(() => execFileSync('umount', ['-l', place]));
}

needTool('chattr', 'e2fsprogs');
const rig = await ensureRig('small');
const curl = foreignNamed(rig, 'curl');

/** A layer below that nobody writes, with the program in it; above it nothing. @throws Error where that cannot be. */
function mountOverlay(dir: string): void {
  for (const name of ['lower', 'layers/upper', 'layers/work'])
    mkdirSync(path.join(dir, name), { recursive: true });
  const tool = path.join(dir, 'lower/tool');
  cpSync(curl, tool, { preserveTimestamps: true, dereference: true });
  chownSync(tool, uid, uid);
  const [lower, upper, work] = ['lower', 'layers/upper', 'layers/work'].map((name) => path.join(dir, name));
  mountAt(dir, 'overlay', [
    '-t',
    'overlay',
    'overlay',
    '-o',
    `lowerdir=${lower},upperdir=${upper},workdir=${work}`,
  ]);
  for (const each of ['overlay', 'layers/upper']) chownSync(path.join(dir, each), uid, uid);
}

const attributes: ['i' | 'a', string][] = [];

interface Needs {
  readonly skip?: string;
}

/** Some file systems have no attributes, or leave them to who has a right that containers lack. */
function whetherAttributes(): Needs {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'attributes-')), 'file');
  after(() => rmSync(path.dirname(file), { recursive: true, force: true }));
  writeFileSync(file, '');
  const can = (['i', 'a'] as const).every(
    (letter) =>
      spawnSync('chattr', [`+${letter}`, file]).status === 0 &&
      spawnSync('chattr', [`-${letter}`, file]).status === 0,
  );
  return can ? {} : { skip: `chattr is not possible in ${tmpdir()}` };
}

function whetherOverlay(dir: string): Needs {
  try {
    mountOverlay(dir);
    return {};
  } catch (error) {
    return { skip: `no overlay can be mounted in ${tmpdir()}: ${(error as Error).message.trim()}` };
  }
}

const onAttributes = whetherAttributes();
let onOverlay: Needs = {};

const tmpfs = (options: string) => ['-t', 'tmpfs', '-o', `mode=777,${options}`, 'tmpfs'];

const vendor = await openVendorRoot('small', {
  prepare: (dir) => {
    // Before the directory is removed.
    after(() => {
      for (const [letter, file] of attributes) execFileSync('chattr', [`-${letter}`, file]);
    });
    mountAt(dir, 'full', tmpfs('size=1200k'));
    mountAt(dir, 'frozen', tmpfs('size=4m'));
    mountAt(dir, 'forbidden', tmpfs('size=4m,noexec'));
    onOverlay = whetherOverlay(dir);
  },
});
const at = (name: string): string => path.join(vendor.dir, name);
const manage = async (...words: string[]) => await vendor.root.manage(words);
function withAttribute(letter: 'i' | 'a', file: string): void {
  execFileSync('chattr', [`+${letter}`, file]);
  attributes.push([letter, file]);
}

const PATCHED = ['full/tool', 'frozen/tool', 'kept/tool', 'linked/tool', 'changed/tool', 'others/tool'];
for (const name of PATCHED) {
  vendor.put(curl, name);
  const { status, stderr } = await manage('patch', '-y', `/vendor/${name}`);
  assert.equal(status, 0, stderr);
}

interface Refusal {
  readonly name: string;
  make?(): void;
  readonly words: readonly string[];
  readonly cause: RegExp;
  readonly remedy: RegExp;
  readonly status?: number;
  readonly needs?: Needs;
}

const refusals: readonly Refusal[] = [
  {
    name: 'patch: a file that is immutable',
    needs: onAttributes,
    make: () => withAttribute('i', vendor.put(curl, 'immutable/tool')),
    words: ['patch', '-y', '/vendor/immutable/tool'],
    cause: /it is immutable \(chattr \+i\)$/,
    remedy: /sudo chattr -i \/vendor\/immutable\/tool$/,
  },
  {
    name: 'patch: a directory that is immutable',
    needs: onAttributes,
    make: () => withAttribute('i', path.dirname(vendor.put(curl, 'immutable-directory/tool'))),
    words: ['patch', '-y', '/vendor/immutable-directory/tool'],
    cause: /its directory \/vendor\/immutable-directory is immutable/,
    remedy: /sudo chattr -i \/vendor\/immutable-directory$/,
  },
  {
    name: 'patch: a file that may only be appended to',
    needs: onAttributes,
    make: () => withAttribute('a', vendor.put(curl, 'appended/tool')),
    words: ['patch', '-y', '/vendor/appended/tool'],
    cause: /\/vendor\/appended\/tool cannot be written: operation not permitted$/,
    remedy: /lsattr .*sudo chattr -a \/vendor\/appended\/tool$/,
    status: 125,
  },
  {
    name: 'patch: a file system that executes nothing',
    make: () => vendor.put(curl, 'forbidden/tool'),
    words: ['patch', '-y', '/vendor/forbidden/tool'],
    cause: /you may not execute it$/,
    remedy: /whether its file system is mounted noexec$/,
  },
  {
    name: 'unpatch: a full file system',
    make: () => writeFileSync(at('full/filler'), Buffer.alloc(800 * 1024)),
    words: ['unpatch', '/vendor/full/tool'],
    cause: /\/vendor\/full\/tool cannot be written: no space left on the device$/,
    remedy: new RegExp(`make room for ${statSync(curl).size} bytes, and say it again$`),
    status: 125,
  },
  {
    name: 'unpatch: a file system that is read-only',
    make: () => execFileSync('mount', ['-o', 'remount,ro', at('frozen')]),
    words: ['unpatch', '/vendor/frozen/tool'],
    cause: /nothing can be written beside it: read-only file system$/,
    remedy: /nix-foreign unpatch \/vendor\/frozen\/tool -o OUT$/,
  },
  {
    name: 'unpatch: a file that is immutable',
    needs: onAttributes,
    make: () => withAttribute('i', at('kept/tool')),
    words: ['unpatch', '/vendor/kept/tool'],
    cause: /it is immutable \(chattr \+i\)$/,
    remedy: /sudo chattr -i \/vendor\/kept\/tool$/,
  },
  {
    name: 'unpatch: a file with another name by a hard link',
    make: () => linkSync(at('linked/tool'), at('linked/other')),
    words: ['unpatch', '/vendor/linked/tool'],
    cause: /it has 1 other name by hard links: \/vendor\/linked\/other, which would stay as they are$/,
    remedy: /--hard-links all/,
  },
  {
    name: 'unpatch: a file that was changed meanwhile',
    make: () => {
      const bytes = readFileSync(at('changed/tool'));
      bytes.write('X', bytes.indexOf('curl: ') + 2);
      writeFileSync(at('changed/tool'), bytes);
    },
    words: ['unpatch', '/vendor/changed/tool'],
    cause: /it was changed after it was patched/,
    remedy: /from its vendor again$/,
  },
  {
    name: "unpatch: somebody else's file",
    make: () => chownSync(at('others/tool'), 0, 0),
    words: ['unpatch', '/vendor/others/tool'],
    cause: /it belongs to somebody else$/,
    remedy: /write another: nix-foreign unpatch \/vendor\/others\/tool -o OUT$/,
  },
  {
    name: 'unpatch: a file that is not patched',
    make: () => vendor.put(curl, 'plain/tool'),
    words: ['unpatch', '/vendor/plain/tool'],
    cause: /it is not patched/,
    remedy: /patch --check \/vendor\/plain\/tool$/,
  },
];

for (const { make, needs } of refusals) if (needs?.skip === undefined) make?.();
const before = everythingIn(vendor.dir);

for (const { name, words, cause, remedy, status = 126, needs = {} } of refusals)
  test(`${name}: is refused, and everything is as before`, needs, async () => {
    const outcome = await vendor.root.manage(words);
    assert.equal(outcome.status, status, outcome.stderr + outcome.stdout);
    const [first = '', second = '', ...rest] = outcome.stderr.trimEnd().split('\n');
    assert.match(first, cause);
    assert.match(second, remedy);
    assert.deepEqual(rest, []);
    assert.equal(everythingIn(vendor.dir), before);
  });

test('what could not be taken back still is when there is room', async () => {
  writeFileSync(at('full/filler'), '');
  const { status, stderr } = await manage('unpatch', '/vendor/full/tool');
  assert.equal(status, 0, stderr);
  assert.ok(readFileSync(at('full/tool')).equals(readFileSync(curl)));
});

test('a file of the lower layer of an overlay is patched and taken back', onOverlay, async () => {
  const sum = () =>
    createHash('sha256')
      .update(readFileSync(at('overlay/tool')))
      .digest('hex');
  const [first, { mtimeMs }] = [sum(), statSync(at('overlay/tool'))];
  const patched = await manage('patch', '-y', '/vendor/overlay/tool');
  assert.equal(patched.status, 0, patched.stderr);
  assert.notEqual(sum(), first);
  assert.equal((await vendor.root.bare('/vendor/overlay/tool', ['--version'])).status, 0);
  assert.ok(readFileSync(at('lower/tool')).equals(readFileSync(curl)));
  const undone = await manage('unpatch', '/vendor/overlay/tool');
  assert.equal(undone.status, 0, undone.stderr);
  assert.deepEqual([sum(), statSync(at('overlay/tool')).mtimeMs], [first, mtimeMs]);
});
