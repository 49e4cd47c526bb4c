// Words and paths → what shells make of them when they are typed as they are printed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { printableLine } from '../../src/host/output.ts';
import { fileWord, scriptWord, shellWord } from '../../src/host/shell-words.ts';
import { needTool } from '../launcher/tool-fixture.ts';

const words = [
  '',
  'a b;c',
  "it's",
  "'",
  '\\',
  'a\\',
  "\\'\\\\'",
  '$HOME `id` $(id) "x" !! *?[a] {a,b} ~ #a & | < > ( ) %1 ^',
  '=ls',
  '~',
  'é 日 \u{1f600}',
  '-x',
] as const;
const controls = [
  "a\nb\tc'd\\e",
  '\u001b[31mred',
  '7\u00077',
  'x\u0085\u202ey\u007f',
  '\n',
  'é\r日!',
] as const;

for (const shell of ['bash', 'zsh', 'dash', 'fish'] as const)
  test(`${shell} takes each as one word`, () => {
    needTool(shell, shell);
    // Neither form is common to all: shell-words.ts.
    const all = shell === 'dash' || shell === 'fish' ? words : [...words, ...controls];
    const line = `printf '%s\\0' ${all.map(shellWord).join(' ')}`;
    assert.equal(printableLine(line), line);
    const output = execFileSync(shell, ['-c', line], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    });
    assert.deepEqual(output.split('\0').slice(0, -1), all);
  });

test('a script has control characters as they are, which every sh takes', () => {
  const all = [...words, ...controls];
  const output = execFileSync('dash', ['-c', `printf '%s\\0' ${all.map(scriptWord).join(' ')}`], {
    encoding: 'utf8',
  });
  assert.deepEqual(output.split('\0').slice(0, -1), all);
});

test('what needs no quotes has none', () => {
  for (const word of ['/opt/x-1.2/bin/tool', 'libz.so.1=/nix/store/a+b_c@d:e', 'a,b'])
    assert.equal(shellWord(word), word);
});

test('a path is no option', () => {
  assert.equal(fileWord('-x/y'), './-x/y');
  assert.equal(fileWord('-x y/z'), "'./-x y/z'");
  assert.equal(fileWord('/-x'), '/-x');
  assert.equal(fileWord('tool'), 'tool');
});
