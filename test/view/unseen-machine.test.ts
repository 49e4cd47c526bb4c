// A machine on which no file can be looked at, as with a failing disk → a view all the same.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { machineOfSystem } from '../../src/elf/machine.ts';
import { temporaryDirectories } from '../../src/host/directories.ts';
import { findView } from '../../src/view/make-view.ts';

test('what a view needs absent is told, and the search for it ends at the root directory', (t) => {
  t.mock.method(fs, 'existsSync', () => false);
  syncBuiltinESMExports();
  const machine = machineOfSystem('x86_64-linux') ?? assert.fail();
  const user = {
    launchers: [{ machine, file: '/none-such/launcher' }],
    uid: 0,
    searchPath: undefined,
    storeDir: '/none-such/store',
    dirs: temporaryDirectories(0),
  };
  const byPath = new Map([['/none-such/opt/libz.so.1', '/none-such/libz.so.1']]);
  const found = findView(machine, user, { byPath });
  t.mock.restoreAll();
  syncBuiltinESMExports();
  assert.ok(found?.view.absentOutside.includes('/none-such'), JSON.stringify(found?.view.absentOutside));
});
