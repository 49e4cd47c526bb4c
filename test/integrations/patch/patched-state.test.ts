// The record of a farm → the same with files more or less, also where several processes change it at once.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  dropPatched,
  forgetPatched,
  keepPatched,
  missingMark,
  readPatchedRecord,
  settlePatched,
  withdrawPatched,
} from '../../../src/integrations/patch/patched-state.ts';
import { undoText } from '../../../src/integrations/patch/undo-record.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-records-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const undo = undoText([]);

function placeNamed(name: string) {
  const dirs = { state: path.join(dir, name, 'state'), locks: path.join(dir, name, 'locks') };
  mkdirSync(dirs.locks, { recursive: true });
  return dirs;
}

const stats = { mode: 0o755, mtime: '-5' };
const farm = '/nix/store/abc-f';

const MODULE = path.resolve(import.meta.dirname, '../../../src/integrations/patch/patched-state.ts');
const KEEP = `
  const [module, dirs, undo, who] = process.argv.slice(1);
  const { keepPatched } = await import(module);
  for (let count = 0; count < 12; count += 1)
    await keepPatched(JSON.parse(dirs), { farm: '${farm}', undo, stats: { mode: 493, mtime: '0' } }, ['/' + who + '/' + count]);`;

test('four processes at once: no name is lost', async () => {
  const dirs = placeNamed('at-once');
  const children = [1, 2, 3, 4].map((who) =>
    spawn(
      process.execPath,
      ['--input-type=module', '-e', KEEP, '--', MODULE, JSON.stringify(dirs), undo, String(who)],
      { stdio: 'inherit' },
    ),
  );
  const ends = await Promise.all(children.map((child) => once(child, 'exit')));
  assert.deepEqual(
    ends.map(([status]) => status),
    [0, 0, 0, 0],
  );
  assert.equal(readPatchedRecord(dirs, farm)?.files.length, 48);
});

test('what was forgotten says where it was, and since when none is known', async () => {
  const dirs = placeNamed('forgotten');
  assert.deepEqual(await keepPatched(dirs, { farm, undo, stats }, ['/a', '/b']), ['/a', '/b']);
  await settlePatched(dirs, farm);
  assert.deepEqual(readPatchedRecord(dirs, farm)?.own, { '/a': stats, '/b': stats });
  await forgetPatched(dirs, farm, ['/a']);
  assert.ok(!existsSync(missingMark(dirs, farm)));
  await forgetPatched(dirs, farm, ['/b']);
  assert.deepEqual(readPatchedRecord(dirs, farm), { farm, files: [], former: ['/a', '/b'], undo });
  assert.ok(existsSync(missingMark(dirs, farm)));
  await keepPatched(dirs, { farm, undo, stats }, ['/c']);
  await settlePatched(dirs, farm);
  assert.ok(!existsSync(missingMark(dirs, farm)));
});

test('a patch that failed takes back its own names only', async () => {
  const dirs = placeNamed('failed');
  await keepPatched(dirs, { farm, undo, stats }, ['/a']);
  const added = await keepPatched(dirs, { farm, undo, stats }, ['/a', '/b']);
  assert.deepEqual(added, ['/b']);
  await dropPatched(dirs, farm, added);
  assert.deepEqual(readPatchedRecord(dirs, farm)?.files, ['/a']);
  await dropPatched(dirs, farm, ['/a']);
  assert.equal(readPatchedRecord(dirs, farm), undefined);
});

test('a patch that failed leaves the record of what was unpatched, and takes the one that it began', async () => {
  const dirs = placeNamed('withdrawn');
  await withdrawPatched(dirs, farm, await keepPatched(dirs, { farm, undo, stats }, ['/a']));
  assert.equal(readPatchedRecord(dirs, farm), undefined);
  await keepPatched(dirs, { farm, undo, stats }, ['/a']);
  await settlePatched(dirs, farm);
  await forgetPatched(dirs, farm, ['/a']);
  const before = readPatchedRecord(dirs, farm);
  assert.deepEqual(before, { farm, files: [], former: ['/a'], undo });
  await withdrawPatched(dirs, farm, await keepPatched(dirs, { farm, undo, stats }, ['/a', '/b']));
  assert.deepEqual(readPatchedRecord(dirs, farm), before);
  assert.ok(existsSync(missingMark(dirs, farm)));
});
