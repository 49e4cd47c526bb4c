// Programs that people run, in a root with only /nix → each gets from the store what it opens while it runs.
import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { fetchDebianPackage } from '../../rig/fetch-once.ts';
import { fetchNpmPackage } from '../../rig/npm/fetch.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');

const jdk = '/usr/lib/jvm/java-17-openjdk-amd64';
needTool(path.join(jdk, 'bin/java'), 'openjdk-17-jre-headless');
const scratch = path.join(import.meta.dirname, '../../../build', `real-programs-${process.pid}`);
after(() => rmSync(scratch, { recursive: true, force: true }));
// Debian's has links to /etc, which the root does not have.
for (const part of ['bin', 'conf', 'lib'])
  cpSync(path.join(jdk, part), path.join(scratch, 'jdk', part), {
    recursive: true,
    dereference: true,
    filter: (file) => !/src\.zip|ct\.sym|cacerts/.test(file),
  });

const sarif = await fetchNpmPackage({
  name: '@microsoft/sarif-multitool-linux',
  version: '5.7.0',
  integrity:
    'sha512-NxUbpq6ISCWoTQ/NfOYEwEDKq1Heka/rMoJ5R5LMydcAZQX/X7g5mWHcgxDub+0M07LC96tZ5LZHvF1Qy3gjTA==',
});
chmodSync(path.join(sarif, 'Sarif.Multitool'), 0o755);
const bun = await fetchNpmPackage({
  name: '@oven/bun-linux-x64',
  version: '1.4.5',
  integrity:
    'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
});

const { loader } = foreign(rig, 'sid', 'curl');
// With a loader where each program looks for it, so that they can be seen to start without us, and to fail later.
const root = await openToolRoot(rig, {
  interpreter: loader as `/${string}`,
  binds: [
    { from: path.join(scratch, 'jdk'), to: '/opt/jdk', mode: 'read-only' },
    { from: sarif, to: '/opt/sarif', mode: 'read-only' },
    { from: bun, to: '/opt/bun', mode: 'read-only' },
  ],
});

/** Without us, with the libraries that it is linked with. */
async function withoutUs([program = '', ...args]: readonly string[], packages: readonly string[] = []) {
  const store = readdirSync(path.join(rig.nixDir, 'store')).sort();
  const directories = packages.flatMap((each) => {
    const name = store.find((object) => object.slice(33).startsWith(each));
    return name === undefined ? [] : [`/nix/store/${name}/lib`];
  });
  const env = { LD_LIBRARY_PATH: directories.join(':') };
  const { stdout, stderr } = await root.bare(program, args, { env });
  return stdout + stderr;
}

/** The first start finds all that the second has. */
async function assertSays(words: readonly string[], expected: RegExp): Promise<void> {
  for (const start of [root.start, root.startHit]) {
    const { status, stdout, stderr } = await start(words);
    assert.match(stdout + stderr, expected);
    assert.equal(status, 0);
  }
}

test('OpenJDK 17: libjvm.so needs libstdc++, and nothing that java is linked with does', async () => {
  const java = '/opt/jdk/bin/java';
  const bare = await withoutUs([java, '-version'], ['zlib1g-1.3']);
  assert.match(bare, /libstdc\+\+\.so\.6: cannot open shared object file/);
  await assertSays([java, '-version'], /^OpenJDK 64-Bit Server VM \(build 17/m);
});

test('OpenJDK 17: its own libraries need each other, and what else they need is in the set', async () => {
  const { stdout } = await root.manage(['explain', '/opt/jdk/bin/java']);
  assert.match(stdout, /libjvm\.so \(a plug-in\): served: libstdc\+\+\.so\.6/);
  // Needs libjvm.so, which lies in another directory of the tree.
  assert.match(stdout, /libzip\.so \(a plug-in\): served: libz\.so\.1/);
});

test('.NET in one file: its help needs ICU, of whatever version there is', async () => {
  const tool = '/opt/sarif/Sarif.Multitool';
  assert.match(
    await withoutUs([tool, 'help'], ['zlib1g-1.3', 'libstdc++6-16', 'libgcc-s1-16']),
    /Couldn't find a valid ICU package/,
  );
  await assertSays([tool, 'help'], /^SARIF Multitool 5\.7\.0/m);
  const { stdout } = await root.manage(['explain', tool]);
  assert.match(stdout, /libicuuc\.so\.90, libicui18n\.so\.90 \(.*\): taken: libicuuc\.so\.\d+/);
});

test('bun: its secrets need libsecret, which was built for another distribution', async () => {
  const script =
    'try { await Bun.secrets.get({ service: "a", name: "b" }) } catch (e) { console.log(e.message) }';
  const words = ['/opt/bun/bin/bun', '-e', script];
  assert.match(await withoutUs(words), /^libsecret not available$/m);
  const object = path.join(homeInRoot, 'objects/libsecret-0.20');
  const libraries = path.join(await fetchDebianPackage('libsecret-1-0'), 'usr/lib/x86_64-linux-gnu');
  mkdirSync(onHost(root, object), { recursive: true });
  cpSync(libraries, onHost(root, path.join(object, 'lib')), { recursive: true, verbatimSymlinks: true });
  const add = await root.run({ argv: [path.join(rig.nixBin, 'nix-store'), '--add', object] });
  assert.equal(add.status, 0, add.stderr);
  // libsecret looks for a message bus, by the libgio of the store.
  await assertSays(words, /message bus/);
});

test('gdb: libthread_db comes with the libc that runs gdb', async () => {
  const gdb = foreign(rig, 'sid', 'gdb').path;
  assert.match(await withoutUs([gdb, '--version']), /cannot open shared object file/);
  const threads = path.join(homeInRoot, 'threads');
  compile(
    onHost(root, threads),
    `#include <pthread.h>
void stop(void) {}
static void *run(void *none) { stop(); return none; }
int main(void) { pthread_t thread; pthread_create(&thread, 0, run, 0); return pthread_join(thread, 0); }\n`,
    [`-Wl,--dynamic-linker=${loader}`],
  );
  const commands = ['set startup-with-shell off', 'break stop', 'run'].flatMap((each) => ['-ex', each]);
  await assertSays([gdb, '-nx', '-batch', ...commands, threads], /^\[Thread debugging using libthread_db/m);
});
