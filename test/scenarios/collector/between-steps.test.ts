// A chosen store path that goes between two steps of the first start: another one is chosen, quietly.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { storePathsOf } from '../../../src/fingerprint/fingerprint.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Root } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { fingerprintBehind, rootLinks, storeFileOnHost } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const jq = foreign(rig, 'bookworm', 'jq');
const wrappers = path.join(homeInRoot, 'wrappers');

const destroy = 'chmod -R u+w $victim; rm -r $victim';
const collect = 'nix-store --delete --ignore-liveness $(nix-store -q --referrers-closure $victim)';

/** What happens once, before or after the command of Nix that adds and pins. `$victim` is the chosen store path. */
const steps: Record<string, readonly [before: string, after: string]> = {
  'collected before the text that references it is added': [collect, ':'],
  'collected after that text was added': [':', collect],
  'deleted before, and Nix does not know': [destroy, ':'],
  'deleted after, and Nix does not know': [':', destroy],
};

function putScript(root: Root, name: string, body: string): void {
  const directory = onHost(root, wrappers);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, name), `#!${rig.bash}\n${body}\n`);
  chmodSync(path.join(directory, name), 0o755);
}

/** Stands in for the commands of Nix. */
function wrapNix(root: Root, bin: string, before: string, after: string): void {
  putScript(root, 'nix-store', `exec ${bin}/nix-store "$@"`);
  putScript(
    root,
    'nix-instantiate',
    `PATH=/nix/var/nix/profiles/default/bin
text=$(cat)
[ -e ~/log ] && { printf %s "$text" | exec ${bin}/nix-instantiate "$@"; exit; }
{ ${before}; } > ~/log 2>&1
printf %s "$text" | ${bin}/nix-instantiate "$@"
status=$?
{ ${after}; } >> ~/log 2>&1
exit $status`,
  );
}

const paths = Object.entries(steps).flatMap(([name, step]) =>
  rig.nixVersions.map((nix) => [name, nix, ...step] as const),
);
for (const [name, { version, bin }, before, after] of sampled(paths, 2)) {
  const root = await openToolRoot(rig);
  const words = [jq.path, ...jq.args];
  test(`${name}, Nix ${version}`, async () => {
    assert.equal((await root.bare(jq.path, jq.args)).status, 127);
    assert.equal((await root.start(words)).stdout, '42\n');
    const chosen = storePathsOf(fingerprintBehind(root, rootLinks(root)[0] ?? ''));
    const victim = chosen.find((each) => each.includes('onig')) ?? '';
    await root.manage(['forget', jq.path]);
    wrapNix(root, bin, `victim=${victim}; ${before}`, after);
    const { status, stdout, stderr } = await root.start(words, { env: { PATH: wrappers } });
    assert.deepEqual([status, stdout, stderr], [0, '42\n', '']);
    const log = readFileSync(path.join(root.homeDir, 'log'), 'utf8');
    assert.ok(!existsSync(storeFileOnHost(root, victim)), `nothing was deleted: ${log}`);
    assert.equal((await root.startHit(words)).stdout, '42\n');
  });
}
