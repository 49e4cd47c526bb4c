// A plan that has the launcher lie over an interpreter path: for whom, what of it is seen, and what it costs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, limited, type Outcome, openWorkshop, putScript, runCommand } from './launcher-fixture.ts';
import { identity, planText, putPlan } from './plan-fixture.ts';
import { asRoot } from './tool-fixture.ts';

const workshop = await openWorkshop();
const at = (name: string): string => path.join(workshop.directory, name);
const interpreterPath = at('lib/ld.so');
mkdirSync(path.dirname(interpreterPath));
writeFileSync(interpreterPath, 'no program', { mode: 0o755 });

/** Prints its own path, or starts another program. */
const source = `
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char exe[4096] = {0};
  if (argc > 1) { execv(argv[1], argv + 1); return 9; }
  if (readlink("/proc/self/exe", exe, sizeof exe - 1) < 0) return 8;
  printf("%s %d %d\\n", exe, getuid(), geteuid());
  return 0;
}`;

function build(name: string, flags: readonly string[]): string {
  const output = at(name);
  execFileSync('cc', ['-x', 'c', '-o', output, '-', ...flags], { input: source });
  return output;
}

const program = build('program', [`-Wl,--dynamic-linker=${interpreterPath}`]);
const identify = build('identify', ['-static']);
const records = [
  `n${interpreterPath}`,
  'l/lib64/ld-linux-x86-64.so.2',
  'b/lib/x86_64-linux-gnu',
  // Whoever sits there is looked at before, and not by the launcher that sits there then.
  `k${identity(interpreterPath)} ${interpreterPath}`,
];

const USER = 4321;
const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'] as const;

/** The plan belongs to whoever starts: root's looks like nobody's in a user namespace. */
function plan(more: readonly string[], uid: number): void {
  const file = putPlan(workshop.place, program, planText(program, more));
  for (const each of [file, path.dirname(file)]) chownSync(each, uid, uid);
}

function start(words: readonly string[], before: readonly string[] = []): Promise<Outcome> {
  const [first = '', ...rest] = [...before, workshop.launcher, ...words];
  return runCommand(workshop, [first, ...rest], limited);
}

test('bare it does not start', asRoot, () => {
  assert.throws(() => execFileSync(program, { stdio: 'ignore' }));
});

for (const [who, uid, before] of [
  ['root', 0, []],
  ['a user', USER, asUser],
] as const)
  test(`${who}: the program starts as itself, and nothing is seen of it outside`, asRoot, async () => {
    plan(records, uid);
    const { code, stdout, stderr } = await start([program], before);
    assert.deepEqual([code, stdout, stderr], [0, `${program} ${uid} ${uid}\n`, '']);
    assert.equal(readFileSync(interpreterPath, 'utf8'), 'no program');
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /lib\/ld\.so/);
  });

test("a user's setuid children have no other rights; root's have", asRoot, async () => {
  chownSync(identify, 0, 0);
  chmodSync(identify, 0o4755);
  plan(records, USER);
  // Without a namespace the kernel gives the rights: else this test would say nothing.
  const outside = await runCommand(workshop, [...asUser, identify] as unknown as readonly [string]);
  assert.equal(outside.stdout, `${identify} ${USER} 0\n`);
  const inside = await start([program, identify], asUser);
  assert.equal(inside.stdout, `${identify} ${USER} ${USER}\n`);
  chownSync(identify, USER, USER);
  chmodSync(identify, 0o4755);
  plan(records, 0);
  assert.equal((await start([program, identify])).stdout, `${identify} 0 ${USER}\n`);
});

/** Notes what it is asked for, and in which namespaces. */
const noting = putScript(
  workshop.directory,
  'noting',
  `for each in "$*" "$(readlink /proc/self/ns/mnt)" "$(readlink /proc/self/ns/user)"; do echo "$each"; done >> ${at('calls')}
exit 126`,
);

/** Starts the program where its resolver is that one; returns also what that one noted. */
async function startNoted(words: readonly [string, ...string[]]): Promise<Outcome & { calls: string[] }> {
  writeFileSync(at('calls'), '');
  chmodSync(at('calls'), 0o666);
  const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: noting };
  const outcome = await runCommand(workshop, words, { env });
  return { ...outcome, calls: readFileSync(at('calls'), 'utf8').split('\n').filter(Boolean) };
}

const refreshedOutside = [
  `resolve --from-launcher --refresh -- ${program}`,
  readlinkSync('/proc/self/ns/mnt'),
  readlinkSync('/proc/self/ns/user'),
];

for (const [who, uid, before] of [
  ['root', 0, []],
  ['a user', USER, asUser],
] as const) {
  const words = [...before, workshop.launcher, program] as unknown as readonly [string, ...string[]];

  test(`${who}: what cannot be covered is known before, and resolved again outside`, asRoot, async () => {
    for (const missing of [at('nowhere/ld.so'), path.dirname(interpreterPath)]) {
      plan([`n${missing}`, ...records.slice(1)], uid);
      const { code, calls } = await startNoted(words);
      assert.deepEqual([code, calls], [126, refreshedOutside], missing);
    }
  });

  test(`${who}: the same with a launcher that was removed meanwhile`, asRoot, async () => {
    plan(records, uid);
    const copy = at(`open-to-all-${uid}/launcher`);
    mkdirSync(path.dirname(copy));
    chmodSync(path.dirname(copy), 0o777);
    copyFileSync(workshop.launcher, copy);
    const script = `exec 9< "$0"; rm -f "$0"; exec /proc/self/fd/9 "$@"`;
    const [first, ...rest] = [...before, '/bin/sh', '-c', script, copy, program] as [string, ...string[]];
    const { code, calls } = await startNoted([first, ...rest]);
    assert.deepEqual([code, calls, existsSync(copy)], [126, refreshedOutside, false]);
  });

  test(`${who}: in a namespace that cannot be finished nothing else is started`, asRoot, async () => {
    plan(records, uid);
    const forbid = compile(workshop, 'without-mounts', ['-static']);
    const [first, ...rest] = [...before, forbid, workshop.launcher, program] as [string, ...string[]];
    const { code, calls, stdout, stderr } = await startNoted([first, ...rest]);
    assert.deepEqual([code, calls, stdout], [126, [], '']);
    assert.equal(
      stderr,
      `nix-run-foreign: ${program}: it cannot be started in a namespace of its own: permission denied\n` +
        `  have another way found: nix-run-foreign --refresh ${program}\n`,
    );
    // Which does find it outside.
    const { calls: again } = await startNoted([first, ...rest.slice(0, -1), '--refresh', program]);
    assert.deepEqual(again, refreshedOutside);
  });
}

test('--try-namespace says whether it would work', asRoot, async () => {
  for (const before of [[], asUser]) {
    const works = await start(['--try-namespace', interpreterPath], before);
    assert.deepEqual([works.code, works.stdout, works.stderr], [0, '', '']);
    const missing = await start(['--try-namespace', at('nowhere/ld.so')], before);
    assert.equal(missing.code, 126);
    assert.match(
      missing.stderr,
      /^nix-run-foreign: \S*\/nowhere\/ld\.so: it cannot be covered in a namespace: no such file/,
    );
  }
  assert.equal((await start(['--try-namespace'])).code, 126);
  assert.ok(!existsSync(at('nowhere')));
});

test('a debugger sees the program', asRoot, async () => {
  plan(records, 0);
  const log = at('trace');
  const { code, stdout } = await runCommand(workshop, [
    'strace',
    '-o',
    log,
    '-e',
    'trace=execve,readlink',
    workshop.launcher,
    program,
  ]);
  assert.deepEqual([code, stdout], [0, `${program} 0 0\n`]);
  assert.match(readFileSync(log, 'utf8'), /readlink\("\/proc\/self\/exe"/);
});
