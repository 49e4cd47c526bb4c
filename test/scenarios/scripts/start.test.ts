// Scripts for another Linux where there is no /bin/bash, no /usr/bin/env: bare they fail, with us they run.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const bin = path.join(homeInRoot, 'bin');
const PATH = `${bin}:${path.dirname(rig.bash)}`;
const settings = { cwd: homeInRoot, env: { PATH } };
mkdirSync(onHost(root, bin));

/** A foreign program that prints its arguments. */
function putForeign(file: string): void {
  const source = `#include <stdio.h>
const char *zlibVersion(void);
int main(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("[%s]", argv[i]);
	printf(" zlib %c\\n", zlibVersion()[0]);
	return 0;
}`;
  compile(onHost(root, file), source, ['-l:libz.so.1']);
}

function put(name: string, text: string): string {
  writeFileSync(onHost(root, path.join(homeInRoot, name)), text, { mode: 0o755 });
  return `./${name}`;
}

test('bash of PATH for /bin/bash: argument, path as it was named, the rest', async () => {
  const script = put('script', '#! /bin/bash  -e \necho "$0 $#:" "$@"; false; echo unreached\n');
  assert.equal((await root.bare(script, [], settings)).status, 127);
  const expected = { status: 1, stdout: './script 3: a b c \n', stderr: '' };
  for (const start of [root.start, root.startHit]) {
    const { status, stdout, stderr } = await start([script, 'a', 'b c', ''], settings);
    assert.deepEqual({ status, stdout, stderr }, expected);
  }
  symlinkSync('script', onHost(root, path.join(homeInRoot, 'by-link')));
  assert.equal((await root.startHit(['./by-link'], settings)).stdout, './by-link 0:\n');
});

test('env itself is looked up too, and the name after it among the shims', async () => {
  putForeign(path.join(homeInRoot, 'vendor/perl6'));
  const script = put('by-env', '#!/usr/bin/env -S perl6 -w  x\n');
  const refused = await root.start([script], settings);
  assert.equal(refused.status, 126);
  assert.match(
    refused.stderr,
    /an interpreter that is not there: \/usr\/bin\/env\n {2}.*shim add PROGRAM --as env/,
  );
  await root.manage(['shim', 'add', 'vendor/perl6'], settings);
  const { stdout, stderr } = await root.start([script, 'y'], settings);
  assert.deepEqual([stdout, stderr], [`[${homeInRoot}/vendor/perl6][-w][x][./by-env][y] zlib 1\n`, '']);
});

test('a foreign interpreter on PATH goes through the usual pipeline', async () => {
  putForeign(path.join(bin, 'lisp'));
  const script = put('by-lisp', '#!/usr/local/bin/lisp --script\n');
  for (const start of [root.start, root.startHit]) {
    const { stdout, stderr } = await start([script, 'x'], settings);
    assert.deepEqual([stdout, stderr], [`[${bin}/lisp][--script][./by-lisp][x] zlib 1\n`, '']);
  }
});

test('scripts as interpreters of scripts, as deep as the kernel goes', async () => {
  put('bin/level1', '#!/opt/lisp one\n');
  put('bin/level2', '#!/opt/level1 two\n');
  const script = put('deep', '#!/opt/level2 three\n');
  const { stdout, stderr } = await root.start([script, 'x'], settings);
  const words = ['lisp', 'one', 'level1', 'two', 'level2', 'three', './deep', 'x'];
  const named = words.map((word) => (/^l/.test(word) ? `${bin}/${word}` : word));
  assert.deepEqual([stdout, stderr], [`${named.map((word) => `[${word}]`).join('')} zlib 1\n`, '']);
  put('bin/loop1', '#!/opt/loop2\n');
  put('bin/loop2', '#!/opt/loop1\n');
  const refused = await root.start(['loop1'], settings);
  assert.equal(refused.status, 126);
  assert.match(refused.stderr, /leads through more than 5 scripts/);
});

test('an interpreter that comes, goes or changes is noticed', async () => {
  const script = put('by-later', '#!/usr/bin/later\n');
  const missing = await root.start([script], settings);
  assert.equal(missing.status, 126);
  assert.match(missing.stderr, /shim add PROGRAM --as later\n$/);
  put('bin/later', '#!/bin/bash\necho "found $*"\n');
  assert.equal((await root.start([script, 'x'], settings)).stdout, 'found ./by-later x\n');
  put('bin/later', '#!/bin/bash\necho "changed $*"\n');
  assert.equal((await root.start([script, 'x'], settings)).stdout, 'changed ./by-later x\n');
  rmSync(onHost(root, path.join(bin, 'later')));
  assert.equal((await root.start([script], settings)).status, 126);
});
