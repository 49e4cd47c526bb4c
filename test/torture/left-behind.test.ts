// Names that works leave and keep → those that were to be taken away, by us and by a shell.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findingLeft, leftBehindIn } from './left-behind.ts';

const home = mkdtempSync(path.join(tmpdir(), 'torture-left-'));
after(() => rmSync(home, { recursive: true }));

const LEFT = [
  '.cache/v1/plans/.0123456789abcdef.1.2.3.tmp',
  '.cache/v1/locks/0123456789abcdef.lock',
  '.local/state/roots/abc/0123456789abcdef.tmp-77-1804', // of nix-instantiate(1)
  'jq.new',
];
/** A shell need not wait for it: no later start takes it away, but the same command again. */
const DIRECTORY = 'nix-foreign-proof-Ab12Cd';
const KEPT = [
  '.cache/v1/plans/0123456789abcdef',
  'cache/nar/1b2.nar.tmp.7.1', // of nix copy, whose own it is
  '.cache/v1/run-time/abc/nix-foreign-audit-once.so',
  'tool.tmpl',
  'jq',
];

for (const name of [...LEFT, ...KEPT, `${DIRECTORY}/libjq.so.1`]) {
  mkdirSync(path.join(home, path.dirname(name)), { recursive: true });
  writeFileSync(path.join(home, name), '');
}

const named = (files: readonly string[]) => files.map((file) => path.relative(home, file)).sort();

test('what has no name yet, locks and directories of a command are left behind', () => {
  assert.deepEqual(named(leftBehindIn([home])), [...LEFT, DIRECTORY].sort());
});

test('a shell finds the same in the home and in hidden directories', () => {
  const script = `${findingLeft([home, `${home}/.[^.]*/**`])}printf '%s\\n' "\${left[@]}"`;
  const found = execFileSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.deepEqual(named(found.trim().split('\n')), [...LEFT].sort());
});
