// What the launcher says and returns when the kernel refuses a program whose plan was valid.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  compile,
  type Outcome,
  openWorkshop,
  putScript,
  resolving,
  run,
  runCommand,
} from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { asRoot } from './tool-fixture.ts';

const workshop = await openWorkshop();

function putFile(name: string, content: string): string {
  const file = path.join(workshop.directory, name);
  writeFileSync(file, content, { mode: 0o755 });
  return file;
}

/** Starts `program` by a plan of `records`, with a resolver that makes the same plan and says so. */
async function refused(program: string, records: readonly string[] = []): Promise<Outcome> {
  const body = `echo "resolved $*" >&2; ${resolving(workshop, program, records)}`;
  const env = {
    ...workshop.environment,
    NIX_RUN_FOREIGN_RESOLVER: putScript(workshop.directory, 'resolver', body),
  };
  putPlan(workshop.place, program, planText(program, records));
  const outcome = await run(workshop, [program], { env });
  assert.deepEqual([outcome.code, outcome.stdout], [126, '']);
  return outcome;
}

function resolvedAgain(program: string): string {
  return `resolved resolve --from-launcher --refresh -- ${program}\n`;
}

test('a script whose interpreter is missing: resolved once more, then said exactly', async () => {
  for (const [name, line, interpreter] of [
    ['plain', '#!/nowhere/python3', '/nowhere/python3'],
    ['blanks', '#! \t/nowhere/env  bash -e', '/nowhere/env'],
    ['escape', '#!/nowhere/\u001b[1m', '/nowhere/?[1m'],
  ] as const) {
    const script = putFile(name, `${line}\necho\n`);
    const { stderr } = await refused(script);
    const cause = `its #! line names an interpreter that is not there: ${interpreter}`;
    assert.equal(stderr.split('\n  ')[0], `${resolvedAgain(script)}nix-run-foreign: ${script}: ${cause}`);
  }
});

test('a script with Windows line ends', async () => {
  const { stderr } = await refused(putFile('windows', '#!/bin/sh\r\necho\r\n'));
  assert.match(
    stderr,
    /interpreter that is not there: \/bin\/sh\?\n {2}the line ends in a carriage return: /,
  );
});

/** A program that names a loader which is not there, as every program for another Linux does. */
function compileForeign(): string {
  return compile(workshop, 'say-started', ['-Wl,--dynamic-linker=/nowhere/ld.so']);
}

test('a script whose interpreter is there, and is foreign itself', async () => {
  const foreign = compileForeign();
  for (const [name, line, command] of [
    ['alone', `#!${foreign}`, foreign],
    ['with-argument', `#! ${foreign} \t-w  -s \t`, `${foreign} '-w  -s'`], // one argument, as the kernel has it
  ] as const) {
    const script = putFile(name, `${line}\necho\n`);
    const { stderr } = await refused(script);
    const cause = `its #! line names ${foreign}, which is a program for another Linux itself`;
    const remedy = `start it with: nix-run-foreign ${command} ${script}`;
    assert.equal(stderr, `${resolvedAgain(script)}nix-run-foreign: ${script}: ${cause}\n  ${remedy}\n`);
  }
});

test('a script whose interpreter is a script without its own', async () => {
  const inner = putFile('inner', '#!/nowhere/sh\n');
  const { stderr } = await refused(putFile('outer', `#!${inner}\n`));
  assert.match(
    stderr,
    /outer: its #! line names .+\/inner, which is a script without its interpreter itself\n/,
  );
  assert.match(stderr, /start it with: nix-run-foreign .+\/inner .+\/outer\n$/);
});

test('a script without a line end', async () => {
  const { stderr } = await refused(putFile('endless', '#!/nowhere/sh -e'));
  assert.match(stderr, /names an interpreter that is not there: \/nowhere\/sh\n/);
});

test('a program whose interpreter is missing', async () => {
  const program = compileForeign();
  const { stderr } = await refused(program);
  const cause = 'the program interpreter (loader) that it names is not there';
  assert.ok(stderr.startsWith(`${resolvedAgain(program)}nix-run-foreign: ${program}: ${cause}\n  `), stderr);
});

test('a program whose interpreter is no ELF file: resolved once more', async () => {
  const text = putFile('no-loader', 'x'.repeat(4096));
  const program = compile(workshop, 'say-started', [`-Wl,--dynamic-linker=${text}`]);
  const { stderr } = await refused(program);
  const cause = 'the program interpreter (loader) that it names is none for this machine';
  assert.ok(stderr.startsWith(`${resolvedAgain(program)}nix-run-foreign: ${program}: ${cause}\n  `), stderr);
});

test('a hit that fails for want of a file is resolved again and then starts', async () => {
  const script = putFile('repaired', '#!/nowhere/sh\necho\n');
  const env = { ...workshop.environment };
  const body = resolving(workshop, script, ['x/bin/echo', 'Aecho', 'Arepaired']);
  env['NIX_RUN_FOREIGN_RESOLVER'] = putScript(workshop.directory, 'resolver', body);
  putPlan(workshop.place, script, planText(script));
  const { code, stdout, stderr } = await run(workshop, [script], { env });
  assert.deepEqual([code, stdout, stderr], [0, 'repaired\n', '']);
});

test('a format that the kernel does not know: no resolver', async () => {
  const { stderr } = await refused(putFile('data', 'echo no line\n'));
  assert.match(
    stderr,
    /^nix-run-foreign: .+\/data: the kernel does not know its format\n {2}if it is a script/,
  );
});

test('an interpreter that may not be executed: no resolver', async () => {
  const { stderr } = await refused(putFile('denied', '#!/etc/passwd\n'));
  assert.match(stderr, /^nix-run-foreign: .+\/denied: it may not be executed\n {2}\S/);
});

test('a loader that may not be executed is named', async () => {
  const program = compile(workshop, 'say-started');
  const loader = path.join(workshop.directory, 'loader');
  copyFileSync(program, loader);
  chmodSync(loader, 0o644);
  const { stderr } = await refused(program, [`x${loader}`]);
  assert.match(
    stderr,
    /^nix-run-foreign: .+\/loader: the loader of its plan cannot be started: permission denied\n/,
  );
});

test('arguments that only fit without the plan', async () => {
  const program = compile(workshop, 'say-started');
  const long = Array.from({ length: 9 }, () => `A${'x'.repeat(100_000)}`);
  putPlan(workshop.place, program, planText(program, ['0', ...long]));
  const command = `ulimit -s 2048; exec '${workshop.launcher}' '${program}'`;
  const { code, stderr } = await runCommand(workshop, ['sh', '-c', command]);
  assert.equal(code, 126);
  assert.match(stderr, /say-started: its arguments and environment are longer than the kernel takes\n {2}\S/);
});

test('a noexec mount', asRoot, async () => {
  const mount = path.join(workshop.directory, 'mount');
  mkdirSync(mount);
  const copy = `mount -t tmpfs -o noexec none '${mount}' && cp /bin/true '${mount}' && exec`;
  const command = ['unshare', '-m', 'sh', '-c', `${copy} '${workshop.launcher}' '${mount}/true'`] as const;
  const { code, stderr } = await runCommand(workshop, command);
  assert.equal(code, 126);
  assert.match(stderr, /^nix-run-foreign: .+\/true: you may not execute it\n {2}.+ noexec\n$/);
});

test('a caller of two users is told that, not that the launcher has rights', asRoot, async () => {
  const { code, stderr } = await runCommand(workshop, [
    'setpriv',
    '--ruid=1000',
    workshop.launcher,
    '/bin/true',
  ]);
  assert.equal(code, 125);
  assert.match(
    stderr,
    /^nix-run-foreign: started with the rights of another.*\n {2}whoever starts it has two users/,
  );
});

for (const mode of [0o4755, 0o2755])
  test(`a launcher of mode ${mode.toString(8)}, entered by another user, refuses`, asRoot, async () => {
    const installed = path.join(workshop.directory, 'installed');
    copyFileSync(workshop.launcher, installed);
    chmodSync(installed, mode);
    const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] as const;
    const { code, stderr } = await runCommand(workshop, [...asNobody, installed, '/bin/true']);
    assert.equal(code, 125);
    assert.match(stderr, /^nix-run-foreign: started with the rights of another user or group\n {2}\S/);
  });
