// An object of a process, as ld.so calls it → its whole path, from wherever the process is now.
import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { wholePathOf } from '../../src/resolve/running-process.ts';

const loaded = realpathSync(process.execPath);
const [directory, name] = [path.dirname(loaded), path.basename(loaded)];

test('a whole path, and that of the program, which has none, stay', () => {
  for (const each of ['', '/nowhere/p.so']) assert.equal(wholePathOf(process.pid, each, directory), each);
});

test('a relative one begins where the process is', () => {
  const above = path.join(path.basename(directory), name);
  assert.equal(wholePathOf(process.pid, `./${name}`, directory), loaded);
  assert.equal(wholePathOf(process.pid, `../${above}`, directory), loaded);
});

test('what lies there now and is not loaded is not meant: it is what is loaded and ends so', () => {
  const own = path.basename(import.meta.filename);
  assert.equal(wholePathOf(process.pid, `./${own}`, import.meta.dirname), `./${own}`);
  assert.equal(wholePathOf(process.pid, `./${name}`, '/nowhere'), loaded);
  assert.equal(wholePathOf(process.pid, `../${name}`), loaded);
});
