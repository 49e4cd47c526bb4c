// A manner for a program is read as it was kept; what others could have written, or damaged, is none.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Directories } from '../../src/host/directories.ts';
import { readStrategy, saveStrategy } from '../../src/plan/strategy.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'wishes-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

let serial = 0;
function openPlace(): Directories {
  serial += 1;
  return { roots: path.join(scratch, String(serial), 'roots') } as Directories;
}
const directoryOf = (dirs: Directories) => path.join(path.dirname(dirs.roots), 'strategies');
const fileOf = (dirs: Directories) => path.join(directoryOf(dirs), readdirSync(directoryOf(dirs))[0] ?? '');

test('kept, replaced, taken back; each program has its own', () => {
  const dirs = openPlace();
  assert.equal(readStrategy([dirs], '/a'), undefined);
  saveStrategy(dirs, '/a', 'patched');
  saveStrategy(dirs, '/b', 'loader');
  saveStrategy(dirs, '/a', 'namespace');
  assert.deepEqual([readStrategy([dirs], '/a'), readStrategy([dirs], '/b')], ['namespace', 'loader']);
  saveStrategy(dirs, '/a', undefined);
  saveStrategy(dirs, '/never', undefined);
  assert.deepEqual([readStrategy([dirs], '/a'), readStrategy([dirs], '/b')], [undefined, 'loader']);
});

test('the first place that has one counts', () => {
  const [first, second] = [openPlace(), openPlace()];
  saveStrategy(second, '/a', 'patched');
  assert.equal(readStrategy([first, second], '/a'), 'patched');
  saveStrategy(first, '/a', 'loader');
  assert.equal(readStrategy([first, second], '/a'), 'loader');
});

test('what is damaged, of another program, a link, or open to others is passed over', () => {
  const dirs = openPlace();
  for (const text of [
    '',
    'patched',
    'patched\n/b\n',
    'magic\n/a\n',
    'patched\n/a',
    '\0\n/a\n',
    'patched\n/a\nx',
  ]) {
    saveStrategy(dirs, '/a', 'patched');
    writeFileSync(fileOf(dirs), text);
    assert.equal(readStrategy([dirs], '/a'), undefined, JSON.stringify(text));
  }
  saveStrategy(dirs, '/a', 'patched');
  chmodSync(fileOf(dirs), 0o666);
  assert.equal(readStrategy([dirs], '/a'), undefined);
  const file = fileOf(dirs);
  const other = path.join(scratch, 'elsewhere');
  writeFileSync(other, 'patched\n/a\n');
  rmSync(file);
  symlinkSync(other, file);
  assert.equal(readStrategy([dirs], '/a'), undefined);
});
