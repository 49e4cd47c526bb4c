// Which files of a package come into a store object, and where to.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { contentsOf } from './contents.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nix-run-foreign-contents-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function file(path: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), '');
}

function link(path: string, to: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  symlinkSync(to, join(directory, path));
}

const targets = (mode: 'with-executables' | 'libraries-only') =>
  [...contentsOf(directory, mode).files.values()].sort();

test('flattens the library folders of every architecture, keeps subdirectories', () => {
  file('usr/lib/x86_64-linux-gnu/liba.so.1');
  file('lib/i386-linux-gnu/libb.so.2');
  file('usr/lib/x86_64-linux-gnu/pulseaudio/libc.so');
  file('usr/lib/libd.so.1');
  assert.deepEqual(targets('libraries-only'), [
    'lib/liba.so.1',
    'lib/libb.so.2',
    'lib/libd.so.1',
    'lib/pulseaudio/libc.so',
  ]);
});

test('takes programs and private libraries only where asked to, documentation never', () => {
  for (const path of [
    'usr/bin/a',
    'sbin/b',
    'usr/lib/a/libprivate.so',
    'usr/share/doc/a.so',
    'usr/lib/a/data',
  ])
    file(path);
  assert.deepEqual(targets('libraries-only'), []);
  assert.deepEqual(targets('with-executables'), ['bin/a', 'bin/b', 'lib/a/libprivate.so']);
});

test('keeps links among what it takes, also absolute ones and links to links', () => {
  file('lib/x86_64-linux-gnu/libz.so.1.2.3');
  link('lib/x86_64-linux-gnu/libz.so.1', 'libz.so.1.2.3');
  link('usr/lib/x86_64-linux-gnu/libz.so', '/lib/x86_64-linux-gnu/libz.so.1');
  link('usr/lib/x86_64-linux-gnu/sub/libz.so.1', '../libz.so.1.2.3');
  const { links } = contentsOf(directory, 'libraries-only');
  assert.deepEqual([...links].sort(), [
    ['lib/libz.so', 'libz.so.1'],
    ['lib/libz.so.1', 'libz.so.1.2.3'],
    ['lib/sub/libz.so.1', '../libz.so.1.2.3'],
  ]);
});

test('drops links to what it does not take, and a link that would point to itself', () => {
  file('lib/x86_64-linux-gnu/ld-linux-x86-64.so.2');
  link('lib64/ld-linux-x86-64.so.2', '/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2');
  link('usr/lib/x86_64-linux-gnu/libgone.so', '/etc/alternatives/libgone.so');
  const { files, links } = contentsOf(directory, 'libraries-only');
  assert.equal(files.size, 1);
  assert.equal(links.size, 0);
});
