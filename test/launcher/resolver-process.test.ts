// The state in which the resolver runs, and what becomes of it when the launcher is ended.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { compile, limited, openWorkshop, putScript, resolving, run, runCommand } from './launcher-fixture.ts';
import { endGroups, startGroup, within } from './process-group.ts';
import { asRoot, needTool } from './tool-fixture.ts';

const workshop = await openWorkshop();
const report = compile(workshop, 'report-state');
const startWith = compile(workshop, 'start-with');
const seen = path.join(workshop.directory, 'seen');
const program = path.join(workshop.directory, 'program');
copyFileSync('/bin/true', program);
after(endGroups); // only after a failure is there anything to end
beforeEach(() => rmSync(workshop.cache, { recursive: true, force: true }));

function withResolver(body: string): typeof limited & { readonly env: Record<string, string> } {
  const script = putScript(workshop.directory, 'resolver', body);
  return { ...limited, env: { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: script } };
}

/** What the resolver sees of its state when the launcher is started with these edits. */
async function stateOfResolver(...edits: readonly string[]): Promise<string> {
  const options = withResolver(`'${report}' '${seen}'; ${resolving(workshop, program)}`);
  const command = [startWith, ...edits, '--', workshop.launcher, program] as const;
  const { code, stdout, stderr } = await runCommand(workshop, [...command], options);
  assert.deepEqual([code, stdout, stderr], [0, '', '']);
  return readFileSync(seen, 'utf8');
}

test('descriptors: nothing to read, nothing to print to, standard error, and no other', async () => {
  const state = await stateOfResolver('open', '3', 'open', '9', 'open', '63');
  // Descriptor 10 and up may be the shell's own.
  const own = state.match(/^fd \d .*$/gm);
  assert.deepEqual(own?.slice(0, 2), ['fd 0 /dev/null', 'fd 1 /dev/null']);
  assert.equal(own?.length, 3);
  assert.doesNotMatch(state, /\/dev\/zero/);
});

test('descriptors on a kernel without close_range(2)', async () => {
  needTool('strace', 'strace');
  const options = withResolver(`'${report}' '${seen}'; ${resolving(workshop, program)}`);
  const trace = ['strace', '-qq', '-f', '-o', '/dev/null', '-e', 'inject=close_range:error=ENOSYS'] as const;
  const opened = [startWith, 'open', '3', 'open', '63', '--', workshop.launcher, program] as const;
  assert.equal((await runCommand(workshop, [...trace, ...opened], options)).code, 0);
  assert.doesNotMatch(readFileSync(seen, 'utf8'), /\/dev\/zero/);
});

test('descriptors when the caller has closed its own', async () => {
  const closed = ['close', '0', 'close', '1', 'close', '2'];
  const state = await stateOfResolver(...closed);
  assert.match(state, /^fd 0 \/dev\/null\nfd 1 \/dev\/null\n/m);
});

test('signals: nothing blocked, ignored ones stay ignored, SIGCHLD is usable', async () => {
  const state = await stateOfResolver(
    'block',
    '15',
    'block',
    '2',
    'block',
    '17',
    'ignore',
    '13',
    'ignore',
    '17',
  );
  assert.match(state, /SigBlk:\s0+$/m);
  assert.match(state, /SigIgn:\s0+1000$/m);
});

test('the working directory is the root directory, since process.cwd() throws in one that is gone', async () => {
  const gone = path.join(workshop.directory, 'gone');
  mkdirSync(gone);
  assert.match(await stateOfResolver('cwd', gone), /^cwd \/$/m);
  assert.match(await stateOfResolver(), /^cwd \/$/m);
});

test('--explain leaves a working directory only when it is gone', async () => {
  const gone = path.join(workshop.directory, 'gone');
  mkdirSync(gone);
  const options = withResolver('/bin/pwd');
  const command = [workshop.launcher, '--explain', program] as const;
  const inGone = await runCommand(workshop, [startWith, 'cwd', gone, '--', ...command], options);
  assert.equal(inGone.stdout, '/\n');
  const saved = await runCommand(workshop, command, { ...options, cwd: workshop.directory });
  assert.equal(saved.stdout, `${workshop.directory}\n`);
});

test('prints of the resolver never reach standard output', async () => {
  const body = `echo out; echo err >&2; ${resolving(workshop, program)}`;
  const { stdout, stderr } = await run(workshop, [program], withResolver(body));
  assert.deepEqual([stdout, stderr], ['', 'err\n']);
});

test('without /dev the resolver runs, and cannot print to standard output', asRoot, async () => {
  const options = withResolver(`echo out; read line; ${resolving(workshop, program)}`);
  const command = `mount -t tmpfs none /dev && exec '${workshop.launcher}' '${program}'`;
  const outcome = await runCommand(workshop, ['unshare', '-m', 'sh', '-c', command], options);
  assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [0, '', 'out\n']);
});

// Node opens /dev/null for each of the three that is closed, and aborts where it cannot.
for (const closed of [[], ['0'], ['2'], ['0', '1'], ['1', '2'], ['0', '1', '2']])
  test(
    `without /dev Node runs as the resolver, with ${closed.join(' ') || 'nothing'} closed`,
    asRoot,
    async () => {
      const read = `require("fs").writeFileSync("${seen}", String(require("fs").readFileSync(0).length))`;
      rmSync(seen, { force: true });
      const options = withResolver(`'${process.execPath}' -e '${read}' && ${resolving(workshop, program)}`);
      const edits = closed.flatMap((descriptor) => ['close', descriptor]).join(' ');
      const start = `'${startWith}' ${edits} -- '${workshop.launcher}' '${program}'`;
      const command = ['unshare', '-m', 'sh', '-c', `mount -t tmpfs none /dev && exec ${start}`] as const;
      const { code, stdout, stderr } = await runCommand(workshop, [...command], options);
      assert.deepEqual([code, stdout, stderr], [0, '', '']);
      assert.equal(readFileSync(seen, 'utf8'), '0', 'nothing to read');
    },
  );

test('where the next child is the first of a pid namespace, no resolver is started', asRoot, async () => {
  const options = withResolver(resolving(workshop, program));
  const within = ['unshare', '--pid', workshop.launcher, program] as const;
  const missed = await runCommand(workshop, within, options);
  assert.equal(missed.code, 125);
  assert.equal(
    missed.stderr,
    'nix-run-foreign: the resolver cannot be started: it would end a new pid namespace\n' +
      '  start it as a child of who made that: unshare --pid --fork\n',
  );
  assert.equal((await run(workshop, [program], options)).code, 0);
  assert.equal((await runCommand(workshop, within, options)).code, 0, 'a hit');
});

/** With SIGCHLD ignored the kernel would reap the resolver, and a failure would look like success. */
test('exit status and signal of the resolver are known also where SIGCHLD is ignored', async () => {
  const command = [startWith, 'ignore', '17', '--', workshop.launcher, program] as const;
  assert.equal((await runCommand(workshop, command, withResolver('exit 126'))).code, 126);
  const { stderr } = await runCommand(workshop, command, withResolver('kill -TERM $$'));
  assert.match(stderr, /ended by signal 15/);
});

interface Waiting {
  readonly launcher: number;
  readonly resolver: number;
  /** Exit status or signal of the launcher. */
  readonly ended: Promise<string>;
  /** Settles when launcher and resolver have both ended, since they hold the same standard error. */
  readonly bothEnded: Promise<void>;
}

/** Starts a launcher in a process group of its own, with a resolver that goes on for ever. */
async function startWaiting(edits: readonly string[] = []): Promise<Waiting> {
  const ready = path.join(workshop.directory, 'ready');
  rmSync(ready, { force: true });
  await runCommand(workshop, ['mkfifo', ready]);
  const options = withResolver(`echo $$ > '${ready}'; exec sleep 1000`);
  const command = [startWith, 'group', '0', ...edits, '--', workshop.launcher, program] as const;
  const launcher = startGroup(command, { env: options.env, stdio: ['ignore', 'ignore', 'pipe'] });
  launcher.stderr?.resume();
  const ended = new Promise<string>((resolve) => {
    launcher.on('exit', (code, signal) => resolve(signal ?? String(code)));
  });
  const bothEnded = new Promise<void>((resolve) => launcher.on('close', () => resolve()));
  const { stdout } = await runCommand(workshop, ['cat', ready], limited);
  assert.match(stdout, /^\d+\n$/);
  return { launcher: launcher.pid as number, resolver: Number(stdout), ended, bothEnded };
}

for (const signal of ['SIGTERM', 'SIGKILL', 'SIGHUP'] as const)
  test(`${signal} to the launcher alone ends the resolver`, async () => {
    const { launcher, ended, bothEnded } = await startWaiting();
    process.kill(launcher, signal);
    assert.equal(await within('the end of the launcher', ended), signal);
    await within('the end of both', bothEnded);
  });

test('SIGINT to the process group ends both', async () => {
  const { launcher, ended, bothEnded } = await startWaiting();
  process.kill(-launcher, 'SIGINT');
  assert.equal(await within('the end of the launcher', ended), 'SIGINT');
  await within('the end of both', bothEnded);
});

test('SIGINT to the group of a launcher that blocks it ends the resolver, then the launcher', async () => {
  const { launcher, ended, bothEnded } = await startWaiting(['block', '2']);
  process.kill(-launcher, 'SIGINT');
  assert.equal(await within('the end of the launcher', ended), '130');
  await within('the end of both', bothEnded);
});

test('SIGINT to a group that ignores it ends nothing', async () => {
  const { launcher, resolver, ended } = await startWaiting(['ignore', '2']);
  process.kill(-launcher, 'SIGINT');
  process.kill(resolver, 'SIGTERM');
  assert.equal(await within('the end of the launcher', ended), '125');
});

/** Shell text that ends once the process is stopped: a SIGCONT before that would take the stop back. */
function untilStopped(pid: unknown): string {
  return `until grep -q '^State:.T' /proc/${pid}/status; do :; done`;
}

test('a stop and its continuation leave nothing behind in a program that blocks SIGCHLD', async () => {
  const ready = path.join(workshop.directory, 'stopping');
  const output = path.join(workshop.directory, 'after-stop');
  mkdirSync(workshop.cache, { recursive: true });
  await runCommand(workshop, ['mkfifo', ready]);
  const body = `echo $$ > '${ready}'; read line < '${ready}'; ${resolving(workshop, report)}`;
  const { env } = withResolver(body);
  // Not in a session of its own: the kernel lets no terminal stop reach an orphaned process group.
  const command = [startWith, 'group', '0', 'block', '17', '--', workshop.launcher, report, output] as const;
  const launcher = startGroup(command, { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => launcher.on('exit', resolve));
  const { stdout: resolver } = await runCommand(workshop, ['cat', ready], limited);
  assert.match(resolver, /^\d+\n$/);
  const group = -(launcher.pid as number);
  process.kill(group, 'SIGTSTP');
  for (const pid of [launcher.pid, resolver.trim()])
    assert.equal((await runCommand(workshop, ['sh', '-c', untilStopped(pid)], limited)).code, 0);
  process.kill(group, 'SIGCONT');
  await runCommand(workshop, ['sh', '-c', `echo > '${ready}'`], limited);
  assert.equal(await within('the end of the program', ended), 0);
  assert.match(readFileSync(output, 'utf8'), /SigPnd:\s0+\nstatus ShdPnd:\s0+\nstatus SigBlk:\s0+10000\n/);
});
