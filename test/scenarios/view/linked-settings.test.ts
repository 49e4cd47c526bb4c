// A config.toml that is a link into the store, as home-manager makes it → a first start in an ordinary user's view.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { onHost } from '../foreign-files.ts';
import { reportOf } from '../strategies/self.ts';
import { giveHome, openViewRoot, putVendor, USER, vendor } from './view-root.ts';

const rig = await ensureRig('full');
const { program } = vendor;

test("home-manager's config.toml, root's in the store, counts within; root's elsewhere does not", async () => {
  const root = await openViewRoot(rig, { interpreter: 'none', uid: USER });
  putVendor(root);
  const settings = '/home/tester/.config/nix-run-foreign/config.toml';
  const inStore = `store/${'0'.repeat(32)}-hm_config.toml`;
  mkdirSync(path.dirname(onHost(root, settings)), { recursive: true });
  writeFileSync(path.join(root.nixDir, inStore), 'strct = true\n', { mode: 0o444 });
  symlinkSync(`/nix/${inStore}`, onHost(root, settings));
  giveHome(root, USER);
  const text = `${program} report; exit $?`;
  assert.equal((await root.start([rig.bash, '-c', 'exit 0'])).status, 0);
  const first = await root.start([rig.bash, '-c', text]);
  assert.equal(reportOf(first)['zlib'], '1', first.stderr);
  assert.match(first.stderr, /config\.toml:1: there is no key "strct"/);
  const elsewhere = path.join(path.dirname(settings), 'of-root.toml');
  writeFileSync(onHost(root, elsewhere), '', { mode: 0o444 });
  chownSync(onHost(root, elsewhere), 0, 0);
  renameSync(onHost(root, settings), onHost(root, `${settings}.old`));
  symlinkSync(elsewhere, onHost(root, settings));
  assert.equal((await root.manage(['forget', program])).status, 0);
  const refused = await root.start([rig.bash, '-c', text]);
  assert.match(refused.stderr, /config\.toml: it belongs to somebody else/);
  assert.equal(refused.status, 127);
});
