// A cold start, its root and a collection with each Nix of the rig first on PATH.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { foreign } from '../foreign-files.ts';
import { rootLinks } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const rsvg = foreign(rig, 'bookworm', 'rsvg-convert');

for (const { version, bin } of rig.nixVersions) {
  const root = await openToolRoot(rig, { catalogue: 'none' });
  const settings = { env: { PATH: bin } };
  test(`Nix ${version}`, async () => {
    const words = [rsvg.path, ...rsvg.args];
    assert.equal((await root.bare(rsvg.path, rsvg.args)).status, 127);
    const { status, stdout, stderr } = await root.start(words, settings);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, rsvg.expect);
    assert.equal(rootLinks(root).length, 1);
    const roots = await root.run({ ...settings, argv: ['nix-store', '--gc', '--print-roots'] });
    assert.equal(roots.stdout.split('\n').filter((line) => line.includes(homeInRoot)).length, 1);
    assert.equal((await root.run({ ...settings, argv: ['nix-store', '--gc'] })).status, 0);
    assert.match((await root.startHit(words, settings)).stdout, rsvg.expect);
    const doctor = await root.manage(['doctor', '--json'], settings);
    const checks = JSON.parse(doctor.stdout) as { subject: string; detail: string }[];
    assert.ok(checks.some(({ subject, detail }) => subject === 'nix' && detail.includes(version)));
  });
}

test('there are several', () => assert.ok(rig.nixVersions.length >= 3));
