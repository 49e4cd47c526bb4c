// classify on real programs of every kind, and on objects nobody here can compile.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Classification, classify } from '../../src/elf/classify.ts';
import { machinesRunBy } from '../../src/elf/machine.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import { bytesInMemory } from '../../src/elf/reader.ts';
import { baseAddress, buildElf, type ElfDescription } from './build-elf.ts';
import { compileC, scratchPath } from './compile-c.ts';

const facts = { storeDir: '/nix/store', hostMachines: machinesRunBy('x64') };
const x86 = { class: 64, byteOrder: 'little', machine: 62 } as const;

function classifyBytes(bytes: Uint8Array, fileName?: string): Classification {
  return classify(readElf(bytesInMemory(bytes)), bytes.subarray(0, 256), facts, fileName);
}

/** Without the file, which other tests look at. */
function kindOf(bytes: Uint8Array): object {
  const { file: _file, ...rest } = { file: undefined, ...classifyBytes(bytes) };
  return rest;
}

const main = 'int main(void){return 0;}';

test('tells programs and libraries of gcc apart', () => {
  const cases: readonly (readonly [string, string, readonly string[], string])[] = [
    ['pie', main, ['-pie'], 'dynamic'],
    ['no-pie', main, ['-no-pie'], 'dynamic'],
    ['static', main, ['-static'], 'static'],
    ['static-pie', main, ['-static-pie'], 'static-pie'],
    ['plugin.so', 'int plug;', ['-shared', '-fPIC'], 'library'],
    ['plugin-alone.so', 'int plug;', ['-shared', '-fPIC', '-nostdlib'], 'library'],
  ];
  for (const [name, source, flags, kind] of cases) {
    const path = compileC(name, source, flags);
    assert.equal(classifyBytes(readFileSync(path)).kind, kind, name);
    const stripped = scratchPath(`${name}-stripped`);
    copyFileSync(path, stripped);
    execFileSync('strip', [stripped]);
    assert.equal(classifyBytes(readFileSync(stripped)).kind, kind, `${name}, stripped`);
  }
});

test('a static position-independent program is one without DF_1_PIE too', () => {
  const bytes = Buffer.from(readFileSync(compileC('unmarked-pie', main, ['-static-pie'])));
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(0x6ffffffb);
  const at = bytes.indexOf(tag) + tag.length;
  assert.equal(bytes.readUInt32LE(at), 0x0800_0000, 'DF_1_PIE');
  bytes.writeUInt32LE(0, at);
  assert.equal(classifyBytes(bytes).kind, 'static-pie');
});

test('a loader of a libc is a program: by its soname, or where it has none by the name of its file', () => {
  const alone = ['-shared', '-fPIC', '-nostdlib', '-Wl,-e,plug'];
  const kindOfLibrary = (flags: readonly string[], fileName: string): string =>
    classifyBytes(readFileSync(compileC('loader.so', 'void plug(void){}', [...alone, ...flags])), fileName)
      .kind;
  const named = (soname: string) => [`-Wl,-soname,${soname}`];
  assert.equal(kindOfLibrary(named('ld-linux-x86-64.so.2'), 'ld-2.31.so'), 'static-pie');
  assert.equal(kindOfLibrary(named('libc.musl-x86_64.so.1'), 'vendor'), 'static-pie');
  for (const name of ['ld-musl-x86_64.so.1', 'libc.so', 'ld-linux.so.2'])
    assert.equal(kindOfLibrary([], name), 'static-pie', name);
  assert.equal(kindOfLibrary(named('libplug.so.1'), 'libplug.so.1'), 'library', 'an entry alone');
  assert.equal(kindOfLibrary(['-Wl,-e,0'], 'ld-linux.so.2'), 'library', 'a name alone');
});

test('a separate debug file is no program', () => {
  for (const flags of [['-shared', '-fPIC'], ['-static-pie'], ['-static'], ['-pie']]) {
    const path = compileC('with-debug', main, ['-g', ...flags]);
    execFileSync('objcopy', ['--only-keep-debug', path, `${path}.debug`]);
    const { kind } = classifyBytes(readFileSync(`${path}.debug`));
    assert.ok(kind === 'not-a-program' || kind === 'bad-elf', `${flags}: ${kind}`);
  }
});

function dynamic(interpreter: string, needed: readonly string[] = []): ElfDescription {
  return { ...x86, entry: 1, interpreter, dynamic: { needed } };
}

test('tells the libc by the interpreter and the needs', () => {
  const libcOf = (description: ElfDescription) => {
    const result = classifyBytes(buildElf(description));
    return result.kind === 'dynamic' ? result.libc : result.kind;
  };
  assert.equal(libcOf(dynamic('/lib64/ld-linux-x86-64.so.2')), 'glibc');
  assert.equal(libcOf(dynamic('/opt/own/ld-2.31.so')), 'glibc');
  assert.equal(libcOf(dynamic('/lib/ld-musl-x86_64.so.1')), 'musl');
  assert.equal(libcOf(dynamic('/opt/ld.so', ['libc.musl-x86_64.so.1'])), 'musl');
  assert.equal(libcOf(dynamic('/opt/ld.so', ['libc.so'])), 'glibc');
  for (const name of ['/system/bin/linker64', '/lib/ld64-uClibc.so.0', '/libexec/ld-elf.so.1']) {
    assert.equal(libcOf(dynamic(name)), 'not-a-program', name);
  }
});

test('a program with its interpreter in the store is already built by Nix', () => {
  const interpreter = '/nix/store/abc-glibc-2.40/lib/ld-linux-x86-64.so.2';
  assert.deepEqual(kindOf(buildElf(dynamic(interpreter))), { kind: 'already-nix', interpreter });
  assert.equal(classifyBytes(buildElf(dynamic('/nix/storehouse/ld.so'))).kind, 'dynamic');
  // Programs of AppImages were made to name the launcher, which may be of the store.
  const launcher = '/nix/store/00000000000000000000000000000000-tool/bin/nix-run-foreign';
  assert.equal(classifyBytes(buildElf(dynamic(launcher))).kind, 'dynamic');
});

test('names the machine of a program for another one, and the host', () => {
  const foreign = (key: Pick<ElfDescription, 'class' | 'machine' | 'byteOrder'>) =>
    kindOf(buildElf({ ...key, entry: 1, interpreter: '/nix/store/x/ld.so', dynamic: {} }));
  assert.deepEqual(foreign({ class: 64, machine: 183, byteOrder: 'little' }), {
    kind: 'other-machine',
    machine: '64-bit ARM',
    host: 'x86-64',
  });
  assert.deepEqual(foreign({ class: 64, machine: 21, byteOrder: 'big' }), {
    kind: 'other-machine',
    machine: '64-bit Power (big-endian)',
    host: 'x86-64',
  });
  const i386 = buildElf({
    class: 32,
    machine: 3,
    byteOrder: 'little',
    interpreter: '/lib/ld-linux.so.2',
    dynamic: {},
  });
  assert.equal(classifyBytes(i386).kind, 'dynamic');
});

test('a packed program has neither interpreter nor dynamic table', () => {
  assert.equal(classifyBytes(buildElf({ ...x86, entry: baseAddress + 8 })).kind, 'static-pie');
  assert.deepEqual(kindOf(buildElf(x86)), { kind: 'not-a-program', why: 'it has no code to start' });
});

test('reads scripts', () => {
  const script = (text: string) => kindOf(Buffer.from(text));
  assert.deepEqual(script('#!/usr/bin/env node\n'), {
    kind: 'script',
    interpreter: '/usr/bin/env',
    argument: 'node',
  });
  assert.deepEqual(script('#!/bin/sh\r\necho\r\n'), {
    kind: 'not-a-program',
    why: 'its #! line ends in a carriage return (CRLF line ends)',
  });
  assert.deepEqual(script('#!\n'), { kind: 'not-a-program', why: 'its #! line names no interpreter' });
});

test('says what a file is that is no program', () => {
  const why = (bytes: Uint8Array) => {
    const result = classifyBytes(bytes);
    return 'why' in result ? result.why : result.kind;
  };
  assert.equal(why(Buffer.alloc(0)), 'it is empty');
  assert.equal(why(Buffer.from('hello')), 'it is neither an ELF program nor a script with a #! line');
  assert.equal(why(Buffer.from('MZ\x90')), 'it is a Windows program');
  assert.equal(why(Buffer.from([0x1f, 0x8b, 8])), 'it is a gzip archive');
  assert.equal(why(Buffer.from('cffaedfe07000001', 'hex')), 'it is a macOS program');
  assert.equal(why(buildElf({ ...x86, type: 1 })), 'it is an object file that is not linked yet');
  assert.equal(why(buildElf({ ...x86, type: 4 })), 'it is a core dump');
  assert.equal(why(buildElf({ ...x86, type: 0xfe00 })), 'its ELF type 65024 is not that of a program');
  assert.equal(why(buildElf(x86).subarray(0, 60)), 'the file ends within the ELF header');
});
