// Compiled code beside a bundle → written by the first run, with nothing beside it of one that was killed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { temporaryName } from '../../src/host/atomic-file.ts';
import { MANAGER } from '../built-manager.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'compiled-code-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

for (const [bundle, words] of [
  ['main', ['--version']],
  ['resolver', ['resolve', '--from-launcher', '--', '/nowhere']],
] as const)
  test(`${bundle}: written for every user, and what a killed run left is gone`, () => {
    const installed = mkdtempSync(path.join(scratch, 'dist-'));
    const files = ['nix-foreign.cjs', 'main.cjs', 'resolver.cjs'];
    for (const name of files) cpSync(path.join(path.dirname(MANAGER), name), path.join(installed, name));
    const compiled = path.join(installed, `${bundle}.compiled`);
    // A process id that the kernel gives to none (proc(5), pid_max).
    writeFileSync(temporaryName(compiled).replace(/\.\d+(\.\d+\.tmp)$/, '.4194304$1'), 'half');
    const env = { HOME: scratch, PATH: process.env['PATH'] };
    spawnSync(process.execPath, [path.join(installed, 'nix-foreign.cjs'), ...words], { env });
    assert.deepEqual(readdirSync(installed).sort(), [`${bundle}.compiled`, ...files].sort());
    assert.equal(statSync(compiled).mode & 0o444, 0o444 & ~process.umask());
  });
