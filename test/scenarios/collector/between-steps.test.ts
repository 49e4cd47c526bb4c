// A chosen store path that goes between two steps of the first start: another one is chosen, quietly.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { storePathsOf } from '../../../src/fingerprint/fingerprint.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Root } from '../../rig/root.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { fingerprintBehind, rootLinks, storeFileOnHost } from '../kept-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const jq = foreign(rig, 'bookworm', 'jq');
const wrappers = path.join(homeInRoot, 'wrappers');

const collect = 'nix-store --delete --ignore-liveness $(nix-store -q --referrers-closure $victim)';

/** What stands in for a command of Nix does first, once. `$victim` is the chosen store path. */
const steps: Record<string, readonly [command: string, deed: string]> = {
  'before the text that references it is added': ['nix-instantiate', collect],
  'before that text is pinned, which goes too': ['nix-store', collect],
  'before that text is pinned, and Nix does not know': ['nix-store', 'chmod -R u+w $victim; rm -r $victim'],
};

function putScript(root: Root, name: string, body: string): void {
  const directory = onHost(root, wrappers);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, name), `#!${rig.bash}\n${body}\n`);
  chmodSync(path.join(directory, name), 0o755);
}

/** Commands of Nix of which one does something beforehand. */
function wrapNix(root: Root, bin: string, command: string, deed: string): void {
  for (const each of ['nix-store', 'nix-instantiate']) putScript(root, each, `exec ${bin}/${each} "$@"`);
  putScript(
    root,
    command,
    `PATH=/nix/var/nix/profiles/default/bin
[ ${command} = nix-instantiate ] && text=$(cat)
if [ ! -e ~/done ]; then : > ~/done; { ${deed}; } > ~/log 2>&1; fi
printf %s "$text" | exec ${bin}/${command} "$@"`,
  );
}

const paths = Object.entries(steps).flatMap(([name, step]) =>
  rig.nixVersions.map((nix) => [name, nix, ...step] as const),
);
for (const [name, { version, bin }, command, deed] of paths) {
  const root = await openToolRoot(rig);
  const words = [jq.path, ...jq.args];
  test(`${name}, Nix ${version}`, async () => {
    assert.equal((await root.bare(jq.path, jq.args)).status, 127);
    assert.equal((await root.start(words)).stdout, '42\n');
    const chosen = storePathsOf(fingerprintBehind(root, rootLinks(root)[0] ?? ''));
    const victim = chosen.find((each) => each.includes('onig')) ?? '';
    await root.manage(['forget', jq.path]);
    wrapNix(root, bin, command, `victim=${victim}; ${deed}`);
    const { status, stdout, stderr } = await root.start(words, { env: { PATH: wrappers } });
    assert.deepEqual([status, stdout, stderr], [0, '42\n', '']);
    const log = readFileSync(path.join(root.homeDir, 'log'), 'utf8');
    assert.ok(!existsSync(storeFileOnHost(root, victim)), `nothing was deleted: ${log}`);
    assert.equal((await root.startHit(words)).stdout, '42\n');
  });
}
