// Ends of works that a fault hit, right and wrong ones → each is told from the others, so the torture can fail.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsOf, orderOf } from './call-kinds.ts';
import { judge } from './fault-at-call.ts';
import type { Injected } from './interrupted-work.ts';

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
  ['prune', { status: 1, stderr: OF_MANAGER }, 'told'],
  ['miss', { status: 1, stderr: TOLD }, 'wrong'], // the status is the program's own
  ['miss', { status: 125, stderr: TOLD, stdout: '42\n' }, 'wrong'], // it ran, and failed afterwards
  ['miss', { status: 125, stderr: 'nix-run-foreign: no space left on device\n' }, 'wrong'], // no remedy
  ['prune', { status: 1, stderr: OF_MANAGER + OF_MANAGER }, 'wrong'],
  ['prune', { status: 1, stderr: `${OF_MANAGER}and more\n` }, 'wrong'],
  ['prune', { status: 1, stderr: '' }, 'wrong'],
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

for (const [work, end, expected] of ENDS)
  test(`${work}: ${JSON.stringify(end)} is ${expected}`, () => {
    const whole = { status: 0, stdout: '', stderr: '', at: 'write', afterwards: undefined, ...end };
    const judged = judge(work, whole);
    assert.equal(typeof judged === 'string' ? judged : 'wrong', expected);
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

test('errors are those that a call can have; of an unknown one the run stops', () => {
  assert.ok(errorsOf('openat-to-write /x').includes('ENOSPC'));
  assert.ok(!errorsOf('openat /x').includes('ENOSPC'));
  assert.deepEqual(errorsOf('write pipe:[12]'), ['EINTR']);
  assert.throws(() => errorsOf('sendfile /x'), /no errors are known of sendfile/);
});
