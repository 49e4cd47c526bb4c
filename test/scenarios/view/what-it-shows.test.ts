// What a view adds to a machine that has neither /usr nor /lib, and that it hides nothing and takes nothing hostile in.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { giveHome, openViewRoot, putProgram, putScript, putVendor, USER, vendor } from './view-root.ts';

const rig = await ensureRig('full');

/** Opens a library by an absolute path; it is linked with zlib, so zlib is in its plan. */
const OPENS = `
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
const char *zlibVersion(void);
static const char *own = "/proc/self/exe";
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (!dlopen(argv[i], RTLD_NOW)) return printf("%s\\n", dlerror()), 1;
    puts(argv[i]);
  }
  return zlibVersion()[0] != '1' || access(own, R_OK);
}`;

/** Becomes what its arguments say. */
const RUNS = `
#include <unistd.h>
const char *zlibVersion(void);
int main(int argc, char **argv) { return zlibVersion()[0] != '1' || argc < 2 || execv(argv[1], argv + 1); }`;

/** As Playwright and ctypes do, through a shell. */
const ASKS = `
#include <stdlib.h>
const char *zlibVersion(void);
int main(void) { return zlibVersion()[0] != '1' || system("/sbin/ldconfig -p"); }`;

const USES_ZLIB = 'const char *zlibVersion(void); const char *own(void) { return zlibVersion(); }';

/** What NixOS has: files here where it has links, which are harder to keep. */
const host = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-host-'));
after(() => rmSync(host, { recursive: true, force: true }));
chmodSync(host, 0o755);
for (const name of ['bin', 'usr-bin', 'hostile']) mkdirSync(path.join(host, name), { mode: 0o755 });
writeFileSync(
  path.join(host, 'bin/sh'),
  `#!${rig.bash}\n[ $# = 0 ] && echo the host\nexec ${rig.bash} "$@" </dev/null\n`,
  { mode: 0o755 },
);
symlinkSync(rig.bash, path.join(host, 'usr-bin/env'));
writeFileSync(path.join(host, 'hostile/rm'), `#!${rig.bash}\necho hostile\n`, { mode: 0o755 });
writeFileSync(path.join(host, 'hostile/cp'), `#!${rig.bash}\necho hostile\n`, { mode: 0o755 });
chmodSync(path.join(host, 'hostile'), 0o777);

for (const uid of [0, USER]) {
  const binds = [
    { from: path.join(host, 'bin'), to: '/bin', mode: 'read-only' },
    { from: path.join(host, 'usr-bin'), to: '/usr/bin', mode: 'read-only' },
    { from: path.join(host, 'hostile'), to: '/hostile', mode: 'read-only' },
  ] as const;
  const root = await openViewRoot(rig, { interpreter: 'stub-ld', uid, binds });
  putVendor(root);
  const opens = putProgram(root, 'opens', OPENS, ['-l:libz.so.1', '-ldl']);
  const runs = putProgram(root, 'runs', RUNS, ['-l:libz.so.1']);
  const printsRm = putScript(
    root,
    '/home/tester/rm.sh',
    '#!/bin/bash\n/bin/rm --version\n/usr/bin/cp --version\n',
  );
  const library = '/home/tester/libown.so.1';
  compileLibrary(onHost(root, library), 'libown.so.1', USES_ZLIB, ['-l:libz.so.1']);
  chmodSync(onHost(root, library), 0o644);
  giveHome(root, uid);
  const named = `user ${uid}`;
  const inView = (text: string, settings = {}) => root.start([rig.bash, '-c', text], settings);

  const words = ['/usr/lib/libz.so.1', '/usr/lib/x86_64-linux-gnu/libz.so.1', '/lib64/libz.so.1'];
  const all = `${words.join('\n')}\n`;

  test(`${named}: libraries by path: of the plan they are there, and opened by each way and each child`, async () => {
    assert.notEqual((await root.bare(opens, words)).status, 0);
    const text = 'for each; do [ -e "$each" ] || exit 1; done; echo there';
    const mine = putScript(root, '/home/tester/there.sh', `#!/bin/bash\n${text}\n`);
    const shown = await root.start(['--strategy', 'view', opens, ...words]);
    assert.deepEqual([shown.stdout, shown.status], [all, 0]);
    assert.equal((await root.start(['--strategy', 'view', runs, mine, ...words])).stdout, 'there\n');
    // No view, or one of a shell, which has no library: nothing lies there.
    assert.equal((await inView(`${mine} ${words.join(' ')}; echo $?`)).stdout, '1\n');
    for (const start of [
      ['--strategy', 'loader', opens, ...words],
      [rig.bash, '-c', `${opens} ${words.join(' ')}`],
      ['--strategy', 'auto', opens, ...words],
    ])
      assert.equal((await root.start(start)).stdout, all);
    const { stdout } = await inView(`${opens} /usr/lib/libsqlite3.so.0 && ${opens} /usr/lib/libnowhere.so.3`);
    assert.match(stdout, /^\/usr\/lib\/libsqlite3\.so\.0\n\/usr\/lib\/libnowhere\.so\.3: cannot open shared/);
  });

  test(`${named}: what the host has in /bin and /usr/bin stays itself, files and links`, async () => {
    const { stdout } = await inView('/bin/sh; /usr/bin/env --version; readlink /usr/bin/env');
    const [sh, env, target] = stdout.split('\n').filter((line) => /^the host|^GNU bash|^\//.test(line));
    assert.equal(sh, 'the host');
    assert.match(env ?? '', /^GNU bash/);
    assert.equal(target, rig.bash);
  });

  test(`${named}: a directory of PATH that others can write, or a relative one, is not shown`, async () => {
    const PATH = '/hostile:.:hostile:/nowhere:/nix/var/nix/profiles/default/bin';
    const { stdout } = await root.start(['--refresh', printsRm], { env: { PATH }, cwd: '/hostile' });
    assert.doesNotMatch(stdout, /hostile/);
    assert.match(stdout, /^rm \(GNU coreutils\)/m);
    assert.match(stdout, /^cp \(GNU coreutils\)/m);
  });

  test(`${named}: ldd and ldconfig, by path, in glibc's words`, async () => {
    const { stdout } = await inView(
      `/usr/bin/ldd ${vendor.program}; /usr/bin/ldd ${opens} /nowhere ${rig.bash}; echo $?`,
    );
    assert.match(stdout, /^\tlibz\.so\.1 => \/\S+\/libz\.so\.1 \(0x[0-9a-f]{16}\)$/m);
    const ofBash = stdout.slice(stdout.indexOf(`${rig.bash}:\n`));
    assert.match(ofBash, /^\tlibc\.so\.6 => \/nix\/store\//m);
    assert.match(stdout, /^1$/m);
    // Installers take the version of the libc from there.
    assert.match((await inView('/usr/bin/ldd --version')).stdout, /^ldd \(.*\) 2\.\d+\n/);
    const list = await root.start([opens]);
    assert.equal(list.status, 0);
    const own = await root.manage(['ldd', opens]);
    assert.match(own.stdout, /^\tlibz\.so\.1 => \/\S+\/libz\.so\.1 \(0x[0-9a-f]{16}\)$/m);
  });

  test(`${named}: ldd of a library, which is no program`, async () => {
    const bare = await root.bare(rig.bash, ['-c', library]);
    assert.notEqual(bare.status, 0);
    const { stdout, stderr, status } = await root.manage(['ldd', library]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^\tlibz\.so\.1 => \/nix\/store\/\S+\/libz\.so\.1 \(0x[0-9a-f]{16}\)$/m);
    assert.match(stdout, /^\tlibc\.so\.6 => \/nix\/store\/\S+ \(0x/m);
    const json = await root.manage(['ldd', '--json', library]);
    assert.equal(json.status, 0, json.stderr);
    const [row, ...others] = JSON.parse(json.stdout);
    assert.deepEqual([row.program, row.status, row.complaints, others], [library, 0, [], []]);
    const found = row.objects.find(({ name }: { name: string }) => name === 'libz.so.1');
    assert.match(found.path, /^\/nix\/store\/\S+\/libz\.so\.1$/);
    assert.notEqual((await root.start([library])).status, 0);
  });

  test(`${named}: ldd of a library inside, where its loader knows nothing of it`, async () => {
    const text = `/usr/bin/ldd ${library} /etc/passwd; echo $?`;
    assert.doesNotMatch((await root.bare(rig.bash, ['-c', text])).stdout, /libz/);
    const { stdout } = await inView(text);
    assert.match(stdout, /^\tlibz\.so\.1 => \/nix\/store\/\S+\/libz\.so\.1 \(0x[0-9a-f]{16}\)$/m);
    assert.match(stdout, /^\/etc\/passwd:\n\tnot a dynamic executable\n1$/m);
  });

  test(`${named}: ldconfig -p: of a foreign program its own libraries first, then what else the store has`, async () => {
    const ofShell = await inView('/sbin/ldconfig -p');
    assert.match(ofShell.stdout, /^\d+ libs found in cache `\/etc\/ld\.so\.cache'\n\t/);
    const line = /^\tlibz\.so\.1 \(libc6,x86-64\) => (\/nix\/store\/\S+)$/gm;
    const [[, newest = ''] = []] = ofShell.stdout.matchAll(line);
    assert.match(newest, /zlib/);
    const asks = putProgram(root, 'asks', ASKS, ['-l:libz.so.1']);
    giveHome(root, uid);
    const { stdout, stderr } = await inView(asks);
    const own = (await root.manage(['explain', '--json', asks])).stdout;
    const [[, file = ''] = []] = stdout.matchAll(line);
    assert.ok(own.includes(path.dirname(path.dirname(file))), `${file}\n${own}\n${stderr}`);
    assert.match(stdout.split('\n').slice(0, 20).join('\n'), /libc\.so\.6 .*=> \/nix\/store/);
    assert.match(stdout, /^\tlibsqlite3\.so\.0 \(libc6,x86-64\) => \/nix\/store\//m);
    assert.equal((await inView('/sbin/ldconfig -p | { read -r line; echo $line; }')).stderr, '');
  });

  test(`${named}: an interpreter path with ld.so's options hands over to the chosen loader`, async () => {
    const loader = '/lib64/ld-linux-x86-64.so.2';
    await root.manage(['resolve', '--refresh', opens]);
    const text = `NIX_RUN_FOREIGN_RESOLVER=/nowhere ${loader} --list ${opens} >/dev/null && echo by the plan
${loader} --verify ${opens}; echo $?
${loader} --library-path /nowhere --inhibit-cache --argv0 other ${opens} /usr/lib/ld-linux-x86-64.so.2 || echo $?
${loader} --list ${opens}
${loader} ${opens}; echo $?`;
    const { stdout, stderr } = await inView(text);
    assert.match(stdout, /^by the plan\n0\n/, stderr);
    assert.match(stdout, /^\tlibz\.so\.1 => /m);
    assert.match(stdout, /^0$/m);
  });

  test(`${named}: everything else of the host is there, and can be written where it could be`, async () => {
    const entries = (text: string) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .sort();
    const listing = 'for each in /* /etc/*; do echo "$each"; done';
    const outside = await root.bare(rig.bash, ['-c', listing]);
    const inside = await inView(listing);
    for (const each of entries(outside.stdout)) assert.ok(entries(inside.stdout).includes(each), each);
    const write = 'echo it > /home/tester/written; echo it > /tmp/written; : > /written || echo refused';
    assert.equal((await inView(write)).stdout, 'refused\n');
    assert.equal(
      (await root.bare(rig.bash, ['-c', 'echo $(</home/tester/written) $(</tmp/written)'])).stdout,
      'it it\n',
    );
  });
}

test('where namespaces are forbidden, a script starts all the same, and one line says what its children will miss', async () => {
  const root = await openViewRoot(rig, { interpreter: 'stub-ld', uid: USER });
  const { putStatic } = await import('../strategies/self.ts');
  putVendor(root);
  const forbid = putStatic(root, 'without-namespaces');
  giveHome(root, USER);
  const launcher = '/opt/tool/bin/nix-run-foreign';
  const outcome = await root.run({ argv: [forbid, launcher, rig.bash, '-c', 'echo started'] });
  assert.equal(outcome.stdout, 'started\n');
  assert.match(
    outcome.stderr,
    /^nix-run-foreign: \S+: foreign programs that it starts will not find their interpreter [^\n]* enable nix-ld\n$/,
  );
  assert.equal((await root.startHit([rig.bash, '-c', 'echo started'])).stdout, 'started\n');
  chownSync(onHost(root, vendor.script), USER, USER);
});
