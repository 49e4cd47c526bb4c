// A file that was just changed → stamps from which every further change differs, also where stamps are whole seconds.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { distinctStats, identityOfStats } from '../../src/host/file-identity.ts';
import { asRoot, needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();

interface Told {
  readonly plain: number;
  readonly distinct: number;
  readonly rounds: number;
  readonly longest: number;
}

/** Runs change-twice.ts on a file system made by `make`, with a name, or in an ordinary directory. */
function changeTwice(name: string, make?: string): Told {
  const script = `set -e; cd "$1"; truncate -s 8M ${name}.img; ${make ?? ':'} ${name}.img >&2; mkdir ${name}
    ${make === undefined ? '' : `mount -o loop ${name}.img ${name}`}
    exec "$2" --disable-warning=ExperimentalWarning "$3" "$1/${name}"`;
  const program = path.join(import.meta.dirname, 'programs/change-twice.ts');
  const words = ['-m', 'sh', '-c', script, 'sh', scratch, process.execPath, program];
  const ended = spawnSync('unshare', words, { encoding: 'utf8', timeout: 60_000 });
  assert.equal(ended.status, 0, ended.stderr);
  return JSON.parse(ended.stdout) as Told;
}

function assertTold({ plain, distinct, rounds, longest }: Told, longestStep: number): void {
  assert.ok(plain < rounds, 'no two changes had the same stamps, so nothing was tried');
  assert.equal(distinct, rounds, 'a change went unseen');
  assert.ok(longest < longestStep + 500, `it waited ${longest} ms`);
}

test('a second, as of ext4 with inodes of 128 bytes', asRoot, () => {
  needTool('mkfs.ext4', 'e2fsprogs');
  assertTold(changeTwice('ext4', 'mkfs.ext4 -q -I 128'), 1000);
});

test('two seconds, as of FAT', asRoot, (t) => {
  if (!readFileSync('/proc/filesystems', 'utf8').includes('vfat')) return t.skip('this kernel knows no FAT');
  needTool('mkfs.vfat', 'dosfstools');
  assertTold(changeTwice('fat', 'mkfs.vfat'), 2000);
});

test('an ordinary file system: no change goes unseen, and hardly anything is waited for', asRoot, () => {
  const { distinct, rounds, longest } = changeTwice('ordinary');
  assert.equal(distinct, rounds);
  assert.ok(longest < 900, `it waited ${longest} ms`);
});

test('what was changed long ago, or by another clock, is not waited for', () => {
  for (const time of [0, 1_700_000_000, 4_000_000_000]) {
    const file = path.join(scratch, String(time));
    writeFileSync(file, 'x');
    distinctStats(file);
    utimesSync(file, time, time);
    distinctStats(file);
    assert.match(identityOfStats(distinctStats(file)), /^\d+:\d+:1:/);
    // Others on the machine lengthen some; who waits, waits each time.
    const times = Array.from({ length: 20 }, () => {
      const began = performance.now();
      distinctStats(file);
      return performance.now() - began;
    });
    assert.ok(Math.min(...times) < 10, times.join(' '));
  }
});
