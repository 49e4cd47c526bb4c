// Dynamic programs of the machine and of the rig → simulation and real loader print the same list.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../rig/rig.ts';
import { withNix } from '../rig/root.ts';
import { sampled } from '../sample.ts';
import { compareProgram, emptyTally, programsIn, type Tally } from './compare-programs.ts';
import { glibcLoader } from './real-loader.ts';

const host = glibcLoader('/lib64/ld-linux-x86-64.so.2');

function summary({ same, compared, loaded }: Tally): string {
  return `${same} of ${compared} starts have the same list, status and words (${loaded} load everything)`;
}

for (const [what, libraryPath] of [
  ['without a library path', ''],
  [
    'with a library path',
    '/usr/lib/x86_64-linux-gnu/perl-base:/lib64;/usr/lib/gcc/$LIB:/usr/lib/x86_64-linux-gnu',
  ],
] as const) {
  test(`programs in /usr/bin and /usr/sbin, ${what}`, (t) => {
    const tally = emptyTally();
    const programs = ['/usr/bin', '/usr/sbin'].flatMap((directory) => programsIn(directory, host));
    for (const program of sampled(programs, 3)) compareProgram(tally, host, program, libraryPath);
    t.diagnostic(summary(tally));
    assert.deepEqual(tally.differences, []);
    assert.ok(tally.compared > 60);
  });
}

test('a loader that searched nowhere would be caught with every program that needs a library', (t) => {
  const tally = emptyTally();
  const blind = { ...host, settings: { ...host.settings, defaultDirectories: [] } };
  for (const program of programsIn('/usr/bin', host).slice(0, 20)) compareProgram(tally, blind, program, '');
  t.diagnostic(summary(tally));
  assert.equal(tally.same, 0);
  assert.equal(tally.differences.length, 3);
});

test('programs of the rig, by all of its loaders', async (t) => {
  const script = join(import.meta.dirname, 'programs', 'compare-rig.ts');
  const argv = [process.execPath, script] as const;
  const names = ['HOME', 'XDG_CACHE_HOME', 'NIX_RUN_FOREIGN_TEST_ALL'];
  const env = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  const outcome = await withNix(await ensureRig('full'), { argv, env, timeoutMs: 900_000 });
  assert.equal(outcome.status, 0, outcome.stderr);
  const tally = JSON.parse(outcome.stdout) as Tally;
  t.diagnostic(summary(tally));
  assert.deepEqual(tally.differences, []);
  assert.ok(tally.compared > 100);
});
