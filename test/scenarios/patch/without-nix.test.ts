// A store to which nothing can be added → a directory of ours holds the names, one line says so, and undo is as exact.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { homeInRoot } from '../../rig/root.ts';
import { stateOf } from '../saved-state.ts';
import { foreignNamed, openVendorRoot } from './vendor-root.ts';

const vendor = await openVendorRoot('small', { daemon: 'none' });
const curl = vendor.put(foreignNamed(vendor.rig, 'curl'), 'curl');
const shaOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
const first = shaOf(curl);
const OWN_STATE = `${homeInRoot}/.local/state/nix-run-foreign/v1`;
/** The directory of ours. */
let own = '';

test('the farm is a directory in the state directory, and the program starts by itself', async () => {
  const { status, stdout, stderr } = await vendor.root.manage(['patch', '-y', '--json', '/vendor/curl']);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /Nix does not take its farm: .*; a directory of ours in \S+ stands in for it/);
  assert.match(stderr, /not protected from garbage collection/);
  own = JSON.parse(stdout).farm;
  assert.ok(own.startsWith(`${OWN_STATE}/patched/`), own);
  const run = await vendor.root.bare('/vendor/curl', ['--version']);
  assert.equal(run.status, 0, run.stderr);
});

test('said again nothing is done; doctor notes that nothing holds its libraries', async () => {
  const again = await vendor.root.manage(['patch', '-y', '/vendor/curl']);
  assert.match(again.stdout, /nothing is to be done/);
  assert.match(again.stderr, /not protected from garbage collection/);
  assert.match((await vendor.root.manage(['doctor'])).stdout, /\/vendor\/curl: nothing keeps its libraries/);
});

test('what is told to do names no repair, which says that nothing is gone', async () => {
  const remedy = /patch it again: nix-foreign patch \/vendor\/curl$/m;
  assert.match((await vendor.root.manage(['doctor'])).stdout, remedy);
  const { status, stderr } = await vendor.root.manage(['patch', '--repair', '/vendor/curl']);
  assert.equal(status, 126);
  assert.match(stderr, /\/vendor\/curl: its libraries are there, and Nix does not hold them$/m);
  assert.match(stderr, remedy);
});

test('without any Nix the remedy begins with it, as long as nothing is gone', async () => {
  const none = { env: { PATH: '/nowhere' } };
  const profile = path.join(vendor.root.nixDir, 'var/nix/profiles/default');
  renameSync(profile, `${profile}.away`);
  const remedy = /once Nix is here: nix-foreign patch \/vendor\/curl/;
  assert.match((await vendor.root.manage(['doctor'], none)).stdout, remedy);
  assert.match((await vendor.root.manage(['patch', '--check', '/vendor/curl'], none)).stdout, remedy);
  assert.match((await vendor.root.manage(['patch', '--repair', '/vendor/curl'], none)).stderr, remedy);
  const again = await vendor.root.manage(['patch', '-y', '/vendor/curl'], none);
  assert.match(again.stdout, /nothing is to be done/, again.stderr);
  const farm = path.join(stateOf(vendor.root), path.relative(OWN_STATE, own));
  renameSync(farm, `${farm}.away`);
  assert.match(
    (await vendor.root.manage(['doctor'], none)).stdout,
    /\/vendor\/curl cannot start: .*\n +patch it again: nix-foreign patch \/vendor\/curl$/m,
  );
  assert.match(
    (await vendor.root.manage(['patch', '-y', '/vendor/curl'], none)).stdout,
    /its libraries are there again$/m,
  );
  rmSync(`${farm}.away`, { recursive: true });
  renameSync(`${profile}.away`, profile);
});

test('it goes back, and the directory goes with it', async () => {
  const { status, stderr } = await vendor.root.manage(['unpatch', '/vendor/curl']);
  assert.equal(status, 0, stderr);
  assert.equal(shaOf(curl), first);
  assert.ok(existsSync(path.join(stateOf(vendor.root))));
  assert.doesNotMatch((await vendor.root.manage(['list'])).stdout, /patched file/);
});
