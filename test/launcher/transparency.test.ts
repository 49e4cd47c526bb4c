// A program cannot tell a start by the launcher, hit or miss, from a start without it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, openWorkshop, putScript, resolving, runCommand, start } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { type Edits, processStates, SIGCHLD, SIGPIPE } from './process-states.ts';

const workshop = await openWorkshop();
const report = compile(workshop, 'report-state');
const startWith = compile(workshop, 'start-with');
const output = path.join(workshop.directory, 'report');
const gone = path.join(workshop.directory, 'gone');
const script = putScript(workshop.directory, 'resolver', `sleep 0; ${resolving(workshop, report)}`);
const options = { env: { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: script } };

/** The report of a start in this state, the process id made comparable. */
async function reportOf(edits: Edits, launcher: readonly string[]): Promise<string> {
  rmSync(gone, { recursive: true, force: true });
  mkdirSync(gone);
  rmSync(output, { force: true });
  const command = [startWith, ...edits.map(String), '--', ...launcher, report, output, '23'] as const;
  const { code, stdout, stderr } = await runCommand(workshop, [...command], options);
  assert.deepEqual([code, stdout, stderr], [23, '', '']);
  return comparable(readFileSync(output, 'utf8'));
}

function comparable(text: string): string {
  const pid = /^pid (\d+)$/m.exec(text)?.[1] ?? '?';
  return text
    .replace(`pid ${pid}`, 'pid PID')
    .replace(`pgid ${pid}\n`, 'pgid PID\n')
    .replaceAll(/(pipe|socket):\[\d+\]/g, '$1');
}

for (const [name, edits] of Object.entries(processStates(gone, 24)))
  test(`${name}: the same on a hit and on a miss`, async () => {
    const plain = await reportOf(edits, []);
    const file = putPlan(workshop.place, report, planText(report));
    assert.equal(await reportOf(edits, [workshop.launcher]), plain, 'hit');
    rmSync(file);
    assert.equal(await reportOf(edits, [workshop.launcher]), plain, 'miss');
  });

test('the states are there to be noticed', async () => {
  const seen = await reportOf(
    ['ignore', SIGPIPE, 'block', SIGCHLD, 'open', 7, 'umask', '037', 'cwd', gone],
    [],
  );
  for (const part of [/^fd 7 \/dev\/zero$/m, /^umask 37$/m, /^cwd .*\(deleted\)$/m, /SigBlk:\s0+10000$/m])
    assert.match(seen, part);
  assert.match(seen, /SigIgn:\s[0-9a-f]*1[0-9a-f]{3}$/m);
  assert.match(await reportOf(['child', 0], []), /^children 1$/m);
});

for (const miss of [false, true])
  test(`same process id and parent on a ${miss ? 'miss' : 'hit'}`, async () => {
    const file = putPlan(workshop.place, report, planText(report));
    if (miss) rmSync(file);
    const child = start(workshop, [report, output], options);
    await new Promise((resolve) => child.on('close', resolve));
    const text = readFileSync(output, 'utf8');
    assert.match(text, new RegExp(`^pid ${child.pid}\nppid ${process.pid}\n`));
  });

test('a controlling terminal, in the foreground, on a hit and on a miss', async () => {
  const onTerminal = async (launcher: string): Promise<string> => {
    const command = `${launcher} ${report} ${output}`;
    await runCommand(workshop, ['script', '-qec', command, '/dev/null'], options);
    const text = comparable(readFileSync(output, 'utf8'));
    return text.replaceAll(/^(ppid|sid|pgid|env) .*$/gm, '').replaceAll(/\/dev\/pts\/\d+/g, 'pts');
  };
  const plain = await onTerminal('');
  assert.match(plain, /^terminal yes foreground 1$/m);
  const file = putPlan(workshop.place, report, planText(report));
  assert.equal(await onTerminal(workshop.launcher), plain);
  rmSync(file);
  assert.equal(await onTerminal(workshop.launcher), plain);
});

for (const signal of ['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGPIPE'] as const)
  test(`the program's death by ${signal} is the launcher's`, async () => {
    const fatal = putScript(workshop.directory, 'fatal', `kill -${signal.slice(3)} $$`);
    putPlan(workshop.place, fatal, planText(fatal));
    const outcome = await runCommand(workshop, [workshop.launcher, fatal], options);
    assert.deepEqual([outcome.code, outcome.signal], [null, signal]);
  });
