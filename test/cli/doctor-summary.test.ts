// Findings → the one sentence in front of them; directories → what lies in them costs.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Check } from '../../src/cli/doctor/checks.ts';
import { checkStarts, copiesCheck } from '../../src/cli/doctor/summary.ts';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const here = { arch: process.arch, env: {} };
const good: Check = { subject: 'store', state: 'ok', detail: '/nix/store' };

test('the ways are named; what only costs something is no hindrance', () => {
  const nix: Check = { subject: 'nix', state: 'lack', detail: 'x', remedy: 'y' };
  const { state, detail } = checkStarts([good, nix], here);
  assert.equal(state, 'ok');
  assert.match(detail, /^foreign programs start here: with nix-run-foreign in front/);
  assert.doesNotMatch(detail, /shell hook/);
  const hook: Check = { subject: 'hook', state: 'ok', detail: 'x' };
  assert.match(checkStarts([good, hook], here).detail, /; by their names, by the shell hook$/);
  const shims: Check = { subject: 'shims', state: 'ok', detail: 'x' };
  assert.match(checkStarts([good, shims], here).detail, /; by their names, those that have a shim$/);
});

for (const subject of ['configuration', 'store', 'launcher', 'directories'])
  test(`without ${subject} nothing starts, with the remedy of that`, () => {
    const missing: Check = { subject, state: 'lack', detail: 'it is gone', remedy: 'bring it back' };
    assert.deepEqual(checkStarts([missing], here), {
      subject: 'starts',
      state: 'lack',
      detail: 'foreign programs cannot be started here now: it is gone',
      remedy: 'bring it back',
    });
  });

test('copies and unpacked images are counted and weighed; none is no line', () => {
  const cache = scratchDirectory();
  const dirs = { ...temporaryDirectories(0), cache };
  assert.deepEqual(copiesCheck(dirs), []);
  for (const [name, size] of [
    ['copies/one/bin/tool', 3_000_000],
    ['copies/two/bin/tool', 1],
    ['unpacked/image/AppRun', 500],
  ] as const) {
    mkdirSync(path.join(cache, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(cache, name), Buffer.alloc(size));
  }
  assert.deepEqual(
    copiesCheck(dirs).map(({ detail }) => detail),
    ['2 patched copies, 4 MB; 1 unpacked AppImage, 1 MB'],
  );
});
