// The help of everything that has one → whether it fits a terminal of 24 lines and 80 columns, prompt included.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { COMMANDS, GROUPS } from '../../src/cli/commands.ts';
import { LAUNCHER_OPTIONS } from '../../src/cli/completions/completion-table.ts';
import { HEADINGS } from '../../src/cli/help-text.ts';
import { MANAGER } from '../built-manager.ts';

function helpOf(words: readonly string[]): string {
  return execFileSync(process.execPath, [MANAGER, ...words, '--help'], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', COLUMNS: '80' },
  });
}

/** The prompt that comes after it takes the last line. */
function fits(text: string): void {
  const lines = text.trimEnd().split('\n');
  assert.ok(lines.length <= 23, `${lines.length} lines:\n${text}`);
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
}

/** What launcher/options.c prints. */
function helpOfLauncher(): string {
  const file = path.resolve(import.meta.dirname, '../../launcher/options.c');
  const [, literal = ''] = /help\[\] =\n([\s\S]*?);\n\n/.exec(readFileSync(file, 'utf8')) ?? [];
  return [...literal.matchAll(/"(.*)"/g)].map(([, text = '']) => text.replaceAll('\\n', '\n')).join('');
}

const nameOf = (usage: string): string => usage.replace(/ [<[].*/, '');
const words = [...COMMANDS.map(({ usage }) => nameOf(usage)), ...Object.keys(GROUPS)].sort();

for (const name of words)
  test(`nix-foreign ${name} --help`, () => {
    const text = helpOf(name.split(' '));
    fits(text);
    for (const { usage, options } of COMMANDS) {
      if (nameOf(usage) === name) for (const [flags] of options) assert.ok(text.includes(flags), flags);
    }
  });

test('nix-foreign --help names every command once, under a heading', () => {
  const text = helpOf([]);
  fits(text);
  const named = HEADINGS.flatMap(([, commands]) => commands.map(([name]) => name));
  const wanted = new Set(COMMANDS.map(({ usage }) => usage.split(' ')[0] ?? ''));
  assert.deepEqual([...named].sort(), [...wanted].sort(), 'HEADINGS in help-text.ts, and the table');
  for (const name of named) assert.match(text, new RegExp(`^.{11}(?:\\w+, )?${name}[ ,]`, 'm'));
});

test('nix-run-foreign --help names every option', () => {
  const text = helpOfLauncher();
  assert.match(text, /^Usage: nix-run-foreign \[OPTION\]/);
  fits(text);
  for (const [flags] of LAUNCHER_OPTIONS) {
    const [name = '', value] = flags.split(' ');
    assert.ok(text.includes(`  ${name}${value === undefined ? ' ' : ' NAME'}`), `${name}:\n${text}`);
  }
});
