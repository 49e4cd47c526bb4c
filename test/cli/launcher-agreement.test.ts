// One table of command lines: what the launcher makes of each, its substitute in Node makes of it too.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type LauncherAction, readLauncherWords } from '../../src/cli/run/run.ts';
import { openWorkshop, putScript, run, runCommand } from '../launcher/launcher-fixture.ts';
import { planText, putPlan } from '../launcher/plan-fixture.ts';

const workshop = await openWorkshop();
const at = (...names: string[]): string => path.join(workshop.directory, ...names);
const SUBSTITUTE = path.join(import.meta.dirname, 'programs/nix-run-foreign.ts');
const resolver = putScript(workshop.directory, 'resolver', 'echo "$*" >&2');
const env = {
  ...workshop.environment,
  PATH: `${workshop.directory}:/usr/bin:/bin`,
  HOME: workshop.directory,
  XDG_STATE_HOME: at('state'),
  NIX_RUN_FOREIGN_RESOLVER: resolver,
};
const options = { cwd: workshop.directory, env };

for (const name of ['tool', '-', '--refresh']) {
  const tool = putScript(workshop.directory, name, 'echo "$0 $#: $*"');
  putPlan(workshop.place, tool, planText(tool));
}

mkdirSync(at('folder'));
putScript(workshop.directory, 'denied-tool', '');
chmodSync(at('denied-tool'), 0o644);

const launcher = (words: readonly string[]) => run(workshop, words, options);
const substitute = (words: readonly string[]) =>
  runCommand(
    workshop,
    [process.execPath, '--disable-warning=ExperimentalWarning', SUBSTITUTE, ...words],
    options,
  );

/** What the launcher asks its resolver for says what it understood. */
function wishOf(asked: string): LauncherAction {
  if (asked === '') return '--run';
  const [command, , mode] = asked.split(' ');
  if (command === 'explain') return '--explain';
  if (command === 'choose') return '--choose';
  return mode === '--refresh' || mode === '--rehash' ? mode : '--run';
}

const meanings: readonly (readonly [
  words: readonly string[],
  requested: LauncherAction,
  command: readonly string[],
])[] = [
  [['tool'], '--run', ['tool']],
  [['tool', '--refresh', '--', '-x'], '--run', ['tool', '--refresh', '--', '-x']],
  [['--', 'tool', 'a'], '--run', ['tool', 'a']],
  [[`--shim=${at('tool')}`, '/shims/tool', '--refresh'], '--run', [at('tool'), '--refresh']],
  [['--refresh', `--shim=${at('tool')}`, 'x'], '--refresh', [at('tool')]],
  [['--', '--refresh'], '--run', ['--refresh']],
  [['-', 'a'], '--run', ['-', 'a']],
  [['--refresh', '-'], '--refresh', ['-']],
  [['--rehash', 'tool'], '--rehash', ['tool']],
  [['--refresh', '--', 'tool'], '--refresh', ['tool']],
  [['--choose', 'tool'], '--choose', ['tool']],
  [['--explain', 'tool', 'a'], '--explain', ['tool', 'a']],
  [['--refresh', '--rehash', 'tool'], '--refresh', ['tool']],
  [['--rehash', '--refresh', 'tool'], '--refresh', ['tool']],
  [['--choose', '--refresh', 'tool'], '--choose', ['tool']],
  [['--explain', '--choose', '--rehash', 'tool'], '--explain', ['tool']],
  [['--choose', '--explain', 'tool'], '--explain', ['tool']],
];

test('nix-run-foreign --strategy NAME', async () => {
  assert.deepEqual(readLauncherWords(['--strategy', 'loader', '--refresh', 'tool', '--strategy']), {
    action: '--refresh',
    strategy: 'loader',
    words: ['tool', '--strategy'],
  });
  const { stderr } = await launcher(['--strategy', 'loader', 'tool']);
  assert.match(stderr, /--rehash --strategy loader /);
  for (const words of [['--strategy'], ['--strategy', 'loader']]) {
    const [ours, theirs] = [await launcher(words), await substitute(words)];
    assert.deepEqual([theirs.code, theirs.stderr], [ours.code, ours.stderr]);
    assert.equal(ours.code, 125);
  }
});

for (const [words, requested, command] of meanings)
  test(`nix-run-foreign ${words.join(' ')}`, async () => {
    assert.deepEqual(readLauncherWords(words), { action: requested, words: command });
    const [ours, theirs] = [await launcher(words), await substitute(words)];
    assert.equal(wishOf(ours.stderr.trim()), requested, ours.stderr);
    assert.deepEqual([ours.code, theirs.code, theirs.stderr], [0, 0, '']);
    if (requested !== '--explain') assert.equal(theirs.stdout, ours.stdout);
    else assert.match(theirs.stdout, new RegExp(`^program +${at('tool')}$`, 'm'));
  });

for (const words of [
  [],
  ['--'],
  ['--refresh'],
  ['--nosuch', 'tool'],
  ['--run', 'tool'],
  ['-x'],
  ['--argv0'],
  ['--argv0', 'name'],
  ['--shim=tool'],
  ['--shim=', 'x'],
  ['--shim'],
  ['--refresh', '--no\u001b[1m\nsuch'],
  ['--explain', 'nosuch'],
  ['nosuch'],
  [''],
  ['folder'],
  ['denied-tool'],
  ['./nosuch'],
  ['./folder'],
  ['./denied-tool'],
  ['./tool/below'],
])
  test(`refused alike: nix-run-foreign ${JSON.stringify(words)}`, async () => {
    const [ours, theirs] = [await launcher(words), await substitute(words)];
    assert.ok([125, 126, 127].includes(ours.code ?? 0), ours.stderr);
    assert.deepEqual(theirs, ours);
  });

test('help and version come before everything after them', async () => {
  for (const words of [['--version'], ['--refresh', '--version', '--nosuch']])
    assert.deepEqual(await substitute(words), await launcher(words));
  for (const words of [['--help'], ['--explain', '--help', 'nosuch']]) {
    const [ours, theirs] = [await launcher(words), await substitute(words)];
    assert.deepEqual([theirs.code, theirs.stderr, ours.code, ours.stderr], [0, '', 0, '']);
    for (const { stdout } of [ours, theirs]) assert.match(stdout, /^Usage: nix-run-foreign \[OPTION\] /);
  }
});

function putFile(name: string, content: string): string {
  const file = at(name);
  writeFileSync(file, content, { mode: 0o755 });
  putPlan(workshop.place, file, planText(file));
  return file;
}

test('what the kernel refuses to start is refused in the same words', async () => {
  for (const [name, content] of [
    ['missing', '#!/nowhere/nopython -u\n'],
    ['escape', '#! /nowhere/\u001b[1m\n'],
    ['denied', '#!/etc/passwd\n'],
    ['nested', `#!${at('missing')} -x y\n`],
  ] as const) {
    const file = putFile(name, content);
    const [ours, theirs] = [await launcher([file]), await substitute([file])];
    const said = ours.stderr.slice(ours.stderr.indexOf('nix-run-foreign: '));
    assert.deepEqual([ours.code, theirs.code, theirs.stdout, theirs.stderr], [126, 126, '', said]);
  }
});

test('a program whose loader is missing', async () => {
  const file = at('loader-less');
  copyFileSync('/bin/true', file);
  const loader = `${'/nowhere/ld.so'.padEnd(27, '\0')}\0`;
  const text = readFileSync(file, 'latin1').replace('/lib64/ld-linux-x86-64.so.2\0', loader);
  const bytes = Buffer.from(text, 'latin1');
  writeFileSync(file, bytes, { mode: 0o755 });
  putPlan(workshop.place, file, planText(file));
  const [ours, theirs] = [await launcher([file]), await substitute([file])];
  const said = ours.stderr.slice(ours.stderr.indexOf('nix-run-foreign: '));
  assert.match(said, /loader\) that it names is not there/);
  assert.deepEqual([theirs.code, theirs.stderr], [126, said]);
});
