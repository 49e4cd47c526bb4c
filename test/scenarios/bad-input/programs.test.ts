// What is no program that can be started: the message says why and what to do.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packedHeads } from '../../elf/packed-heads.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { assertRefused, type Refusal } from '../expect-failure.ts';
import { copyHome, foreign, onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { uid: 1000, daemon: 'running' });
const jq = foreign(rig, 'bookworm', 'jq');
const place = path.join(homeInRoot, 'bad');
const on = (name: string) => onHost(root, path.join(place, name));
mkdirSync(on('.'));

function put(name: string, content: string | Uint8Array, mode = 0o755): void {
  writeFileSync(on(name), content);
  chmodSync(on(name), mode);
}

/** A copy of the program with some bytes replaced. */
function edited(name: string, edit: (bytes: Buffer) => void): void {
  const bytes = readFileSync(jq.path);
  edit(bytes);
  put(name, bytes);
}

put('empty', '');
put('text', 'echo this is for a shell\n');
put('unmarked', `#!${rig.bash}\n`, 0o644);
put('windows', '#!/bin/sh\r\necho\r\n');
put('no-interpreter', '#!/nowhere/sh\n');
put('bare-mark', '#!\n');
put('picture', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10));
put('secret', readFileSync(jq.path), 0o311);
copyHome(root, jq, 'bad/setuid');
chmodSync(on('setuid'), 0o4755);
copyHome(root, jq, 'bad/setgid');
chmodSync(on('setgid'), 0o2755);
mkdirSync(on('directory'));
execFileSync('mkfifo', [on('fifo')]);
chmodSync(on('fifo'), 0o777);
symlinkSync('loop', on('loop'));
symlinkSync('nothing', on('dangling'));
mkdirSync(on('closed'));
copyHome(root, jq, 'bad/closed/jq');
chmodSync(on('closed'), 0o700);
compile(on('object'), 'int answer;', ['-c']);
chmodSync(on('object'), 0o755);
compileLibrary(on('plugin.so'), 'plugin.so', '#include <stdio.h>\nint f(void) { return puts(""); }');
const packed = packedHeads.filter(({ packing }) => packing === 'needs-loader');
for (const { name, head, size } of packed) {
  put(name, head);
  truncateSync(on(name), size);
}
put('truncated', readFileSync(jq.path).subarray(0, 4096));
put('header-only', readFileSync(jq.path).subarray(0, 64));
put('mark-only', readFileSync(jq.path).subarray(0, 5));
edited('aarch64', (bytes) => bytes.writeUInt16LE(183, 18));
edited('big-endian', (bytes) => bytes.writeUInt8(2, 5));
edited('core', (bytes) => bytes.writeUInt16LE(4, 16));
edited('far-headers', (bytes) => bytes.writeBigUInt64LE(2n ** 63n - 8n, 32));
edited('many-headers', (bytes) => bytes.writeUInt16LE(0xffff, 56));
edited('no-headers', (bytes) => bytes.writeUInt16LE(0, 56));

const cases: Record<string, Refusal> = {
  nothing: { status: 127, cause: /nothing: no such file or directory/ },
  'empty/below': { status: 126, cause: /not a directory/ },
  directory: { status: 126, cause: /directory/ },
  fifo: { status: 126, cause: /permission denied|not a regular file/ },
  loop: { status: 126, cause: /too many levels of symbolic links/ },
  dangling: { status: 127, cause: /no such file or directory/ },
  'closed/jq': { status: 126, cause: /permission denied/ },
  unmarked: { status: 126, cause: /permission denied|not executable/ },
  secret: { status: 126, cause: /cannot be read: permission denied/ },
  setuid: { status: 126, cause: /setuid/ },
  setgid: { status: 126, cause: /setgid/ },
  empty: { status: 126, cause: /not a program: .*empty/ },
  text: { status: 126, cause: /not a program/ },
  windows: { status: 126, cause: /carriage return/ },
  'no-interpreter': { status: 126, cause: /#! line names an interpreter that is not there: \/nowhere\/sh/ },
  'bare-mark': { status: 126, cause: /not a program: .*#!/ },
  picture: { status: 126, cause: /not a program/ },
  object: { status: 126, cause: /object file that is not linked/ },
  'plugin.so': { status: 126, cause: /shared library, not a program/ },
  ...Object.fromEntries(
    packed.map(({ name }) => [
      name,
      { status: 126, cause: /packed by UPX, and what it needs cannot be read/ },
    ]),
  ),
  truncated: { status: 126, cause: /damaged/ },
  'header-only': { status: 126, cause: /damaged/ },
  'mark-only': { status: 126, cause: /damaged/ },
  aarch64: { status: 126, cause: /built for 64-bit ARM, and this machine is x86-64/ },
  'big-endian': { status: 126, cause: /./ },
  core: { status: 126, cause: /core dump/ },
  'far-headers': { status: 126, cause: /damaged/ },
  'many-headers': { status: 126, cause: /damaged/ },
  'no-headers': { status: 126, cause: /./ },
};

for (const [name, refusal] of Object.entries(cases))
  test(name, async () => {
    assertRefused(await root.start([path.join(place, name)]), refusal);
  });

test('names that are not found', async () => {
  for (const name of ['', 'not-on-path', 'a\u001b[31mb\nc', 'x'.repeat(300), './y', '/'.repeat(5000)]) {
    const outcome = await root.start(['--', name]);
    assertRefused(outcome, { status: outcome.status === 126 ? 126 : 127, cause: /./ });
  }
});

test('words the launcher does not know', async () => {
  for (const words of [[], ['--'], ['--frobnicate', jq.path], ['-x'], ['--explain']]) {
    assertRefused(await root.start(words), { status: 125, cause: /unknown option|no program is named/ });
  }
});

test('a resolver that cannot be started', async () => {
  const settings = { env: { NIX_RUN_FOREIGN_RESOLVER: 'nix-foreign' } };
  assertRefused(await root.start([jq.path], settings), { status: 125, cause: /not an absolute path/ });
  const missing = { env: { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' } };
  assertRefused(await root.start([jq.path], missing), { status: 125, cause: /cannot be started/ });
});

test('nothing of it left a plan or a root', async () => {
  assert.deepEqual(JSON.parse((await root.manage(['list', '--json'])).stdout), []);
});

test('what lies in the store and UPX packed names a loader of the store, and is planned as it is', async () => {
  const [{ name } = { name: '' }] = packed;
  const file = path.join(homeInRoot, 'packed');
  copyFileSync(on(name), onHost(root, file));
  chmodSync(onHost(root, file), 0o755);
  const { stdout } = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--add', file] });
  const { status, stderr } = await root.manage(['resolve', stdout.trim()]);
  assert.deepEqual([status, stderr], [0, '']);
});
