// What is typed after `index build --root` → a store path, or a misuse that names what is taken.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { storePathTyped } from '../../src/cli/manage-file-indexes.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'typed-store-path-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const storeDir = path.join(scratch, 'store');
const object = path.join(storeDir, `${'a'.repeat(32)}-hello-1`);
mkdirSync(path.join(object, 'bin'), { recursive: true });

test('a link, a path below a store object, and one that is not on this machine', () => {
  const link = path.join(scratch, 'result');
  symlinkSync(object, link);
  for (const typed of [object, `${object}/`, `${object}/bin`, link, path.relative(process.cwd(), link)])
    assert.equal(storePathTyped(typed, storeDir), object, typed);
  const absent = `${storeDir}/${'b'.repeat(32)}-other-1`;
  assert.equal(storePathTyped(absent, storeDir), absent);
});

test('what is no store path is a misuse', () => {
  for (const typed of [scratch, storeDir, '/nowhere', 'hello', `${storeDir}/hello`])
    assert.throws(() => storePathTyped(typed, storeDir), { code: 'usage' }, typed);
});
