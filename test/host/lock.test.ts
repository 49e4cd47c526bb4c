// The lock saves work, and never stops it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { processIdentity, removeStaleLocks, withLock } from '../../src/host/mutex.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const MODULE = JSON.stringify(path.resolve(import.meta.dirname, '../../src/host/mutex.ts'));

test('the result of the work is the result, its error the error, and the lock is gone', async () => {
  const scratch = scratchDirectory();
  const name = path.join(scratch, 'name');
  assert.equal(await withLock(name, async () => 7), 7);
  await assert.rejects(
    withLock(name, async () => {
      throw new RangeError('inside');
    }),
    RangeError,
  );
  assert.deepEqual(readdirSync(scratch), []);
});

test('processes work one after the other', { timeout: 60_000 }, async () => {
  const scratch = scratchDirectory();
  const log = path.join(scratch, 'log');
  writeFileSync(log, '');
  const script = `import { withLock } from ${MODULE};
    import { appendFileSync } from 'node:fs';
    await withLock(${JSON.stringify(path.join(scratch, 'name'))}, async () => {
      appendFileSync(${JSON.stringify(log)}, 'in ');
      await new Promise((resolve) => setTimeout(resolve, 50));
      appendFileSync(${JSON.stringify(log)}, 'out ');
    });`;
  const all = Array.from({ length: 4 }, () =>
    once(spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }), 'close'),
  );
  for (const [code] of await Promise.all(all)) assert.equal(code, 0);
  assert.equal(readFileSync(log, 'utf8'), 'in out '.repeat(4));
});

test('the lock of a killed process is taken over without waiting for its age', {
  timeout: 60_000,
}, async () => {
  const scratch = scratchDirectory();
  const name = path.join(scratch, 'name');
  const script = `import { withLock } from ${MODULE};
    await withLock(${JSON.stringify(name)}, async () => process.kill(process.pid, 'SIGKILL'));`;
  await once(spawn(process.execPath, ['--input-type=module', '-e', script]), 'close');
  assert.ok(readdirSync(scratch).length > 0, 'it left its lock');
  const before = performance.now();
  assert.equal(await withLock(name, async () => 1), 1);
  assert.ok(performance.now() - before < 15_000, 'it waited as for a living one');
});

test('who waits for a process that is killed meanwhile does not wait for the age of its lock', {
  timeout: 60_000,
}, async () => {
  const name = path.join(scratchDirectory(), 'name');
  const script = `import { withLock } from ${MODULE};
    await withLock(${JSON.stringify(name)}, async () => {
      process.stdout.write('in');
      await new Promise((resolve) => setTimeout(resolve, 60000));
    });`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script]);
  await once(holder.stdout, 'data');
  const waiting = withLock(name, async () => performance.now());
  setTimeout(() => holder.kill('SIGKILL'), 300);
  await once(holder, 'close');
  const ended = performance.now();
  assert.ok((await waiting) - ended < 15_000, 'it waited as for a living one');
});

test('a lock of a process that was killed before it said who it is', { timeout: 30_000 }, async () => {
  const name = path.join(scratchDirectory(), 'name');
  mkdirSync(`${name}.lock`);
  const before = performance.now();
  assert.equal(await withLock(name, async () => 1), 1);
  mkdirSync(`${name}.lock`);
  writeFileSync(`${name}.owner`, ''); // killed between open(2) and write(2)
  assert.equal(await withLock(name, async () => 2), 2);
  assert.ok(performance.now() - before < 15_000, 'it waited as for a living one');
});

test('locks that were left behind are taken away, and no other', async () => {
  const scratch = scratchDirectory();
  const gone = `${processIdentity().split('.')[0]}.4194304`; // more than the kernel gives (proc(5), pid_max)
  for (const [name, owner] of [
    ['gone', gone],
    ['mine', processIdentity()],
  ] as const) {
    mkdirSync(path.join(scratch, `${name}.lock`));
    writeFileSync(path.join(scratch, `${name}.owner`), owner);
  }
  mkdirSync(path.join(scratch, 'fresh.lock'));
  // Its lock is gone: nothing could be written, or the process was killed behind it.
  for (const name of ['alone', 'written']) writeFileSync(path.join(scratch, `${name}.owner`), '');
  utimesSync(path.join(scratch, 'alone.owner'), 1, 1);
  removeStaleLocks(scratch);
  assert.deepEqual(readdirSync(scratch).sort(), ['fresh.lock', 'mine.lock', 'mine.owner', 'written.owner']);
});

test('what another machine or an earlier boot left is taken away when it is old, with a lock or without', () => {
  const scratch = scratchDirectory();
  const elsewhere = `${processIdentity()
    .split('.')[0]
    ?.replace(/.$/, (digit) => String(9 - Number(digit)))}.4194304`;
  for (const name of ['fresh', 'old', 'alone']) {
    writeFileSync(path.join(scratch, `${name}.owner`), elsewhere);
    if (name !== 'alone') mkdirSync(path.join(scratch, `${name}.lock`));
  }
  removeStaleLocks(scratch);
  assert.equal(readdirSync(scratch).length, 5);
  // The holder sets the time of the lock again and again, not that of its name.
  utimesSync(path.join(scratch, 'fresh.owner'), 1, 1);
  for (const name of ['old.lock', 'alone.owner']) utimesSync(path.join(scratch, name), 1, 1);
  removeStaleLocks(scratch);
  assert.deepEqual(readdirSync(scratch).sort(), ['fresh.lock', 'fresh.owner']);
});

test('where no lock can be had the work is done all the same', { timeout: 60_000 }, async () => {
  const scratch = scratchDirectory();
  assert.equal(await withLock(path.join(scratch, 'no/such/directory/name'), async () => 1), 1);
  assert.equal(await withLock('/dev/null/name', async () => 2), 2);
});
