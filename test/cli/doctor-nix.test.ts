// Nix is asked something that needs its database or daemon, and asking changes nothing.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checkNix } from '../../src/cli/doctor/checks.ts';
import { ForeignError } from '../../src/host/errors.ts';
import { invalidPaths } from '../../src/store/nix.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { openPrivateStore } from '../store/private-store.ts';

needTool('nix-store', 'nix-bin');
const scratch = scratchDirectory();
const { nix, location } = openPrivateStore(path.join(scratch, 'nix'));
const withEnv = (env: Record<string, string>) => checkNix({ nix: { ...nix, env: { ...nix.env, ...env } } });

test('a Nix that answers', async () => {
  const { state, detail } = await checkNix({ nix });
  assert.deepEqual([state, detail.endsWith(` in ${nix.bin}`)], ['ok', true]);
});

test('what failed names the question that shows a Nix in order, whatever else lies in its store', async () => {
  for (const name of [`${'a'.repeat(32)}-x.lock`, `${'b'.repeat(32)}-left-over`])
    mkdirSync(path.join(location.storeDir, name));
  const failed = { ...nix, env: { ...nix.env, NIX_REMOTE: 'nothing://' } };
  await assert.rejects(invalidPaths(failed, [location.storeDir]), (error) => {
    assert.ok(error instanceof ForeignError);
    assert.match(error.hint, /: nix-foreign doctor$/);
    return true;
  });
  assert.equal((await checkNix({ nix })).state, 'ok');
});

test('no Nix, and one that cannot be run', async () => {
  assert.equal((await checkNix({ nix: undefined })).state, 'lack');
  const { state, detail } = await checkNix({ nix: { ...nix, bin: scratch } });
  assert.deepEqual([state, detail], ['lack', `${scratch}/nix-store cannot be run`]);
});

test('a daemon that does not run: what Nix says of it, and to start it', async () => {
  mkdirSync(path.join(location.stateDir, 'daemon-socket'), { recursive: true });
  const { state, detail, remedy } = await withEnv({ NIX_REMOTE: 'daemon' });
  assert.equal(state, 'lack');
  assert.match(detail, /but nix-store .*failed: .*(connect|daemon)/);
  assert.match(remedy ?? '', /^start the Nix daemon/);
});

test('a store or database that is not there: Nix is not started, for it would make one', async () => {
  const stateDir = path.join(scratch, 'no-state');
  const { state, detail } = await withEnv({ NIX_STATE_DIR: stateDir });
  assert.equal(state, 'lack');
  assert.match(detail, /holds no database of Nix$/);
  assert.ok(!existsSync(stateDir));
  const storeDir = path.join(scratch, 'no-store');
  const { detail: other } = await withEnv({ NIX_STORE_DIR: storeDir });
  assert.match(other, /no-store is not there$/);
  assert.ok(!existsSync(storeDir));
});

test('a database that is broken', async () => {
  rmSync(path.join(location.stateDir, 'db/db.sqlite'));
  mkdirSync(path.join(location.stateDir, 'db/db.sqlite'));
  const { state, detail } = await checkNix({ nix });
  assert.equal(state, 'lack');
  assert.match(detail, /failed: \S/);
});
