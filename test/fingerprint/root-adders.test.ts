// Pinners for one link: one waits at a time, each pins once, none is left behind.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRootAdders } from '../../src/fingerprint/save-and-pin.ts';
import type { Nix } from '../../src/store/nix.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();

/** A Nix that writes down its process id and waits for its input as the real one does, then fails. */
function countingNix(name: string): { nix: Nix; started: () => number[] } {
  const at = (...names: string[]) => path.join(scratch, name, ...names);
  for (const directory of ['bin', 'store', 'state/db']) mkdirSync(at(directory), { recursive: true });
  writeFileSync(at('state/db/db.sqlite'), '');
  writeFileSync(at('log'), '');
  writeFileSync(at('bin/nix-instantiate'), `#!/bin/sh\necho $$ >> ${at('log')}\ncat > /dev/null\nexit 1\n`);
  chmodSync(at('bin/nix-instantiate'), 0o755);
  const env = { NIX_STORE_DIR: at('store'), NIX_STATE_DIR: at('state'), PATH: '/usr/bin:/bin' };
  const started = () => readFileSync(at('log'), 'utf8').trim().split('\n').filter(Boolean).map(Number);
  return { nix: { bin: at('bin'), env }, started };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isSo(); i += 1) await sleep(10);
  assert.ok(isSo());
}

function isRunning(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

const text = { name: 'text', content: 'text', references: [] };

test('the one that was started at once serves the first who asks; the next gets another', async () => {
  const { nix, started } = countingNix('first');
  const supply = startRootAdders(nix, path.join(scratch, 'first/roots/link'), 'now');
  await until(() => started().length === 1);
  const first = supply.current();
  assert.equal((await first?.pin(text))?.kind, 'refused');
  assert.equal(started().length, 1);
  assert.equal((await supply.current()?.pin(text))?.kind, 'refused');
  assert.equal(started().length, 2);
});

test('one that nobody needs is ended', async () => {
  const { nix, started } = countingNix('unused');
  const supply = startRootAdders(nix, path.join(scratch, 'unused/roots/link'), 'now');
  await until(() => started().length === 1);
  const [pid] = started();
  assert.ok(isRunning(pid));
  supply.close();
  await until(() => !isRunning(pid));
});

test('later means when somebody asks', async () => {
  const { nix, started } = countingNix('later');
  const supply = startRootAdders(nix, path.join(scratch, 'later/roots/link'), 'later');
  await sleep(50);
  assert.equal(started().length, 0);
  await supply.current()?.pin(text);
  assert.equal(started().length, 1);
});

test('without Nix there is none', () => {
  assert.equal(startRootAdders(undefined, path.join(scratch, 'none/link'), 'now').current(), undefined);
});
