// A patched copy under strace and gdb: it runs, it stops in a library, and the debugger knows its files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { putSelf, reportOf } from './self.ts';

needTool('strace', 'strace');
needTool('gdb', 'gdb');
const rig = await ensureRig('full');
const root = await openToolRoot(rig);
// On the host, where the system's own loader sits at the interpreter path: a copy is what keeps /proc/self/exe there.
const launcher = path.resolve(import.meta.dirname, '../../../bin/nix-run-foreign');
const program = onHost(root, putSelf(root, 'self', 'with payload'));

async function copyOf(): Promise<string> {
  const seen = reportOf(await root.runOnHost({ argv: [launcher, program, 'report'] }));
  const copy = seen['exe'] ?? '';
  assert.match(copy, /\/copies\/[0-9a-f]{32}\/bin\/self$/);
  return copy;
}

test('strace: one execve of the launcher, one of the copy', async () => {
  const copy = await copyOf();
  const log = path.join(root.homeDir, 'trace');
  const traced = ['strace', '-o', log, '-e', 'trace=execve', launcher, program, 'report'] as const;
  assert.equal(reportOf(await root.runOnHost({ argv: traced }))['payload'], 'hello');
  const calls = readFileSync(log, 'utf8').match(/^execve\("[^"]*"/gm);
  assert.deepEqual(calls, [`execve("${launcher}"`, `execve("${copy}"`]);
});

test('gdb stops in a library of the store, called by the program', async () => {
  const copy = await copyOf();
  const commands = ['set breakpoint pending on', 'break zlibVersion', 'run', 'backtrace', 'continue'];
  const gdb = [
    'gdb',
    '-nx',
    '-batch',
    ...commands.flatMap((each) => ['-ex', each]),
    '--args',
    copy,
    'report',
  ];
  const { stdout, stderr } = await root.runOnHost({ argv: gdb as [string, ...string[]] });
  assert.match(stdout, /^#0 .*zlibVersion .*libz\.so\.1/m, stderr);
  assert.match(stdout, /^#1 .* in report /m);
  assert.match(stdout, /^payload hello$/m);
  assert.match(stdout, /exited normally/);
});
