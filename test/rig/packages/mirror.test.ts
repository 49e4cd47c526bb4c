// The mirror is the machine's own, whatever it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execa } from 'execa';
import { acquireSettings, debianMirror } from './mirror.ts';

test('is one of the addresses that apt uses', async () => {
  const mirror = await debianMirror();
  const { stdout } = await execa('apt-get', ['indextargets', '--format', '$(REPO_URI)']);
  assert.ok(stdout.split('\n').includes(mirror));
  assert.match(mirror, /^[a-z+]+:\S+$/);
});

test('takes over how the mirror is reached, and nothing else of the configuration', async () => {
  for (const line of (await acquireSettings()).split('\n')) {
    assert.match(line, /^$|^Acquire::(http|https|Retries|ForceIPv[46])\b.*;$/);
  }
});
