// Where work ends up when the user's directories cannot be written, each case in mounts of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Directories } from '../../src/host/directories.ts';
import { allDirectories, everyPlace } from '../../src/resolve/writable-directories.ts';
import { asRoot, needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { buildFailingCalls, type FailingCalls, failing } from '../store/failing-calls.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
/** Where the checkout is in there, since /tmp may hide it. */
const SEEN_AT = '/srv';
const UID = 4711; // no entry in /etc/passwd

interface Answer {
  readonly plans?: string;
  readonly bytes?: number;
  readonly code?: string;
  readonly exitCode?: number;
  readonly message?: string;
  readonly hint?: string;
  readonly ours?: boolean;
  readonly stderr: string;
}

interface Case {
  /** Shell commands run as root once /mnt (the home, owned by the user) and /tmp are there. */
  readonly prepare?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** In a user namespace in which the user has no number. */
  readonly isUnmapped?: boolean;
  readonly bytes?: number;
  readonly calls?: FailingCalls;
}

function work(given: Case): Answer {
  needTool('setpriv', 'util-linux');
  const scratch = scratchDirectory();
  const [home, tmp] = ['home', 'tmp'].map((name) => path.join(scratch, name));
  for (const each of [home, tmp]) mkdirSync(each ?? '');
  chmodSync(tmp ?? '', 0o1777);
  const uid = String(given.uid ?? UID);
  const node = process.execPath.replace(`${PROJECT}/`, `${SEEN_AT}/`);
  const preloaded = given.calls === undefined ? {} : failing('/mnt/failing-calls.so', given.calls);
  if (given.calls !== undefined) buildFailingCalls(path.join(home ?? '', 'failing-calls.so'));
  const variables = Object.entries(preloaded).map(([name, value]) => `${name}=${value}`);
  const script = `set -e
    mount --bind "$1" ${SEEN_AT}; mount --bind "$2" /mnt; chown ${uid}:${uid} /mnt; mount --bind "$3" /tmp
    ${given.prepare ?? ''}
    cd /
    exec setpriv --reuid=${uid} --regid=${uid} --clear-groups ${given.isUnmapped ? 'unshare -U ' : ''}env ${variables.join(' ')} "$4" --disable-warning=ExperimentalWarning \
      ${SEEN_AT}/test/resolve/programs/use-place.ts ${given.bytes ?? 10}`;
  const words = ['-m', 'sh', '-c', script, 'sh', PROJECT, home ?? '', tmp ?? '', node];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...(given.env ?? { HOME: '/mnt' }) };
  const ended = spawnSync('unshare', words, { env, encoding: 'utf8', timeout: 60_000 });
  assert.equal(ended.status, 0, ended.stderr);
  return { ...(JSON.parse(ended.stdout) as Omit<Answer, 'stderr'>), stderr: ended.stderr };
}

const USERS = '/mnt/.cache/nix-run-foreign/v1/plans';
const TEMPORARY = `/tmp/nix-run-foreign-${UID}/v1/plans`;

function ownPlace(answer: Answer): void {
  assert.equal(answer.plans, USERS, JSON.stringify(answer));
  assert.equal(answer.stderr, '');
}

/** The place below /tmp, with one line saying why. */
function temporaryDirectories(answer: Answer, why: RegExp): void {
  assert.equal(answer.plans, TEMPORARY, JSON.stringify(answer));
  assert.equal(answer.stderr.trim().split('\n').length, 1, answer.stderr);
  assert.match(answer.stderr, why);
  assert.doesNotMatch(answer.stderr, /undefined|Error:/);
}

test('of the place in /tmp, which anybody could make now, nothing is read or removed while it is absent', async () => {
  const uid = 4_294_000_001;
  const belowTmp = (places: readonly Directories[]) =>
    places.filter(({ cache }) => cache.startsWith('/tmp/nix-run'));
  assert.equal(belowTmp(await everyPlace(uid)).length, 1);
  assert.deepEqual(belowTmp(await allDirectories(uid)), []);
});

test('nor of one that XDG names in a directory where anybody could make it now', async () => {
  const scratch = scratchDirectory();
  chmodSync(scratch, 0o1777);
  const uid = process.getuid?.() ?? 0;
  const saved = { ...process.env };
  Object.assign(process.env, { XDG_CACHE_HOME: `${scratch}/cache`, XDG_STATE_HOME: `${scratch}/state` });
  try {
    const own = async () =>
      (await allDirectories(uid)).filter(({ cache }) => cache.startsWith(scratch)).length;
    assert.equal(await own(), 0);
    for (const each of ['cache', 'state']) mkdirSync(path.join(scratch, each));
    assert.equal(await own(), 1);
  } finally {
    process.env = saved;
  }
});

test('a home that can be written is used, in silence', asRoot, () => ownPlace(work({})));

test('XDG_CACHE_HOME and XDG_STATE_HOME win', asRoot, () => {
  const env = { HOME: '/nowhere', XDG_CACHE_HOME: '/mnt/c', XDG_STATE_HOME: '/mnt/s' };
  const answer = work({ env });
  assert.equal(answer.plans, '/mnt/c/nix-run-foreign/v1/plans');
});

test('neither HOME nor an entry in /etc/passwd', asRoot, () => {
  const answer = work({ env: {} });
  assert.equal(answer.plans, TEMPORARY, JSON.stringify(answer));
});

const unusable: Record<string, readonly [prepare: string, why: RegExp]> = {
  'a read-only home': ['mount -o remount,bind,ro /mnt', /read-only file system/],
  'a read-only cache that was used before': [
    `mkdir -p /mnt/.cache/nix-run-foreign/v1/plans; chown -R ${UID} /mnt; mount -o remount,bind,ro /mnt`,
    /read-only file system/,
  ],
  "somebody else's home": ['chown 0:0 /mnt; chmod 755 /mnt', /permission denied/],
  "somebody else's cache directory": ['mkdir /mnt/.cache; chmod 755 /mnt/.cache', /permission denied/],
  'a file in place of the cache directory': ['touch /mnt/.cache', /not a directory/],
  'a file in place of a directory of ours': [
    `mkdir -p /mnt/.cache/nix-run-foreign/v1; touch /mnt/.cache/nix-run-foreign/v1/farms; chown -R ${UID} /mnt/.cache`,
    /no directory is in its place/,
  ],
  'a loop of links': ['ln -s loop /mnt/loop; ln -s loop /mnt/.cache', /symbolic links/],
  'a dangling link': ['ln -s /nowhere/at/all /mnt/.cache', /no directory is in its place/],
  'a plans directory that others may write': [
    `mkdir -p ${USERS}; chown -R ${UID} /mnt/.cache; chmod 777 ${USERS}`,
    /can be written by others/,
  ],
  'a plans directory that is a link': [
    `mkdir -p /mnt/real ${path.dirname(USERS)}; ln -s /mnt/real ${USERS}; chown -R ${UID} /mnt/.cache /mnt/real`,
    /somebody else|others|link/,
  ],
};

for (const [what, [prepare, why]] of Object.entries(unusable)) {
  test(`the place below /tmp serves for ${what}`, asRoot, () => temporaryDirectories(work({ prepare }), why));
}

test('a full disk, seen only when a file is written', asRoot, () => {
  const fill = `mount -t tmpfs -o size=64k,uid=${UID},gid=${UID},mode=755 none /mnt; (yes > /mnt/fill) 2>/dev/null || true`;
  temporaryDirectories(work({ prepare: fill }), /no space left/);
});

for (const [name, errno] of Object.entries({ ENOLCK: constants.errno.ENOLCK, EIO: constants.errno.EIO }))
  test(`a home whose file system gives no locks: ${name}`, asRoot, () => {
    const calls = { call: 'lock', below: '/mnt/.cache', errno } as const;
    const prepare = `mkdir /mnt/store; chown ${UID} /mnt/store`;
    temporaryDirectories(
      work({ prepare, calls, env: { HOME: '/mnt', STORE: '/mnt/store' } }),
      name === 'ENOLCK'
        ? /cannot lock a file in .*, or its file system has no locks/
        : /cannot write .*disk I\/O/,
    );
  });

test('nothing of a failed attempt is left behind on the full disk', asRoot, () => {
  const fill = `mount -t tmpfs -o size=96k,uid=${UID},gid=${UID},mode=755 none /mnt`;
  const answer = work({ prepare: fill, bytes: 200_000 });
  assert.equal(answer.plans, TEMPORARY);
  assert.equal(answer.bytes, 200_000);
});

test('a home path that separates library paths cannot hold farms', asRoot, () => {
  const prepare = `mkdir '/mnt/a:b'; chown ${UID} '/mnt/a:b'`;
  temporaryDirectories(work({ prepare, env: { HOME: '/mnt/a:b' } }), /a:b/);
});

const mount = (at: string) => `mkdir ${at}; mount -t tmpfs -o uid=${UID},mode=700 others ${at}`;

for (const [name, value, mounted] of [
  ['XDG_STATE_HOME', '/tmp', '/tmp/nix-run-foreign'],
  ['XDG_CACHE_HOME', '/tmp', '/tmp/nix-run-foreign'],
  ['XDG_STATE_HOME', '/tmp/me', '/tmp/me'],
  ['XDG_CACHE_HOME', '/tmp/me', '/tmp/me'],
] as const)
  test(
    `nor does a file system count that somebody mounted at ${mounted}, with ${name}=${value}`,
    asRoot,
    () => {
      const env = { HOME: '/mnt', [name]: value };
      const why = new RegExp(`${value}/nix-run-foreign is not ours, or is mounted there`);
      temporaryDirectories(work({ env, prepare: mount(mounted) }), why);
    },
  );

test("a directory of the user's in /tmp that XDG names is used, in silence", asRoot, () => {
  const prepare = `mkdir -p /tmp/me; chown ${UID}:${UID} /tmp/me; chmod 775 /tmp/me`;
  const env = { HOME: '/mnt', XDG_CACHE_HOME: '/tmp/me', XDG_STATE_HOME: '/tmp/me/state' };
  const { plans, stderr } = work({ prepare, env });
  assert.deepEqual([plans, stderr], ['/tmp/me/nix-run-foreign/v1/plans', '']);
});

function nowhere(answer: Answer): void {
  assert.equal(answer.ours, true, JSON.stringify(answer));
  assert.equal(answer.code, 'nowhere-to-write');
  assert.equal(answer.exitCode, 125);
  assert.doesNotMatch(`${answer.message}${answer.hint}`, /\n|undefined/);
  assert.match(answer.hint ?? '', /XDG_CACHE_HOME/);
}

test('in /tmp a user without a number in his user namespace has no place', asRoot, () => {
  const { code, message, stderr } = work({ prepare: 'chown 0:0 /mnt; chmod 755 /mnt', isUnmapped: true });
  assert.equal(code, 'nowhere-to-write', stderr);
  assert.match(message ?? '', /in \/tmp this user cannot be told from others/);
});

test('nowhere to write is an error with cause and remedy', asRoot, () => {
  nowhere(work({ prepare: 'mount -o remount,bind,ro /mnt; chmod 755 /tmp' }));
  nowhere(work({ prepare: 'mount -o remount,bind,ro /mnt; mount -o remount,bind,ro /tmp' }));
});

const planted: Record<string, string> = {
  'made by somebody else': `mkdir -p ${TEMPORARY}; chmod -R 755 ${path.dirname(path.dirname(TEMPORARY))}; chown -R 65534 /tmp/nix-run-foreign-${UID}`,
  'open to all': `mkdir -p ${TEMPORARY}; chown -R 65534 /tmp/nix-run-foreign-${UID}; chmod -R 777 /tmp/nix-run-foreign-${UID}`,
  'a link to a directory of somebody else': `mkdir -p /tmp/evil/v1/plans; chmod -R 777 /tmp/evil; ln -s evil /tmp/nix-run-foreign-${UID}`,
  'a file system of somebody else': `mkdir /tmp/nix-run-foreign-${UID}; mount -t tmpfs -o uid=${UID},mode=700 others /tmp/nix-run-foreign-${UID}`,
  "around a plans directory of the user's own": `mkdir -p ${TEMPORARY}; chown 65534 /tmp/nix-run-foreign-${UID}; chown ${UID} ${TEMPORARY}; chmod 777 /tmp/nix-run-foreign-${UID} ${path.dirname(TEMPORARY)}; chmod 700 ${TEMPORARY}`,
};

for (const [what, plant] of Object.entries(planted)) {
  test(`a place below /tmp that is ${what} is not used`, asRoot, () => {
    nowhere(work({ prepare: `mount -o remount,bind,ro /mnt; ${plant}` }));
  });
}
