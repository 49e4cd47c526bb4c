// Everything that the tool, its documents and its manual tell people to type → whether there is such a command.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { COMMANDS, GROUPS } from '../../src/cli/commands.ts';
import { LAUNCHER_OPTIONS } from '../../src/cli/completions/completion-table.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(PROJECT, file), 'utf8');
const nameOf = (usage: string): string => usage.replace(/ [<[].*/, '');
const optionsOf = (flags: readonly (readonly [string, string])[]): string[] =>
  flags.flatMap(([each]) => each.replace(/ <.*/, '').split(', '));

const ofCommand = new Map(COMMANDS.map(({ usage, options }) => [nameOf(usage), optionsOf(options)]));
const ofLauncher = optionsOf(LAUNCHER_OPTIONS);

/** What stands in quotes in a source, without what is computed into it: that stands for a word. */
function textsOf(source: string): string {
  const code = source.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g, '');
  return [...code.matchAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g)]
    .map(([text]) => text.slice(1, -1).replace(/\$\{[^}]*\}/g, 'VALUE'))
    .join('\n');
}

/** Of a Markdown text what is set as code, line by line. */
function codeOf(markdown: string): string {
  const blocks = [...markdown.matchAll(/^```(?:sh|console)\n([\s\S]*?)^```/gm)].map(([, code = '']) =>
    code.replace(/ #.*$/gm, ''),
  );
  const spans = [...markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, code]) => code,
  );
  return [...blocks, ...spans].join('\n');
}

/** mdoc's own words are of no matter here. */
function proseOf(page: string): string {
  return page.replaceAll('\\-', '-').replace(/^\.Ic /gm, '');
}

const wordsAfter = (text: string, program: string): string[][] =>
  [...text.matchAll(new RegExp(`(?<![\\w./-]|-c )${program} (-{0,2}[a-z][^\\n]*|-[^\\n]*)`, 'g'))].map(
    ([, rest = '']) =>
      rest
        .split(/[,;:?)'"`]|\\n| [|&>#] /)[0]
        ?.trim()
        .split(/\s+/) ?? [],
  );

/** Words of sentences in which the tool is spoken of, behind its name. */
const SPOKEN = new Set([
  'in',
  'itself',
  'is',
  'with',
  'a',
  'and',
  'to',
  'that',
  'does',
  'has',
  'failed',
  'writes',
  'must',
  'or',
]);

function complaintAbout(words: readonly string[]): string | undefined {
  const [first = '', second = ''] = words;
  if (['--help', '--version'].includes(first) || SPOKEN.has(first)) return undefined;
  if (first === 'help') return undefined;
  const firsts = first.split('|');
  if (firsts.length > 1) return undefined;
  if (GROUPS[first] !== undefined) {
    if (['', '...', '--help'].includes(second)) return undefined;
    for (const each of second.split('|'))
      if (!ofCommand.has(`${first} ${each}`)) return `no ${first} ${each}`;
    return wrongOption(
      words.slice(2),
      second.split('|').flatMap((each) => ofCommand.get(`${first} ${each}`) ?? []),
    );
  }
  const options = ofCommand.get(first);
  return options === undefined ? `no ${first}` : wrongOption(words.slice(1), options);
}

function wrongOption(words: readonly string[], known: readonly string[]): string | undefined {
  const wrong = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/[=\].]+.*$/, ''));
  const unknown = wrong.find((word) => ![...known, '--help'].includes(word));
  return unknown === undefined ? undefined : `no option ${unknown}`;
}

function complaintAboutStart(words: readonly string[]): string | undefined {
  const first = words[0] ?? '';
  return !first.startsWith('-') || first === '--' || ofLauncher.includes(first)
    ? undefined
    : `no option ${first}`;
}

const PLACES: readonly (readonly [what: string, texts: () => readonly (readonly [string, string])[]])[] = [
  [
    'the sources',
    () => globSync('src/**/*.{ts,c}', { cwd: PROJECT }).map((file) => [file, textsOf(read(file))]),
  ],
  ['the README', () => [['README.md', codeOf(read('README.md'))]]],
  [
    'a page of docs/',
    () => globSync('docs/*.md', { cwd: PROJECT }).map((file) => [file, codeOf(read(file))]),
  ],
  [
    'the notes',
    () => [
      ['CONTRIBUTING.md', codeOf(read('CONTRIBUTING.md'))],
      ['CHANGELOG.md', codeOf(read('CHANGELOG.md'))],
    ],
  ],
  ['the manual', () => globSync('man/*.1', { cwd: PROJECT }).map((file) => [file, proseOf(read(file))])],
];

for (const [what, texts] of PLACES)
  test(`every command that ${what} names is there`, () => {
    let seen = 0;
    const wrong = texts().flatMap(([file, text]) => {
      const managed = wordsAfter(text, 'nix-foreign');
      const started = wordsAfter(text, 'nix-run-foreign');
      seen += managed.length + started.length;
      return [
        ...managed.map((words) => [complaintAbout(words), words] as const),
        ...started.map((words) => [complaintAboutStart(words), words] as const),
      ].flatMap(([why, words]) => (why === undefined ? [] : [`${file}: ${words.join(' ')}: ${why}`]));
    });
    assert.deepEqual(wrong, []);
    assert.ok(seen > 0, 'nothing was found');
  });

test('a command that is not there would be found', () => {
  const wrong = (text: string) => wordsAfter(text, 'nix-foreign').map(complaintAbout);
  assert.deepEqual(wrong('see nix-foreign solve ./x'), ['no solve']);
  assert.deepEqual(wrong('try: nix-foreign shim make x, or'), ['no shim make']);
  assert.deepEqual(wrong('nix-foreign resolve --hard x'), ['no option --hard']);
  assert.deepEqual(wrong('nix-foreign resolve --refresh VALUE'), [undefined]);
});
