// A way whose judge cannot look at / or /proc → judged all the same, by the owners that are known.
import assert from 'node:assert/strict';
import fs, { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, mock, test } from 'node:test';
import {
  isTrustedAndThere,
  isTrustedWay,
  staysTrustedWay,
  trustedTarget,
} from '../../src/host/trusted-way.ts';

const asRoot = process.getuid?.() === 0 ? {} : { skip: 'only root gives directories away' };
const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-way-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

for (const code of ['EIO', 'EACCES', 'ENOENT'])
  test(`/proc that cannot be looked at (${code}) is nobody's`, asRoot, () => {
    const [own, others] = ['own', 'others'].map((name) => path.join(scratch, code, name)) as [string, string];
    for (const each of [own, others]) mkdirSync(each, { recursive: true });
    chownSync(others, 4321, 4321);
    const lstat = fs.lstatSync;
    const failing = ((file: string, ...rest: never[]) => {
      if (file === '/proc') throw Object.assign(new Error(code), { code });
      return lstat(file, ...rest);
    }) as typeof lstat;
    const mocked = mock.method(fs, 'lstatSync', failing);
    syncBuiltinESMExports();
    try {
      assert.deepEqual(
        [own, others].map((each) => isTrustedWay(each, 0)),
        [true, false],
      );
      assert.deepEqual(
        [own, others].map((each) => isTrustedAndThere(each, 0)),
        [true, false],
      );
      assert.equal(trustedTarget(own, 0), own);
      assert.ok(
        mocked.mock.calls.some(({ arguments: [file] }) => file === '/proc'),
        'it was asked',
      );
    } finally {
      mocked.mock.restore();
      syncBuiltinESMExports();
    }
  });

test('a way that ends before the file counts only where nothing need be there', () => {
  const missing = path.join(scratch, 'missing/file');
  assert.equal(isTrustedWay(missing, process.getuid?.() ?? 0), true);
  assert.equal(isTrustedAndThere(missing, process.getuid?.() ?? 0), false);
  assert.equal(trustedTarget(missing, process.getuid?.() ?? 0), undefined);
});

test('what anybody may make on the way later is not counted as staying ours', () => {
  const uid = process.getuid?.() ?? 0;
  const [own, sticky, link] = ['stays/own', 'stays/sticky', 'stays/link'].map((each) =>
    path.join(scratch, each),
  ) as [string, string, string];
  for (const each of [own, path.join(sticky, 'there')]) mkdirSync(each, { recursive: true });
  chmodSync(sticky, 0o1777);
  symlinkSync(path.join(sticky, 'missing'), link);
  const ways = [
    own,
    `${own}/missing/v1`,
    `${sticky}/there`,
    `${sticky}/there/missing/v1`,
    `${sticky}/missing/v1`,
    link,
  ];
  assert.deepEqual(
    ways.map((each) => [isTrustedWay(each, uid), staysTrustedWay(each, uid)]),
    [...Array(4).fill([true, true]), ...Array(2).fill([true, false])],
  );
});

test("a group's bit, behind which an ACL may be, is nothing that root writes by", asRoot, () => {
  const directory = path.join(scratch, 'of-a-group');
  mkdirSync(directory);
  for (const [owner, expected] of [
    [0, [true, false]],
    [4321, [true, true]],
  ] as const) {
    chownSync(directory, owner, owner);
    chmodSync(directory, 0o775);
    assert.deepEqual([isTrustedWay(directory, owner), isTrustedAndThere(directory, owner)], expected);
  }
  chmodSync(directory, 0o755);
  assert.equal(isTrustedAndThere(directory, 4321), true);
});
