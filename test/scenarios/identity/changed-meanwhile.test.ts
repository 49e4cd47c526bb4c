// A program that is touched or replaced while it is resolved: resolving begins again, and the program of now starts.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { copyHome, foreign, onHost } from '../foreign-files.ts';
import { cacheOf, rootLinks, stateOf } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const jq = foreign(rig, 'bookworm', 'jq');
const older = foreign(rig, 'bullseye', 'jq');
const wrappers = path.join(homeInRoot, 'wrappers');
const program = path.join(homeInRoot, 'apps/jq');
const [{ bin } = { bin: rig.nixBin }] = rig.nixVersions;

/** Commands of Nix that do something else first; `while` it runs the program is being resolved. */
function meanwhile(body: string): void {
  const directory = onHost(root, wrappers);
  mkdirSync(directory, { recursive: true });
  for (const command of ['nix-store', 'nix-instantiate']) {
    const done = command === 'nix-instantiate' ? `text=$(cat); { ${body}; } > ~/log 2>&1;` : '';
    const input = command === 'nix-instantiate' ? 'printf %s "$text" |' : 'exec';
    const file = path.join(directory, command);
    writeFileSync(
      file,
      `#!${rig.bash}\nPATH=${bin}:/nix/var/nix/profiles/default/bin:${coreutils}
${done} ${input} ${bin}/${command} "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
}

const coreutils = path.dirname(rig.bash);
const start = () => root.start([program, ...jq.args], { env: { PATH: wrappers } });

beforeEach(() => {
  for (const directory of [cacheOf(root), stateOf(root)]) rmSync(directory, { recursive: true, force: true });
  copyHome(root, jq, 'apps/jq');
  copyFileSync(older.path, onHost(root, `${program}.new`));
});

for (const [what, body] of [
  ['touched', `touch ${program}; echo done`],
  ['replaced by another version', `[ -e ${program}.new ] && mv ${program}.new ${program}; echo done`],
] as const) {
  test(`${what}: it starts, quietly, and one root is left`, async () => {
    meanwhile(body);
    const { status, stdout, stderr } = await start();
    assert.deepEqual([status, stdout, stderr], [0, '42\n', '']);
    assert.ok(existsSync(path.join(root.homeDir, 'log')), 'nothing happened meanwhile');
    assert.equal(rootLinks(root).length, 1);
    assert.equal((await root.startHit([program, ...jq.args])).stdout, '42\n');
  });
}

test('with new content each time: the reason is said, and the next start works', async () => {
  meanwhile(`cp ${program} ${program}.more; echo >> ${program}.more; mv ${program}.more ${program}`);
  const { status, stderr } = await start();
  assert.equal(status, 125);
  assert.match(stderr, /jq: the file keeps changing while its libraries are looked for\n {2}start it again/);
  const next = await root.start([program, ...jq.args]);
  assert.deepEqual([next.status, next.stdout, next.stderr], [0, '42\n', '']);
  assert.equal(rootLinks(root).length, 1);
});
