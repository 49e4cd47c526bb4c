// A strategy that is asked for is taken and kept with the program, until it is taken back; one that cannot be is said.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';
import { putScript } from '../view/view-root.ts';
import { putSelf, reportOf } from './self.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { interpreter: 'stub-ld' });
const program = putSelf(root, 'self', 'plain');

const exe = async (words: readonly string[]) =>
  reportOf(await root.start([...words, program, 'report']))['exe'] ?? '';

test('a program in whose constants its own name stands gets a view, and the loader when asked for', async () => {
  assert.equal((await root.bare(program, ['report'])).status, 127);
  assert.equal(await exe([]), program);
  assert.match(await exe(['--strategy', 'loader']), /ld-linux/);
  assert.equal(await exe(['--strategy', 'view']), program);
});

test('asked for at a start, kept over refreshes, and over a new cache', async () => {
  assert.match(await exe(['--strategy', 'patched']), /\/copies\//);
  assert.match(await exe([]), /\/copies\//);
  assert.match(await exe(['--refresh']), /\/copies\//);
  await root.runOnHost({ argv: ['rm', '-r', `${root.homeDir}/.cache`] });
  assert.match(await exe([]), /\/copies\//);
});

test('another manner replaces it, auto takes it back', async () => {
  assert.equal(await exe(['--strategy', 'namespace']), program);
  assert.equal(await exe(['--refresh']), program);
  assert.equal(await exe(['--strategy', 'auto']), program);
  assert.equal(await exe(['--refresh']), program);
});

test('what was said for the program counts before what the environment has for all', async () => {
  const env = { NIX_RUN_FOREIGN_STRATEGY: 'loader' };
  const exeUnder = async (words: readonly string[]) =>
    reportOf(await root.start([...words, program, 'report'], { env }))['exe'];
  assert.match((await exeUnder(['--refresh'])) ?? '', /ld-linux/);
  assert.equal(await exeUnder(['--strategy', 'namespace']), program);
  assert.equal(await exeUnder(['--refresh']), program);
  assert.equal(await exe(['--strategy', 'auto']), program);
  assert.match((await exeUnder(['--refresh'])) ?? '', /ld-linux/);
  assert.equal(await exe(['--refresh']), program);
});

test('the manager takes it too', async () => {
  const resolved = await root.manage(['resolve', '--strategy', 'patched', program]);
  assert.match(resolved.stdout, /, strategy patched\n$/);
  assert.match(await exe([]), /\/copies\//);
  const back = await root.manage(['resolve', '--strategy', 'auto', '--json', program]);
  assert.equal(JSON.parse(back.stdout).strategy, 'view');
});

test('the environment asks for one time', async () => {
  const env = { NIX_RUN_FOREIGN_STRATEGY: 'patched' };
  const once = await root.start(['--refresh', program, 'report'], { env });
  assert.match(reportOf(once)['exe'] ?? '', /\/copies\//);
  assert.equal(await exe(['--refresh']), program);
});

test('a plan that was made under a manner of the environment says so when that is gone', async () => {
  const env = { NIX_RUN_FOREIGN_STRATEGY: 'loader' };
  await root.start(['--refresh', program, 'report'], { env });
  const because = async (settings = {}) =>
    /^strategy {2}(.*)\nbecause {3}(.*)$/m.exec((await root.manage(['explain', program], settings)).stdout);
  assert.match((await because({ env }))?.[2] ?? '', /^it was asked for, so the chosen loader is started/);
  const gone = await because();
  assert.equal(gone?.[1], 'loader');
  assert.match(
    gone?.[2] ?? '',
    /^it was asked for when the plan was made, or nothing else could be done then/,
  );
  const line = /nix-foreign (resolve .*)$/.exec(gone?.[2] ?? '')?.[1] ?? assert.fail();
  assert.match((await root.manage(line.split(' '))).stdout, /, strategy view\n$/);
  assert.match((await because())?.[2] ?? '', /it starts in a view/);
});

/** bash's own words: musl's interpreter is in a view only. */
const WHERE = '#!/bin/bash\n[ -e /lib/ld-musl-x86_64.so.1 ] && echo view || echo outside\n';

test('of a script it is kept over an edit, and counts from the environment', async () => {
  const script = putScript(root, '/home/tester/release.sh', WHERE);
  const where = async (words: readonly string[], env = {}) =>
    (await root.start([...words, script], { env })).stdout.trim();
  const edit = (word: string) => putScript(root, script, `${WHERE}# ${word}\n`);
  assert.equal(await where([]), 'view');
  assert.equal(await where(['--strategy', 'loader']), 'outside');
  edit('another line');
  assert.equal(await where([]), 'outside');
  assert.match((await root.manage(['resolve', script])).stdout, /need a way of their own/);
  assert.equal(await where(['--strategy', 'auto']), 'view');
  edit('one more');
  assert.equal(await where([], { NIX_RUN_FOREIGN_STRATEGY: 'loader' }), 'outside');
  edit('the last');
  assert.equal(await where([], { NIX_RUN_FOREIGN_STRATEGY: 'interpreter' }), 'view');
});

test('of a program of Nix it is kept as well', async () => {
  const resolved = async (...words: string[]) =>
    (await root.manage(['resolve', '--json', ...words, rig.bash])).stdout;
  assert.equal(JSON.parse(await resolved()).strategy, 'view');
  assert.equal(JSON.parse(await resolved('--strategy', 'loader')).strategy, 'direct');
  assert.equal(JSON.parse(await resolved()).strategy, 'direct');
  assert.equal(JSON.parse(await resolved('--strategy', 'auto')).strategy, 'view');
});

test('what this machine cannot do is said in one line, and the program starts all the same', async () => {
  const bare = await openToolRoot(rig);
  const other = putSelf(bare, 'self', 'plain');
  const asked = await bare.start(['--strategy', 'nix-ld', other, 'report']);
  assert.match(reportOf(asked)['exe'] ?? '', /ld-linux/);
  assert.match(
    asked.stderr,
    /^nix-run-foreign: .*: strategy nix-ld is not possible here, it is loader; [^\n]*\n$/,
  );
  // There is nothing to lie over.
  const namespace = await bare.start(['--strategy', 'namespace', other, 'report']);
  assert.match(reportOf(namespace)['exe'] ?? '', /\/copies\//);
  assert.match(namespace.stderr, /strategy namespace is not possible here, it is patched/);
});

test('no such strategy: refused, and nothing is kept', async () => {
  for (const name of ['magic', 'direct', '']) {
    const { status, stdout, stderr } = await root.start(['--strategy', name, program, 'report']);
    assert.deepEqual([status, stdout], [125, ''], name);
    assert.match(stderr, /--strategy: there is no strategy [^\n]*\n {2}name one of: auto, loader, nix-ld/);
  }
  assert.equal(await exe(['--refresh']), program);
});
