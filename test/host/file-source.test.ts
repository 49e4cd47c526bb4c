// openFileSource: what it reads, and what it says of things that are no files.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openFileSource } from '../../src/elf/open-elf.ts';

const directory = mkdtempSync(join(tmpdir(), 'file-source-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const path = join(directory, 'file');

const openDescriptors = () => readdirSync('/proc/self/fd').length;

test('reads where asked, and less at the end', () => {
  writeFileSync(path, 'abcdefghij');
  const source = openFileSource(path);
  assert.equal(source.size, 10);
  assert.equal(Buffer.from(source.read(2, 3)).toString(), 'cde');
  assert.equal(Buffer.from(source.read(8, 10)).toString(), 'ij');
  assert.equal(source.read(10, 5).length, 0);
  assert.equal(source.read(2 ** 40, 5).length, 0);
  truncateSync(path, 3);
  assert.equal(Buffer.from(source.read(2, 3)).toString(), 'c');
  source.close();
  assert.throws(() => source.read(0, 1), { code: 'EBADF' });
});

test('says why it cannot open, and leaves no descriptor behind', () => {
  const before = openDescriptors();
  assert.throws(() => openFileSource(join(directory, 'nothing')), { code: 'ENOENT' });
  assert.throws(() => openFileSource(join(path, 'below')), { code: 'ENOTDIR' });
  assert.throws(() => openFileSource(directory), { code: 'EISDIR' });
  assert.equal(openDescriptors(), before);
});

test('does not wait for a pipe, nor read a device', () => {
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const special of [fifo, '/dev/zero']) {
    const source = openFileSource(special);
    assert.equal(source.size, 0);
    source.close();
  }
});
