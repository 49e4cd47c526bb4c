// A wiped or odd environment: the home is found, the launcher and the resolver agree on it, and the second start is a hit.
import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { foreign } from '../foreign-files.ts';
import { planFiles } from '../saved-state.ts';
import { openToolRoot, type Settings } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const jq = foreign(rig, 'bookworm', 'jq');
const words = [jq.path, ...jq.args];
const nothing = { HOME: undefined, USER: undefined, PATH: undefined };
const inHome = (name: string) => path.join(root.homeDir, name);

function assertQuiet({ status, stdout, stderr }: Outcome): void {
  assert.deepEqual([status, stdout, stderr], [0, '42\n', '']);
}

async function assertMissThenHit(settings: Settings): Promise<void> {
  assert.equal((await root.startHit(words, settings)).status, 125, 'a hit already');
  assertQuiet(await root.start(words, settings));
  assertHit(await root.startHit(words, settings));
}

/** The debug log may tell of a place that was passed over. */
function assertHit({ status, stdout, stderr }: Outcome): void {
  assert.deepEqual(
    [status, stdout, stderr.replaceAll(/^nix-run-foreign: debug: there is no .*\n/gm, '')],
    [0, '42\n', ''],
  );
}

beforeEach(() => {
  for (const name of readdirSync(root.homeDir)) rmSync(inHome(name), { recursive: true });
});

test('nothing set at all: the home of /etc/passwd, and Nix where it usually is', async () => {
  assert.equal((await root.bare(jq.path, jq.args, { env: nothing })).status, 127);
  await assertMissThenHit({ env: nothing });
  assert.equal(planFiles(root).length, 1);
});

test('a first start by a person is a hit for a service', async () => {
  assertQuiet(await root.start(words));
  assertQuiet(await root.startHit(words, { env: nothing }));
});

mkdirSync(path.join(root.nixDir, 'strange-home'));
chownSync(path.join(root.nixDir, 'strange-home'), 4711, 4711);
for (const home of ['', 'relative', '/nowhere', '/etc/passwd', '/nix/strange-home'])
  test(`HOME=${home} is not trusted`, async () => {
    await assertMissThenHit({ env: { HOME: home } });
    assert.equal(planFiles(root).length, 1);
    assertQuiet(await root.startHit(words, { env: nothing }));
  });

test('HOME of another place that is ours', async () => {
  mkdirSync(inHome('other'));
  await assertMissThenHit({ env: { HOME: `${homeInRoot}/other` } });
  assert.ok(existsSync(inHome('other/.cache/nix-run-foreign')));
  assert.ok(existsSync(inHome('other/.local/state/nix-run-foreign')));
  assert.ok(!existsSync(inHome('.cache')));
});

test('XDG directories', async () => {
  const env = { XDG_CACHE_HOME: `${homeInRoot}/c`, XDG_STATE_HOME: `${homeInRoot}/s` };
  await assertMissThenHit({ env });
  assert.deepEqual(readdirSync(root.homeDir).sort(), ['c', 's']);
  assertQuiet(await root.startHit(words, { env: { ...nothing, ...env } }));
});

test('XDG directories that are empty or relative do not count', async () => {
  await assertMissThenHit({ env: { XDG_CACHE_HOME: 'c', XDG_STATE_HOME: '' } });
  assertQuiet(await root.startHit(words, { env: { XDG_CACHE_HOME: '' } }));
  assert.equal(planFiles(root).length, 1);
});

test('variables that would change Node, Nix and the loader of the resolver', async () => {
  const env = {
    NODE_OPTIONS: '--require /nowhere.js',
    NODE_PATH: '/nowhere',
    LD_PRELOAD: '/nowhere.so',
    LD_LIBRARY_PATH: '/nowhere',
    LD_BIND_NOW: '1',
    LD_TRACE_LOADED_OBJECTS: undefined,
    NIX_PATH: '/nowhere',
    GLIBC_TUNABLES: 'glibc.malloc.check=3',
    TMPDIR: '/nowhere',
    LC_ALL: 'tlh_KX.UTF-8',
    TERM: 'nonsense',
  };
  const first = await root.start(words, { env });
  // The program itself is told of the library it cannot preload, as without us.
  assert.deepEqual([first.status, first.stdout], [0, '42\n'], first.stderr);
  assert.doesNotMatch(first.stderr, /nix-run-foreign|node/i);
});

test('an empty PATH is the working directory', async () => {
  const settings = { env: { PATH: '' }, cwd: path.dirname(jq.path) };
  assertQuiet(await root.start([path.basename(jq.path), ...jq.args], settings));
  assertQuiet(await root.startHit([path.basename(jq.path), ...jq.args], settings));
});

const unknown = await openToolRoot(rig, {
  catalogue: 'none',
  uid: 1000,
  binds: [{ from: '/dev/null', to: '/etc/passwd', mode: 'read-only' }],
});
test('a user whom /etc/passwd does not know: the place below /tmp', async () => {
  const settings = { env: nothing };
  assert.equal((await unknown.startHit(words, settings)).status, 125);
  const first = await unknown.start(words, settings);
  assert.deepEqual([first.status, first.stdout], [0, '42\n'], first.stderr);
  assert.doesNotMatch(first.stderr, /cannot write|home/);
  assert.match(first.stderr, /^nix-run-foreign: the libraries are not protected .*\n$/);
  const hit = await unknown.startHit(words, settings);
  assertHit(hit);
  assert.deepEqual(readdirSync(unknown.homeDir), []);
  const { stdout } = await unknown.manage(['list'], settings);
  assert.match(stdout, /^loader +\S+\/jq(?: |$)/m);
});
