// A program that a preloader mapped, as Wine's does → started with the program's libraries, not as the preloader.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { putProgram } from '../run-time/ways.ts';
import { openToolRoot } from '../tool.ts';
import { putPreloader } from './put-preloader.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const startWith = path.join(homeInRoot, 'bin/start-with');
const startWithSource = path.resolve(import.meta.dirname, '../../launcher/programs/start-with.c');
const opened = 'libz.so.1 opened\nLD_AUDIT=unset LD_LIBRARY_PATH=unset\n';

for (const root of await openWays(rig, ['nix-ld-1'])) {
  const { way } = root;
  const preloader = putPreloader(root);

  test(`its first start, a hit, and a library that it opens, entered by ${way}`, async () => {
    const program = putProgram(root, 'open-names');
    const first = await root.plain(preloader, [program, 'libz.so.1']);
    assert.deepEqual([first.status, first.stdout, first.stderr], [0, opened, '']);
    const hit = await root.plainHit(preloader, [program, 'libz.so.1']);
    assert.deepEqual([hit.status, hit.stdout], [0, opened], hit.stderr);
    assert.match(hit.stderr, /^(nix-run-foreign: \S.*: \S+\/bin\/preloader\n)+$/);
    const itself = await root.plainHit(program, ['libz.so.1']);
    assert.deepEqual([itself.status, itself.stdout, itself.stderr], [0, opened, '']);
  });

  test(`the library path of its user, as the first variable, entered by ${way}`, async () => {
    const program = putProgram(root, 'open-names');
    mkdirSync(path.dirname(onHost(root, startWith)), { recursive: true });
    compile(onHost(root, startWith), readFileSync(startWithSource, 'utf8'), ['-w', '-static']);
    const words = ['entry', 'LD_LIBRARY_PATH=/of-user', '--', preloader, program, 'libz.so.1'];
    const { status, stdout, stderr } = await root.plain(startWith, words);
    assert.deepEqual([status, stdout, stderr], [0, opened.replace(/unset\n/, '/of-user\n'), '']);
  });

  test(`a program that cannot be started is the one that is told about, entered by ${way}`, async () => {
    const program = putProgram(root, 'open-names', 'unplanned');
    const { status, stdout, stderr } = await root.plainHit(preloader, [program]);
    assert.deepEqual([status, stdout], [127, '']);
    assert.match(stderr, /there is no plan: \S+\/unplanned\/open-names\n.*the resolver cannot be started/s);
  });
}

test('in a view', async () => {
  const root = await openToolRoot(rig);
  const words = ['--strategy', 'view', putPreloader(root), putProgram(root, 'open-names'), 'libz.so.1'];
  assert.equal((await root.start(words)).stdout, opened);
  assert.equal((await root.startHit(words.slice(2))).stdout, opened);
});

test('without us it does not start', async () => {
  const root = await openToolRoot(rig);
  const { status, stderr } = await root.bare(putPreloader(root), [putProgram(root, 'open-names')]);
  assert.notEqual(status, 0);
  assert.match(stderr, /^preloader: could not open \/lib64\/ld-linux-x86-64\.so\.2\n/);
});
