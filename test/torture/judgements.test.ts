// Ends of works that a fault hit, right and wrong ones → each is told from the others, so the torture can fail.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { errorsOf, orderOf } from './call-kinds.ts';
import { type Fault, injectionOf, judge } from './fault-at-call.ts';
import { buildInjector, DIGEST, INJECTOR } from './injector.ts';
import type { Injected } from './interrupted-work.ts';
import { openKnownStates } from './known-states.ts';

const TOLD =
  'nix-run-foreign: the plan cannot be written: no space left on device\n  Make room in ~/.cache.\n';
const OF_MANAGER = TOLD.replace('nix-run-foreign', 'nix-foreign');
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
];

function judgementOf(work: string, fault: Omit<Fault, 'number'>, end: Partial<Injected>): string {
  const nothing = { undone: undefined, afterwards: undefined, isKnown: false };
  const judged = judge(work, fault, { status: 0, stdout: '', stderr: '', at: 'write', ...nothing, ...end });
  return typeof judged === 'string' ? judged : 'wrong';
}

for (const [work, end, expected] of ENDS)
  test(`${work}: ${JSON.stringify(end)} is ${expected}`, () => {
    assert.equal(judgementOf(work, { error: 'ENOSPC', extent: 'once' }, end), expected);
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
    assert.equal(judgementOf('miss', { error, extent }, { stdout: '42\n', stderr: FLED, at }), expected);
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
  assert.throws(() => errorsOf('sendfile /x'), /no errors are known of sendfile/);
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

/** What is done to a tree, and whether it is another state then. */
const CHANGES: readonly (readonly [string, (tree: string) => void, 'same' | 'other'])[] = [
  ['nothing', () => {}, 'same'],
  ['a time', (tree) => utimesSync(`${tree}/plan`, 1, 1), 'same'],
  [
    'a file of ours written anew',
    (tree) => renameSync(copyOf(tree, 'said'), `${tree}/deep/said.stderr`),
    'same',
  ],
  ['the program written anew', (tree) => renameSync(copyOf(tree, 'program'), `${tree}/program`), 'other'],
  ['who may write to it', (tree) => chmodSync(tree, 0o777), 'other'],
  ['what a command said', (tree) => writeFileSync(`${tree}/again.stderr`, 'x'), 'same'],
  ['what is in a directory of names', (tree) => writeFileSync(`${tree}/../store/object/file`, 'x'), 'same'],
  ['a content of the same size', (tree) => writeFileSync(`${tree}/plan`, 'PLAN'), 'other'],
  ['a permission', (tree) => chmodSync(`${tree}/plan`, 0o600), 'other'],
  ['a name', (tree) => renameSync(`${tree}/plan`, `${tree}/plan.tmp`), 'other'],
  ['an empty directory', (tree) => mkdirSync(`${tree}/deep/lock`), 'other'],
  ['a content deep below', (tree) => writeFileSync(`${tree}/deep/said.stderr`, 'x'), 'other'],
  ['where a link leads', (tree) => renameSync(linkIn(tree, 'other'), `${tree}/link`), 'other'],
  ['contents that change places', (tree) => exchange(`${tree}/plan`, `${tree}/deep/said.stderr`), 'other'],
  ['a name in a directory of names', (tree) => mkdirSync(`${tree}/../store/another`), 'other'],
];

function copyOf(tree: string, name: string): string {
  writeFileSync(`${tree}/copy`, name, { mode: name === 'program' ? 0o755 : 0o644 });
  return `${tree}/copy`;
}

function linkIn(tree: string, target: string): string {
  symlinkSync(target, `${tree}/new`);
  return `${tree}/new`;
}

function exchange(one: string, other: string): void {
  renameSync(one, `${one}.kept`);
  renameSync(other, one);
  renameSync(`${one}.kept`, other);
}

for (const [what, change, expected] of CHANGES)
  test(`a state that differs by ${what} is the ${expected}`, { skip: !canBuild }, () => {
    const directory = mkdtempSync(path.join(tools, 'digest-'));
    const tree = path.join(directory, 'tree');
    const store = path.join(directory, 'store');
    mkdirSync(`${tree}/deep`, { recursive: true });
    mkdirSync(`${store}/object`, { recursive: true });
    writeFileSync(`${tree}/plan`, 'plan');
    writeFileSync(`${tree}/program`, 'program', { mode: 0o755 });
    writeFileSync(`${tree}/deep/said.stderr`, 'said');
    symlinkSync('target', `${tree}/link`);
    const digest = () =>
      spawnSync(path.join(tools, path.basename(DIGEST)), [tree, `NAMES=${store}`], { encoding: 'utf8' });
    const before = digest();
    change(tree);
    assert.match(before.stdout, /^[0-9a-f]{16}\n$/);
    assert.equal(digest().stdout === before.stdout ? 'same' : 'other', expected);
  });

test('a state is known that was right twice, of one work, and none that could not be told', () => {
  const directory = mkdtempSync(path.join(tools, 'known-'));
  const known = openKnownStates(directory, '/tmp/place');
  const [state, other] = ['0123456789abcdef', 'fedcba9876543210'];
  known.learn('miss', state, 'half');
  assert.equal(known.recall('miss', state), undefined);
  known.learn('miss', state, 'half');
  assert.equal(known.recall('miss', state)?.undone, 'half');
  assert.deepEqual([known.recall('hit', state), known.recall('miss', other)], [undefined, undefined]);
  for (let times = 0; times < 3; times += 1) known.learn('miss', '', undefined);
  assert.equal(known.recall('miss', ''), undefined);
  assert.deepEqual(readdirSync(path.join(directory, 'known')), [`miss-${state}`]);
  assert.match(known.endIfKnown('miss', '5@openat'), /exit/);
  assert.equal(known.endIfKnown('miss', '5@utimensat'), '');
});
