// A directory of links as a NAR → the store path that Nix gives it, its references and its root, added in one request.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { addObject } from '../../src/store/add-object.ts';
import { fixedPath } from '../../src/store/fixed-path.ts';
import { findNix } from '../../src/store/nix.ts';
import { directoryNode, type NarNode, narOf } from '../../src/store/nix-archive.ts';
import { needTool } from '../launcher/tool-fixture.ts';

needTool('nix-store', 'nix-bin');
const scratch = mkdtempSync(path.join(tmpdir(), 'add-object-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const storeDir = path.join(scratch, 'store');
mkdirSync(storeDir);
const found = findNix({
  PATH: '/usr/bin:/bin',
  HOME: scratch,
  NIX_STORE_DIR: storeDir,
  NIX_STATE_DIR: path.join(scratch, 'var'),
  NIX_LOG_DIR: path.join(scratch, 'log'),
  NIX_CONF_DIR: path.join(scratch, 'conf'),
});
assert.ok(found !== undefined);
const nix = found;

const run = (...args: string[]): string =>
  execFileSync(path.join(nix.bin, 'nix-store'), args, {
    env: nix.env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

writeFileSync(path.join(scratch, 'library'), 'a library');
const library = run('--add', path.join(scratch, 'library'));
const leaves = new Map<string, NarNode>([
  ['libz.so.1', { kind: 'link', target: `${library}/lib/libz.so.1` }],
  ['glibc-hwcaps/x86-64-v3/libz.so.1', { kind: 'link', target: library }],
  ['undo', { kind: 'file', content: Buffer.from('{}\n') }],
]);
const nar = narOf(directoryNode(leaves));

test("the archive is Nix's own, byte for byte", () => {
  const directory = path.join(scratch, 'farm');
  mkdirSync(path.join(directory, 'glibc-hwcaps/x86-64-v3'), { recursive: true });
  symlinkSync(`${library}/lib/libz.so.1`, path.join(directory, 'libz.so.1'));
  symlinkSync(library, path.join(directory, 'glibc-hwcaps/x86-64-v3/libz.so.1'));
  writeFileSync(path.join(directory, 'undo'), '{}\n');
  const dumped = execFileSync(path.join(nix.bin, 'nix-store'), ['--dump', directory], { env: nix.env });
  assert.ok(dumped.equals(nar));
});

test('it is added with its references and a root, under the name that was reckoned; twice is once', async () => {
  const storePath = fixedPath(storeDir, 'f', nar, [library]);
  const root = path.join(scratch, 'roots/one');
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual(await addObject(nix, { name: 'f', nar, references: [library], storePath }, root), {
      kind: 'added',
    });
    assert.equal(readlinkSync(root), storePath);
  }
  assert.equal(run('--query', '--references', storePath), library);
  run('--gc');
  assert.ok(existsSync(path.join(storePath, 'undo')) && existsSync(library));
  rmSync(root);
  run('--gc');
  assert.ok(!existsSync(storePath) && !existsSync(library));
});

test('a reference that is not there is refused in a clause, and no root is left', async () => {
  const gone = `${storeDir}/0f7m7yq6wxdd1hzhvagy1d6k9qqg2m5d-gone`;
  const root = path.join(scratch, 'roots/two');
  const storePath = fixedPath(storeDir, 'f', nar, [gone]);
  const added = await addObject(nix, { name: 'f', nar, references: [gone], storePath }, root);
  assert.ok(added.kind === 'refused');
  assert.match(added.why, /is not valid/);
  assert.ok(!existsSync(root));
});

test('NIX_REMOTE names the socket of the daemon', async () => {
  const socket = path.join(scratch, 'elsewhere/socket');
  mkdirSync(path.dirname(socket));
  const env = { ...nix.env, NIX_REMOTE: 'local', NIX_DAEMON_SOCKET_PATH: socket };
  const daemon = spawn(path.join(nix.bin, 'nix-daemon'), [], { env, stdio: 'ignore' });
  after(() => daemon.kill());
  while (!existsSync(socket)) {
    assert.equal(daemon.exitCode, null);
    await pause(20);
  }
  const object = narOf(directoryNode(new Map([['by', { kind: 'file', content: Buffer.from('a socket') }]])));
  const storePath = fixedPath(storeDir, 'by', object, []);
  const remote = { ...nix, env: { ...nix.env, NIX_REMOTE: `unix://${socket}?max-connections=2` } };
  const root = path.join(scratch, 'roots/by');
  assert.deepEqual(await addObject(remote, { name: 'by', nar: object, references: [], storePath }, root), {
    kind: 'added',
  });
});
