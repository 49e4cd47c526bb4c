// The built launcher as a file: static, small, relocating itself, never writable and executable; each compiler.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { buildLauncher } from '../../scripts/build-launcher.ts';
import { needTool, on32Bit } from './tool-fixture.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'build-launcher-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const KIBIBYTE = 1024;

async function build(
  name: string,
  more: { cc?: string; flags?: string[]; node?: string } = {},
): Promise<string> {
  const output = path.join(directory, name);
  await buildLauncher({ output, node: '/nowhere/node', script: '/nowhere/script', ...more });
  return output;
}

/** Headers and relocations, as readelf prints them. */
function readElf(file: string): string {
  return execFileSync('readelf', ['-hlrW', '--dyn-syms', file], { encoding: 'utf8' });
}

/** Sizes of each segment in the file and in memory. nix-ld before 2.0.6 cannot map one that is larger in memory. */
function segmentSizes(text: string): [file: string, memory: string][] {
  const lines = text.matchAll(/^ +LOAD +(?:0x\w+ +){3}(0x\w+) +(0x\w+)/gm);
  return [...lines].map(([, file = '', memory = '']) => [file, memory]);
}

function assertShape(file: string): void {
  const text = readElf(file);
  assert.match(text, /Type: +DYN/);
  assert.doesNotMatch(text, /INTERP/);
  assert.match(text, /GNU_STACK .* RW /);
  assert.doesNotMatch(text, /RWE|NEEDED/);
  const relocations = text.match(/ R_\w+/g) ?? [];
  for (const type of relocations) assert.match(type, /R_(X86_64|AARCH64|386)_RELATIV/);
  const sizes = segmentSizes(text);
  assert.equal(sizes.length, 2);
  for (const [inFile, inMemory] of sizes) assert.equal(inFile, inMemory);
  assert.match(text, /FUNC +GLOBAL +DEFAULT .* _dl_debug_state/, 'where gdb looks for libraries');
  assert.ok(statSync(file).size <= 64 * KIBIBYTE);
}

/** The names of options as pointers: else nothing may need relocation. */
const RELOCATED = '-DOPTION_NAME(name)=const char *name';

/** `--help` writes text, and an unknown option walks the table of options, which is what gets relocated. */
function assertRuns(command: readonly [string, ...string[]]): void {
  const help = execFileSync(command[0], [...command.slice(1), '--help'], { encoding: 'utf8' });
  assert.match(help, /^Usage: nix-run-foreign/);
  assert.throws(
    () => execFileSync(command[0], [...command.slice(1), '--unknown'], { stdio: 'pipe' }),
    (error: { status: number; stderr: Buffer }) =>
      error.status === 125 && error.stderr.includes('--unknown: unknown option'),
  );
}

test('built with the default compiler', async () => {
  const file = await build('default');
  assertShape(file);
  assertRuns([file]);
});

function assertRelocated(file: string): void {
  assert.match(readElf(file), /R_\w+_RELATIV/, 'nothing here needs relocation: the test is blind');
}

test('built with relocations', async () => {
  const file = await build('relocated', { flags: [RELOCATED] });
  assertShape(file);
  assertRuns([file]);
  assertRelocated(file);
});

test('the same sources give the same bytes', async () => {
  assert.deepEqual(readFileSync(await build('one')), readFileSync(await build('two')));
});

test('built with relocations packed (RELR)', async () => {
  const file = await build('relr', { flags: ['-Wl,-z,pack-relative-relocs', RELOCATED] });
  assert.match(readElf(file), /\.relr\.dyn/);
  assertRuns([file]);
});

test('built without optimisation, where nothing is inlined', async () => {
  const file = await build('unoptimised', { flags: ['-O0'] });
  assertRuns([file]);
});

test('built with clang', async () => {
  needTool('clang', 'clang');
  const file = await build('clang', { cc: 'clang' });
  assertShape(file);
  assertRuns([file]);
});

test('built for i686', async () => {
  const file = await build('i686', { flags: ['-m32', RELOCATED] });
  assertShape(file);
  assertRelocated(file);
  if (on32Bit.skip === undefined) return assertRuns([file]);
  needTool('qemu-i386', 'qemu-user');
  assertRuns(['qemu-i386', file]);
});

test('built for aarch64, run by an emulator', async () => {
  needTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');
  needTool('qemu-aarch64', 'qemu-user');
  const file = await build('aarch64', { cc: 'aarch64-linux-gnu-gcc', flags: [RELOCATED] });
  assertShape(file);
  assertRelocated(file);
  assertRuns(['qemu-aarch64', file]);
});

test('paths of the resolver may hold any character', async () => {
  const node = '/no where/"quo\\te$%??/é\n7';
  const file = await build('quoted', { node });
  assert.ok(readFileSync(file).includes(Buffer.from(`${node}\0`)));
});

test('a compiler that is missing or fails leaves the old launcher', async () => {
  const output = path.join(directory, 'kept');
  writeFileSync(output, 'old');
  const missing = buildLauncher({ output, node: '/n', script: '/s', cc: '/nowhere/cc' });
  await assert.rejects(missing, /there is no such C compiler/);
  const failing = buildLauncher({
    output,
    node: '/n',
    script: '/s',
    flags: ['-DATTEMPT', '-include', '/nowhere.h'],
  });
  await assert.rejects(failing, /it failed\n.*nowhere\.h/s);
  assert.equal(readFileSync(output, 'utf8'), 'old');
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('kept')),
    ['kept'],
  );
});
