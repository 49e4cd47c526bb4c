// The list of attacks in docs/security.md → each line names a test that is there, and every line says what stops it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const PROJECT = path.resolve(import.meta.dirname, '..');

interface Line {
  readonly attack: string;
  readonly stops: string;
  readonly file: string;
  readonly words: string;
}

/** The rows below the heading; the last cell is a file and words of the test in it. */
function attacks(): Line[] {
  const text = readFileSync(path.join(PROJECT, 'docs/security.md'), 'utf8');
  const section = /^## Attacks\n([\s\S]*?)^## /m.exec(text)?.[1] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| attack ') && !line.startsWith('| ---'))
    .map((line) => {
      const [attack = '', stops = '', named = ''] = line.slice(2, -2).split(' | ');
      const [, file = '', words = ''] = /^`([^`]+)`: (.+)$/.exec(named) ?? [];
      return { attack, stops, file, words };
    });
}

/** With the situations that it imports from beside it. */
function textOfTest(file: string): string {
  const text = readFileSync(path.join(PROJECT, file), 'utf8');
  const beside = [...text.matchAll(/ from '(\.\/[\w-]+\.ts)'/g)].map(([, name = '']) => name);
  const files = beside.map((name) => path.join(PROJECT, path.dirname(file), name));
  return [text, ...files.map((each) => readFileSync(each, 'utf8'))].join('\n');
}

test('every line names a test that is there', () => {
  const lines = attacks();
  assert.ok(lines.length > 30, `${lines.length} lines`);
  const missing = lines.filter(({ file, words }) => {
    // One word would stand in many tests.
    if (!words.includes(' ') || !existsSync(path.join(PROJECT, file))) return true;
    return !textOfTest(file).includes(words);
  });
  assert.deepEqual(missing, []);
});

test('every line says what stops the attack, and none is there twice', () => {
  const lines = attacks();
  assert.deepEqual(
    lines.filter(({ attack, stops }) => attack === '' || stops === ''),
    [],
  );
  assert.equal(new Set(lines.map(({ attack }) => attack)).size, lines.length);
});
