// README.md, CONTRIBUTING.md and docs/ → whether links lead somewhere, paths are there, and all is short enough to read.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { COMMANDS, GROUPS } from '../src/cli/commands.ts';
import { HEADINGS } from '../src/cli/help-text.ts';

const PROJECT = path.resolve(import.meta.dirname, '..');
const PAGES = globSync('docs/*.md', { cwd: PROJECT }).sort();
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', ...PAGES];
const read = (file: string): string => readFileSync(path.join(PROJECT, file), 'utf8');
const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');

interface Link {
  /** The document that has it. */
  readonly from: string;
  /** From the top of the project. */
  readonly file: string;
  /** Without its `#`; empty where the whole file is meant. */
  readonly heading: string;
}

/** Links to the project's own files. */
function linksOf(from: string): Link[] {
  return [...withoutCode(read(from)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (target.includes('://')) return [];
    const [file = '', heading = ''] = target.split('#');
    return [{ from, file: file === '' ? from : path.join(path.dirname(from), file), heading }];
  });
}

/** The names that GitHub gives to headings: small letters, no punctuation, hyphens for blanks. */
function anchorsOf(file: string): string[] {
  return [...withoutCode(read(file)).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const links = DOCUMENTS.flatMap(linksOf);

test('every link leads to a file, and to a heading in it', () => {
  assert.ok(links.length > 30);
  const broken = links.filter(
    ({ file, heading }) =>
      !existsSync(path.join(PROJECT, file)) || (heading !== '' && !anchorsOf(file).includes(heading)),
  );
  assert.deepEqual(broken, []);
});

test('the README links every page of docs/', () => {
  const linked = new Set(linksOf('README.md').map(({ file }) => file));
  assert.deepEqual(
    PAGES.filter((page) => !linked.has(page)),
    [],
  );
});

/** NAME stands for a shell in some of them. */
test('every path of the project that a document names is there', () => {
  const named = DOCUMENTS.flatMap((from) =>
    [...read(from).matchAll(/`((?:src|test|scripts|nix|man|shell-hooks)\/[\w./-]+)`/g)].map(
      ([, file = '']) => ({ from, file: file.replace('NAME', 'bash') }),
    ),
  );
  assert.ok(named.length > 30);
  assert.deepEqual(
    named.filter(({ file }) => !existsSync(path.join(PROJECT, file))),
    [],
  );
});

test('every promise of the page on security names a test', () => {
  const [, tests = ''] = read('docs/security.md').split(/^## (?:Tests|Attacks)$/m);
  const rows = [...tests.matchAll(/^\| (?!promise|---)(.*) \|$/gm)].map(([, row = '']) => row.split(' | '));
  assert.ok(rows.length > 20);
  assert.deepEqual(
    rows.filter(([, , named = '', ...more]) => more.length > 0 || !/^`test\/[^`]+\.test\.ts`/.test(named)),
    [],
  );
});

test('what an installed package shows can be read there', () => {
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  const packed = (file: string) => files.some((each) => file === each || file.startsWith(`${each}/`));
  assert.deepEqual(
    PAGES.filter((page) => !packed(page)),
    [],
  );
  const formats = links.filter(({ file }) => file.startsWith('src/') && file.endsWith('.md'));
  assert.ok(formats.length > 0);
  assert.deepEqual(
    formats.filter(({ file }) => !packed(file)),
    [],
  );
});

test('the README has at most 220 lines, no line of README and docs/ more than 200 characters', () => {
  assert.ok(read('README.md').trimEnd().split('\n').length <= 220);
  for (const file of ['README.md', ...PAGES])
    for (const [at, line] of read(file).split('\n').entries())
      assert.ok([...line].length <= 200, `${file}:${at + 1}: ${[...line].length}`);
});

test('the first line on how it works says what a fingerprint is', () => {
  for (const file of ['README.md', 'docs/how-it-works.md'])
    assert.match(read(file), /^#+ How it works\n\nA fingerprint is a lock file with hashes:/m, file);
});

/** Records are parts of a launch plan. */
test('a fingerprint is called so, a saved one too', () => {
  for (const file of DOCUMENTS)
    assert.doesNotMatch(withoutCode(read(file)), /\b(?:a|own|its) record\b/, file);
  assert.match(read('CONTRIBUTING.md'), /^\| fingerprint \|.*; a \*saved\* one is that of an earlier start/m);
  for (const { summary, options } of COMMANDS)
    for (const text of [summary, ...options.flat()]) assert.doesNotMatch(text, /\brecord\b/);
});

test('no summary speaks of a prefix, which only the pages explain', () => {
  const texts = [...COMMANDS.map(({ summary }) => summary), ...Object.values(GROUPS), ...HEADINGS.flat(3)];
  assert.deepEqual(
    texts.filter((text) => /\bprefix\b/i.test(text)),
    [],
  );
});

/** sudo(8), `secure_path`: in a home, where the README installs it, sudo finds no nix-foreign. */
test('what is said to be typed with sudo hands PATH on', () => {
  const lines = [...DOCUMENTS, ...globSync('{src/**/*.ts,man/*}', { cwd: PROJECT })].flatMap((file) =>
    [...read(file).matchAll(/sudo (?:-u \S+ )?nix-foreign.*/g)].map(([line]) => `${file}: ${line}`),
  );
  assert.deepEqual(lines, []);
});

/** A redirection is made by the shell of the user, before sudo starts. */
test('nothing is redirected to a place of root', () => {
  const files = [...DOCUMENTS, ...globSync('src/**/*.ts', { cwd: PROJECT })];
  for (const file of files) assert.doesNotMatch(read(file), /nix-foreign [^|\n]*> ?\/etc\//, file);
});

test('the most searches of one process are those of the audit module', () => {
  const [, most = ''] = /MOST_ASKED = (\d+)/.exec(read('audit/known-names.c')) ?? [];
  assert.match(
    read('docs/run-time-libraries.md'),
    new RegExp(`^For one process ${most} names are searched at most\\.`, 'm'),
  );
});

/** Lines end where a sentence or a clause does, or are full: a reader of the source sees what changed. */
test('no short line of a page ends within a clause', () => {
  const found = DOCUMENTS.flatMap((file) => {
    const lines = withoutCode(read(file)).split('\n');
    return lines
      .filter((line, at) => {
        const next = lines[at + 1] ?? '';
        const goesOn = line.trim() !== '' && /^\s*\w/.test(next) && !/^\s*(?:- |\d+\. )/.test(next);
        return goesOn && line.length < 110 && !/^[|#]|[.:;,)?!]$/.test(line);
      })
      .map((line) => `${file}: ${line}`);
  });
  assert.deepEqual(found, []);
});

test('what it is to lift a name stands where the option is, and on the page', () => {
  assert.match(read('docs/patch.md'), /\(DT_NEEDED\): .* are \*lifted\* into it \(`--no-lift`: not\)/);
  const patch = COMMANDS.find(({ usage }) => usage.startsWith('patch '));
  const rows = [...(patch?.screen ?? []), ...(patch?.options ?? [])].filter(([flags]) =>
    /no-(lift|rename)/.test(flags),
  );
  assert.equal(rows.length, 4);
  for (const [flags, text] of rows) assert.match(`${flags}: ${text}`, /^--no-\w+: .*DT_NEEDED/);
});

test('each step of how it works begins with the folder that does it, and no folder of one is left out', () => {
  const page = read('docs/how-it-works.md');
  const steps = [...page.matchAll(/^## \d\. .*\n\n`src\/([a-z]+)\/`/gm)].map(([, folder]) => folder);
  assert.deepEqual(steps, ['elf', 'store', 'candidates', 'solver', 'farm', 'fingerprint', 'plan']);
  for (const folder of ['program', 'index', 'ldso', 'view'])
    assert.ok(page.includes(`\`src/${folder}/`), folder);
});
