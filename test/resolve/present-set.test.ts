// A process that asks for a library → the set of its program, without the program being read where it is the same file.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { machinesRunBy } from '../../src/elf/machine.ts';
import { canonicalText } from '../../src/fingerprint/fingerprint.ts';
import { type Directories, temporaryDirectories } from '../../src/host/directories.ts';
import { writePlan } from '../../src/plan/plan-files.ts';
import { inspectProgram, type ProgramFile } from '../../src/program/inspect-program.ts';
import type { Context } from '../../src/resolve/context.ts';
import { type Extension, openExtension } from '../../src/resolve/present-set.ts';
import { good, STORE } from '../fingerprint/documents.ts';
import { barePlan } from '../plan/bare-plan.ts';

const place = mkdtempSync(path.join(tmpdir(), 'present-set-'));
after(() => rmSync(place, { recursive: true }));
const [uid = 0, gid = 0] = [process.geteuid?.(), process.getegid?.()];
const dirs: Directories = { ...temporaryDirectories(uid), cache: place, plans: path.join(place, 'plans') };
mkdirSync(dirs.plans, { mode: 0o700 });
const host = { storeDir: STORE, hostMachines: machinesRunBy(process.arch), uid, gid };
const context = { env: {}, host, location: { storeDir: STORE } } as unknown as Context;

const program = path.join(place, 'tool');
const copy = path.join(place, 'copies/of-tool/tool');
mkdirSync(path.dirname(copy), { recursive: true });
for (const file of [program, copy]) copyFileSync('/bin/true', file);
const directory = path.join(place, 'run-time/of-tool');
const root = path.join(place, 'root');
writeFileSync(root, canonicalText(good));

function isAsking(file: ProgramFile): file is Extension['program'] {
  return file.elf !== undefined;
}

async function fingerprintOfNow(file = program): Promise<Extension['fingerprint']> {
  const asking = inspectProgram(file, host);
  assert.ok(isAsking(asking));
  const question = { directory, processId: process.pid, requester: '', name: 'libz.so.1' };
  return (await openExtension(question, asking, context, dirs)).fingerprint;
}

test('the file that was planned is not read; another one, or a touched one, is', async () => {
  // A hash that is not the file's shows who reads it.
  const { sha256 } = good.program;
  const auditModule = path.join(directory, 'nix-foreign-audit.so');
  const { identity } = inspectProgram(program, host);
  writePlan(dirs, barePlan(program, { identity, sha256, root, auditModule }));
  assert.deepEqual(await fingerprintOfNow(), good);
  utimesSync(program, 1, 1);
  assert.equal(await fingerprintOfNow(), undefined);
});

test('a patched copy is read: its plan has the hash of the original', async () => {
  const { sha256 } = good.program;
  const auditModule = path.join(directory, 'nix-foreign-audit.so');
  const { identity } = inspectProgram(copy, host);
  writePlan(dirs, barePlan(copy, { identity, sha256, root, auditModule }));
  assert.equal(await fingerprintOfNow(copy), undefined);
});
