// Roots of fetches that were killed, and of one at work → those that prune drops.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { dropFetching } from '../../src/cli/prune.ts';
import { temporaryName } from '../../src/host/atomic-file.ts';
import { processIdentity } from '../../src/host/mutex.ts';

const state = mkdtempSync(path.join(tmpdir(), 'prune-fetching-'));
after(() => rmSync(state, { recursive: true, force: true }));
const fetching = path.join(state, 'fetching');

/** Larger than any process id (proc(5), pid_max). */
const GONE = 2 ** 22 + 1;

function fetchOf(name: string): void {
  mkdirSync(path.join(fetching, name), { recursive: true });
  symlinkSync('/nowhere', path.join(fetching, name, 'link'));
}

test('prune drops what killed fetches left, whatever is beside it, and spares a fetch at work', () => {
  const running = path.basename(temporaryName(path.join(fetching, 'index')));
  const [namespace] = processIdentity().split('.');
  fetchOf(running);
  fetchOf(`.index.${namespace}.${GONE}.1.tmp`);
  for (const name of ['.first', 'last']) symlinkSync('/nowhere', path.join(fetching, name));
  dropFetching({ state });
  assert.deepEqual(readdirSync(fetching), [running]);
  assert.deepEqual(readdirSync(path.join(fetching, running)), ['link']);
});

test('nothing was ever fetched', () => {
  dropFetching({ state: path.join(state, 'none') });
});
