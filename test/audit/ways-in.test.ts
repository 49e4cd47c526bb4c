// The module as an option of ld.so, as LD_AUDIT, beside modules of others, on each machine → the same answers.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { AUDIT_MODULE, auditModuleOnce } from '../../src/plan/run-time-files.ts';
import { writeSonameTable } from '../../src/store/soname-table.ts';
import { needCompilerFor32Bit, needTool, on32Bit } from '../launcher/tool-fixture.ts';
import {
  buildModule,
  CATALOGUE,
  compileLibrary,
  compileProgram,
  makePlace,
  type PlaceContent,
  rigGlibcs,
  runsOf,
  runWords,
  scratch,
} from './audit-fixture.ts';

const glibcs = rigGlibcs();
const oldest = glibcs[0];
assert.ok(oldest);
const module = await buildModule('nix-foreign-audit.so');
const program = compileProgram('open-late', oldest);
const late = compileLibrary('liblate.so.1', 'int answer(void) { return 42; }\n');
const content: PlaceContent = { names: ['liblate.so.1'], found: { 'liblate.so.1': late } };
const opened = 'liblate.so.1 opened';
const othersModule = compileLibrary('libothers-audit.so', 'unsigned la_version(unsigned v) { return v; }\n');

/** Says that it is there, in x86-64's own words: an audit module has no libc of the program's. */
const LOUD = `unsigned la_version(unsigned v) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(1), "D"(1), "S"("loud\\n"), "d"(5) : "rcx", "r11", "memory");
  return v;
}`;

/** A module that says so when it is loaded, by a path of so many bytes. */
function loudModule(length: number): string {
  const unpadded = path.join(scratch('away'), 'x', 'libloud-audit.so').length;
  return compileLibrary(path.join('x'.repeat(1 + length - unpadded), 'libloud-audit.so'), LOUD);
}

async function lines(words: readonly string[]): Promise<string[]> {
  const { status, signal, stdout, stderr } = await runWords(words);
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' });
  return stdout.trimEnd().split('\n');
}

for (const { version, loader } of glibcs) {
  const libraries = ['--inhibit-cache', '--library-path', path.dirname(loader)];
  const command = [program, 'show-environment', 'liblate.so.1'];
  const start = (env: string) => ['/usr/bin/env', env, loader, ...libraries, ...command];

  for (const [title, list] of [
    ['alone', (own: string) => own],
    ['after another module', (own: string) => `${othersModule}:${own}`],
    ['before another module', (own: string) => `${own}:${othersModule}`],
  ] as const)
    test(`glibc ${version}: in LD_AUDIT, ${title}`, async () => {
      const place = makePlace(module, content);
      const entry = `LD_AUDIT=${list(path.join(place.directory, AUDIT_MODULE))}`;
      assert.deepEqual(await lines(start(entry)), [opened, entry]);
      const again = makePlace(module, content);
      const once = `LD_AUDIT=${list(path.join(again.directory, auditModuleOnce()))}`;
      const rest = title === 'alone' ? [] : [`LD_AUDIT=${othersModule}`];
      assert.deepEqual(await lines(start(once)), [opened, ...rest]);
    });

  test(`glibc ${version}: when it leaves, those behind it are loaded, however long their paths are`, async () => {
    for (const [more, before] of [
      [0, []],
      [1, []],
      [2, []],
      [50, []],
      [1, [othersModule]],
      [120, [othersModule]],
    ] as const) {
      const own = path.join(makePlace(module, content).directory, auditModuleOnce());
      const rest = [loudModule(own.length + more), loudModule(own.length + 3)];
      const left = [...before, ...rest].join(':');
      const started = await lines(start(`LD_AUDIT=${[...before, own, ...rest].join(':')}`));
      assert.deepEqual(started, ['loud', 'loud', opened, `LD_AUDIT=${left}`], `${more} bytes more`);
    }
  });

  test(`glibc ${version}: in the program that is executed after two others, and not in its children`, async () => {
    const place = makePlace(module, content);
    const own = (after: number) => path.join(place.directory, auditModuleOnce(after));
    const wrapper = '/usr/bin/env';
    const seen = (entry: string, ...wrappers: string[]) => runWords([wrapper, entry, ...wrappers, wrapper]);
    assert.match((await seen(`LD_AUDIT=${own(2)}`)).stdout, new RegExp(`^LD_AUDIT=${own(1)}$`, 'm'));
    assert.match((await seen(`LD_AUDIT=${own(2)}`, wrapper)).stdout, new RegExp(`^LD_AUDIT=${own(0)}$`, 'm'));
    assert.doesNotMatch((await seen(`LD_AUDIT=${own(2)}`, wrapper, wrapper)).stdout, /LD_AUDIT/);
    const entry = `LD_AUDIT=${othersModule}:${own(2)}`;
    const started = await lines([wrapper, entry, wrapper, wrapper, loader, ...libraries, ...command]);
    assert.deepEqual(started, [opened, `LD_AUDIT=${othersModule}`]);
  });

  test(`glibc ${version}: under any other name it takes itself out, and says nothing`, async () => {
    const { status, stdout, stderr } = await runWords(start(`LD_AUDIT=${module}`));
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /cannot open shared object file/);
  });

  const names =
    version === '2.31' ? [[]] : [[], ['--argv0', ''], ['--argv0', 'another name'], ['--argv0', '--audit']];
  for (const named of names)
    test(`glibc ${version}: --audit before ${named.join(' ') || 'the library path'}`, async () => {
      const place = makePlace(module, content);
      const audit = ['--audit', path.join(place.directory, AUDIT_MODULE)];
      assert.deepEqual(await lines([loader, ...audit, ...named, ...libraries, ...command]), [opened]);
    });
}

test('32-bit x86: by gcc and clang, started by a real loader', async () => {
  needCompilerFor32Bit();
  const emulator = on32Bit.skip === undefined ? [] : ['qemu-i386'];
  if (emulator.length > 0) needTool('qemu-i386', 'qemu-user');
  const [glibc] = rigGlibcs('i386');
  assert.ok(glibc);
  const small = compileProgram('open-late', glibc, ['-m32', '-idirafter', '/usr/include/x86_64-linux-gnu']);
  mkdirSync(scratch('away/32'), { recursive: true });
  const library = compileLibrary('32/liblate.so.1', 'int answer(void) { return 42; }\n', ['-m32']);
  for (const cc of ['gcc', 'clang']) {
    const place = makePlace(await buildModule(`audit-32-${cc}.so`, cc, ['-m32']), {
      found: { 'liblate.so.1': library },
    });
    const table = path.join(place.directory, 'sonames');
    writeSonameTable(table, ['liblate.so.1'], { machine: 3, catalogue: CATALOGUE });
    const audit = ['--audit', path.join(place.directory, AUDIT_MODULE), '--inhibit-cache'];
    const start = [...emulator, glibc.loader, ...audit] as [string, ...string[]];
    const libraries = ['--library-path', path.dirname(glibc.loader), small];
    for (const mode of ['with-child-handler', 'small-thread', 'threads', 'in-child', 'descriptors-closed']) {
      const found = await lines([...start, ...libraries, mode, 'liblate.so.1']);
      assert.equal(found[0], opened, mode);
    }
    assert.equal(runsOf(place).length, 1);
  }
});

test('64-bit ARM: in an emulator, with the loader of Debian', async () => {
  needTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');
  needTool('/usr/aarch64-linux-gnu/include/stdio.h', 'libc6-dev-arm64-cross');
  needTool('qemu-aarch64', 'qemu-user');
  const cc = 'aarch64-linux-gnu-gcc';
  const libc = '/usr/aarch64-linux-gnu/lib';
  const source = path.join(import.meta.dirname, 'programs/open-late.c');
  const arm = scratch('open-late-aarch64');
  execFileSync(cc, ['-O1', '-w', '-o', arm, source]);
  const library = scratch('arm/liblate.so.1');
  mkdirSync(path.dirname(library));
  writeFileSync(`${library}.c`, 'int answer(void) { return 42; }\n');
  execFileSync(cc, ['-shared', '-fPIC', '-nostdlib', '-o', library, `${library}.c`]);
  const place = makePlace(await buildModule('audit-aarch64.so', cc), { found: { 'liblate.so.1': library } });
  const table = path.join(place.directory, 'sonames');
  writeSonameTable(table, ['liblate.so.1'], { machine: 183, catalogue: CATALOGUE });
  const start = ['qemu-aarch64', path.join(libc, 'ld-linux-aarch64.so.1'), '--inhibit-cache'];
  const audit = ['--audit', path.join(place.directory, AUDIT_MODULE), '--library-path', libc, arm];
  assert.deepEqual(await lines([...start, ...audit, 'open', 'liblate.so.1']), [opened]);
  assert.equal(runsOf(place).length, 1);
  assert.deepEqual(await lines([...start, ...audit, 'threads', 'liblate.so.1']), Array(8).fill(opened));
});

test('by clang, for this machine', async () => {
  const place = makePlace(await buildModule('audit-clang.so', 'clang'), content);
  const audit = [
    '--audit',
    path.join(place.directory, AUDIT_MODULE),
    '--library-path',
    path.dirname(oldest.loader),
  ];
  const found = await lines([oldest.loader, ...audit, program, 'with-child-handler', 'liblate.so.1']);
  assert.equal(found[0], opened);
  assert.equal(runsOf(place).length, 1);
});
