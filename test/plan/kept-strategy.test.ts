// A wish for a program is read as it was kept; what others could have written, or damaged, is none.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Place } from '../../src/host/directories.ts';
import { saveStrategy, readStrategy } from '../../src/plan/strategy.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'wishes-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

let serial = 0;
function openPlace(): Place {
  serial += 1;
  return { roots: path.join(scratch, String(serial), 'roots') } as Place;
}
const directoryOf = (place: Place) => path.join(path.dirname(place.roots), 'strategies');
const fileOf = (place: Place) => path.join(directoryOf(place), readdirSync(directoryOf(place))[0] ?? '');

test('kept, replaced, taken back; each program has its own', () => {
  const place = openPlace();
  assert.equal(readStrategy([place], '/a'), undefined);
  saveStrategy(place, '/a', 'patched');
  saveStrategy(place, '/b', 'loader');
  saveStrategy(place, '/a', 'namespace');
  assert.deepEqual([readStrategy([place], '/a'), readStrategy([place], '/b')], ['namespace', 'loader']);
  saveStrategy(place, '/a', undefined);
  saveStrategy(place, '/never', undefined);
  assert.deepEqual([readStrategy([place], '/a'), readStrategy([place], '/b')], [undefined, 'loader']);
});

test('the first place that has one counts', () => {
  const [first, second] = [openPlace(), openPlace()];
  saveStrategy(second, '/a', 'patched');
  assert.equal(readStrategy([first, second], '/a'), 'patched');
  saveStrategy(first, '/a', 'loader');
  assert.equal(readStrategy([first, second], '/a'), 'loader');
});

test('what is damaged, of another program, a link, or open to others is passed over', () => {
  const place = openPlace();
  for (const text of [
    '',
    'patched',
    'patched\n/b\n',
    'magic\n/a\n',
    'patched\n/a',
    '\0\n/a\n',
    'patched\n/a\nx',
  ]) {
    saveStrategy(place, '/a', 'patched');
    writeFileSync(fileOf(place), text);
    assert.equal(readStrategy([place], '/a'), undefined, JSON.stringify(text));
  }
  saveStrategy(place, '/a', 'patched');
  chmodSync(fileOf(place), 0o666);
  assert.equal(readStrategy([place], '/a'), undefined);
  const file = fileOf(place);
  const other = path.join(scratch, 'elsewhere');
  writeFileSync(other, 'patched\n/a\n');
  rmSync(file);
  symlinkSync(other, file);
  assert.equal(readStrategy([place], '/a'), undefined);
});
