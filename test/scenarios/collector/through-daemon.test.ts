// A user without rights to the store: first starts, roots and collections through a nix-daemon, by each Nix.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storePathsOf } from '../../../src/fingerprint/fingerprint.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { copyHome, foreign } from '../foreign-files.ts';
import { fingerprintBehind, removeCatalogues, rootLinks, targetOf } from '../saved-state.ts';
import { openToolRoot, type Settings } from '../tool.ts';

const rig = await ensureRig('full');
const jq = foreign(rig, 'bookworm', 'jq');
const root = await openToolRoot(rig, { uid: 1000, daemon: 'running', catalogue: 'none' });

for (const [index, { version, bin }] of sampled(rig.nixVersions, 3, 1).entries()) {
  const settings: Settings = { env: { PATH: bin } };
  const nix = async (...argv: [string, ...string[]]): Promise<string> => {
    const { status, stdout, stderr } = await root.run({ ...settings, argv });
    assert.equal(status, 0, stderr);
    return stdout;
  };

  test(`Nix ${version}`, async () => {
    const program = copyHome(root, jq, `${version}/jq`);
    const words = [program, ...jq.args];
    assert.equal((await root.bare(program, jq.args)).status, 127);
    const { status, stdout, stderr } = await root.start(['--refresh', ...words], settings);
    assert.deepEqual([status, stdout, stderr], [0, '42\n', '']);
    const links = rootLinks(root);
    assert.equal(links.length, index + 1);
    const [link = ''] = links;
    const references = await nix('nix-store', '-q', '--references', targetOf(link));
    assert.deepEqual(references.trim().split('\n').sort(), storePathsOf(fingerprintBehind(root, link)));
    const roots = await nix('nix-store', '--gc', '--print-roots');
    assert.equal(roots.split('\n').filter((line) => line.includes(homeInRoot)).length, index + 1, roots);
    removeCatalogues(root);
    await nix('nix-store', '--gc');
    assert.equal((await root.startHit(words, settings)).stdout, '42\n');
  });
}
