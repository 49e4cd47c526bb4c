// Files as an image that root unpacked may bring them → what others may do with them afterwards.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeOurs, type Readers } from '../../../src/integrations/appimage/own-files.ts';
import { scratchDirectory } from '../../store/compiled-library.ts';

const scratch = scratchDirectory();

function imageTree(name: string): string {
  const directory = path.join(scratch, name);
  const at = (each: string) => path.join(directory, each);
  for (const each of ['', 'shut', 'open']) mkdirSync(at(each));
  for (const [each, mode] of [
    ['shut/rootsh', 0o6755],
    ['open/anybody', 0o666],
    ['open/private', 0o700],
    ['open/nobody', 0o000],
  ] as const) {
    writeFileSync(at(each), '');
    chownSync(at(each), each === 'open/anybody' ? 1000 : 0, 0);
    chmodSync(at(each), mode);
  }
  chmodSync(at('open'), 0o3777);
  execFileSync('mkfifo', [at('open/pipe')]);
  execFileSync('mknod', [at('disk'), 'b', '254', '0']);
  symlinkSync('/etc/passwd', at('link'));
  lchownSync(at('link'), 1000, 1000);
  chmodSync(at('shut'), 0o000);
  return directory;
}

function describe(directory: string): Record<string, string> {
  const names = ['', ...readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()];
  return Object.fromEntries(
    names.map((name) => {
      const { mode, uid, gid } = lstatSync(path.join(directory, name));
      return [name, `${(mode & 0o7777).toString(8)} ${uid}:${gid}`];
    }),
  );
}

const skip = process.getuid?.() !== 0 && 'needs root, which alone gets files of others';
const expected: Record<Readers, Record<string, string>> = {
  everybody: {
    '': '755 0:0',
    link: '777 0:0',
    open: '755 0:0',
    'open/anybody': '644 0:0',
    'open/nobody': '444 0:0',
    'open/private': '755 0:0',
    shut: '755 0:0',
    'shut/rootsh': '755 0:0',
  },
  owner: {
    '': '755 0:0',
    link: '777 0:0',
    open: '777 0:0',
    'open/anybody': '666 0:0',
    'open/nobody': '400 0:0',
    'open/private': '700 0:0',
    shut: '700 0:0',
    'shut/rootsh': '755 0:0',
  },
};
for (const readers of ['everybody', 'owner'] as const)
  test(`for ${readers}: no set-id bit, no device, no pipe, all ours`, { skip }, () => {
    const directory = imageTree(readers);
    makeOurs(directory, readers);
    assert.deepEqual(describe(directory), expected[readers]);
  });
