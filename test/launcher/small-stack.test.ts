// A stack limit that the program itself can do with → the launcher starts it, and says what it has to say.
import assert from 'node:assert/strict';
import { copyFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compileEntered, compileLibrary, plan } from './interpreter-fixture.ts';
import {
  compile,
  limited,
  openWorkshop,
  putScript,
  resolving,
  type run,
  runCommand,
} from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';

const workshop = await openWorkshop();
const { launcher, directory } = workshop;
const program = compile(workshop, 'say-started', ['-static']);
const library = compileLibrary(workshop, 'called-library');
const entered = compileEntered(workshop, 'call-library', [library]);
const records = Array.from({ length: 300 }, () => 'f/usr/share/doc/bash/copyright');

function within(kibibytes: number, words: readonly string[]): ReturnType<typeof run> {
  const script = `ulimit -s ${kibibytes}; exec "$@"`;
  return runCommand(workshop, ['sh', '-c', script, 'sh', ...words], limited);
}

for (const size of [16, 24, 32, 64, 200]) {
  test(`a hit within ${size} KiB, and what the launcher says itself`, async () => {
    const started = { code: 0, signal: null, stdout: 'started\n', stderr: '' };
    putPlan(workshop.place, program, planText(program, records));
    assert.deepEqual(await within(size, [program]), started, 'the program itself');
    assert.deepEqual(await within(size, [launcher, program]), started);
    putPlan(workshop.place, program, planText(program, ['+ADDED=1', 'cOWD', `NNIX_LD`, '0', 'Aone']));
    assert.deepEqual(await within(size, [launcher, program]), started);
    assert.match((await within(size, [launcher, '--version'])).stdout, /^nix-run-foreign \d/);
    const refused = await within(size, [launcher, '/nowhere']);
    assert.deepEqual([refused.code, refused.signal], [127, null]);
    assert.match(refused.stderr, /\/nowhere: no such file/);
  });

  test(`as interpreter within ${size} KiB`, async () => {
    plan(workshop, entered, path.dirname(library));
    const itself = path.join(directory, 'itself');
    copyFileSync(realpathSync('/bin/true'), itself);
    assert.equal((await within(size, [itself])).code, 0, 'a dynamic program at all');
    assert.deepEqual(await within(size, [entered]), { code: 0, signal: null, stdout: '', stderr: '' });
  });
}

test('Node has stack enough as the resolver, where the soft limit can be raised', async () => {
  const copy = path.join(directory, 'first');
  copyFileSync('/bin/true', copy);
  const body = `'${process.execPath}' -e 1 && ${resolving(workshop, copy)}`;
  const resolver = putScript(directory, 'with-node', body);
  const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: resolver };
  const script = `ulimit -Ss 24; exec '${launcher}' '${copy}'`;
  const { code, stderr } = await runCommand(workshop, ['sh', '-c', script], { ...limited, env });
  assert.deepEqual([code, stderr], [0, '']);
});
