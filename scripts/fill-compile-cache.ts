// The built manager → compiled code beside it, so that the first miss of a user is as fast as the second.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Node writes into the cache what was compiled until the first process ends, and V8 compiles a function when it is
 * first called: so the first run must be a whole miss. It gets a store of its own, made of the build machine's libc.
 */
export function fillCompileCache(node: string, script: string): void {
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-build-'));
  try {
    const program = makeProgram(directory);
    const storeDir = path.join(directory, 'store');
    makeStore(storeDir, program);
    const env = {
      HOME: directory,
      PATH: process.env['PATH'],
      NIX_STORE_DIR: storeDir,
      NIX_STATE_DIR: path.join(directory, 'var'),
      NIX_REMOTE: 'local',
      NIX_RUN_FOREIGN_WRITE_COMPILED: '1',
    };
    spawnSync(node, [script, 'resolve', '--from-launcher', '--', program], { env, stdio: 'ignore' });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A dynamic program: one compiled here or, without a compiler, one that every machine has. */
function makeProgram(directory: string): string {
  const program = path.join(directory, 'program');
  const source = path.join(directory, 'program.c');
  writeFileSync(
    source,
    '#include <stdio.h>\n#include <math.h>\nint main(int c, char **v) { return puts(v[0]) + (int)sin(c); }\n',
  );
  const { status } = spawnSync('cc', ['-o', program, source, '-lm'], { stdio: 'ignore' });
  if (status !== 0) copyFileSync('/bin/sh', program);
  return program;
}

/** What the host's own loader loads for it, as one store object. */
function makeStore(storeDir: string, program: string): void {
  const library = path.join(storeDir, `${'0'.repeat(32)}-libc-0`, 'lib');
  mkdirSync(library, { recursive: true });
  const listing = execFileSync('ldd', [program], { encoding: 'utf8' });
  for (const [file] of listing.matchAll(/\/\S+/g)) {
    if (existsSync(file)) copyFileSync(file, path.join(library, path.basename(file)));
  }
}
