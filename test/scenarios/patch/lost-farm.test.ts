// A patched file whose farm was collected → held again; where Nix refuses, nothing is replaced that nobody agreed to.
import assert from 'node:assert/strict';
import { lstatSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { openTerminal } from '../choosing/terminal.ts';
import { stateOf } from '../saved-state.ts';
import { foreignNamed, openVendorRoot } from './vendor-root.ts';

const vendor = await openVendorRoot('small');
const curl = vendor.put(foreignNamed(vendor.rig, 'curl'), 'app/curl');
const first = await vendor.root.manage(['patch', '-y', '--json', '/vendor/app/curl']);
assert.equal(first.status, 0, first.stderr);
const { farm } = JSON.parse(first.stdout);
const patched = readFileSync(curl);
const root = path.join(stateOf(vendor.root), 'patched', path.basename(farm), 'root');
/** A store to which nothing can be added. */
const REFUSING = { env: { NIX_REMOTE: 'unix:///nowhere/socket' } };

rmSync(root);
const deleted = await vendor.root.run({ argv: [`${vendor.rig.nixBin}/nix-store`, '--delete', farm] });
assert.equal(deleted.status, 0, deleted.stderr);
assert.notEqual((await vendor.root.bare('/vendor/app/curl', ['--version'])).status, 0);

test('--strict refuses to write another farm into it where Nix does not add its own again', async () => {
  const { status, stdout, stderr } = await vendor.root.manage(
    ['patch', '-y', '--tree', '--strict', '/vendor/app'],
    REFUSING,
  );
  assert.match(stderr, /Nix does not take its farm/);
  assert.match(stderr, /it is patched already by other choices/);
  assert.equal(status, 1, stdout);
  assert.deepEqual(readFileSync(curl), patched);
});

test('without -y the question comes before another farm is written into it', async () => {
  const argv = [vendor.rig.node, '/opt/tool/dist/nix-foreign.cjs', 'patch', '/vendor/app/curl'] as const;
  const it = openTerminal(vendor.root.wordsOf({ argv, ...REFUSING }));
  after(() => it.close());
  await it.until(/Patch \/vendor\/app\/curl \(/);
  it.press('n', 'Enter');
  assert.match(await it.until(/\[status \d+\]/), /\[status 1\]/);
  assert.deepEqual(readFileSync(curl), patched);
});

test('patched again its libraries are held again, which is said once', async () => {
  const said = async () => (await vendor.root.manage(['patch', '-y', '/vendor/app/curl'])).stdout;
  assert.match(await said(), /it is patched already, by the same choices; its libraries are held again$/m);
  assert.ok(lstatSync(root).isSymbolicLink());
  assert.equal((await vendor.root.bare('/vendor/app/curl', ['--version'])).status, 0);
  assert.deepEqual(readFileSync(curl), patched);
  assert.match(await said(), /nothing is to be done$/m);
});
