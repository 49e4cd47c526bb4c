// A program of 96 bytes → whether the kernel takes it, or refuses its machine.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runs32Bit, tinyProgram } from '../../src/host/kernel-support.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();

test('the program itself is sound: an emulator that needs no kernel for it runs it', () => {
  needTool('qemu-i386', 'qemu-user');
  const file = path.join(scratch, 'tiny');
  writeFileSync(file, tinyProgram(), { mode: 0o700 });
  assert.equal(spawnSync('qemu-i386', [file]).status, 42);
});

test('the answer is that of the kernel, and nothing is left', () => {
  const file = path.join(scratch, 'asked');
  writeFileSync(file, tinyProgram(), { mode: 0o700 });
  const { status } = spawnSync(file);
  assert.equal(runs32Bit(scratch), status === 42 ? 'yes' : 'no');
  assert.deepEqual(readdirSync(scratch).sort(), ['asked', 'tiny']);
});

test('a machine that no kernel of this one runs is refused; where nothing is executed nobody knows', () => {
  assert.equal(runs32Bit(scratch, tinyProgram(0x1234)), 'no');
  assert.equal(runs32Bit('/proc'), 'unknown');
});
