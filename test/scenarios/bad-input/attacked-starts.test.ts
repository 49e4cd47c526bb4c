// What surrounds a first start is broken or hostile: variables, /dev, the working directory, limits, coarse time stamps.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { scratchDirectory } from '../../store/compiled-library.ts';
import { putAppImage } from '../appimage/app-image.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { launcher, openToolRoot } from '../tool.ts';

needTool('mkfs.ext4', 'e2fsprogs');
needTool('mksquashfs', 'squashfs-tools');
const rig = await ensureRig('full');
const scratch = scratchDirectory();

/** ext4 with inodes of 128 bytes, as converted from ext3: its time stamps are whole seconds. */
const coarse = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-coarse-'));
execFileSync('sh', [
  '-c',
  'truncate -s 8M "$1.img"; mkfs.ext4 -q -I 128 "$1.img"; mount -o loop "$1.img" "$1"',
  'sh',
  coarse,
]);
after(() => {
  execFileSync('umount', ['-l', coarse]);
  for (const each of [coarse, `${coarse}.img`]) rmSync(each, { recursive: true, force: true });
});

const root = await openToolRoot(rig, { binds: [{ from: coarse, to: '/coarse', mode: 'read-write' }] });
const on = (name: string) => onHost(root, path.join(homeInRoot, name));
const zlib = compileLibrary(
  path.join(scratch, 'libz.so.1'),
  'libz.so.1',
  'const char *zlibVersion(void) { return ""; }',
);
const bzip2 = compileLibrary(
  path.join(scratch, 'libbz2.so.1.0'),
  'libbz2.so.1.0',
  'const char *BZ2_bzlibVersion(void) { return ""; }',
);

/** Says that it was started, with the version of zlib. `text` makes it another program. */
function put(name: string, text: string): string {
  const source = `#include <stdio.h>\nconst char *zlibVersion(void);
    int main(void) { return printf("${text} %s\\n", zlibVersion()) < 0; }`;
  compile(on(`${name}/${name}`), source, [zlib]);
  return path.join(homeInRoot, name, name);
}

function assertStarted({ status, stdout, stderr }: Outcome, text: string): void {
  assert.match(stdout, new RegExp(`^${text} 1\\.`), stderr);
  assert.deepEqual([status, stderr], [0, '']);
}

test('OPENSSL_CONF and its kind steer nothing but the program', async () => {
  const program = put('openssl', 'started');
  writeFileSync(on('broken.cnf'), '[req]\nRANDFILE = $ENV::VENDOR_HOME/.rnd\n');
  const file = path.join(homeInRoot, 'broken.cnf');
  const env = { OPENSSL_CONF: file, NODE_OPTIONS: '--nonsense', LD_BIND_NOW: '1', OPENSSL_MODULES: '/' };
  const node = await root.run({ argv: [rig.node, '-e', '1'], env });
  assert.notEqual(node.status, 0, 'Node heeds them');
  assertStarted(await root.start([program], { env }), 'started');
  const print = compile(
    on('print/print'),
    '#include <stdlib.h>\n#include <stdio.h>\nint main(void) { return puts(getenv("OPENSSL_CONF")) < 0; }',
  );
  assert.ok(existsSync(print));
  assert.equal((await root.start([path.join(homeInRoot, 'print/print')], { env })).stdout, `${file}\n`);
});

test('a /dev with nothing in it', async () => {
  put('null', 'started');
  const own = path.resolve(import.meta.dirname, '../../../bin/nix-run-foreign');
  const argv = [
    'unshare',
    '-m',
    'sh',
    '-c',
    'mount -t tmpfs none /dev && exec "$@"',
    'sh',
    own,
    on('null/null'),
  ] as const;
  const { status, stdout, stderr } = await root.runOnHost({ argv });
  assert.match(stdout, /^started 1\./, stderr);
  assert.equal(status, 0);
});

test('few descriptors: it starts, or it is said what is wrong, and with more it starts', async () => {
  for (const limit of [6, 9, 12, 16, 20, 24, 28, 32, 40, 48, 64]) {
    const program = put(`few-${limit}`, 'started');
    const script = `ulimit -n ${limit}; exec ${launcher} ${program}`;
    const { status, stdout, stderr } = await root.run({ argv: [rig.bash, '-c', script] });
    assert.doesNotMatch(stderr, /internal error|another build|refuses the set/, `${limit}`);
    if (status === 0) assert.match(stdout, /^started 1\./, `${limit}`);
    else
      assert.match(stderr, /too many open files|open files|Too many|EMFILE|signal/i, `${limit}: ${status}`);
    assert.match((await root.start([program])).stdout, /^started 1\./, `${limit}`);
  }
});

test('a PATH with the working directory in it: none of its files is run', async () => {
  const image = putAppImage(root, 'Hostile.AppImage', 2, 'script');
  const cwd = path.join(homeInRoot, 'hostile');
  mkdirSync(on('hostile'));
  const names = ['unsquashfs', 'sync', 'patchelf', 'strace', 'nix-store', 'nix', 'cc', 'nix-locate'];
  for (const name of names)
    writeFileSync(on(`hostile/${name}`), `#!${rig.bash}\necho ran > ${homeInRoot}/ran\n`, { mode: 0o755 });
  const program = put('beside', 'started');
  for (const PATH of [':/nowhere', '.:/nowhere', './:/nowhere', '', '/nowhere:']) {
    const settings = { cwd, env: { PATH } };
    await root.manage(['resolve', '--refresh', image], settings);
    await root.manage(['doctor', program, '--'], settings);
    await root.start(['--refresh', program], settings);
    assert.equal(existsSync(on('ran')), false, PATH);
  }
  // That they would run: by a shell, which looks there.
  await root.run({ argv: [rig.bash, '-c', 'unsquashfs'], cwd, env: { PATH: '.' } });
  assert.equal(readFileSync(on('ran'), 'utf8'), 'ran\n');
});

test('time stamps of whole seconds: an edit in the second of the first start is noticed', async () => {
  const both = put('first', 'first');
  const other = `#include <stdio.h>\nconst char *BZ2_bzlibVersion(void);
    int main(void) { return printf("second %s\\n", BZ2_bzlibVersion()) < 0; }`;
  compile(on('second/second'), other, [bzip2]);
  const [first, second] = [on('first/first'), on('second/second')];
  const size = Math.max(statSync(first).size, statSync(second).size);
  for (const each of [first, second]) truncateSync(each, size);
  assert.ok(both);
  for (let round = 0; round < 3; round++) {
    const file = path.join(coarse, `program-${round}`);
    copyFileSync(first, file);
    chmodSync(file, 0o755);
    const inRoot = `/coarse/program-${round}`;
    assert.match((await root.start([inRoot])).stdout, /^first 1\./);
    writeFileSync(file, readFileSync(second), { flag: 'r+' });
    assert.match((await root.start([inRoot])).stdout, /^second 1\./, `round ${round}`);
  }
});
