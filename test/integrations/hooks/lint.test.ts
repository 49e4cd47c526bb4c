// shell-hooks/ → what the shells themselves, and shellcheck, say of the files.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';

const directory = path.resolve(import.meta.dirname, '../../../shell-hooks');
const files = readdirSync(directory).sort();

/** Of shellcheck's shells none is zsh or fish. */
const readers: Readonly<Record<string, readonly [string, ...string[]][]>> = {
  '.bash': [
    ['bash', '-n'],
    ['shellcheck', '--norc', '--external-sources', '--severity=style'],
  ],
  '.zsh': [['zsh', '-f', '-n']],
  '.fish': [['fish', '--no-config', '--no-execute']],
};

for (const tool of ['bash', 'zsh', 'fish', 'shellcheck']) needTool(tool, tool);

function complaints([command, ...args]: readonly [string, ...string[]], text: string | undefined): string {
  const { stdout, stderr, status } = spawnSync(command, args, {
    cwd: directory,
    input: text ?? '',
    encoding: 'utf8',
  });
  return `${stdout}${stderr}${status === 0 ? '' : `status ${status}`}`;
}

test('each shell has a hook and its undoing, and every file a reader', () => {
  for (const ending of Object.keys(readers))
    for (const name of ['hook', 'off']) assert.ok(files.includes(`${name}${ending}`), `${name}${ending}`);
  assert.deepEqual(
    files.filter((file) => readers[path.extname(file)] === undefined),
    [],
  );
});

for (const file of files) {
  for (const reader of readers[path.extname(file)] ?? []) {
    test(`${reader[0]} reads ${file} without complaint`, () => {
      assert.equal(complaints([...reader, file], undefined), '');
    });
  }
}

/** A file's longest functions are short enough to be read at once, and so is the file. */
const LIMITS = { file: 230, function: 60 };

/** The functions of a file that begin and end at the start of a line, with their numbers of lines. */
function functionsOf(text: string): readonly { name: string; lines: number }[] {
  const functions = /^(?:function (\S+)[^\n]*\n.*?\nend|(\S+)\(\) \{\n.*?\n\})$/gms;
  return [...text.matchAll(functions)].map(([all, fish, posix]) => ({
    name: fish ?? posix ?? '',
    lines: all.split('\n').length,
  }));
}

for (const file of files) {
  test(`${file} and its functions are short`, () => {
    const text = readFileSync(path.join(directory, file), 'utf8');
    assert.ok(text.split('\n').length - 1 <= LIMITS.file, 'the file is too long');
    const functions = functionsOf(text);
    const starts = text.match(/^(function |\S+\(\) \{$)/gm) ?? [];
    assert.equal(functions.length, starts.length, 'a function has no end');
    assert.deepEqual(
      functions.filter(({ lines }) => lines > LIMITS.function),
      [],
    );
    const comments = text.split('\n').filter((line) => /^\s*#/.test(line) && line.length > 120);
    assert.deepEqual(comments, []);
  });
}

test('the readers complain of what is wrong', () => {
  for (const [ending, broken] of [
    ['.bash', 'if true; then'],
    ['.zsh', 'if true; then'],
    ['.fish', 'if true'],
  ] as const) {
    const [reader] = readers[ending] ?? [];
    assert.ok(reader !== undefined);
    assert.notEqual(complaints(reader, broken), '', reader[0]);
  }
  assert.match(complaints(['shellcheck', '--norc', '-'], '#!/bin/bash\nrm $1\n'), /SC2086/);
});
