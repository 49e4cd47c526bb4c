// `doctor PROGRAM -- ARGS`: what a program asked for and did not get, and that the line it names helps.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { putProgram } from '../view/view-root.ts';

needTool('strace', 'strace');
const rig = await ensureRig('full');
const root = await openToolRoot(rig, {
  interpreter: 'stub-ld',
  binds: [
    { from: '/usr/bin/strace', to: '/opt/strace', mode: 'read-only' },
    { from: '/lib/x86_64-linux-gnu', to: '/opt/host-lib', mode: 'read-only' },
  ],
});

/** The machine's strace, by the machine's loader. */
const commands = path.join(homeInRoot, 'commands');
mkdirSync(onHost(root, commands));
const loader = '/opt/host-lib/ld-linux-x86-64.so.2 --library-path /opt/host-lib';
writeFileSync(
  onHost(root, path.join(commands, 'strace')),
  `#!${rig.bash}\nexec ${loader} /opt/strace "$@"\n`,
  { mode: 0o755 },
);
const profile = '/nix/var/nix/profiles/default/bin';
const withStrace = { env: { PATH: `${commands}:${profile}` } };

const open = `#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) puts(dlopen(argv[i], RTLD_NOW) ? "opened" : "not opened");
  return argc;
}`;
const opener = putProgram(root, 'opener/opener', open);

test('all is well: said, with the status of the program, whose output is its own', async () => {
  const { status, stdout, stderr } = await root.manage(['doctor', opener, '--', 'libm.so.6'], withStrace);
  assert.match(stdout, /^opened\nok .*\n(.*\n)*note {2}run {7}it ended with status 2\nok {4}missed /);
  assert.deepEqual([status, stderr], [0, '']);
});

test('a bare name is the program that lies here, and not another one of PATH', async () => {
  const settings = { cwd: path.dirname(opener), env: { PATH: profile } };
  const { stdout, stderr } = await root.manage(['doctor', 'opener', '--', 'libm.so.6'], settings);
  assert.match(stdout, /^opened\n(.*\n)*note {2}run {7}it ended with status 2\n/, stderr);
});

test('what a killed one was told goes with the next', async () => {
  const looped = putProgram(root, 'looped/looped', 'int main(void) { for (;;) ; }');
  const doctor = `'${rig.node}' /opt/tool/dist/nix-foreign.cjs doctor`;
  const left = '/tmp/nix-foreign-* ~/.cache/nix-run-foreign/v1/.watch.*';
  // In one process namespace, where the dead can be told from the living.
  const script = `shopt -s nullglob; timeout -s KILL 10 ${doctor} ${looped} --; echo ${left}
    ${doctor} ${opener} -- libm.so.6; echo left: ${left}`;
  const { stdout, stderr } = await root.run({ argv: [rig.bash, '-c', script] });
  assert.match(stdout, /^\S+\/\.watch\.\S+\.tmp\n(.*\n)*left:\n$/, stderr);
});

test('without arguments too, where -- stands; a program that is only asked about is not run', async () => {
  assert.match((await root.manage(['doctor', opener, '--'])).stdout, /it ended with status 1\n/);
  assert.doesNotMatch((await root.manage(['doctor', opener])).stdout, /it ended/);
  const { status, stderr } = await root.manage(['doctor', opener, 'libm.so.6']);
  assert.equal(status, 125);
  assert.match(stderr, /too many arguments\n.*nix-foreign doctor \S+ -- libm\.so\.6$/m);
});

test('a library that it opens, and nothing has', async () => {
  const { stdout } = await root.manage(['doctor', opener, '--', 'libnowhere.so.7']);
  assert.match(stdout, /^not opened\n/);
  const line =
    /^note {2}library +libnowhere\.so\.7, opened while it ran by \S+, was not found\n +nothing in the store has it: /m;
  assert.match(stdout, line);
  assert.match(
    stdout,
    /libraries only: programs and files are watched where strace is on PATH\n +bring it, e\.g\. nix-shell -p strace, /,
  );
});

test('a library that lies beside it: the line that takes it', async () => {
  const library = path.join(homeInRoot, 'opener/lib/libbeside.so.1');
  compileLibrary(onHost(root, library), 'libbeside.so.1', 'int beside;');
  const before = await root.manage(['doctor', opener, '--', 'libbeside.so.1']);
  const line = /nix-foreign (choose .*)$/m.exec(before.stdout)?.[1] ?? assert.fail(before.stdout);
  assert.equal(line, `choose ${opener} --add libbeside.so.1=${library}`);
  assert.equal((await root.manage(line.split(' '))).status, 0);
  const after = await root.manage(['doctor', opener, '--', 'libbeside.so.1']);
  assert.match(after.stdout, /^opened\n(.*\n)*ok {4}missed /);
});

test('a program that is not there, and a script whose interpreter is not: the line that starts both', async () => {
  const source = `#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
extern char **environ;
int main(int argc, char **argv) {
  int status = 0;
  pid_t child;
  if (posix_spawn(&child, argv[1], 0, 0, argv + 1, environ) != 0) return 3;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}`;
  const spawner = putProgram(root, 'spawner/spawner', source);
  const script = path.join(homeInRoot, 'spawner/helper.sh');
  writeFileSync(onHost(root, script), '#!/bin/bash\necho helped\n', { mode: 0o755 });
  const manner = await root.manage(['resolve', '--strategy', 'loader', spawner]);
  assert.equal(manner.status, 0, manner.stderr);
  const { stdout } = await root.manage(['doctor', spawner, '--', script], withStrace);
  const told = /^lack {2}program +(\S+) could not be executed: .*\n +nix-run-foreign (.*)$/m.exec(stdout);
  assert.equal(told?.[1], script, stdout);
  const line = told?.[2]?.split(' ') ?? [];
  const mended = await root.start([...line, script], withStrace);
  assert.equal(mended.stdout, 'helped\n', mended.stderr);
  const absent = await root.manage(['doctor', spawner, '--', '/usr/bin/nowhere'], withStrace);
  assert.match(absent.stdout, /^lack {2}program +\/usr\/bin\/nowhere is not there/m);
});

test('a LD_LIBRARY_PATH that ends the start: what ld.so said, and the line without it', async () => {
  const stub = compileLibrary(
    path.join(root.homeDir, '../stubs/libz.so.1'),
    'libz.so.1',
    'const char *zlibVersion(void) { return ""; }',
  );
  const plain = putProgram(
    root,
    'plain/plain',
    '#include <stdio.h>\nconst char *zlibVersion(void); int main(void) { return puts(zlibVersion()) < 0; }',
    [stub],
  );
  const directory = path.join(homeInRoot, 'shadow');
  const needless = compileLibrary(
    onHost(root, path.join(homeInRoot, 'stubs/libgone.so.1')),
    'libgone.so.1',
    'int gone;',
  );
  const flags = ['-Wl,--no-as-needed', needless];
  compileLibrary(onHost(root, path.join(directory, 'libz.so.1')), 'libz.so.1', 'int none;', flags);
  const env = { LD_LIBRARY_PATH: directory };
  assert.equal((await root.start([plain])).status, 0);
  assert.equal((await root.start([plain], { env })).status, 127);
  for (const settings of [{ env }, { env: { ...env, ...withStrace.env } }]) {
    const { status, stdout } = await root.manage(['doctor', plain, '--'], settings);
    assert.equal(status, 1);
    const told = /^lack {2}loader +.*libgone\.so\.1.*\n +env -u LD_LIBRARY_PATH nix-run-foreign (.*)$/m.exec(
      stdout,
    );
    assert.equal(told?.[1], plain, stdout);
  }
});

test('--json is all that is on stdout', async () => {
  const { stdout, stderr } = await root.manage(['doctor', '--json', opener, '--', 'libm.so.6']);
  assert.equal(stderr, 'opened\n');
  assert.ok(JSON.parse(stdout).some(({ subject }: { subject: string }) => subject === 'run'));
});
