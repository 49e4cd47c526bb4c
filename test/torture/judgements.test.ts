// Ends of works that a fault hit, right and wrong ones → each is told from the others, so the torture can fail.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { errorsOf, orderOf } from './call-kinds.ts';
import { type Fault, injectionOf, inTurns, judge, runsAt, type Struck } from './fault-at-call.ts';
import { buildInjector, callAt, INJECTOR } from './injector.ts';
import { type Injected, UNENDED } from './interrupted-work.ts';
import { wrongAfterKill } from './kill-at-call.ts';
import { listed } from './swapped-directory.ts';

const TOLD =
  'nix-run-foreign: the plan cannot be written: no space left on device\n  Make room in ~/.cache.\n';
const OF_MANAGER = TOLD.replace('nix-run-foreign', 'nix-foreign');
const UNHANDLED = `node:events:487
      throw er; // Unhandled 'error' event
Error: EIO: i/o error, write
    at emitErrorNT (node:internal/streams/destroy:170:8)\n`;
const RESOLVER_FAILED = 'nix-run-foreign: the resolver failed with exit status 1\n  Report it.\n';
const NOT_OPENED = 'opens-late: libz.so.1: cannot open shared object file: No such file or directory\n';
const OUR_FRAME = '    at writePlan (/opt/tool/dist/nix-foreign.cjs:1:2)\n';

/** Work, end, judgement. */
const ENDS: readonly (readonly [string, Partial<Injected>, string])[] = [
  ['hit', { stdout: '42\n' }, 'right'],
  ['miss', { stdout: '42\n' }, 'right'],
  ['hit', { stdout: '' }, 'wrong'],
  ['miss', { stdout: '42\n42\n' }, 'wrong'],
  ['prune', { stdout: 'nothing to take away\n' }, 'right'],
  ['miss', { status: 125, stderr: TOLD }, 'told'],
  ['hit', { status: 126, stderr: TOLD }, 'told'],
  ['prune', { status: 125, stderr: OF_MANAGER }, 'told'],
  ['prune', { status: 1, stderr: OF_MANAGER }, 'wrong'], // no status of ours
  ['forget', { status: 0, undone: 'the plan is there still' }, 'wrong'],
  ['forget', { status: 125, stderr: OF_MANAGER, undone: 'the plan is there still' }, 'told'],
  ['prune', { undone: 'the plan is there still', at: 'statx /home/me/.cache' }, 'wrong'],
  ['prune', { undone: 'the plan is there still', at: 'openat /home/me/jq' }, 'right'], // it may be needed
  ['prune', { undone: 'the plan is there still', stderr: 'nix-foreign: /x is left out: why\n' }, 'right'],
  ['miss', { stdout: '42\n', afterwards: 'left: x.tmp' }, 'wrong'],
  ['miss', { stdout: '42\n', at: '' }, 'before'],
  ['miss', { stdout: '42\n', at: '', afterwards: 'left: x.tmp' }, 'wrong'],
  ['miss', { status: 125, stderr: TOLD, at: '' }, 'wrong'], // it failed, and nothing was done to it
  ['prune', { status: 134, at: '' }, 'wrong'],
  ['prune', { status: 1, stderr: UNHANDLED }, 'node'],
  ['miss', { status: 125, stderr: RESOLVER_FAILED }, 'node'],
  ['miss', { status: 1, stderr: TOLD }, 'wrong'], // the status is the program's own
  ['miss', { status: 125, stderr: TOLD, stdout: '42\n' }, 'wrong'], // it ran, and failed afterwards
  ['miss', { status: 125, stderr: 'nix-run-foreign: no space left on device\n' }, 'wrong'], // no remedy
  ['prune', { status: 125, stderr: OF_MANAGER + OF_MANAGER }, 'wrong'],
  ['prune', { status: 125, stderr: `${OF_MANAGER}and more\n` }, 'wrong'],
  ['prune', { status: 125, stderr: '' }, 'wrong'],
  ['prune', { status: 0, stderr: 'nix-foreign: internal error: x\n  Report it.\n' }, 'wrong'],
  [
    'miss',
    { status: 127, stderr: '/nix/store/x-node/bin/node: error while loading shared libraries: x\n' },
    'node',
  ],
  ['prune', { status: 134, stderr: '' }, 'node'],
  ['prune', { status: 134, stderr: `node:fs:1\n${OUR_FRAME}` }, 'wrong'],
  ['prune', { status: 1, stderr: `node:fs:1\n${OUR_FRAME}` }, 'wrong'],
  ['hit', { status: 134, stderr: '' }, 'wrong'], // no Node takes part
  ['prune', { status: 139, at: 'pipe2' }, 'node'],
  ['prune', { status: 139, at: 'write' }, 'wrong'],
  ['miss', { status: 139, at: 'pipe2' }, 'wrong'], // the launcher would have told of it
  ['hit', { status: 2, stderr: 'jq: error: writing output failed\n' }, 'told'],
  ['hit', { status: 139, stderr: '' }, 'wrong'],
  ['view', { stdout: '42\n' }, 'right'],
  ['view', { stdout: '' }, 'wrong'],
  ['view', { status: 126, stderr: TOLD }, 'told'],
  ['view', { status: 134, stderr: '' }, 'wrong'], // the launcher would have told of it
  ['opens late', { stdout: '42\n' }, 'right'],
  ['opens late', { stdout: '' }, 'wrong'],
  ['opens late', { status: 1, stderr: NOT_OPENED }, 'told'],
  ['opens late', { status: 1, stderr: NOT_OPENED, at: '' }, 'wrong'], // nothing was done to it
  ['opens late', { status: 127, stderr: NOT_OPENED }, 'wrong'], // no status of its own
  ['opens late', { status: 1, stderr: `${NOT_OPENED}and more\n` }, 'wrong'],
  ['opens late', { status: 1, stdout: '42\n', stderr: NOT_OPENED }, 'wrong'],
  ['opens late', { status: 1, stderr: '' }, 'wrong'],
  ['opens late', { status: 127, stderr: 'opens-late: error while loading shared libraries: x\n' }, 'told'],
  ['opens late', { status: 125, stderr: TOLD }, 'told'],
  ['opens late', { status: 139, stderr: '' }, 'wrong'],
];

/** While lines of ours may run. */
const MEANWHILE: readonly (readonly [string, Partial<Injected>, string])[] = [
  ['prune', { status: 1, stderr: UNHANDLED }, 'wrong'],
  ['miss', { status: 125, stderr: UNHANDLED + RESOLVER_FAILED }, 'wrong'],
  ['miss', { status: 125, stderr: RESOLVER_FAILED }, 'wrong'],
  [
    'miss',
    { status: 125, stderr: RESOLVER_FAILED.replace('failed with exit status 1', 'was ended by signal 6') },
    'node',
  ],
  ['prune', { status: 134, stderr: '' }, 'node'],
  ['prune', { status: 134, stderr: 'node: ../src/x.c:1: y: Assertion failed.\n' }, 'node'],
  ['prune', { status: 125, stderr: OF_MANAGER }, 'told'],
];

function judgementOf(work: string, fault: Struck, end: Partial<Injected>): string {
  const nothing = { undone: undefined, afterwards: undefined, isKnown: false };
  const judged = judge(work, fault, { status: 0, stdout: '', stderr: '', at: 'write', ...nothing, ...end });
  return typeof judged === 'string' ? judged : 'wrong';
}

for (const [work, end, expected] of ENDS)
  test(`${work}: ${JSON.stringify(end)} is ${expected}`, () => {
    assert.equal(judgementOf(work, { error: 'ENOSPC', extent: 'once', runs: 'node' }, end), expected);
  });

for (const [work, end, expected] of MEANWHILE)
  test(`${work}: ${JSON.stringify(end)} is ${expected} while our code runs`, () => {
    assert.equal(judgementOf(work, { error: 'EIO', extent: 'once', runs: 'ours' }, end), expected);
  });

test('our code runs from where it is opened to the last call about files', () => {
  const calls = [
    'execve /nix/store/x-node/bin/node',
    'statx /opt/tool/dist/nix-foreign.cjs',
    'openat /opt/tool/dist/nix-foreign.cjs',
    'openat /opt/tool/dist/main.compiled',
    'openat /proc/self/maps',
    'unlink /home/tester/.cache/plan',
    'fcntl /home/tester/listed.stdout',
  ];
  const runs = calls.map((_, at) => runsAt(calls, at + 1));
  assert.deepEqual(runs, ['node', 'node', 'node', 'ours', 'ours', 'ours', 'node']);
});

/** End of what was killed, and what is wrong. */
const KILLS: readonly (readonly [Partial<Injected>, RegExp | undefined])[] = [
  [{}, undefined],
  [{ at: '' }, undefined],
  [{ afterwards: 'left: x.tmp' }, /kill before rename \/x: left/],
  [{ at: '', afterwards: 'left: x.tmp' }, /kill of nothing: left/],
  [{ status: UNENDED }, /did not end/],
];

for (const [end, expected] of KILLS)
  test(`a kill: ${JSON.stringify(end)} is ${expected === undefined ? 'right' : 'wrong'}`, () => {
    const nothing = { undone: undefined, afterwards: undefined, isKnown: false };
    const killed = { status: 137, stdout: '', stderr: '', at: 'rename /x', ...nothing, ...end };
    assert.match(wrongAfterKill('kill', killed) ?? '', expected ?? /^$/);
  });

test('an injector that failed ends the run', () => {
  assert.equal(callAt({ status: 137, stderr: 'x\ninject: 7 rename /x\n' }), 'rename /x');
  assert.equal(callAt({ status: 0, stderr: 'inject: 3 \n' }), '');
  for (const failed of [
    { status: 96, stderr: '' },
    { status: 99, stderr: 'inject: 0 \n' },
    { status: 0, stderr: 'no word of it\n' },
  ])
    assert.throws(() => callAt(failed), /the injector failed/);
});

const FLED =
  'nix-run-foreign: cannot write /home/me/.cache/nix-run-foreign/v1: x; using /tmp/nix-run-foreign-0/v1 until it can be written\n';
const OF_OURS = 'pwrite64 /home/me/.cache/nix-run-foreign/v1/catalogues/store.db';
const OF_STORE = 'openat /nix/store/x-glibc/lib/libc.so.6';

/** Errno, extent, call, judgement of a start that was right in the place below /tmp. */
const FLIGHTS = [
  ['ENOSPC', 'once', OF_OURS, 'elsewhere'],
  ['EINTR', 'once', OF_OURS, 'wrong'], // it was to ask again
  ['EIO', 'once', OF_STORE, 'wrong'], // our directory has nothing
  ['EMFILE', 'there', OF_STORE, 'wrong'],
  ['EIO', 'once', 'fstat /nix/store/x-glibc/lib/ld-linux-x86-64.so.2', 'elsewhere'], // it is copied to ours
  ['EMFILE', 'everywhere', OF_STORE, 'elsewhere'],
  ['ENOSPC', 'once', '', 'wrong'], // nothing was done to it
] as const;

for (const [error, extent, at, expected] of FLIGHTS)
  test(`a flight to /tmp for ${error}, ${extent}, at "${at}" is ${expected}`, () => {
    assert.equal(
      judgementOf('miss', { error, extent, runs: 'ours' }, { stdout: '42\n', stderr: FLED, at }),
      expected,
    );
  });

test('one call of each kind comes first, and every call comes once', () => {
  const calls = [
    'openat /nix/store/a-glibc/lib/libc.so.6',
    'openat /nix/store/b-glibc/lib/libc.so.6',
    'openat-to-write /home/me/.cache/plans/0123456789abcdef.tmp',
    'openat-to-write /home/me/.cache/plans/fedcba9876543210.tmp',
    'rename /home/me/.cache/plans/0123456789abcdef.tmp',
  ];
  const { order, kinds, own } = orderOf(calls, 7);
  assert.deepEqual([kinds, own], [3, 4]);
  assert.deepEqual(
    order
      .slice(0, kinds)
      .map((number) => calls[number - 1]?.split(' ')[0])
      .sort(),
    ['openat', 'openat-to-write', 'rename'],
  );
  assert.deepEqual([...order].sort(), [1, 2, 3, 4, 5]);
  assert.match(calls[(order[4] as number) - 1] as string, /glibc/);
});

test('a few calls more leave the others in their order', () => {
  const calls = Array.from({ length: 60 }, (_, number) => `openat /home/me/${'abc'[number % 3]}/file`);
  const named = (all: readonly string[]) => orderOf(all, 7).order.map((number) => all[number - 1] as string);
  const more = [...calls.slice(0, 20), 'openat /proc/self/maps', 'mmap ', ...calls.slice(20)];
  const kept = named(more).filter((call) => calls.includes(call));
  assert.deepEqual(kept, named(calls));
  assert.notDeepEqual(kept, calls);
  const inMade = (letters: string) => calls.map((call) => call.replace('/me/', `/me/made-${letters}/`));
  const orders = ['aBc123', 'Zq0pLm'].map((letters) => orderOf(inMade(letters), 7).order);
  assert.deepEqual(orders[0], orders[1]);
  const oneMore = orderOf([...calls, calls[0] as string], 7).order;
  assert.deepEqual(
    oneMore.filter((number) => number <= calls.length),
    orderOf(calls, 7).order,
  );
});

test('errors are those that a call can have; of an unknown one the run stops', () => {
  assert.ok(errorsOf('openat-to-write /x').includes('ENOSPC'));
  assert.ok(!errorsOf('openat /x').includes('ENOSPC'));
  assert.deepEqual(errorsOf('write pipe:[12]'), ['EINTR']);
  assert.ok(errorsOf('fcntl-to-lock /x').includes('ENOLCK'));
  assert.deepEqual(errorsOf('fcntl-to-unlock /x'), ['ENOLCK']);
  assert.ok(!errorsOf('fcntl /x').includes('ENOLCK'));
  assert.throws(() => errorsOf('keyctl '), /no errors are known of keyctl/);
  assert.deepEqual(errorsOf('sendfile /x'), ['EIO']);
});

test('errors are known of each call at which something can happen', () => {
  const watched = readFileSync(path.join(import.meta.dirname, 'programs/watched-calls.h'), 'utf8');
  const names = [...watched.matchAll(/\{SYS_\w+, "(\w+)"/g)].map(([, name]) => name as string);
  assert.ok(names.length > 80);
  assert.doesNotThrow(() => names.forEach(errorsOf));
});

test('a call is counted among those of its name', () => {
  const calls = ['execve /x', 'openat /a', 'openat-to-write /b', 'wait4 ', 'openat /c'];
  const fault = { number: 5, error: 'EIO', extent: 'there' } as const;
  assert.deepEqual(injectionOf(fault, calls), { how: '5@openat/', number: 2, calls: 'all' });
});

const canBuild = process.arch === 'x64';
const tools = mkdtempSync(path.join(tmpdir(), 'torture-tools-'));
if (canBuild) buildInjector(tools);
after(() => rmSync(tools, { recursive: true }));

/** Three lines, the first into a pipe: what of them came through, by HOW. */
const WRITTEN = [
  ['28@write', ['lost', 'kept', 'kept']],
  ['28@write/', ['lost', 'kept', 'lost']],
  ['28@write+', ['lost', 'lost', 'lost']],
] as const;

for (const [how, expected] of WRITTEN)
  test(`${how}: calls of that name fail, others and those about pipes do not`, {
    skip: !canBuild,
  }, () => {
    const directory = mkdtempSync(path.join(tools, 'injected-'));
    const files = [`${directory}/one`, '/proc/self/comm', `${directory}/two`];
    const script = `echo x | while read -r _; do :; done; ${files.map((file) => `echo y > ${file}; echo $? >&2`).join('; ')}`;
    const injector = path.join(tools, path.basename(INJECTOR));
    const { stderr } = spawnSync(injector, [how, '1', 'all', 'bash', '-c', script], { encoding: 'utf8' });
    const statuses = stderr.match(/^\d$/gm)?.map((status) => (status === '0' ? 'kept' : 'lost'));
    assert.deepEqual(statuses, expected);
    assert.match(stderr, new RegExp(`^inject: \\d+ write ${files[0]}$`, 'm'));
  });

test('a call that may create is of another name than one that may not', { skip: !canBuild }, () => {
  const file = path.join(mkdtempSync(path.join(tools, 'injected-')), 'made');
  const injector = path.join(tools, path.basename(INJECTOR));
  const words = ['13@openat-to-write', '1', 'all', 'sh', '-c', `read -r _ < /proc/self/stat; : > ${file}`];
  const { stderr } = spawnSync(injector, words, { encoding: 'utf8' });
  assert.match(stderr, new RegExp(`^inject: 1 openat-to-write ${file}$`, 'm'));
});

test('a program does not read of the filter, by which nobody is killed', { skip: !canBuild }, () => {
  const injector = path.join(tools, path.basename(INJECTOR));
  for (const file of ['/proc/thread-self/status', '/proc/self/status']) {
    const words = ['5@write', '99', 'all', 'cat', file];
    const { stdout } = spawnSync(injector, words, { encoding: 'utf8' });
    assert.match(stdout, /^Max open files/m);
    assert.doesNotMatch(stdout, /^Seccomp:/m);
  }
});

test('a file that is mapped can fail, memory without a file is passed by', { skip: !canBuild }, () => {
  const injector = path.join(tools, path.basename(INJECTOR));
  const { stderr } = spawnSync(injector, ['12@mmap', '1', 'all', 'sh', '-c', ':'], { encoding: 'utf8' });
  assert.match(stderr, /^inject: \d+ mmap \/.+$/m);
});

test('what changes files is listed whether or not its errors are known', { skip: !canBuild }, () => {
  const directory = mkdtempSync(path.join(tools, 'listed-'));
  const injector = path.join(tools, path.basename(INJECTOR));
  const words = ['list', '0', 'changes', 'chown', `${process.getuid?.()}`, directory];
  spawnSync(injector, words, { env: { ...process.env, CALLS: directory } });
  assert.match(readFileSync(path.join(directory, 'calls'), 'utf8'), /^f?chown(?:at)? .*listed-\w+$/m);
});

/** What has the name ONE at the third call: somebody else's directory, or the one that is there already. */
for (const [already, expected] of [
  ['nothing', 'others'],
  ['own', 'own'],
] as const)
  test(`appear: of ${already} becomes ${expected}`, { skip: !canBuild }, () => {
    const directory = mkdtempSync(path.join(tools, 'injected-'));
    const [one, other] = ['one', 'other'].map((name) => path.join(directory, name)) as [string, string];
    mkdirSync(path.join(other, 'others'), { recursive: true });
    if (already === 'own') mkdirSync(path.join(one, 'own'), { recursive: true });
    const injector = path.join(tools, path.basename(INJECTOR));
    const env = { ...process.env, ONE: one, OTHER: other };
    const { status, stderr } = spawnSync(injector, ['appear', '3', 'all', 'true'], { encoding: 'utf8', env });
    assert.equal(status, 0);
    assert.deepEqual(readdirSync(one), [expected]);
    assert.equal(/^inject: \d+ \w/m.test(stderr), already === 'nothing', stderr);
  });

/** What root can do to a file of somebody else without a look at its size. */
const CHANGES: Readonly<Record<string, (file: string, link: string) => void>> = {
  mode: (file) => chmodSync(file, 0o755),
  owner: (file) => chownSync(file, 4321, 4321),
  target: (_, link) => {
    const { atime, mtime } = lstatSync(link);
    rmSync(link);
    symlinkSync('b', link);
    lutimesSync(link, atime, mtime);
  },
};

for (const [what, change] of Object.entries(CHANGES))
  test(`what is seen of a directory tells another ${what}`, { skip: process.getuid?.() !== 0 }, () => {
    const directory = mkdtempSync(path.join(tools, 'listed-'));
    const [file, link] = [path.join(directory, 'file'), path.join(directory, 'link')];
    writeFileSync(file, '', { mode: 0o600 });
    symlinkSync('a', link);
    const about = (name: string) => listed(directory).filter((line) => line.includes(name));
    const was = [about(file), about(link)];
    change(file, link);
    assert.notDeepEqual([about(file), about(link)], was);
  });

test('of calls of others each has one fault first, by turns another one, then all others', () => {
  const faultsOf = (errors: string, number: number) =>
    errors.split(' ').map((error): Fault => ({ number, error, extent: 'once' }));
  const calls = ['EIO EACCES EINTR', 'EIO', 'EIO EACCES'].map(faultsOf);
  assert.deepEqual(
    inTurns(calls).map(({ number, error }) => `${number} ${error}`),
    ['0 EIO', '1 EIO', '2 EIO', '0 EACCES', '2 EACCES', '0 EINTR'],
  );
});
