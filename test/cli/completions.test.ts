// The table of commands → what bash, zsh and fish themselves offer behind every word of it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { COMMANDS, GROUPS } from '../../src/cli/commands.ts';
import {
  COMPLETED_SHELLS,
  completedCommands,
  KINDS,
  LAUNCHER_OPTIONS,
} from '../../src/cli/completions/completion-table.ts';
import { completionsText } from '../../src/cli/completions/completions.ts';
import { offText } from '../../src/integrations/hooks/hook-text.ts';
import { REQUESTED_STRATEGIES } from '../../src/resolve/choose-strategy.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { openTerminal } from '../scenarios/choosing/terminal.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

needTool('zsh', 'zsh');
needTool('fish', 'fish');
needTool('shellcheck', 'shellcheck');
const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);
const TEMPLATES = path.resolve(import.meta.dirname, '../../shell-hooks');
type Shell = (typeof COMPLETED_SHELLS)[number];

mkdirSync(at('data/nix-run-foreign/shims'), { recursive: true });
for (const name of ['editor', 'other tool']) writeFileSync(at('data/nix-run-foreign/shims', name), '');
writeFileSync(at('data/nix-run-foreign/directories'), '/opt/one\n/opt/two\n/opt/my apps\n');
mkdirSync(at('files/folder'), { recursive: true });
writeFileSync(at('files/tool'), '');
mkdirSync(at('bin'));
for (const name of ['nix-foreign', 'nix-run-foreign', 'foreign-test-tool']) {
  writeFileSync(at('bin', name), '#!/bin/sh\n');
  chmodSync(at('bin', name), 0o755);
}
const env = {
  PATH: `${at('bin')}:/usr/bin:/bin`,
  HOME: scratch,
  XDG_DATA_HOME: at('data'),
  XDG_CONFIG_HOME: at('config'),
  LC_ALL: 'C.UTF-8',
  TERM: 'screen',
};

function fileFor(shell: Shell): string {
  const file = at(`completions.${shell}`);
  writeFileSync(file, completionsText(shell, completedCommands(COMMANDS, GROUPS), TEMPLATES));
  return file;
}

/** The same, and then what removes the hook. */
function fileWithoutHook(shell: Shell): string {
  const file = at(`completions-without-hook.${shell}`);
  writeFileSync(file, `${readFileSync(fileFor(shell), 'utf8')}\n${offText(shell, TEMPLATES)}`);
  return file;
}

/** What each line is offered, in any order. */
function offersFor(
  shell: Shell,
  lines: readonly string[],
  file = fileFor(shell),
): (line: string) => readonly string[] {
  const [questions, answers] = [at(`lines.${shell}`), at(`answers.${shell}`)];
  writeFileSync(questions, `${lines.join('\n')}\n`);
  const script = path.join(import.meta.dirname, `programs/complete.${shell}`);
  const first = shell === 'fish' ? ['--no-config'] : shell === 'zsh' ? ['-f'] : ['--norc'];
  const words = [...first, script, file, questions, ...(shell === 'zsh' ? [answers] : [])];
  const printed = execFileSync(shell, words, { env, cwd: at('files'), encoding: 'utf8', timeout: 60_000 });
  const text = shell === 'zsh' ? readFileSync(answers, 'utf8') : printed;
  return (line) => {
    const [, rest = ''] = `\n${text}`.split(`\n${line}|\n`);
    assert.ok(`\n${text}`.includes(`\n${line}|\n`), `${shell} was not asked: ${line}\n${text}`);
    const offers: string[] = [];
    for (const each of rest.split('\n')) {
      if (!each.startsWith('  ')) break;
      offers.push(each.slice(2));
    }
    return offers;
  };
}

const pathOf = (usage: string): string => usage.replace(/ [<[].*/, '');
const longOf = (flags: string): string => /--[a-z0-9-]+/.exec(flags)?.[0] ?? '';

/** Lines that end where a word of the table comes next, and that word. */
const everything: readonly (readonly [line: string, word: string])[] = COMMANDS.flatMap(
  ({ usage, options }) => {
    const words = pathOf(usage).split(' ');
    const ways = words.map((word, i) => [['nix-foreign', ...words.slice(0, i), ''].join(' '), word] as const);
    const flags = options.map(([each]) => [`nix-foreign ${words.join(' ')} --`, longOf(each)] as const);
    return [...ways, ...flags, [`nix-foreign ${words.join(' ')} --`, '--help'] as const];
  },
);

const special: readonly (readonly [line: string, offers: readonly string[]])[] = [
  ['nix-foreign resolve --strategy ', REQUESTED_STRATEGIES],
  ['nix-foreign resolve --strict --strategy n', REQUESTED_STRATEGIES.filter((each) => each.startsWith('n'))],
  ['nix-foreign graph tool --format ', ['svg', 'dot', 'mermaid', 'json']],
  ['nix-foreign completions ', COMPLETED_SHELLS],
  ['nix-foreign shim remove e', ['editor']],
  ['nix-foreign shim remove editor ', ['editor', 'other tool']],
  ['nix-foreign dirs remove ', ['/opt/one', '/opt/two', '/opt/my apps']],
  ['nix-foreign prune --unused ', []],
  ['nix-foreign no-such-command ', []],
  ['nix-foreign help sh', ['shim']],
  ['nix-foreign shim he', ['help']],
  ['nix-run-foreign --strategy n', ['namespace', 'nix-ld']],
  ['nix-run-foreign foreign-test', ['foreign-test-tool']],
  // From the program on the words are its own.
  ['nix-run-foreign nix-foreign shim re', ['remove']],
  ['nix-run-foreign --refresh -- nix-foreign shim re', ['remove']],
  ['nix-run-foreign --strategy loader nix-foreign shim re', ['remove']],
  ['nix-run-foreign foreign-test-tool --ch', []],
];

for (const shell of COMPLETED_SHELLS)
  describe(shell, () => {
    const lines = [
      ...new Set([...everything, ...special].map(([line]) => line)),
      'nix-run-foreign --',
      'nix-foreign resolve --strategy=l',
    ];
    const offers = offersFor(shell, lines);

    test('every command and every option of the table', () => {
      const missing = everything.filter(([line, word]) => !offers(line).includes(word));
      assert.deepEqual(missing, []);
      assert.ok(everything.length > 100);
    });

    test('every option of nix-run-foreign', () => {
      const wanted = LAUNCHER_OPTIONS.map(([flags]) => longOf(flags));
      assert.deepEqual([...offers('nix-run-foreign --')].sort(), wanted.sort());
    });

    for (const [line, wanted] of special)
      test(line, () => {
        const words = offers(line).map((each) => each.replaceAll('\\', ''));
        assert.deepEqual([...new Set(words)].sort(), [...wanted].sort());
      });

    test('a value behind =', () => {
      const [offer = '', ...more] = offers('nix-foreign resolve --strategy=l');
      assert.deepEqual([offer.replace('--strategy=', ''), more], ['loader', []]);
    });

    test('all is there without the hook', () => {
      const asked = ['nix-foreign shim remove e', 'nix-foreign help sh', 'nix-run-foreign --'];
      const left = offersFor(shell, asked, fileWithoutHook(shell));
      for (const line of asked) assert.deepEqual(left(line), offers(line), line);
    });

    test('its own parser accepts the text, and reading it twice is silent', () => {
      execFileSync(shell, ['-n', fileFor(shell)]);
      const twice = `source ${fileFor(shell)}; source ${fileFor(shell)}`;
      const start = shell === 'zsh' ? `autoload -Uz compinit; compinit -u -D; ${twice}` : twice;
      const quiet = shell === 'fish' ? ['--no-config'] : shell === 'zsh' ? ['-f'] : ['--norc', '-eu'];
      const said = execFileSync(shell, [...quiet, '-c', start], {
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      assert.equal(said, '');
    });
  });

test('every word between brackets has a kind, and every kind a word', () => {
  const seen = new Set<string>();
  for (const { usage, options } of COMMANDS) {
    for (const [word = ''] of usage.matchAll(/[<[][^\]>]+[\]>]/g)) {
      const name = word.replace(/[[\]<>.]/g, '');
      const keys = [`${pathOf(usage)} ${name}`, name].filter((key) => KINDS[key] !== undefined);
      assert.ok(
        keys.length > 0,
        `what does <${name}> of ${usage} offer? KINDS in completion-table.ts has no such word`,
      );
      seen.add(keys[0] ?? '');
    }
    for (const [flags] of options) {
      const name = /<(.*)>/.exec(flags)?.[1];
      if (name === undefined) continue;
      const keys = [longOf(flags), name].filter((key) => KINDS[key] !== undefined);
      assert.ok(keys.length > 0, `what does ${flags} offer? KINDS in completion-table.ts has no ${name}`);
      seen.add(keys[0] ?? '');
    }
  }
  assert.deepEqual(
    Object.keys(KINDS).filter((key) => !seen.has(key)),
    [],
  );
});

test('shellcheck has nothing to say of what bash gets', () => {
  execFileSync('shellcheck', [fileFor('bash'), path.join(TEMPLATES, 'complete.bash')], { encoding: 'utf8' });
});

test('bash in a terminal: Tab completes words, and names of files as readline quotes them', async () => {
  writeFileSync(at('files/my own tool'), '');
  const rc = at('rc.bash');
  writeFileSync(rc, `PS1='ready> '\nsource ${fileFor('bash')}\ncd ${at('files')}\n`);
  const terminal = openTerminal({ words: ['bash', '--rcfile', rc, '-i'], env });
  after(() => terminal.close());
  await terminal.until(/ready>/);
  terminal.type('nix-foreign shi');
  terminal.press('Tab');
  await terminal.until(/nix-foreign shim/);
  terminal.type('add --des');
  terminal.press('Tab');
  await terminal.until(/nix-foreign shim add --desktop/);
  terminal.type(' my');
  terminal.press('Tab');
  await terminal.until(/--desktop my\\ own\\ tool/);
  terminal.type(' --all fo');
  terminal.press('Tab');
  await terminal.until(/--all folder\//);
});

test('a shell that has none is told which have', () => {
  assert.throws(() => completionsText('ksh', [], TEMPLATES), { hint: 'name one of: bash, zsh, fish' });
  assert.throws(() => completionsText(undefined, [], TEMPLATES), /completions needs a shell/);
});

test('zsh, evaluated before compinit: it says what has to come first', () => {
  const { status, stderr } = spawnSync('zsh', ['-f', '-i', '-c', `source ${fileFor('zsh')}`], {
    env,
    encoding: 'utf8',
  });
  assert.deepEqual(
    [status, stderr],
    [0, 'nix-foreign: completions need what comes before them: autoload -Uz compinit && compinit\n'],
  );
});

test('bash inserts a name as it is offered, so it is quoted but where a quote is open', () => {
  const [outside, inside] = ['nix-foreign dirs remove /opt/m', 'nix-foreign dirs remove "/opt/m'];
  const offers = offersFor('bash', [outside, inside, 'nix-foreign shim remove o']);
  assert.deepEqual(offers(outside), ['/opt/my\\ apps']);
  assert.deepEqual(offers(inside), ['/opt/my apps']);
  assert.deepEqual(offers('nix-foreign shim remove o'), ['other\\ tool']);
});
