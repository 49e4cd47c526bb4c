// A way whose judge cannot look at / or /proc → judged all the same, by the owners that are known.
import assert from 'node:assert/strict';
import fs, { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, mock, test } from 'node:test';
import { isTrustedAndThere, isTrustedWay, trustedTarget } from '../../src/host/trusted-way.ts';

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
