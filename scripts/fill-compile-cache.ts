// The built manager → compiled code beside it, so that the first miss of a user is as fast as the second.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * V8 compiles a function when it is first called, and nix-foreign.cts writes down what was compiled until the process
 * ends: so the runs are whole misses. They get a store of their own, made of the build machine's libc.
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
    const run = (...words: string[]) => spawnSync(node, [script, ...words], { env, stdio: 'ignore' });
    // A first start, another choice, a known content; and for the manager's bundle what people ask most.
    run('resolve', '--from-launcher', '--', program);
    run('resolve', '--from-launcher', '--refresh', '--', program);
    run('resolve', '--from-launcher', '--rehash', '--', program);
    run('explain', program);
    run('list');
    // A first start with a fingerprint beside the program, where nothing is known of it.
    run('fingerprint', 'export', program);
    for (const saved of ['.cache', '.local'])
      rmSync(path.join(directory, saved), { recursive: true, force: true });
    run('resolve', '--from-launcher', '--', program);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A dynamic program with a library of its own or, without a compiler, one that every machine has. */
function makeProgram(directory: string): string {
  const program = path.join(directory, 'program');
  const library = path.join(directory, 'libwarm.so.1');
  const source = path.join(directory, 'program.c');
  writeFileSync(source, '#include <stdio.h>\nint warm(void) { return puts("warm"); }\n');
  const options = ['-shared', '-fPIC', '-Wl,-soname,libwarm.so.1', `-Wl,-rpath,${directory}/lib`];
  spawnSync('cc', [...options, '-o', library, source], { stdio: 'ignore' });
  writeFileSync(
    source,
    '#include <math.h>\nint warm(void);\nint main(int c, char **v) { return warm() + (int)sin(c); }\n',
  );
  const { status } = spawnSync('cc', ['-o', program, source, library, '-lm'], { stdio: 'ignore' });
  if (status !== 0) copyFileSync('/bin/sh', program);
  return program;
}

/** What the host's own loader loads for it, as two store objects. */
function makeStore(storeDir: string, program: string): void {
  const [libc, own] = ['libc', 'own'].map((name, i) =>
    path.join(storeDir, `${String(i).repeat(32)}-${name}-0`, 'lib'),
  );
  if (libc === undefined || own === undefined) return;
  for (const each of [libc, own]) mkdirSync(each, { recursive: true });
  const library = path.join(path.dirname(program), 'libwarm.so.1');
  if (existsSync(library)) copyFileSync(library, path.join(own, path.basename(library)));
  // Without ldd there is less to warm; nothing else depends on it.
  const listing = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout ?? '';
  for (const [file] of listing.matchAll(/\/\S+/g)) {
    if (existsSync(file) && file !== library) copyFileSync(file, path.join(libc, path.basename(file)));
  }
}
