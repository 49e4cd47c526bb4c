// readElf on real libraries and programs, and on hand-built objects of every class and byte order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import { baseAddress, buildElf, type ElfDescription } from './build-elf.ts';
import { bytesOf, compileC, writeScratch } from './compile-c.ts';
import { expectElf } from './expect-elf.ts';
import { askReadelf } from './readelf-output.ts';

const versionMap = writeScratch(
  'map',
  'ONE_1.0 { global: one; local: *; };\nONE_2.0 { global: two; } ONE_1.0;\n',
);
const one = compileC('libone.so.1', 'int one(void){return 1;} int two(void){return 2;}', [
  '-shared',
  '-fPIC',
  '-Wl,-soname,libone.so.1',
  `-Wl,--version-script=${versionMap}`,
  '-Wl,-z,nodefaultlib,-z,now',
  '-Wl,--disable-new-dtags,-rpath,/old/lib',
]);
const program = compileC(
  'program',
  'extern int one(void); static char big[3000000]; int main(int c, char **v){big[c] = **v; return one() + big[3];}',
  [one, '-Wl,--enable-new-dtags,-rpath,$ORIGIN/../lib:/opt/lib', '-Wl,-z,execstack,-z,now'],
);

test('reads a library with versions, rpath and flags', () => {
  const file = expectElf(one);
  assert.equal(file.soname, 'libone.so.1');
  assert.deepEqual(file.verdef, ['ONE_1.0', 'ONE_2.0']);
  assert.deepEqual([file.hasVerdef, file.hasVersym, file.dynamic], [true, true, true]);
  assert.deepEqual([file.rpath, file.runpath], ['/old/lib', undefined]);
  assert.equal(file.flags1 & 0x801, 0x801, 'DF_1_NOW and DF_1_NODEFLIB');
  assert.equal(file.interpreter, undefined);
  assert.equal(file.loadError, undefined);
  assert.equal(file.end, bytesOf(one).length);
});

test('reads a program with its interpreter, needs and run path', () => {
  const file = expectElf(program);
  assert.match(file.interpreter ?? '', /ld-linux/);
  assert.deepEqual(file.needed, ['libone.so.1', 'libc.so.6']);
  assert.deepEqual([file.rpath, file.runpath], [undefined, '$ORIGIN/../lib:/opt/lib']);
  assert.deepEqual(
    file.verneed.find((need) => need.file === 'libone.so.1'),
    { file: 'libone.so.1', versions: [{ name: 'ONE_1.0', weak: false }] },
  );
  assert.equal(file.stack, 'executable');
  assert.equal(file.flags & 8, 8, 'DF_BIND_NOW');
  assert.match(file.loadError ?? '', /position-independent executable/);
});

test('needs no section headers', () => {
  for (const path of [one, program]) {
    const bytes = Buffer.from(bytesOf(path));
    const { end: _end, ...expected } = expectElf(bytes);
    bytes.fill(0, 40, 48);
    bytes.fill(0, 58, 64);
    const { end, ...stripped } = expectElf(bytes);
    assert.deepEqual(stripped, expected);
    assert.ok(end < bytes.length, 'what the sections alone described is no longer');
    const { end: cutEnd, ...cut } = expectElf(bytes.subarray(0, end));
    assert.deepEqual(cut, expected);
    assert.equal(cutEnd, end);
  }
});

test('finds where a payload begins', () => {
  const bytes = bytesOf(program);
  const withPayload = Buffer.concat([bytes, Buffer.alloc(100_000, 'payload')]);
  assert.equal(expectElf(withPayload).end, bytes.length);
});

test('counts sections that lie behind the section headers, as in Go programs', () => {
  const bytes = Buffer.from(bytesOf(program));
  const table = Number(bytes.readBigUInt64LE(40));
  const front = Buffer.concat([bytes.subarray(0, table), bytes.subarray(table), Buffer.alloc(500, 'x')]);
  // Moves the last section to the very end of the file.
  const last = table + (bytes.readUInt16LE(60) - 1) * 64;
  front.writeBigUInt64LE(BigInt(bytes.length), last + 24);
  front.writeBigUInt64LE(400n, last + 32);
  assert.equal(expectElf(front).end, bytes.length + 400);
});

const layouts: readonly Pick<ElfDescription, 'class' | 'byteOrder' | 'machine'>[] = [
  { class: 64, byteOrder: 'little', machine: 62 },
  { class: 64, byteOrder: 'big', machine: 21 },
  { class: 32, byteOrder: 'little', machine: 3 },
  { class: 32, byteOrder: 'big', machine: 8 },
];

for (const layout of layouts) {
  test(`reads class ${layout.class}, ${layout.byteOrder}-endian`, () => {
    const verneed: ElfFile['verneed'] = [
      {
        file: 'libc.so.6',
        versions: [
          { name: 'GLIBC_2.0', weak: false },
          { name: 'GLIBC_2.34', weak: true },
        ],
      },
      { file: 'libm.so.6', versions: [{ name: 'GLIBC_2.29', weak: false }] },
    ];
    const bytes = buildElf({
      ...layout,
      entry: baseAddress + 4,
      interpreter: '/lib/ld-one.so.1',
      stack: layout.class === 32 ? 7 : 6,
      dynamic: {
        needed: ['libc.so.6', 'libm.so.6'],
        soname: 'lib\u00e9.so.1',
        rpath: '/a',
        runpath: '/b:$ORIGIN',
        verneed,
        verdef: ['libx.so.1', 'X_1', 'X_2'],
        extra: [
          [30, 0x10],
          [0x6ffffffb, 0x8000_0001],
          [0x6ffffff0, 0],
          [36, 0],
        ],
      },
    });
    assert.deepEqual(expectElf(bytes), {
      class: layout.class,
      byteOrder: layout.byteOrder,
      machine: layout.machine,
      osAbi: 0,
      abiVersion: 0,
      type: 3,
      entry: baseAddress + 4,
      interpreter: '/lib/ld-one.so.1',
      dynamic: true,
      soname: 'lib\u00e9.so.1',
      needed: ['libc.so.6', 'libm.so.6'],
      rpath: '/a',
      runpath: '/b:$ORIGIN',
      verneed,
      verdef: ['X_1', 'X_2'],
      hasVerdef: true,
      hasVersym: true,
      flags: 0x10,
      flags1: 0x8000_0001,
      auxiliary: [],
      filter: [],
      audit: [],
      hasRelr: true,
      hasDebug: false,
      isaNeeded: 0,
      stack: layout.class === 32 ? 'executable' : 'plain',
      dlopen: [],
      end: bytes.length,
    } satisfies ElfFile);
    const path = writeScratch(`built-${layout.class}-${layout.byteOrder}`, bytes);
    const opinion = askReadelf([path, path]).get(path);
    assert.equal(opinion?.interpreter, '/lib/ld-one.so.1');
    assert.deepEqual(opinion?.needed, ['libc.so.6', 'libm.so.6']);
    assert.equal(opinion?.class, layout.class);
  });
}

test('reads a 32-bit x86 library of gcc', () => {
  const flags = ['-m32', '-shared', '-fPIC', '-nostdlib', '-Wl,-soname,libsmall.so'];
  const file = expectElf(compileC('libsmall.so', 'int small;', flags));
  assert.deepEqual([file.class, file.machine, file.soname], [32, 3, 'libsmall.so']);
});

test('keeps auxiliary, filter and audit libraries, and the last of what can only be there once', () => {
  const [name, other] = ['libq.so.1', 'libr.so.1'];
  const bytes = buildElf({
    class: 64,
    byteOrder: 'little',
    machine: 62,
    // String indices: 1 for the first needed name, 11 for the second.
    dynamic: {
      needed: [name, other],
      extra: [0x7ffffffd, 0x7fffffff, 0x6ffffefc, 0x6ffffefb, 14, 14].map(
        (tag, at) => [tag, at === 5 ? 11 : 1] as const,
      ),
    },
  });
  const file = expectElf(bytes);
  assert.deepEqual([file.auxiliary, file.filter, file.audit], [[name], [name], [name, name]]);
  assert.equal(file.soname, other);
});

test('a dynamic table of size zero is none: a separate debug file', () => {
  const bytes = buildElf({ class: 64, byteOrder: 'little', machine: 62, dynamic: { soname: 'x' } });
  bytes.writeBigUInt64LE(0n, 64 + 56 + 32);
  const file = expectElf(bytes);
  assert.deepEqual([file.dynamic, file.soname], [false, undefined]);
  assert.equal(file.loadError, 'object file has no dynamic section');
});

test('where segments overlap, the later mapping is what ld.so sees', () => {
  // A second PT_LOAD takes the place of the stack's program header.
  const built = buildElf({
    class: 64,
    byteOrder: 'little',
    machine: 62,
    stack: 6,
    dynamic: { soname: 'first.so' },
  });
  const copy = Buffer.from(built);
  copy.write('other', copy.indexOf('first.so'));
  const file = Buffer.concat([built, copy]);
  const second = 64 + 56;
  built.copy(file, second, 64, 64 + 56);
  file.writeBigUInt64LE(BigInt(built.length), second + 8);
  assert.equal(expectElf(file).soname, 'other.so');
});

test('object files and core dumps have a type and nothing else', () => {
  const object = compileC('object.o', 'int x;', ['-c']);
  const file = expectElf(object);
  assert.deepEqual([file.type, file.dynamic, file.stack], [1, false, 'absent']);
  assert.equal(file.end, bytesOf(object).length);
});
