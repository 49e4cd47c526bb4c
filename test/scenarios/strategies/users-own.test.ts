// What a start by a strategy leaves the program of its user's own: the library path of nix-ld, and argv in one piece.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { interpreter: 'nix-ld' });
const program = path.join(homeInRoot, 'bin/program');
const own = path.join(homeInRoot, 'own');

/** It needs zlib, which only the store has. */
const source = `
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
const char *zlibVersion(void);
int main(int argc, char **argv) {
  int contiguous = 1;
  for (int i = 0; i + 1 < argc; i++) contiguous &= argv[i + 1] == argv[i] + strlen(argv[i]) + 1;
  printf("%s, zlib %s, own library %s\\n", contiguous ? "contiguous" : "apart", zlibVersion() ? "there" : "",
         dlopen("libown.so.1", RTLD_NOW) ? "found" : "missing");
  return 0;
}`;
mkdirSync(path.dirname(onHost(root, program)), { recursive: true });
compile(onHost(root, program), source, ['-l:libz.so.1']);
compileLibrary(onHost(root, path.join(own, 'libown.so.1')), 'libown.so.1', 'int own;');

const started = async (options: readonly string[], env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = await root.start([...options, program, 'a', 'b'], { env });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout;
};

test('by the loader argv is in one piece', async () => {
  for (const options of [['--strategy', 'loader'], []])
    assert.equal(await started(options), 'contiguous, zlib there, own library missing\n');
});

test("by nix-ld the user's own libraries are found behind the chosen ones", async () => {
  const found = 'contiguous, zlib there, own library found\n';
  assert.equal(await started(['--strategy', 'nix-ld'], { NIX_LD_LIBRARY_PATH: own }), found);
  assert.equal(await started([], { NIX_LD_LIBRARY_PATH: own }), found);
  assert.equal(await started([], { NIX_LD_LIBRARY_PATH_x86_64_linux: own }), found);
  assert.equal(await started([]), 'contiguous, zlib there, own library missing\n');
});
