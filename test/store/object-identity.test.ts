// Store objects that are taken, made anew, or left alone.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { firstDisturbed, identitiesOf } from '../../src/store/fetch.ts';
import { scratchDirectory } from './compiled-library.ts';

const scratch = scratchDirectory();
const make = (name: string): string => {
  const object = path.join(scratch, name);
  mkdirSync(object);
  writeFileSync(path.join(object, 'lib'), name);
  return object;
};

test('what is left alone is the same', () => {
  const objects = [make('a'), make('b')];
  const before = identitiesOf(objects);
  assert.deepEqual([...before.keys()], objects);
  assert.equal(firstDisturbed(before), undefined);
});

test('what is gone, and what was made anew, is told', () => {
  const [taken, again] = [make('taken'), make('again')];
  const before = identitiesOf([again, taken]);
  rmSync(taken, { recursive: true });
  assert.equal(firstDisturbed(before), taken);
  rmSync(again, { recursive: true });
  make('again');
  assert.equal(firstDisturbed(identitiesOf([again])), undefined);
  assert.equal(firstDisturbed(before), again);
});

test('what was not there before does not count', () => {
  const later = path.join(scratch, 'later');
  const before = identitiesOf([later]);
  make('later');
  assert.equal(before.size, 0);
  assert.equal(firstDisturbed(before), undefined);
});
