// The foreign programs of four Debian releases and of npm → each in a view: itself, and as a child of a shell.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureNpmPrograms, type NpmProgram } from '../../rig/npm/programs.ts';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { openViewRoot, USER } from './view-root.ts';

const rig = await ensureRig('full');
const npm = await ensureNpmPrograms();
const corpus: readonly NpmProgram[] = [...rig.foreign, ...npm.programs];
const TIMEOUT = 120_000;

function assertRan({ expect }: NpmProgram, { stdout, stderr, status }: Outcome): void {
  assert.doesNotMatch(stdout + stderr, /^nix-run-foreign: /m);
  assert.equal(status, 0, stderr);
  assert.match(stdout + stderr, expect);
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

for (const uid of [0, USER]) {
  const root = await openViewRoot(rig, { interpreter: 'none', uid, binds: npm.binds });
  // Each uid has others of the sample.
  for (const program of sampled(uid === 0 ? corpus : [...corpus.slice(3), ...corpus.slice(0, 3)], 20)) {
    const { suite, name, path, args } = program;
    test(`user ${uid}: ${suite}'s ${name}`, async () => {
      assert.equal((await root.bare(path, args)).status, 127);
      assertRan(program, await root.start(['--strategy', 'view', path, ...args], { timeoutMs: TIMEOUT }));
      const { stdout } = await root.manage(['explain', '--json', path]);
      assert.equal(JSON.parse(stdout).strategy, 'view');
      const text = `${[path, ...args].map(quoted).join(' ')}; exit $?`;
      assertRan(program, await root.start([rig.bash, '-c', text], { timeoutMs: TIMEOUT }));
    });
  }
}

test('the corpus has sixty programs and more', () => assert.ok(corpus.length >= 60, String(corpus.length)));
