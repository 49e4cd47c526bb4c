// The manual pages → whether they hold everything that the tables and the sources know, and read without complaint.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import packageJson from '../../package.json' with { type: 'json' };
import { manualPages, writeManual } from '../../scripts/build-manual.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { LAUNCHER_OPTIONS } from '../../src/cli/completions/completion-table.ts';
import { KEYS, VARIABLES } from '../../src/config/settings.ts';
import { REQUESTED_STRATEGIES } from '../../src/resolve/choose-strategy.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

needTool('man', 'man-db');
needTool('groff', 'groff-base');
needTool('mandoc', 'mandoc');
const scratch = scratchDirectory();
const PROJECT = path.resolve(import.meta.dirname, '../..');
writeManual(scratch);

/** As a reader sees it, in lines that are long enough never to be broken. */
function shown(page: string): string {
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', MANWIDTH: '10000', MAN_KEEP_FORMATTING: '' };
  return execFileSync('man', ['-l', path.join(scratch, `${page}.1`)], { env, encoding: 'utf8' });
}
const manager = shown('nix-foreign');
const launcher = shown('nix-run-foreign');

function hasWord(text: string, word: string): boolean {
  return text.split(/[\s,;]+/).includes(word);
}

for (const { usage, options } of COMMANDS)
  test(`nix-foreign(1) has ${usage}`, () => {
    const words = usage.replace(/<([^>]*?)(\.{3})?>/g, '$1 $2').replace(/\[([^\]]*?)(\.{3})?\]/g, '[$1 $2]');
    const heading = words.replaceAll(' ]', ']').replace(/ +/g, ' ').trimEnd();
    const [, own = ''] = manager.split(`\n     ${heading}`);
    assert.notEqual(own, '', `${heading}`);
    const [block = ''] = own.split(/\n {5}\S/);
    for (const [flags] of options) {
      const shape = flags.replace(/[<>]/g, '');
      if (flags !== '--json') assert.ok(block.includes(shape), `${shape}:\n${block}`);
    }
  });

test('every option and every strategy of nix-run-foreign', () => {
  for (const [flags] of LAUNCHER_OPTIONS) assert.ok(hasWord(launcher, flags.split(' ')[0] ?? ''), flags);
  for (const name of REQUESTED_STRATEGIES) assert.match(launcher, new RegExp(`^     ${name}\\b`, 'm'));
});

test('every key of the configuration, and its variable', () => {
  for (const key of KEYS) {
    assert.match(manager, new RegExp(`^     ${key} = `, 'm'));
    const variable = VARIABLES[key];
    if (variable !== undefined)
      for (const page of [manager, launcher]) assert.ok(hasWord(page, variable), variable);
  }
});

/** Marks between our own processes, and what only the build sets. */
const INTERNAL = [
  'NIX_RUN_FOREIGN_RESOLVING',
  'NIX_RUN_FOREIGN_LD_LIBRARY_PATH',
  'NIX_RUN_FOREIGN_WRITE_COMPILED',
];

test('every environment variable of ours that the sources name', () => {
  const found = new Set(
    globSync('{src,shell-hooks}/**/*.{ts,cts,c,h,bash,zsh,fish}', { cwd: PROJECT }).flatMap(
      (file) =>
        readFileSync(path.join(PROJECT, file), 'utf8').match(/\bNIX_RUN_FOREIGN_[A-Z_]*[A-Z]\b/g) ?? [],
    ),
  );
  assert.ok(found.size > 8);
  const missing = [...found].filter(
    (name) => !INTERNAL.includes(name) && !hasWord(`${manager} ${launcher}`, name),
  );
  assert.deepEqual(missing, []);
});

for (const [page, text] of [
  ['nix-foreign', manager],
  ['nix-run-foreign', launcher],
] as const)
  test(`${page}(1) has its sections, and roff has nothing to say`, () => {
    for (const section of ['NAME', 'SYNOPSIS', 'ENVIRONMENT', 'FILES', 'EXIT STATUS', 'EXAMPLES', 'SEE ALSO'])
      assert.match(text, new RegExp(`^${section}$`, 'm'));
    for (const status of ['125', '126', '127', '130'])
      assert.match(text, new RegExp(`^     ${status} `, 'm'));
    const file = path.join(scratch, `${page}.1`);
    const { stderr } = spawnSync('man', ['--warnings=w', '-l', file], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
    });
    assert.equal(stderr, '');
    const lint = spawnSync('mandoc', ['-Tlint', '-W', 'warning', file], { encoding: 'utf8' });
    assert.equal(lint.stdout + lint.stderr, '');
    // What is set bold or italic is cut out of the text, so an escape that came to nothing would be seen here.
    assert.doesNotMatch(text, /\\[&e(]|@[a-z]+@/);
  });

test('the package carries the pages', () => {
  const built = packageJson.man.map((file) => path.basename(file));
  assert.deepEqual(built.sort(), Object.keys(manualPages()).sort());
});
