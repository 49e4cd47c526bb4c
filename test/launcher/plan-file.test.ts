// Where plans are looked for, and from whom one is taken.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { compile, openWorkshop, putScript, run, runCommand } from './launcher-fixture.ts';
import { planKey, planText, putPlan } from './plan-fixture.ts';
import { asRoot } from './tool-fixture.ts';

const workshop = await openWorkshop();
const program = putScript(workshop.directory, 'program', 'echo started');
const text = planText(program);
const debug = { ...workshop.environment, NIX_RUN_FOREIGN_DEBUG: '1' };
const plans = path.join(workshop.place, 'v1/plans');

async function whyNot(): Promise<string | undefined> {
  const { code, stderr } = await run(workshop, [program], { env: debug });
  assert.equal(code, stderr === '' ? 0 : 125);
  return stderr === '' ? undefined : stderr.split('\n')[0];
}

test('a plan of ours is valid', async () => {
  putPlan(workshop.place, program, text);
  assert.equal(await whyNot(), undefined);
});

for (const mode of [0o620, 0o602, 0o666])
  test(`a plan of mode ${mode.toString(8)} is not`, async () => {
    chmodSync(putPlan(workshop.place, program, text), mode);
    assert.match((await whyNot()) ?? '', /the plan is not only ours to write/);
  });

for (const mode of [0o720, 0o702, 0o1777])
  test(`a plan in a directory of mode ${mode.toString(8)} is not`, async () => {
    putPlan(workshop.place, program, text);
    chmodSync(plans, mode);
    assert.match((await whyNot()) ?? '', /the directory of plans is not only ours to write/);
    chmodSync(plans, 0o755);
  });

test('a plan of another user is not', asRoot, async () => {
  const file = putPlan(workshop.place, program, text);
  chownSync(file, 65534, 65534);
  assert.match((await whyNot()) ?? '', /the plan is not only ours to write/);
  rmSync(file);
});

test('a plan in the directory of another user is not', asRoot, async () => {
  putPlan(workshop.place, program, text);
  chownSync(plans, 65534, 65534);
  assert.match((await whyNot()) ?? '', /the directory of plans is not only ours to write/);
  chownSync(plans, 0, 0);
});

/** As others can make them where fs.protected_hardlinks is off (proc(5)): a hard link keeps owner and mode. */
test('a hard link to a plan of ours counts only where it is, and for its own program', asRoot, async () => {
  const other = putScript(workshop.directory, 'other', 'echo other');
  const file = putPlan(workshop.place, other, planText(other));
  const link = path.join(plans, planKey(program));
  rmSync(link, { force: true });
  linkSync(file, link);
  assert.match((await whyNot()) ?? '', /the plan is for another path/);
  renameSync(plans, `${plans}-ours`);
  mkdirSync(plans, { mode: 0o755 });
  linkSync(putPlan(path.join(workshop.directory, 'elsewhere'), program, text), link);
  assert.equal(await whyNot(), undefined);
  chownSync(plans, 65534, 65534);
  assert.match((await whyNot()) ?? '', /the directory of plans is not only ours to write/);
  rmSync(plans, { recursive: true });
  renameSync(`${plans}-ours`, plans);
  for (const each of [file, link]) rmSync(each);
});

test('a symbolic link, a directory, a pipe are not plans', async () => {
  const file = putPlan(workshop.place, program, text);
  renameSync(file, `${file}.real`);
  symlinkSync(`${file}.real`, file);
  assert.match((await whyNot()) ?? '', /cannot be opened/);
  rmSync(file);
  mkdirSync(file);
  assert.match((await whyNot()) ?? '', /not a regular file/);
  rmSync(file, { recursive: true });
  await runCommand(workshop, ['mkfifo', '-m', '600', file]);
  assert.match((await whyNot()) ?? '', /not a regular file/);
  rmSync(file);
  assert.match((await whyNot()) ?? '', /there is no plan/);
});

test('a directory of plans that is a symbolic link is not valid', async () => {
  putPlan(workshop.place, program, text);
  renameSync(plans, `${plans}-moved`);
  symlinkSync('plans-moved', plans);
  assert.match((await whyNot()) ?? '', /there is no directory of plans/);
  rmSync(plans);
  renameSync(`${plans}-moved`, plans);
  assert.equal(await whyNot(), undefined);
});

test("root's plans serve another user, whose plans do not serve root", asRoot, async () => {
  putPlan(workshop.place, program, text);
  chmodSync(workshop.cache, 0o755);
  const file = putPlan(workshop.place, program, text);
  chmodSync(file, 0o644);
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] as const;
  const { code, stdout } = await runCommand(workshop, [...asNobody, workshop.launcher, program]);
  assert.deepEqual([code, stdout], [0, 'started\n']);
  chownSync(file, 65534, 65534);
  assert.equal((await runCommand(workshop, [...asNobody, workshop.launcher, program])).code, 0);
  assert.match((await whyNot()) ?? '', /not only ours/);
  rmSync(file);
});

const lonely = 1_000_000_000 + process.pid; // a user that no /etc/passwd names, and no other run of these tests
const fallback = `/tmp/nix-run-foreign-${lonely}`;
after(() => rmSync(fallback, { recursive: true, force: true }));
const asLonely = ['setpriv', `--reuid=${lonely}`, `--regid=${lonely}`, '--clear-groups'] as const;
const bare = {
  env: {
    PATH: '/usr/bin:/bin',
    NIX_RUN_FOREIGN_RESOLVER: workshop.environment['NIX_RUN_FOREIGN_RESOLVER'] ?? '',
  },
};

function putInTmp(): void {
  rmSync(fallback, { recursive: true, force: true });
  const file = putPlan(fallback, program, text);
  for (const each of [fallback, path.join(fallback, 'v1'), path.dirname(file), file])
    chownSync(each, lonely, lonely);
}

test('/tmp is the second place, for a user without a home', asRoot, async () => {
  putInTmp();
  const { code, stdout, stderr } = await runCommand(
    workshop,
    [...asLonely, workshop.launcher, program],
    bare,
  );
  assert.deepEqual([code, stdout, stderr], [0, 'started\n', '']);
});

test('/tmp is the second place after a cache without a plan, or with a bad one', asRoot, async () => {
  putInTmp();
  const env = workshop.environment;
  const command = [...asLonely, workshop.launcher, program] as const;
  assert.equal((await runCommand(workshop, command, { env })).code, 0);
  const file = putPlan(workshop.place, program, 'nonsense');
  chownSync(file, lonely, lonely);
  assert.equal((await runCommand(workshop, command, { env })).code, 0);
});

test('a place in /tmp that somebody else made is not valid', asRoot, async () => {
  putInTmp();
  const command = [...asLonely, workshop.launcher, program] as const;
  chownSync(fallback, 65534, 65534);
  assert.equal((await runCommand(workshop, command, bare)).code, 125);
  chownSync(fallback, lonely, lonely);
  assert.equal((await runCommand(workshop, command, bare)).code, 0);
  chmodSync(fallback, 0o777);
  assert.equal((await runCommand(workshop, command, bare)).code, 125);
  chmodSync(fallback, 0o755);
  const mounted = `mount -t tmpfs -o mode=755,uid=${lonely} others "$0"; cp -a "$1"/. "$0"; shift; exec "$@"`;
  const copy = path.join(workshop.directory, 'copy');
  execFileSync('cp', ['-a', fallback, copy]);
  const besides = ['unshare', '-m', 'sh', '-ec', mounted, fallback, copy, ...command] as const;
  assert.equal(
    (await runCommand(workshop, besides, bare)).code,
    125,
    'what is mounted says itself whose it is',
  );
  renameSync(fallback, path.join(workshop.directory, 'moved'));
  chmodSync(path.join(workshop.directory, 'moved'), 0o755);
  symlinkSync(path.join(workshop.directory, 'moved'), fallback);
  assert.equal((await runCommand(workshop, command, bare)).code, 125);
});

test('nor is one that XDG names below /tmp, where a file system is mounted', asRoot, async () => {
  const around = mkdtempSync('/tmp/nix-run-foreign-mounted-');
  after(() => rmSync(around, { recursive: true, force: true }));
  putPlan(path.join(around, 'nix-run-foreign'), program, text);
  const env = { ...bare.env, XDG_CACHE_HOME: around };
  const command = [workshop.launcher, program] as const;
  assert.equal((await runCommand(workshop, command, { env })).code, 0);
  const copy = path.join(workshop.directory, 'copy-of-base');
  execFileSync('cp', ['-a', around, copy]);
  const mounted = `mount -t tmpfs -o mode=755 others "$0"; cp -a "$1"/. "$2"; shift 2; exec "$@"`;
  for (const [at, from] of [
    [around, copy],
    [path.join(around, 'nix-run-foreign'), path.join(copy, 'nix-run-foreign')],
  ] as const) {
    const besides = ['unshare', '-m', 'sh', '-ec', mounted, at, from, at, ...command] as const;
    assert.equal((await runCommand(workshop, besides, { env })).code, 125, at);
  }
});

/** Runs it as a user, in /tmp a place of uid 65534 that `owner` made. */
async function startBeside(owner: number, [first, ...rest]: readonly [string, ...string[]]) {
  const made = path.join(workshop.directory, `made-by-${owner}`);
  const file = putPlan(made, program, text);
  chmodSync(file, 0o644);
  for (const each of [made, path.join(made, 'v1'), path.dirname(file), file]) chownSync(each, owner, owner);
  const start = [first, ...rest, workshop.launcher, program].join(' ');
  // In a /tmp of its own: what root makes in the machine's would be in the way of uid 65534 there.
  const script = `set -e
    mount --bind ${workshop.directory} /mnt; mount -t tmpfs -o mode=1777 tmpfs /tmp
    mkdir ${workshop.directory}; mount --bind /mnt ${workshop.directory}
    cp -a ${made} /tmp/nix-run-foreign-65534
    exec ${start}`;
  return await runCommand(workshop, ['unshare', '-m', 'sh', '-c', script], bare);
}

test('uid 65534 is the user only where no other can be shown by it', asRoot, async () => {
  const as = (uid: number): string[] => [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const unmapped = await startBeside(1001, ['setpriv', ...as(2000), 'unshare', '-U']);

  assert.deepEqual([unmapped.code, unmapped.stdout], [125, '']);
  const nobody = await startBeside(65534, ['setpriv', ...as(65534)]);
  const isFirst = / 4294967295\n$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  assert.deepEqual([nobody.code, nobody.stdout], isFirst ? [0, 'started\n'] : [125, '']);
});

test('without /proc a plan is found by the path as given', asRoot, async () => {
  const root = path.join(workshop.directory, 'root');
  mkdirSync(path.join(root, 'bin'), { recursive: true });
  const state = path.join(root, 'bin/state');
  copyFileSync(compile(workshop, 'say-started', ['-static']), state);
  copyFileSync(workshop.launcher, path.join(root, 'bin/launcher'));
  const inside = planText(state).replace(`p${state}`, 'p/bin/state');
  const file = putPlan(path.join(root, 'cache/nix-run-foreign'), state, inside);
  renameSync(file, path.join(path.dirname(file), planKey('/bin/state')));
  const env = { XDG_CACHE_HOME: '/cache', PATH: '/usr/sbin:/usr/bin:/sbin:/bin', NIX_RUN_FOREIGN_DEBUG: '1' };
  for (const name of ['/bin/state', 'bin/state', 'state']) {
    const { code, stdout, stderr } = await runCommand(workshop, ['chroot', root, '/bin/launcher', name], {
      env,
    });
    assert.deepEqual([stderr, code, stdout], ['', 0, 'started\n'], name);
  }
});

test('a device without a major number, which the next mount gives anew, is none of the identity', async () => {
  const directory = mkdtempSync('/dev/shm/nix-run-foreign-plan-');
  after(() => rmSync(directory, { recursive: true, force: true }));
  const inMemory = path.join(directory, 'say-started');
  copyFileSync(program, inMemory);
  const anonymous = planText(inMemory);
  assert.match(anonymous, /[\0\n]i0:\d+:/);
  putPlan(workshop.place, inMemory, anonymous);
  const { code, stdout } = await runCommand(workshop, [workshop.launcher, inMemory]);
  assert.deepEqual([code, stdout], [0, 'started\n']);
});
