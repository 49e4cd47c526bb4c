// Programs at paths that a shell takes apart → the lines that are told to be typed, typed in one: each word arrives whole.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { remedyOfRejection } from '../../src/resolve/from-store.ts';
import { reportOfChildren } from '../../src/view/children.ts';
import { builtLauncher } from '../built-launcher.ts';
import { MANAGER } from '../built-manager.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const directory = path.join(scratch, `it's a b;touch owned;$(touch owned) "&\\\t`);
const at = (name: string): string => path.join(directory, name);
const home = at('home');
const stubs = path.join(scratch, 'stubs');
const typed = path.join(scratch, 'typed');
mkdirSync(home, { recursive: true });
mkdirSync(stubs);
for (const name of ['nix-foreign', 'nix-run-foreign', 'chmod'])
  writeFileSync(path.join(stubs, name), `#!/bin/sh\nprintf '%s\\0' "\${0##*/}" "$@" '' >>'${typed}'\n`, {
    mode: 0o755,
  });

/** The commands that bash starts for the line, word by word. */
function commandsOf(line: string): string[][] {
  rmSync(typed, { force: true });
  spawnSync('/bin/bash', ['-c', line], {
    cwd: scratch,
    env: { PATH: stubs },
    stdio: 'ignore',
    timeout: 30_000,
  });
  assert.equal(existsSync(path.join(scratch, 'owned')), false, line);
  if (!existsSync(typed)) return [];
  const text = readFileSync(typed, 'utf8');
  return text
    .slice(0, -2)
    .split('\0\0')
    .map((each) => each.split('\0'));
}

/** What stands behind the words of a remedy, from the first command on. */
function lineIn(text: string): string {
  const [line] = /(?<=[:;] |^ {2})(nix-(run-)?foreign|chmod|export) .*/.exec(text) ?? [];
  assert.ok(line, text);
  return line;
}

const { PATH } = process.env;
const env = {
  PATH,
  HOME: home,
  // No farm can lie in such a home; the place below /tmp is that of other tests too.
  XDG_CACHE_HOME: path.join(scratch, 'cache'),
  XDG_STATE_HOME: path.join(scratch, 'state'),
  NIX_STORE_DIR: path.join(scratch, 'store'),
};

/** The last line that it says. */
function remedyOf(command: readonly [string, ...string[]], more: NodeJS.ProcessEnv = {}): string {
  const [file, ...args] = command;
  const options = { encoding: 'utf8', timeout: 60_000, cwd: scratch, env: { ...env, ...more } } as const;
  return spawnSync(file, args, options).stderr.trimEnd().split('\n').at(-1) ?? '';
}

const manage = (...words: string[]): string => remedyOf([process.execPath, MANAGER, ...words]);

function put(name: string, content: string, mode: number): string {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
  chmodSync(at(name), mode);
  return at(name);
}

const source = path.join(scratch, 'static.c');
writeFileSync(source, 'int main(void) { return 0; }\n');
const alone = at('alone');
execFileSync('cc', ['-static', '-o', alone, source]);
const closed = put('closed', '#!/bin/sh\n', 0o644);

test('of what cannot be executed', () => {
  assert.deepEqual(commandsOf(lineIn(manage('explain', closed))), [['chmod', '+x', closed]]);
});

test('of a directory that is to be patched, taken back or looked at', () => {
  for (const words of [
    ['patch'],
    ['unpatch'],
    ['patch', '--check'],
    ['patch', '--repair'],
    ['patch', '--show'],
  ])
    assert.deepEqual(commandsOf(lineIn(manage(...words, stubs))), [
      ['nix-foreign', ...words, '--tree', stubs],
    ]);
});

test('of what needs no library', () => {
  const explain = [['nix-foreign', 'explain', alone]];
  assert.deepEqual(commandsOf(lineIn(manage('package', alone))), explain);
  assert.deepEqual(commandsOf(lineIn(manage('choose', alone))), explain);
  assert.deepEqual(commandsOf(lineIn(manage('explain', alone, '--why', 'libz.so.1'))), explain);
  assert.deepEqual(commandsOf(lineIn(manage('publish', '--to', 'file:///nowhere', alone))), [
    ['nix-run-foreign', alone],
  ]);
});

test('of arguments that stand before --', () => {
  assert.deepEqual(commandsOf(lineIn(manage('doctor', alone, 'a', 'b c', '$x'))), [
    ['nix-foreign', 'doctor', alone, '--', 'a', 'b c', '$x'],
  ]);
});

test('of settings and a key that others can write or read', () => {
  const file = put('home/.config/nix-run-foreign/config.toml', '', 0o666);
  assert.deepEqual(commandsOf(lineIn(manage('config'))), [['chmod', 'go-w', file]]);
  rmSync(file);
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const key = put(
    'key',
    `k:${Buffer.concat([d, x].map((each = '') => Buffer.from(each, 'base64url'))).toString('base64')}`,
    0o644,
  );
  const said = spawnSync(process.execPath, [MANAGER, 'fingerprint', 'sign', '--key', key, at('nothing')], {
    encoding: 'utf8',
    env,
  });
  assert.deepEqual(commandsOf(lineIn(said.stderr.split('\n')[0] ?? '')), [['chmod', '600', key]]);
});

test('of shims', () => {
  const [tool, other] = [put('tool;x', '#!/bin/sh\n', 0o755), put('other', '#!/bin/sh\n', 0o755)];
  const launcher = path.join(path.dirname(MANAGER), '../bin/nix-run-foreign');
  assert.ok(existsSync(launcher));
  const line = lineIn(manage('shim', 'add', tool));
  const shims = path.join(home, '.local/share/nix-run-foreign/shims');
  const PATH = execFileSync('/bin/bash', ['-c', `${line}; printf %s "$PATH"`], {
    env: { PATH: stubs },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  assert.equal(String(PATH), `${shims}:${stubs}`);
  assert.deepEqual(commandsOf(lineIn(manage('shim', 'add', other, '--as', 'tool;x'))), [
    ['nix-foreign', 'shim', 'remove', 'tool;x'],
  ]);
});

test('of a script whose interpreter is not there', () => {
  const script = put('script', '#!/nowhere/a;b\n', 0o755);
  assert.deepEqual(commandsOf(lineIn(manage('resolve', script))), [
    ['nix-foreign', 'shim', 'add', 'PROGRAM', '--as', 'a;b'],
  ]);
});

test('of a program whose children miss theirs, and of a choice that leaves no set', () => {
  const children = reportOfChildren(
    at('x'),
    { strategy: 'loader' },
    { kind: 'missing', path: '/lib64/ld-linux-x86-64.so.2' },
    () => undefined,
  );
  assert.deepEqual(commandsOf(children.remedy ?? ''), [['nix-run-foreign', '--strategy', 'view', at('x')]]);
  const choices = { pins: { 'libz.so.1': '/nix/store/x' }, exclude: [], prefer: [] };
  const remedy = remedyOfRejection({ typedName: at('x') }, [], [], choices);
  assert.deepEqual(commandsOf(lineIn(remedy)), [['nix-foreign', 'choose', at('x'), '--reset']]);
});

test('of the launcher', async () => {
  const output = path.join(scratch, 'nix-run-foreign');
  await builtLauncher({ output, node: process.execPath, script: '/nowhere' });
  assert.deepEqual(commandsOf(lineIn(remedyOf([output, closed]))), [['chmod', '+x', closed]]);
  for (const name of ['a b;c', "it's\\", 'x\u001b[31m\u0085y', '=z', 'plain', 'é']) {
    const file = put(`names/${name}`, '', 0o644);
    assert.deepEqual(commandsOf(lineIn(remedyOf([output, file]))), [['chmod', '+x', file]]);
  }
});

/** Files of which not every word is quoted yet. */
const OTHERS = /^src\/store\//;

/** What quotes its words, and words of ours: numbers, names of shells, attributes, commands and options. */
const HARMLESS = [
  /^((file|shell)Word|commandOf)\(/,
  /\.map\(shellWord\)/,
  /^(uid|shell|libc|attributes\.map\(.*|entry\.version|each|nameOf\(row\)|row\.usage|typed|name)$/,
  /^parameters\.join/,
  /^(words|more|leave|words\.join\(' '\))$/, // quoted where they are made
  /^(command|stats\.uid|all)$/,
  /^object$/, // in quotes, and the name of a store object
];

test('in no text of the sources does a word stand behind a command as it is', () => {
  const project = path.resolve(import.meta.dirname, '../..');
  const commands =
    /(?:nix-(?:run-)?foreign|chmod|chown|chattr|lsattr|mv|sudo|nix-store|nix-locate|nix --extra-experimental-features nix-command copy|nix-build) ((?:[^`,;$\n]|\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}|\$)*)/g;
  const bare = globSync('src/**/*.ts', { cwd: project }).flatMap((file) =>
    [...readFileSync(path.join(project, file), 'utf8').matchAll(commands)]
      .flatMap(([, rest = '']) => [...rest.matchAll(/\$\{((?:[^{}`]|`[^`]*`|\{[^{}]*\})*)\}/g)])
      .filter(([, value = '']) => !OTHERS.test(file) && !HARMLESS.some((each) => each.test(value)))
      .map(([whole]) => `${file}: ${whole}`),
  );
  assert.deepEqual(bare, []);
});

test('a shell takes <nixpkgs> for a word wherever it is to be typed', () => {
  const project = path.resolve(import.meta.dirname, '../..');
  const files = globSync(['src/**/*.ts', 'docs/*.md', 'README.md'], { cwd: project });
  const lines = files.flatMap((file) =>
    [
      ...readFileSync(path.join(project, file), 'utf8').matchAll(
        /^.*\bnix-(?:build|shell|env) [^'\n]*<nixpkgs>.*$/gm,
      ),
    ].map(([line]) => `${file}: ${line}`),
  );
  assert.deepEqual(lines, []);
});
