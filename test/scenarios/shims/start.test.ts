// Shims of foreign programs where nothing sits at the interpreter path: by their own names, from anywhere.
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shims = path.join(homeInRoot, '.local/share/nix-run-foreign/shims');
const PATH = `${shims}:${path.dirname(rig.bash)}`;
const settings = { env: { PATH } };
const SOURCE = `
#include <stdio.h>
#include <stdlib.h>
const char *zlibVersion(void);
int main(int argc, char **argv)
{
	char *real = realpath(argv[0], NULL);
	printf("NAME zlib %c argv0 %s real %s", zlibVersion()[0], argv[0], real ? real : "none");
	for (int i = 1; i < argc; i++)
		printf(" [%s]", argv[i]);
	puts("");
	return argc > 3 ? 9 : 0;
}`;

function put(name: string, says: string): string {
  const program = path.join(homeInRoot, 'vendor', name);
  const scratch = `${onHost(root, program)}.new`;
  compile(scratch, SOURCE.replace('NAME', says), ['-l:libz.so.1']);
  renameSync(scratch, onHost(root, program));
  return program;
}

const typed = (command: string) => root.run({ ...settings, argv: ['bash', '-c', command] });

test('a name on PATH, with its arguments, its argv[0] and its status', async () => {
  const program = put('bin/tool', 'one');
  assert.equal((await root.bare(program)).status, 127);
  const added = await root.manage(['shim', 'add', 'bin/tool'], {
    ...settings,
    cwd: path.join(homeInRoot, 'vendor'),
  });
  assert.deepEqual([added.status, added.stderr], [0, '']);
  assert.equal(added.stdout, `${path.join(shims, 'tool')} starts ${program}\n`);
  const { status, stdout, stderr } = await typed("tool a 'b c' '' --refresh");
  assert.deepEqual([status, stderr], [9, '']);
  assert.equal(stdout, `one zlib 1 argv0 ${program} real ${program} [a] [b c] [] [--refresh]\n`);
  const hit = { env: { ...settings.env, NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' } };
  assert.equal((await root.run({ ...hit, argv: ['tool'] })).status, 0);
  assert.match((await typed('cd / && exec -a other tool x')).stdout, /^one .* \[x\]$/m);
});

test('where anybody could make the directory of data first, the one of the home is taken', async () => {
  const program = put('bin/elsewhere', 'three');
  const addedIn = async (data: string) => {
    const env = { ...settings.env, XDG_DATA_HOME: data };
    const { stdout } = await root.manage(['shim', 'add', program], { env });
    return stdout.split(' starts ')[0];
  };
  assert.equal(await addedIn('/tmp/nobodys/data'), path.join(shims, 'elsewhere'));
  mkdirSync(path.join(root.homeDir, '../tmp/own'));
  assert.equal(await addedIn('/tmp/own/data'), '/tmp/own/data/nix-run-foreign/shims/elsewhere');
});

test('an updated program starts as it is now', async () => {
  put('bin/tool', 'two');
  assert.match((await typed('tool')).stdout, /^two /);
});

test('a link that an update moves is followed at every start', async () => {
  const current = path.join(homeInRoot, 'vendor/current');
  for (const version of ['1', '2']) put(`app-${version}/app`, `app ${version}`);
  symlinkSync('app-1', onHost(root, current));
  await root.manage(['shim', 'add', path.join(current, 'app')], settings);
  assert.match((await typed('app')).stdout, /^app 1 /);
  symlinkSync('app-2', `${onHost(root, current)}.new`);
  renameSync(`${onHost(root, current)}.new`, onHost(root, current));
  assert.match((await typed('app')).stdout, /^app 2 /);
});

test('under another name: argv[0] has that name, and leads to the program', async () => {
  const program = path.join(homeInRoot, 'vendor/bin/tool');
  await root.manage(['shim', 'add', program, '--as', 'werkzeug'], settings);
  const { stdout } = await typed('werkzeug');
  assert.match(stdout, new RegExp(`argv0 /[^ ]*/werkzeug real ${program}$`, 'm'));
});

test('two programs of one name', async () => {
  const other = put('other/tool', 'other');
  const refused = await root.manage(['shim', 'add', other], settings);
  assert.equal(refused.status, 125);
  assert.match(refused.stderr, /the shim tool starts .*\/vendor\/bin\/tool already\n {2}name it with --as/);
  await root.manage(['shim', 'add', other, '--as', 'tool2'], settings);
  assert.match((await typed('tool2; tool')).stdout, /^other .*\ntwo /);
});

test('a link to a shim, a shim as an interpreter, a shim of a shim', async () => {
  const link = path.join(homeInRoot, 'linked');
  symlinkSync(path.join(shims, 'tool'), onHost(root, link));
  assert.match((await root.run({ ...settings, argv: [link, 'x'] })).stdout, /^two .* \[x\]$/m);
  const script = path.join(homeInRoot, 'script');
  writeFileSync(onHost(root, script), `#!${path.join(shims, 'tool')} -e\n`, { mode: 0o755 });
  const words = new RegExp(`^two .* \\[-e\\] \\[${script}\\] \\[x\\]$`, 'm');
  assert.match((await root.run({ ...settings, argv: [script, 'x'] })).stdout, words);
  await root.manage(['shim', 'add', path.join(shims, 'tool'), '--as', 'third'], settings);
  // By its name, where the shim starts a link by that name; removing the one leaves the other as it is.
  assert.equal((await root.manage(['shim', 'add', 'third', '--as', 'fourth'], settings)).status, 0);
  assert.equal((await root.manage(['shim', 'remove', 'third'], settings)).status, 0);
  assert.match((await typed('fourth x')).stdout, /^two .* \[x\]$/m);
  await root.manage(['shim', 'add', 'fourth', '--as', 'third'], settings);
  const rows = JSON.parse((await root.manage(['shim', 'list', '--json'], settings)).stdout) as {
    name: string;
    program: string;
  }[];
  const program = path.join(homeInRoot, 'vendor/bin/tool');
  assert.equal(rows.find(({ name }) => name === 'third')?.program, program);
  assert.match(
    (await root.manage(['explain', 'tool'], settings)).stdout,
    new RegExp(`^program +${program}$`, 'm'),
  );
});

test('all of a directory, without what is no program', async () => {
  for (const name of ['a-tool', 'b-tool']) put(`all/${name}`, name);
  writeFileSync(onHost(root, path.join(homeInRoot, 'vendor/all/README')), 'text');
  const outcome = await root.manage(
    ['shim', 'add', '--all', path.join(homeInRoot, 'vendor/all'), '--json'],
    settings,
  );
  const { added, skipped } = JSON.parse(outcome.stdout) as {
    added: { name: string }[];
    skipped: { name: string }[];
  };
  assert.deepEqual(
    added.map(({ name }) => name),
    ['a-tool', 'b-tool'],
  );
  assert.deepEqual(
    skipped.map(({ name }) => name),
    ['README'],
  );
  assert.match((await typed('b-tool')).stdout, /^b-tool /);
});

test('a program that is gone, and shims that are taken away', async () => {
  const program = path.join(homeInRoot, 'vendor/all/a-tool');
  renameSync(onHost(root, program), `${onHost(root, program)}.old`);
  const gone = await typed('a-tool');
  assert.equal(gone.status, 127);
  assert.match(
    gone.stderr,
    new RegExp(`^nix-run-foreign: ${program}: the program of this shim is gone\n {2}put it back, or `),
  );
  assert.match((await root.manage(['shim', 'list'], settings)).stdout, /^a-tool .*\(the program is gone\)$/m);
  assert.equal((await root.manage(['shim', 'remove', 'a-tool', 'nosuch'], settings)).status, 125);
  const removed = await root.manage(['shim', 'remove', 'a-tool', 'a-tool'], settings);
  assert.equal(removed.status, 0);
  assert.match(removed.stdout, /^removed \S+\/a-tool\n$/, 'told once');
  assert.equal((await typed('a-tool')).status, 127);
  assert.equal((await root.manage(['shim', 'remove', 'a-tool'], settings)).status, 125);
});

test('a shim that hides a command of PATH is told of, and not made with many others', async () => {
  put('hiding/bash', 'no shell');
  put('hiding/harmless', 'none');
  const all = await root.manage(['shim', 'add', '--all', path.join(homeInRoot, 'vendor/hiding')], settings);
  assert.equal(all.status, 0);
  assert.equal(
    all.stdout,
    `${path.join(shims, 'harmless')} starts ${path.join(homeInRoot, 'vendor/hiding/harmless')}\n`,
  );
  assert.match(
    all.stderr,
    /^nix-foreign: no shim for bash: it would hide \S+\/bash; if it is to: nix-foreign shim add \S+\/hiding\/bash$/m,
  );
  const alone = await root.manage(['shim', 'add', path.join(homeInRoot, 'vendor/hiding/bash')], settings);
  assert.equal(alone.status, 0);
  assert.match(
    alone.stderr,
    /the shim bash hides \S+\/bash; to take it back: nix-foreign shim remove bash$/m,
  );
  // Where the program itself is what PATH finds, nothing is hidden.
  const own = { env: { PATH: `${PATH}:${path.join(homeInRoot, 'vendor/hiding')}` } };
  const again = await root.manage(['shim', 'add', path.join(homeInRoot, 'vendor/hiding/harmless')], own);
  assert.deepEqual([again.status, again.stderr], [0, '']);
  await root.manage(['shim', 'remove', 'bash', 'harmless'], settings);
});

test('a launcher that moved: the next shim that is added mends all others', async () => {
  const file = onHost(root, path.join(shims, 'tool'));
  writeFileSync(file, readFileSync(file, 'utf8').replace('/opt/tool/', '/opt/older/'));
  assert.equal((await typed('tool')).status, 127);
  assert.match((await root.manage(['shim', 'list'], settings)).stdout, /^tool .*the launcher is gone/m);
  await root.manage(['shim', 'add', path.join(homeInRoot, 'vendor/all/b-tool')], settings);
  assert.match((await typed('tool')).stdout, /^two /);
});

test('names that are none, and files that are no shims', async () => {
  const program = path.join(homeInRoot, 'vendor/bin/tool');
  for (const name of ['nix-run-foreign', '-x', '.hidden', 'a/b', ''])
    assert.equal((await root.manage(['shim', 'add', program, `--as=${name}`], settings)).status, 125, name);
  const own = path.join(shims, 'own');
  copyFileSync('/bin/true', onHost(root, own));
  chmodSync(onHost(root, own), 0o755);
  assert.match((await root.manage(['shim', 'add', program, '--as', 'own'], settings)).stderr, /is no shim/);
  assert.equal((await root.manage(['shim', 'remove', 'own'], settings)).status, 125);
});

test("made by a launcher that only the store has, they are said to end with it; a profile's link lasts", async () => {
  const object = `/nix/store/${'0'.repeat(32)}-nix-run-foreign-0.1.0`;
  const copy = `require('fs').cpSync('/opt/tool', '${object}', { recursive: true, verbatimSymlinks: true })`;
  assert.equal((await root.run({ argv: [rig.node, '-e', copy] })).status, 0);
  const program = put('bin/lasting', 'lasting');
  const profile = path.join(homeInRoot, 'profile');
  symlinkSync(path.join(object, 'bin'), onHost(root, profile));
  const add = (...directories: string[]) =>
    root.run({
      argv: [rig.node, `${object}/dist/nix-foreign.cjs`, 'shim', 'add', program],
      env: { PATH: [shims, ...directories, path.dirname(rig.bash)].join(':') },
    });
  const inShell = await add(path.join(object, 'bin'));
  assert.match(inShell.stderr, /^nix-foreign: the shims end when the store is collected [^\n]*\n$/);
  assert.deepEqual((await add(path.join(object, 'bin'), profile)).stderr, '');
  const text = readFileSync(path.join(onHost(root, shims), 'lasting'), 'utf8');
  assert.match(text, new RegExp(`^#!${profile}/nix-run-foreign `));
});
