// Hashes against sha256sum.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sha256OfFile, sha256OfText } from '../../src/host/file-identity.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const file = path.join(scratchDirectory(), 'file');

for (const size of [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_333_333]) {
  test(`${size} bytes`, () => {
    writeFileSync(file, Buffer.alloc(size, 'nix-run-foreign'));
    const expected = execFileSync('sha256sum', [file], { encoding: 'utf8' }).slice(0, 64);
    assert.equal(sha256OfFile(file), expected);
  });
}

test('text is hashed as UTF-8, and what cannot be read is an error', () => {
  writeFileSync(file, 'é 日');
  assert.equal(sha256OfText('é 日'), sha256OfFile(file));
  assert.throws(() => sha256OfFile('/nowhere'), { code: 'ENOENT' });
  assert.throws(() => sha256OfFile('/'), { code: 'EISDIR' });
});
