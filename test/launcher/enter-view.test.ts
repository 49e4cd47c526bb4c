// A plan with a view, and a process from which none can be entered → what the user is told, and what is left as it was.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, limited, type Outcome, openWorkshop, putScript, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { asRoot, needTool } from './tool-fixture.ts';

const workshop = await openWorkshop();
const at = (name: string): string => path.join(workshop.directory, name);
const program = putScript(workshop.directory, 'program', 'echo "in $(readlink /proc/self/cwd)"');
const USER = 4321;
const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'] as const;

/** The plan belongs to whoever starts: root's looks like nobody's in a user namespace. */
function plan(...more: readonly string[]): void {
  const records = more.some((record) => record[0] === 'n') ? more : ['V/view-of-a-test/ld.so ', ...more];
  const file = putPlan(workshop.place, program, planText(program, records));
  for (const each of [file, path.dirname(file)]) chownSync(each, USER, USER);
}

/** Words of setpriv(1). */
const withAmbient = (name: string) => [`--inh-caps=+${name}`, `--ambient-caps=+${name}`] as const;

async function start(cwd: string, before: readonly string[] = asUser): Promise<Outcome> {
  const [first = '', ...rest] = [...before, workshop.launcher, program];
  return await runCommand(workshop, [first, ...rest], { ...limited, cwd });
}

test('a working directory that the user may not enter', asRoot, async () => {
  const closed = at('closed');
  mkdirSync(closed, { mode: 0o700 });
  for (const more of [[], ['x/bin/sh', '0', 'A-c', 'Aecho started']]) {
    plan(...more);
    const { code, stdout, stderr } = await start(closed);
    assert.deepEqual([code, stdout], [126, ''], stderr);
    assert.equal(
      stderr,
      `nix-run-foreign: ${program}: its working directory may not be entered by this user, and a view has to\n` +
        `  start it in another (cd /), or without: nix-run-foreign --strategy loader ${program}\n`,
    );
  }
  plan();
  assert.equal((await start(workshop.directory)).stdout, `in ${workshop.directory}\n`);
});

test(
  'too few files may be open for a view: that is said, and not of what is started in it',
  asRoot,
  async () => {
    plan('x/bin/sh', '0', 'A-c', 'Aecho started');
    const within = (count: number) => [...asUser, 'prlimit', `--nofile=${count}:${count}`];
    const { code, stdout, stderr } = await start(workshop.directory, within(4));
    assert.deepEqual([code, stdout], [126, '']);
    assert.equal(
      stderr,
      `nix-run-foreign: ${program}: it cannot be started in a namespace of its own: too many open files\n` +
        '  raise the limit: ulimit -S -n hard\n',
    );
    assert.equal((await start(workshop.directory, within(20))).stdout, 'started\n');
  },
);

test('what a plan executes in a view is named where that fails', asRoot, async () => {
  plan('x/etc/passwd');
  const { code, stderr } = await start(workshop.directory);
  assert.equal(code, 126);
  assert.match(
    stderr,
    /^nix-run-foreign: \/etc\/passwd: the loader of its plan cannot be started: permission/,
  );
});

test(
  'ambient capabilities are not lost: the program is resolved anew, which finds another way',
  asRoot,
  async () => {
    const ambient = withAmbient('net_bind_service');
    const lib = putScript(workshop.directory, 'interpreter', '');
    for (const more of [[`n${lib}`], []]) {
      plan(...more);
      const { code, stderr } = await start(workshop.directory, [...asUser, ...ambient]);
      assert.deepEqual([code, stderr.split('\n')[0]], [125, 'resolver called']);
      assert.equal((await start(workshop.directory)).code, 0);
    }
  },
);

test('what is asked before a view is planned says that they would be lost', asRoot, async () => {
  for (const asked of [['--try-view'], ['--try-namespace', program]]) {
    const words = [...asUser, ...withAmbient('net_bind_service'), workshop.launcher, ...asked] as const;
    const { code, stderr } = await runCommand(workshop, [...words]);
    assert.equal(code, 126);
    assert.match(
      stderr,
      /: this session has ambient capabilities, .*: setpriv --ambient-caps=-all nix-run-foreign --refresh PROGRAM\n$/,
    );
  }
});

test('CAP_WAKE_ALARM, which everybody at a seat has, is none that counts', asRoot, async () => {
  for (const more of [[`n${putScript(workshop.directory, 'other', '')}`], []]) {
    plan(...more);
    const { code, stderr } = await start(workshop.directory, [...asUser, ...withAmbient('wake_alarm')]);
    assert.deepEqual([code, stderr], [0, '']);
  }
});

test(
  'named by a relative path, or by a shim, where there is no /proc, the launcher is in the view by its own',
  asRoot,
  async () => {
    plan();
    const file = putPlan(
      workshop.place,
      program,
      planText(program, [
        'V/view-of-a-test/ld.so ',
        'x/bin/sh',
        'Ash',
        'A-c',
        'Areadlink /view-of-a-test/ld.so',
      ]),
    );
    for (const each of [file, path.dirname(file)]) chownSync(each, 0, 0);
    const shim = path.join(workshop.directory, 'shim');
    writeFileSync(shim, `#!${workshop.launcher} --shim=${program}\n`, { mode: 0o755 });
    for (const named of [`./${path.basename(workshop.launcher)} '${program}'`, './shim']) {
      const script = `umount -l /proc && cd '${path.dirname(workshop.launcher)}' && exec ${named}`;
      const { stdout, stderr } = await start(workshop.directory, ['unshare', '-m', 'sh', '-c', script]);
      assert.equal(stdout, `${workshop.launcher}\n`, stderr);
    }
  },
);

test(
  "a user's debugger outside names the functions of a process in a view, by its own files",
  asRoot,
  async () => {
    needTool('gdb', 'gdb');
    const waiting = compile(workshop, 'waits-here', ['-g']);
    plan(`x${waiting}`);
    const text = `"$@" & while [ "$(readlink /proc/$!/exe)" != '${waiting}' ]; do sleep 0.05; done
gdb -nx -batch -iex 'set sysroot /' -p $! -ex backtrace; kill $!`;
    const { stdout, stderr } = await start(workshop.directory, [...asUser, 'sh', '-c', text, 'sh']);
    assert.match(stdout, /^#\d+ .* waits_here \(\)/m, stderr);
  },
);
