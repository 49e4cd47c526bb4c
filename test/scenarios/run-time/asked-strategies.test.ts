// Strategies that are asked for → the module too, and what it found is in the set of the second start.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';
import { putPlugIn, putPrinter, putProgram } from './ways.ts';

const rig = await ensureRig('full');
const nixLd = await openToolRoot(rig, { interpreter: 'nix-ld' });
const bare = await openToolRoot(rig);

/** What an environment has but for what the strategy itself sets. */
function notOf(strategy: string, environment: string): string[] {
  return environment.split('\n').filter((entry) => strategy !== 'nix-ld' || !entry.startsWith('NIX_LD'));
}

for (const [strategy, root] of [
  ['nix-ld', nixLd],
  ['patched', bare],
  ['view', bare],
] as const) {
  const wish = ['--strategy', strategy];
  const program = putProgram(root, 'open-names', strategy);

  test(`${strategy}: a composed name and a plug-in from elsewhere are found, then they are in the set`, async () => {
    const plugIn = putPlugIn(root, `elsewhere-${strategy}/wheel.so`, 'int wheel;', ['libsqlite3.so.0']);
    const nothing = await root.start([...wish, program]);
    assert.deepEqual([nothing.status, nothing.stderr], [0, '']);
    // A wish asks the resolver; without one the plan is followed as it was made.
    for (const start of [root.startHit, root.start, root.startHit]) {
      const { status, stdout, stderr } = await start([program, 'libz.so.1', plugIn]);
      assert.match(stdout, /^libz\.so\.1 opened\n\S+ opened\nLD_AUDIT=unset /, stderr);
      assert.equal(status, 0);
    }
    const { stdout } = await root.manage(['explain', program]);
    assert.match(stdout, new RegExp(`^strategy {2}${strategy}$`, 'm'));
    assert.match(stdout, /in the set for that: .*libsqlite3\.so\.0/);
  });

  test(`${strategy}: the module is loaded once, whatever the user has the loader ask`, async () => {
    const counts = putProgram(root, 'count-modules', `counts-${strategy}`);
    const without = await root.start([...wish, counts, 'libz.so.1']);
    assert.equal(without.stdout, '1\n', without.stderr);
    const other = putPlugIn(
      root,
      `other-${strategy}.so`,
      'unsigned la_version(unsigned v) { return v; }',
      [],
    );
    const beside = await root.start([counts, 'libz.so.1'], { env: { LD_AUDIT: other } });
    assert.equal(beside.stdout, '1\n', beside.stderr);
  });

  test(`${strategy}: beside the user's list, wherever it stands, the environment is as it was given`, async () => {
    const opening = putPrinter(root, `opens-${strategy}`, []);
    const plain = putPrinter(root, 'prints', ['-static']);
    assert.equal((await root.start([...wish, opening])).status, 0);
    for (const env of [
      { LD_LIBRARY_PATH: '/nowhere', A: '1', B: '2' },
      { A: '1', LD_LIBRARY_PATH: '/nowhere', B: '2' },
      { A: '1', B: '2', LD_LIBRARY_PATH: '/nowhere' },
      { A: '1', NIX_LD_LIBRARY_PATH: '/nowhere', B: '2' },
    ]) {
      const given = await root.start([plain], { env });
      const { status, stdout, stderr } = await root.start([opening], { env });
      assert.equal(status, 0, stderr);
      assert.deepEqual(notOf(strategy, stdout), notOf(strategy, given.stdout));
    }
  });

  test(`${strategy}: a false name fails as before`, async () => {
    const { status, stdout } = await root.start([...wish, program, 'libfalse.so.9']);
    assert.match(stdout, /^libfalse\.so\.9 libfalse\.so\.9: cannot open shared object file/);
    assert.equal(status, 1);
  });
}

test('a plan for everybody has what is foreseen, and no module; one of my own comes first, and has it', async () => {
  const everybody = mkdtempSync(path.join(tmpdir(), 'everybody-'));
  chmodSync(everybody, 0o755);
  after(() => rmSync(everybody, { recursive: true, force: true }));
  const binds = [{ from: everybody, to: '/var/lib', mode: 'read-write' }] as const;
  const root = await openToolRoot(rig, { binds });
  const composed = putProgram(root, 'open-names');
  const literal = putProgram(root, 'open-literal');
  for (const program of [composed, literal]) {
    const { status, stderr } = await root.manage(['resolve', '--system', program]);
    assert.equal(status, 0, stderr);
  }
  assert.equal((await root.startHit([literal])).stdout, 'opened\n');
  const { stdout } = await root.startHit([composed, 'libz.so.1']);
  assert.match(stdout, /^libz\.so\.1 libz\.so\.1: cannot open shared object file/);
  assert.equal((await root.manage(['resolve', '--refresh', composed])).status, 0);
  assert.match((await root.start([composed, 'libz.so.1'])).stdout, /^libz\.so\.1 opened/);
});
