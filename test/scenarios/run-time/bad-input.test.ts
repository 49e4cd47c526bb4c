// Hostile files, too many names, a full disk → the program starts, and searches fail as they did without us.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { putProgram } from './ways.ts';

const rig = await ensureRig('full');
const disk = mkdtempSync(path.join(tmpdir(), 'small-disk-'));
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=755', 'none', disk]);
after(() => {
  execFileSync('umount', ['-l', disk]);
  rmSync(disk, { recursive: true, force: true });
});
const small = '/small';
const root = await openToolRoot(rig, { binds: [{ from: disk, to: small, mode: 'read-write' }] });
const onSmallDisk = {
  XDG_CACHE_HOME: path.join(small, 'cache'),
  XDG_STATE_HOME: path.join(small, 'state'),
};

function put(name: string, source: string): string {
  const inRoot = path.join(homeInRoot, name, name);
  compile(onHost(root, inRoot), `#include <dlfcn.h>\n#include <stdio.h>\n${source}`);
  return inRoot;
}

/** A note of this text (UAPI.12). */
function note(text: string): string {
  const words = JSON.stringify(text);
  return `__asm__(".pushsection .note.dlopen, \\"a\\", @note\\n.p2align 2\\n.int 4, 2f-1f, 0x407c0c0a\\n.asciz \\"FDO\\"\\n1: .asciz " ${JSON.stringify(words)} "\\n2: .p2align 2\\n.popsection");\n`;
}

const OPENS_ZLIB =
  'int main(void) { return puts(dlopen("libz.so.1", RTLD_NOW) ? "opened" : dlerror()) < 0; }\n';

test('names with slashes, NUL, $ORIGIN and escape sequences in a note are names that nobody has', async () => {
  const names = [
    '/etc/passwd',
    '../../libz.so.1',
    '$ORIGIN/libz.so.1',
    'lib\\u0000z.so.1',
    'lib\\u001b[2Jz.so',
    '',
  ];
  const hostile = names.map((name) => `{"soname":["${name}"],"priority":"required"}`).join(',');
  const tool = put('noted', note(`[${hostile}]`) + OPENS_ZLIB);
  const { status, stdout, stderr } = await root.start([tool]);
  assert.deepEqual([status, stdout], [0, 'opened\n'], stderr);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not come through
  assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f]/);
  assert.match(
    stderr,
    /^nix-run-foreign: .* requires \/etc\/passwd, \.\.\/\.\.\/libz\.so\.1 and 2 more, and starts without.*\n$/,
  );
  assert.equal((await root.startHit([tool])).stdout, 'opened\n');
});

test('100,000 names in a file', async () => {
  const names = Array.from({ length: 100_000 }, (_, i) => `"libname${i}.so.${i % 9}\\0"\n`).join('');
  const tool = put(
    'many',
    `const char names[] = ${names};\nconst char *volatile used = names;\n${OPENS_ZLIB}`,
  );
  const before = performance.now();
  const { status, stdout, stderr } = await root.start([tool]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'opened\n', stderr: '' });
  assert.ok(performance.now() - before < 20_000);
});

test('a tree of 20,000 files with a loop of links', async () => {
  const tool = put('tree', OPENS_ZLIB);
  const tree = onHost(root, path.dirname(tool));
  for (let directory = 0; directory < 20; directory += 1) {
    const inside = path.join(tree, `part-${directory}`);
    mkdirSync(inside);
    symlinkSync('..', path.join(inside, 'loop'));
    for (let file = 0; file < 1000; file += 1) closeSync(openSync(path.join(inside, `lib${file}.so`), 'w'));
  }
  const { status, stdout, stderr } = await root.start([tool]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'opened\n', stderr: '' });
});

test('a full disk: what is not known already is not found, and nothing is said', async () => {
  const tool = putProgram(root, 'open-names', 'on-full-disk');
  const env = onSmallDisk;
  assert.equal((await root.start([tool], { env })).status, 0);
  const filler = openSync(path.join(disk, 'filler'), 'w');
  try {
    for (let size = 1 << 20; size >= 1; size >>= 1)
      try {
        for (;;) writeSync(filler, Buffer.alloc(size));
      } catch {}
  } finally {
    closeSync(filler);
  }
  assert.throws(() => writeFileSync(path.join(disk, 'more'), 'x'), { code: 'ENOSPC' });
  const { stdout, stderr } = await root.startHit([tool, 'libexpat.so.1', 'libfalse.so.9'], {
    env: { ...env, NIX_RUN_FOREIGN_DEBUG: undefined },
  });
  assert.match(
    stdout,
    /^libexpat\.so\.1 libexpat\.so\.1: cannot open shared object file.*\nlibfalse\.so\.9 .*cannot open/,
  );
  assert.equal(stderr, '');
  rmSync(path.join(disk, 'filler'));
  assert.match((await root.start([tool, 'libexpat.so.1'], { env })).stdout, /^libexpat\.so\.1 opened\n/);
});
