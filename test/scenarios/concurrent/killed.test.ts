// Resolvers killed at random moments: the next start works, and nothing is left lying about after it.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../elf/seeded-random.ts';
import { ensureRig } from '../../rig/rig.ts';
import { ALL } from '../../sample.ts';
import { foreign } from '../foreign-files.ts';
import { farmNames, rootLinks } from '../saved-state.ts';
import { launcher, openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { catalogue: 'none' });
const jq = foreign(rig, 'bookworm', 'jq');
const ROUNDS = ALL ? 40 : 16;
/** A miss with a filled catalogue takes about this many milliseconds on a slow machine. */
const LATEST = 160;

// All rounds run in one process namespace, as on a real machine, where the dead can be told from the living.
const round = (wait: number, wipe: string) => `
${wipe}
${launcher} --refresh ${jq.path} -n 6*7 > /dev/null 2> ~/error & launcher=$!
read -t ${wait / 1000} <> ~/never
keeper= node=
read keeper < /proc/$launcher/task/$launcher/children
read node < /proc/$keeper/task/$keeper/children
[ "$node" ] && kill -9 $node && echo killed >> ~/killed
wait $launcher
case $?:$(< ~/error) in
  0:) ;;
  125:'nix-run-foreign: the resolver was ended by signal 9'*) ;;
  *) echo "killed one: $? $(< ~/error)" ;;
esac
output=$(${launcher} ${jq.path} -n 6*7 2>&1)
[ "$output" = 42 ] || echo "next one: $output"
`;

test(`${ROUNDS} kills`, async () => {
  assert.equal((await root.bare(jq.path, jq.args)).status, 127);
  const random = seededRandom(20);
  const wipes = [
    '',
    'rm -f ~/.cache/nix-run-foreign/v1/plans/*',
    'rm -rf ~/.cache/nix-run-foreign/v1/farms ~/.cache/nix-run-foreign/v1/plans',
    'rm -rf ~/.local/state/nix-run-foreign ~/.cache/nix-run-foreign/v1/plans',
  ];
  const rounds = Array.from({ length: ROUNDS }, () =>
    round(1 + random(LATEST), wipes[random(wipes.length)] ?? ''),
  );
  const last = `${launcher} --refresh ${jq.path} -n 6*7 > /dev/null`;
  const script = `exec 2>/dev/null; mkfifo ~/never; ${rounds.join('')} ${last}`;
  const { stdout } = await root.run({
    argv: [rig.bash, '-c', script],
    env: { PATH: pathOfCoreutils() },
    timeoutMs: 120_000,
  });
  assert.equal(stdout, '');
  const { stdout: killed } = await root.run({
    argv: [rig.bash, '-c', 'wc -l < ~/killed'],
    env: { PATH: pathOfCoreutils() },
  });
  assert.ok(Number(killed) > ROUNDS / 4, `only ${killed} were alive when they were to be killed`);
});

test('nothing is left of them after the next run', () => {
  const places = ['.cache', '.local'].map((name) => path.join(root.homeDir, name));
  const names = places.flatMap((place) => readdirSync(place, { recursive: true }).map(String));
  assert.deepEqual(
    names.filter((name) => /\.tmp$|\.lock$|\.owner$/.test(name)),
    [],
  );
  assert.deepEqual([farmNames(root).length, rootLinks(root).length], [1, 1]);
});

function pathOfCoreutils(): string {
  const coreutils = readdirSync(path.join(rig.nixDir, 'store')).find((name) => /-coreutils-/.test(name));
  return `/nix/store/${coreutils}/bin:${rig.nixBin}`;
}
