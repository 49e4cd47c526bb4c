// 32-bit programs beside 64-bit ones, each starting the other, by every way in which nobody types a prefix; and libraries
// that a 32-bit program opens while it runs.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { builtLauncher } from '../../built-launcher.ts';
import { needCompilerFor32Bit, on32Bit } from '../../launcher/tool-fixture.ts';
import { compileInterpreter } from '../../rig/program-interpreters.ts';
import { ensureRig } from '../../rig/rig.ts';
import { type Bind, homeInRoot, type RootOptions } from '../../rig/root.ts';
import { onOwnBinfmt, openOwnInstance } from '../binfmt/own-instance.ts';
import { compile } from '../compile.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { launcher, openToolRoot, type ToolRoot } from '../tool.ts';

needCompilerFor32Bit();
const rig = await ensureRig('full');
const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-both-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const large = foreign(rig, 'bookworm', 'redis-cli');
const small = rig.foreign.find(({ architecture }) => architecture === 'i386');
if (on32Bit.skip === undefined) assert.ok(small, 'the rig has no 32-bit program');
const tool = { node: rig.node, script: '/opt/tool/dist/nix-foreign.cjs' };
const launchers = {
  '-m64': path.join(directory, 'launcher-64'),
  '-m32': path.join(directory, 'launcher-32'),
};
for (const flag of ['-m64', '-m32'] as const)
  await builtLauncher({ output: launchers[flag], ...tool, flags: flag === '-m32' ? [flag] : [] });

/** Starts what it is given as a child, and ends as that ended. */
const SPAWN = `
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
extern char **environ;
int main(int argc, char **argv) {
  pid_t pid;
  printf("%d bits\\n", (int)sizeof(void *) * 8);
  fflush(stdout);
  int status = 0, error = posix_spawn(&pid, argv[1], 0, 0, argv + 1, environ);
  if (error) return printf("cannot spawn: %d\\n", error), 31;
  waitpid(pid, &status, 0);
  return WEXITSTATUS(status);
}`;
const at = (name: string): string => path.join(homeInRoot, 'both', name);
const openNames = readFileSync(path.join(import.meta.dirname, '../run-time/programs/open-names.c'), 'utf8');

function putPrograms(root: ToolRoot): void {
  compile(onHost(root, at('spawn-64')), SPAWN);
  compile(onHost(root, at('spawn-32')), SPAWN, ['-m32']);
  compile(onHost(root, at('opens-32')), openNames, ['-m32']);
}

interface Way {
  readonly name: string;
  readonly root: ToolRoot;
  /** A shell's line in which foreign programs are typed as they are. */
  session(line: string): ReturnType<ToolRoot['run']>;
}

const at32 = (from: string): Bind => ({ from, to: '/lib/ld-linux.so.2', mode: 'read-only' });

async function byInterpreter(name: string, options: RootOptions, env: Record<string, string>): Promise<Way> {
  const root = await openToolRoot(rig, options);
  const session = (line: string) => root.run({ argv: [rig.bash, '-c', line], env });
  return { name, root, session };
}

async function openWays(): Promise<Way[]> {
  const own = { from: launchers['-m32'], to: '/opt/launcher-32', mode: 'read-only' } as const;
  const nixLd: RootOptions = {
    interpreter: 'nix-ld',
    binds: [at32(await compileInterpreter('nix-ld', '-m32')), own],
  };
  const itself: RootOptions = {
    interpreter: launchers['-m64'] as `/${string}`,
    binds: [at32(launchers['-m32'])],
  };
  const binfmt = await openToolRoot(rig);
  const { manager, session } = openOwnInstance(binfmt);
  const inView = await openToolRoot(rig);
  return [
    await byInterpreter('nix-ld', nixLd, { NIX_LD_x86_64_linux: launcher, NIX_LD_i686_linux: own.to }),
    await byInterpreter('the launcher as interpreter', itself, {}),
    {
      name: 'binfmt_misc',
      root: binfmt,
      session: (line) => session(`${manager} binfmt install > /dev/null || exit 99\n${line}`),
    },
    { name: 'a view', root: inView, session: (line) => inView.start([rig.bash, '-c', line]) },
  ];
}

const ways = on32Bit.skip === undefined ? await openWays() : [];
for (const { root } of ways) putPrograms(root);

const { path: first, args: words, expect } = small ?? large; // of `large` nothing is started: all are skipped
const names = ['nix-ld', 'the launcher as interpreter', 'binfmt_misc', 'a view'];
const wayOf = (name: string): Way => ways.find((each) => each.name === name) ?? assert.fail(name);

for (const name of names) {
  const options = { ...(name === 'binfmt_misc' && onOwnBinfmt), ...on32Bit };
  test(`${name}: a 32-bit program starts by its own name, first and second`, options, async () => {
    const { root, session } = wayOf(name);
    const env = { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' };
    assert.notEqual((await root.bare(first, words, { env })).status, 0);
    const line = `${first} ${words.join(' ')} 2>&1`;
    const { stdout, stderr } = await session(`${line}; ${line}`);
    assert.equal(stderr, '');
    assert.equal(stdout.match(new RegExp(expect, 'gm'))?.length, 2, stdout);
  });

  test(`${name}: 64 bits start 32, and 32 start 64`, options, async () => {
    const { session } = wayOf(name);
    const down = await session(`${at('spawn-64')} ${at('spawn-32')} ${large.path} --version 2>&1; exit $?`);
    assert.match(down.stdout, /^64 bits\n32 bits\n/);
    assert.match(down.stdout, large.expect);
    assert.equal(down.status, 0);
    const up = await session(`${at('spawn-32')} ${at('spawn-64')} ${first} ${words.join(' ')} 2>&1; exit $?`);
    assert.match(up.stdout, /^32 bits\n64 bits\n/);
    assert.match(up.stdout, expect);
  });

  test(`${name}: a library that a 32-bit program opens while it runs`, options, async () => {
    const { session } = wayOf(name);
    const line = `${at('opens-32')} libz.so.1 2>&1`;
    const opened = 'libz.so.1 opened\nLD_AUDIT=unset LD_LIBRARY_PATH=unset\n';
    assert.equal((await session(`${line}; ${line}`)).stdout, opened + opened);
  });
}
