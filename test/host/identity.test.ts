// Identity texts against stat(1).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { identityOf } from '../../src/host/file-identity.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

/** `%.9Y` has the nanoseconds; of a time before 1970 stat prints the seconds rounded down. */
function statIdentity(file: string): string {
  const format = '%d:%i:%s:%.9Y:%.9Z';
  const text = execFileSync('stat', ['-L', `--printf=${format}`, file], {
    encoding: 'utf8',
    env: { LC_ALL: 'C', PATH: process.env['PATH'] },
  });
  const plain = text.replace(/\.(\d{9})/g, (_, nanoseconds: string) => `.${Number(nanoseconds)}`);
  // No major number: the next mount has another one.
  return Number.parseInt(text, 10) & 0xfff00 ? plain : plain.replace(/^\d+/, '0');
}

const scratch = scratchDirectory();

for (const [what, time] of Object.entries({
  'a usual time': 1_700_000_000.25,
  'a whole second': 1_700_000_000,
  'one nanosecond place': 1_600_000_000.001,
  'the epoch': 0,
  'after 2038': 4_000_000_000.5,
})) {
  test(`the identity of a file with ${what}`, () => {
    const file = path.join(scratch, what);
    writeFileSync(file, what);
    utimesSync(file, time, time);
    assert.equal(identityOf(file), statIdentity(file));
  });
}

test('links are followed', () => {
  const file = path.join(scratch, 'file');
  writeFileSync(file, 'x');
  symlinkSync(file, path.join(scratch, 'link'));
  assert.equal(identityOf(path.join(scratch, 'link')), identityOf(file));
});

test('devices and files of other file systems', () => {
  for (const file of ['/proc/self/status', '/dev/null', '/']) {
    const [device, inode] = identityOf(file).split(':');
    const [expectedDevice, expectedInode] = statIdentity(file).split(':');
    assert.equal(device, expectedDevice, file);
    if (file !== '/') assert.equal(device, '0', file);
    if (!file.startsWith('/proc')) assert.equal(inode, expectedInode, file);
  }
});

test('before 1970 the seconds are rounded down', () => {
  const file = path.join(scratch, 'old');
  writeFileSync(file, 'x');
  execFileSync('touch', ['-d', '1969-12-31T23:59:58.500000000Z', file]);
  assert.equal(identityOf(file).split(':')[3], '-2.500000000');
});

test('what is not there is an error', () => {
  assert.throws(() => identityOf(path.join(scratch, 'nothing')), { code: 'ENOENT' });
});
