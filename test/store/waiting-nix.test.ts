// A Nix that waits for a collector, or that waits for us → what is on stderr meanwhile: its words, or nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FROM_SOURCES } from '../from-sources.ts';
import { scratchDirectory } from './compiled-library.ts';

const PROGRAM = path.join(import.meta.dirname, 'programs/ask-slowly.ts');
const scratch = scratchDirectory();
const at = (name: string): string => path.join(scratch, name);
const WORDS = 'waiting for the big garbage collector lock...';

/** Nix commands that warn as they start, and wait that many seconds for a lock once they know what to do. */
function putNix(seconds: number): void {
  const wait = `echo '${WORDS}' >&2; sleep ${seconds}`;
  const hold = `echo text > ${at('text')}; echo 'Derive([],[],["${at('text')}"]' > ${at('drv')}; ln -sfn ${at('drv')} ${at('link')}`;
  const commands = {
    'nix-instantiate': `echo 'warning: an unknown setting' >&2; cat > /dev/null; ${wait}; ${hold}`,
    'nix-store': wait,
  };
  for (const [name, script] of Object.entries(commands))
    writeFileSync(at(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function saidBy(request: string, milliseconds = 0): string {
  const words = [...FROM_SOURCES, PROGRAM, scratch, at('link'), String(milliseconds), request];
  const ended = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 30_000 });
  assert.equal(ended.status, 0, ended.stderr);
  if (request === 'pin') assert.equal(JSON.parse(ended.stdout).kind, 'pinned', ended.stdout);
  return ended.stderr;
}

for (const request of ['pin', 'root', 'dump']) {
  test(`what Nix waits for is said while it does: ${request}`, () => {
    putNix(2);
    assert.equal(saidBy(request), `${WORDS}\n`);
  });
}

test('of a Nix that answers at once nothing is said, however long it waited for us', () => {
  putNix(0);
  assert.equal(saidBy('pin', 1500), '');
});
