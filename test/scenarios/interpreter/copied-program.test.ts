// A program that needs a library by a path at which nothing is, entered by nix-ld → its copy, with the user's environment.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const PRINTS = `
#include <stdio.h>
#include <string.h>
extern char **environ;
const char *zlibVersion(void);
int main(void) {
  if (zlibVersion()[0] != '1') return 1;
  for (char **each = environ; *each; each++) if (strstr(*each, "LIBRARY_PATH")) puts(*each);
  return 0;
}`;
const program = path.join(homeInRoot, 'bin/prints');

/** Linked with a library that has no soname: the path is what it needs. */
function putProgram(file: string): void {
  const built = mkdtempSync(path.join(tmpdir(), 'built-'));
  const library = path.join(built, 'libz.so.1');
  const input = 'const char *zlibVersion(void) { return ""; }';
  execFileSync('cc', ['-x', 'c', '-shared', '-fPIC', '-o', library, '-'], { input });
  mkdirSync(path.dirname(file), { recursive: true });
  compile(file, PRINTS, [library]);
  rmSync(built, { recursive: true });
}

for (const root of await openWays(rig)) {
  putProgram(onHost(root, program));
  for (const env of [
    { NIX_LD_LIBRARY_PATH: '/of-nix-ld' },
    { NIX_LD_LIBRARY_PATH: '/of-nix-ld', LD_LIBRARY_PATH: '/of-user' },
    {},
  ] as Record<string, string>[])
    test(`entered by ${root.way}: ${JSON.stringify(env)} is what the program has`, async () => {
      const expected = Object.entries(env)
        .map(([name, value]) => `${name}=${value}`)
        .sort();
      for (const start of [root.plain, root.plainHit]) {
        const { stdout, stderr } = await start(program, [], { env });
        assert.deepEqual(stdout.split('\n').filter(Boolean).sort(), expected, stderr);
      }
    });
}
