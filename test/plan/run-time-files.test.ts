// The directory of a program's audit module made again and again → a start at any moment finds the module in it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  AUDIT_MODULE,
  addAnswers,
  addLearned,
  auditModuleOnce,
  isAnswered,
  makeRunTimeDirectory,
  readLearned,
} from '../../src/plan/run-time-files.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'run-time-files-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const MODULE = JSON.stringify(path.resolve(import.meta.dirname, '../../src/plan/run-time-files.ts'));
const SETTINGS = {
  storeDir: '/nix/store',
  notLearned: [],
  environment: {},
  defaultDirectories: [],
};

test('the module is there while the directory is made again', { timeout: 60_000 }, async () => {
  const [directory, module] = [path.join(scratch, 'a'), path.join(scratch, 'module.so')];
  writeFileSync(module, '');
  makeRunTimeDirectory(directory, module, SETTINGS);
  const script = `import { makeRunTimeDirectory } from ${MODULE};
    const [directory, module, settings] = ${JSON.stringify([directory, module, SETTINGS])};
    for (let i = 0; i < 1500; i += 1) makeRunTimeDirectory(directory, module, settings);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  const ended = once(child, 'close');
  let [missing, looked] = [0, 0];
  while (child.exitCode === null && child.signalCode === null) {
    for (let i = 0; i < 500; i += 1) {
      looked += 1;
      for (const name of [AUDIT_MODULE, auditModuleOnce()])
        if (statSync(path.join(directory, name), { throwIfNoEntry: false }) === undefined) missing += 1;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await ended, [0, null]);
  assert.ok(looked > 1000);
  assert.equal(missing, 0);
  assert.ok(existsSync(path.join(directory, 'settings')));
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a name that could not be had is answered for one state of the catalogue, a file for each', () => {
  const directory = path.join(scratch, 'answered');
  makeRunTimeDirectory(directory, path.join(scratch, 'module.so'), SETTINGS);
  assert.equal(isAnswered(directory, 'libnone.so.1', 7n), false);
  const answers = new Map([
    ['libnone.so.1', undefined],
    ['libhad.so.1', '/opt/libhad.so.1'],
  ]);
  addAnswers(directory, answers, 7n);
  for (const [state, isNone] of [
    [7n, true],
    [8n, false],
    [undefined, false],
  ] as const) {
    assert.equal(isAnswered(directory, 'libnone.so.1', state), isNone);
    assert.equal(isAnswered(directory, 'libhad.so.1', state), true);
  }
});

test('plug-ins are listed as long as the module reads the list, and what is listed stays', () => {
  const directory = path.join(scratch, 'listed');
  makeRunTimeDirectory(directory, path.join(scratch, 'module.so'), SETTINGS);
  addLearned(directory, ['/opt/a.so', '/opt/b.so']);
  addLearned(directory, ['/opt/c.so']);
  addLearned(directory, []);
  const all = ['/opt/a.so', '/opt/b.so', '/opt/c.so'];
  assert.deepEqual(readLearned(directory), all);
  addLearned(
    directory,
    Array.from({ length: 1000 }, (_, each) => `/opt/${'long/'.repeat(12)}${each}.so`),
  );
  assert.deepEqual(readLearned(directory), all);
});
