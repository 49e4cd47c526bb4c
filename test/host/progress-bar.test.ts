// Work that takes longer than a second → a bar on a terminal, and nothing anywhere else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sha256OfFile, sha256OfProgram } from '../../src/host/file-identity.ts';
import { FROM_SOURCES } from '../from-sources.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const program = path.join(import.meta.dirname, 'programs/draw-bar.ts');
const words = [...FROM_SOURCES, program];

test('a bar on a terminal, once a second is over', () => {
  needTool('script', 'bsdutils');
  const line = [process.execPath, ...words].join(' ');
  const ended = spawnSync('script', ['-qec', line, '/dev/null'], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(ended.status, 0, ended.stderr);
  assert.match(ended.stdout, /nix-run-foreign: working .* 2\/10/);
  assert.doesNotMatch(ended.stdout, / 1\/10/);
});

test('none in a pipe', () => {
  const ended = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 60_000 });
  assert.deepEqual([ended.status, ended.stdout, ended.stderr], [0, '', '']);
});

test('a large program has the hash of its bytes', async () => {
  const file = path.join(scratchDirectory(), 'large');
  writeFileSync(file, 'x');
  truncateSync(file, 65 << 20);
  assert.equal(await sha256OfProgram(file), sha256OfFile(file));
});
