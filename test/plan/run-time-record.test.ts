// A run-time directory in every state → what is remembered of its program, and whether the next start must look again.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  forgetLearned,
  hasNews,
  learnedIn,
  opensPassingFiles,
  readRunTimeRecord,
  solveAgain,
  writeRunTimeRecord,
} from '../../src/plan/run-time-record.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'run-time-record-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const NOW = '2026-01-02T03:04:05.000Z';
const plugIn = path.join(scratch, 'plug.so');
writeFileSync(plugIn, '');
let count = 0;

function directory(learned: readonly string[]): string {
  count += 1;
  const made = path.join(scratch, `directory-${count}`);
  mkdirSync(made);
  writeFileSync(path.join(made, 'learned'), learned.map((each) => `${each}\0`).join(''));
  return made;
}

test('a plug-in that the set does not count is news; one that is gone is none', () => {
  const made = directory([plugIn, '/gone/plug.so', 'relative']);
  assert.ok(hasNews(made));
  assert.deepEqual(learnedIn(made, NOW).plugIns, [{ path: plugIn, when: NOW }]);
  writeRunTimeRecord(made, { program: '/opt/tool', names: [], plugIns: [{ path: plugIn }] });
  assert.ok(!hasNews(made));
  assert.deepEqual(learnedIn(made, NOW).plugIns, [{ path: plugIn }]);
});

test('what could not be had beside what was loaded is news until the set was solved again', () => {
  const made = directory([]);
  assert.ok(!hasNews(made));
  solveAgain(made);
  assert.ok(hasNews(made));
});

test('a program that opens files which are gone again is known for that', () => {
  assert.ok(!opensPassingFiles(directory([plugIn])));
  const made = directory([plugIn, '/tmp/gone-1.so']);
  assert.ok(opensPassingFiles(made));
  writeRunTimeRecord(made, { program: '/opt/tool', names: [], plugIns: [], passing: true });
  writeFileSync(path.join(made, 'learned'), '');
  assert.ok(opensPassingFiles(made));
});

test('forgotten is what was learned, and the next start solves anew', () => {
  const made = directory([plugIn]);
  const names = [{ name: 'libz.so.1', requester: '', when: NOW }];
  writeRunTimeRecord(made, { program: '/opt/tool', names, plugIns: [{ path: plugIn, when: NOW }] });
  forgetLearned(made);
  assert.deepEqual(readRunTimeRecord(made), { program: '/opt/tool', names: [], plugIns: [] });
  assert.deepEqual(learnedIn(made, NOW), { names: [], plugIns: [] });
  assert.ok(hasNews(made));
});

test('a damaged or missing record is none', () => {
  const made = directory([]);
  for (const text of ['', '{', '[]', 'null', '{"program":1}', '{"program":"/a","names":{},"plugIns":[]}']) {
    writeFileSync(path.join(made, 'record.json'), text);
    assert.equal(readRunTimeRecord(made), undefined);
    assert.deepEqual(learnedIn(made, NOW), { names: [], plugIns: [] });
  }
  assert.equal(readRunTimeRecord('/nowhere'), undefined);
  assert.ok(!hasNews('/nowhere'));
});

test('of a program that opens a new name each time not all are remembered', () => {
  const made = directory([]);
  const names = Array.from({ length: 700 }, (_, at) => ({ name: `lib${at}.so`, requester: '', when: NOW }));
  writeRunTimeRecord(made, { program: '/opt/tool', names, plugIns: [] });
  assert.equal(readRunTimeRecord(made)?.names.length, 500);
  assert.equal(readRunTimeRecord(made)?.names.at(-1)?.name, 'lib699.so');
});
