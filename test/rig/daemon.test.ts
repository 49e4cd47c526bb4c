// A daemon that never listens → a failure that says so, with nothing left that keeps the test's process alive.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { scratchDirectory } from '../store/compiled-library.ts';
import { startDaemon } from './daemon.ts';

afterEach(
  async () => {
    // Closing takes a turn of the event loop.
    while (process.getActiveResourcesInfo().includes('FSEventWrap')) await setImmediate();
  },
  { timeout: 5000 },
);

test('one that neither listens nor ends', { timeout: 20_000 }, async () => {
  const nixDir = scratchDirectory();
  await assert.rejects(
    startDaemon({ nixDir }, ['sh', '-c', 'echo no user >&2; exec sleep 300'], 500),
    (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /^nix-daemon has no socket after 500 ms: no user\n$/);
      return true;
    },
  );
});

test('one that ends', { timeout: 20_000 }, async () => {
  const nixDir = scratchDirectory();
  await assert.rejects(startDaemon({ nixDir }, ['sh', '-c', 'echo no store >&2; exit 1']), /ended: no store/);
});
