// The launcher as a program's interpreter: by its plan, after a miss, and the reasons why it refuses.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compileEntered, compileLibrary, LOADER, plan } from './interpreter-fixture.ts';
import { limited, openWorkshop, putScript, resolving, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { asRoot, needTool } from './tool-fixture.ts';

const workshop = await openWorkshop();
const { directory, launcher, place } = workshop;
const library = compileLibrary(workshop, 'called-library');
const libraries = path.dirname(library);
const program = compileEntered(workshop, 'call-library', [library]);
const environment = { ...workshop.environment, NIX_RUN_FOREIGN_DEBUG: '1' };
const start = (words: readonly [string, ...string[]] = [program], env: NodeJS.ProcessEnv = environment) =>
  runCommand(workshop, words, { env, ...limited });
const ran = { code: 0, signal: null, stdout: '', stderr: '' };

/** Without a valid plan the fixture's resolver says that it was called. */
async function assertMiss(reason: RegExp): Promise<void> {
  const outcome = await start();
  assert.match(outcome.stderr, reason);
  assert.match(outcome.stderr, /^resolver called$/m);
  assert.equal(outcome.code, 127);
}

test('by its plan', async () => {
  await assertMiss(/there is no directory of plans/);
  plan(workshop, program, libraries);
  assert.deepEqual(await start(), ran);
});

test('the module of its plan is asked once, and the program sees no LD_AUDIT', async () => {
  const module = path.join(directory, 'module.so');
  const source = path.join(directory, 'module.c');
  writeFileSync(
    source,
    '#include <unistd.h>\nunsigned la_version(unsigned v) { return write(2, "asked\\n", 6) == 6 ? v : 0; }',
  );
  execFileSync('cc', ['-shared', '-fPIC', '-o', module, source]);
  plan(workshop, program, libraries, LOADER, [`m${module}`]);
  assert.deepEqual(await start(), { ...ran, stderr: 'asked\n' });
});

test('the command role starts it too', async () => {
  plan(workshop, program, libraries);
  assert.deepEqual(await start([launcher, program]), ran);
});

test('what the checks of a plan find is a miss', async () => {
  plan(workshop, program, libraries, LOADER, ['f/nowhere']);
  await assertMiss(/a file of the plan is gone: \/nowhere/);
  plan(workshop, program, libraries, LOADER, [`l${LOADER}`]);
  await assertMiss(/is there twice/);
  putPlan(place, program, planText(program, ['lld.so', 'b/x']));
  await assertMiss(/l is not an absolute path/);
  putPlan(place, program, planText(program, [`l${LOADER}`, 'bx:/y']));
  await assertMiss(/b is not a list of absolute paths/);
  const file = putPlan(place, program, planText(program, [`l${LOADER}`, `b${libraries}`]));
  chmodSync(file, 0o666);
  await assertMiss(/not only ours to write/);
});

test('a plan without a loader is a miss; one that is made so is refused', async () => {
  putPlan(place, program, planText(program));
  await assertMiss(/could not be entered by its plan/);
  const script = putScript(directory, 'resolver-direct', resolving(workshop, program));
  const { code, stderr } = await start([program], {
    ...workshop.environment,
    NIX_RUN_FOREIGN_RESOLVER: script,
  });
  assert.equal(code, 127);
  assert.match(
    stderr,
    /^nix-run-foreign: \S*\/call-library: it needs no loader of ours, and yet names this one\n {2}/,
  );
});

/** What can be wrong with the file that a plan names as the loader, and how the second try says it. */
const damages: Readonly<Record<string, readonly [damage: (file: string) => void, says: RegExp]>> = {
  'is gone': [(file) => rmSync(file), /no such file/],
  'is text': [(file) => writeFileSync(file, '#!/bin/sh\n'), /damaged or for another machine/],
  'is empty': [(file) => truncateSync(file, 0), /damaged or for another machine/],
  'is cut off in its header': [(file) => truncateSync(file, 80), /damaged or for another machine/],
  'is cut off behind its headers': [(file) => truncateSync(file, 4096), /damaged or for another machine/],
  'is for another machine': [(file) => patch(file, 18, 183), /damaged or for another machine/],
  'is of the other class': [(file) => patch(file, 4, 1), /damaged or for another machine/],
  'is no shared object': [(file) => patch(file, 16, 2), /damaged or for another machine/],
  'has its program headers beyond what is read': [
    (file) => patch(file, 33, 0x40),
    /damaged or for another machine/,
  ],
  'has no program headers': [(file) => patch(file, 56, 0), /damaged or for another machine/],
  'has too many program headers': [(file) => patch(file, 57, 0xff), /damaged or for another machine/],
  'may not be read': [(file) => chmodSync(file, 0), /permission denied/],
};

function patch(file: string, offset: number, byte: number): void {
  const bytes = readFileSync(file);
  bytes[offset] = byte;
  writeFileSync(file, bytes);
}

for (const [name, [damage, says]] of Object.entries(damages)) {
  const options = name === 'may not be read' && process.getuid?.() === 0 ? { skip: 'root may read it' } : {};
  test(`a loader that ${name} is a refresh, and then the end`, options, async () => {
    const loader = path.join(directory, 'ld-damaged.so');
    rmSync(loader, { force: true });
    copyFileSync(LOADER, loader);
    plan(workshop, program, libraries, loader);
    assert.deepEqual(await start(), ran);
    damage(loader);
    const seen = path.join(directory, 'words');
    const script = putScript(directory, 'resolver-again', `echo "$@" > '${seen}'`);
    const { code, stderr } = await start([program], {
      ...workshop.environment,
      NIX_RUN_FOREIGN_RESOLVER: script,
    });
    assert.equal(code, 127);
    assert.match(stderr, /^nix-run-foreign: \S*ld-damaged\.so: the loader of its plan cannot be mapped: /);
    assert.match(stderr, says);
    assert.match(readFileSync(seen, 'utf8'), /--refresh/);
  });
}

test('a loader whose segments overlap, or reach beyond memory, is refused', async () => {
  const loader = path.join(directory, 'ld-twisted.so');
  const headers = 64;
  const size = 56;
  const whole = readFileSync(LOADER);
  const first = [...Array(whole.readUInt16LE(56)).keys()].find(
    (i) => whole.readUInt32LE(headers + i * size) === 1,
  );
  const at = headers + (first ?? 0) * size;
  const twists: readonly ((bytes: Buffer) => unknown)[] = [
    (bytes) => bytes.writeBigUInt64LE(0x7fff_ffff_ffff_f000n, at + 16),
    (bytes) => bytes.writeBigUInt64LE(0x7fff_ffff_ffff_f000n, at + 40),
    (bytes) => bytes.writeBigUInt64LE(0x10_0000n, at + 40),
    (bytes) => bytes.writeBigUInt64LE(0x123n, at + 16),
    (bytes) => bytes.writeBigUInt64LE(0xff_ffff_ffffn, at + 32),
  ];
  for (const twist of twists) {
    const bytes = Buffer.from(whole);
    twist(bytes);
    writeFileSync(loader, bytes, { mode: 0o755 });
    plan(workshop, program, libraries, loader);
    const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: '/bin/true' };
    const { code, stderr } = await start([program], env);
    assert.equal(code, 127);
    assert.match(stderr, /its interpreter is damaged/);
  }
});

test('after a miss it goes on in the same process', async () => {
  rmSync(workshop.cache, { recursive: true });
  const script = putScript(
    directory,
    'resolver-good',
    resolving(workshop, program, [`l${LOADER}`, `b${libraries}`]),
  );
  const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: script };
  assert.deepEqual(await start([program], env), ran);
  assert.deepEqual(await start(), ran);
});

test('a setuid program is refused', asRoot, async () => {
  const copy = path.join(directory, 'setuid');
  copyFileSync(program, copy);
  chownSync(copy, 0, 0);
  chmodSync(copy, 0o4755);
  plan(workshop, copy, libraries);
  const { code, stdout, stderr } = await start(['setpriv', '--reuid=65534', '--clear-groups', copy]);
  assert.deepEqual([code, stdout], [127, '']);
  assert.match(
    stderr,
    /^nix-run-foreign: \S*\/setuid: started with the rights of another user or group\n {2}\S.*\n$/,
  );
});

test('without /proc it is found by the path that it was started by', asRoot, async () => {
  plan(workshop, program, libraries);
  const script = `umount -l /proc && exec '${program}'`;
  assert.deepEqual(await start(['unshare', '-m', 'sh', '-c', script]), ran);
});

test('without /proc the interpreter of a script is found, of a script for scripts too', asRoot, async () => {
  const says = compileEntered(workshop, 'say-started');
  plan(workshop, says, libraries);
  const scripts = ['script', 'script-of-script'].map((name) => path.join(directory, name));
  for (const [i, script] of scripts.entries())
    writeFileSync(script, `#!${[says, ...scripts][i]}\n`, { mode: 0o755 });
  for (const script of scripts) {
    const command = `umount -l /proc && cd '${directory}' && exec ./${path.basename(script)}`;
    const outcome = await start(['unshare', '-m', 'sh', '-c', command]);
    assert.deepEqual(outcome, { ...ran, stdout: 'started\n' }, script);
  }
});

test('without /proc a first start works too', asRoot, async () => {
  const copy = path.join(directory, 'first');
  copyFileSync(program, copy);
  const body = resolving(workshop, copy, [`l${LOADER}`, `b${libraries}`]);
  const env = {
    ...workshop.environment,
    NIX_RUN_FOREIGN_RESOLVER: putScript(directory, 'resolver-first', body),
  };
  const command = ['unshare', '-m', 'sh', '-c', `umount -l /proc && exec '${copy}'`] as const;
  assert.deepEqual(await start([...command], env), ran);
});

test('a program whose file was deleted meanwhile has no plan', async () => {
  const copy = path.join(directory, 'deleted');
  copyFileSync(program, copy);
  plan(workshop, copy, libraries);
  const script = `exec 7<'${copy}'; rm '${copy}'; exec /proc/self/fd/7`;
  const { code, stderr } = await start(['sh', '-c', script]);
  assert.equal(code, 127);
  assert.match(stderr, /\(deleted\)/);
  assert.equal(existsSync(copy), false);
});

test('a relative library path of the user and one with empty elements stay as they are', async () => {
  plan(workshop, program, '/nowhere');
  const env = { ...environment, LD_LIBRARY_PATH: '' };
  assert.equal((await start([program], env)).code, 127);
  for (const LD_LIBRARY_PATH of ['/nowhere::', ':/nowhere', path.basename(libraries)])
    assert.deepEqual(
      await runCommand(workshop, [program], {
        env: { ...environment, LD_LIBRARY_PATH },
        cwd: LD_LIBRARY_PATH.includes(':') ? libraries : directory,
        ...limited,
      }),
      ran,
    );
});

test('strace sees the calls of a hit, and no other process', async () => {
  needTool('strace', 'strace');
  plan(workshop, program, libraries);
  const log = path.join(directory, 'strace');
  assert.deepEqual(await start(['strace', '-f', '-o', log, program]), ran);
  const calls = readFileSync(log, 'utf8')
    .split('\n')
    .map((line) => line.replace(/^\d+ +/, '').replace(/\(.*/, ''));
  const identify = ['openat', 'fstat', 'close', 'readlinkat'];
  const read = ['openat', 'fstat', 'read', 'close'];
  // Whose each directory is on the way to the plans.
  const way = path
    .join(place, 'v1/plans')
    .split('/')
    .slice(1)
    .map(() => 'newfstatat');
  // Below /tmp: on which file system ours and /tmp are.
  const inTmp = place.startsWith('/tmp/') ? ['newfstatat', 'newfstatat'] : [];
  const segments = ['mmap', 'mmap', 'mmap', 'mmap', 'mmap'];
  const map = ['openat', 'read', 'fstat', ...segments, 'close'];
  assert.deepEqual(calls.slice(1, calls.indexOf('brk')), [
    'prlimit64',
    ...identify,
    ...way,
    ...inTmp,
    ...read,
    'clock_gettime',
    ...map,
  ]);
});
