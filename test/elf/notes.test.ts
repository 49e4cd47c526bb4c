// Notes: the ISA level of gcc's objects, and dlopen notes as an assembler and as a hand write them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildElf, type NoteDescription } from './build-elf.ts';
import { compileC } from './compile-c.ts';
import { expectElf } from './expect-elf.ts';

const x86 = { class: 64, byteOrder: 'little', machine: 62 } as const;

function withNotes(notes: readonly NoteDescription[], key: Partial<typeof x86> | { machine: number } = {}) {
  return expectElf(buildElf({ ...x86, ...key, notes }));
}

function dlopenNote(text: string): NoteDescription {
  return { owner: 'FDO', type: 0x407c0c0a, align: 4, description: Buffer.from(`${text}\0`) };
}

test('reads the ISA level that a linker writes', () => {
  const source = '__asm__("nop"); int x;';
  const flags = ['-shared', '-fPIC', '-nostdlib'];
  const levels: readonly (readonly [string[], number])[] = [
    [['-Wl,-z,x86-64-v3'], 4],
    [['-Wl,-z,x86-64-v2'], 2],
    [[], 0],
  ];
  for (const [extra, bits] of levels) {
    assert.equal(
      expectElf(compileC('libisa.so', source, [...flags, ...extra])).isaNeeded,
      bits,
      extra.join(),
    );
  }
});

function property(entries: readonly (readonly [type: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(16 * entries.length);
  entries.forEach(([type, value], index) => {
    bytes.writeUInt32LE(type, 16 * index);
    bytes.writeUInt32LE(4, 16 * index + 4);
    bytes.writeUInt32LE(value, 16 * index + 8);
  });
  return bytes;
}

test('reads properties in ascending order, aligned as the class demands, of x86 only', () => {
  const needed = 0xc0008002;
  const note = (entries: readonly (readonly [number, number])[], align: 4 | 8 = 8) => ({
    owner: 'GNU',
    type: 5,
    align,
    description: property(entries),
  });
  assert.equal(
    withNotes([
      note([
        [0xc0000002, 3],
        [needed, 5],
      ]),
    ]).isaNeeded,
    5,
  );
  assert.equal(
    withNotes([
      note([
        [0xc0010001, 3],
        [needed, 5],
      ]),
    ]).isaNeeded,
    0,
  );
  assert.equal(withNotes([note([[needed, 5]], 4)]).isaNeeded, 0);
  assert.equal(withNotes([note([[needed, 5]])], { machine: 183 }).isaNeeded, 0);
});

const noteSection = `
__asm__(".pushsection .note.dlopen, \\"a\\", @note\\n"
        ".balign 4\\n.long 4, 2f - 1f, 0x407c0c0a\\n.asciz \\"FDO\\"\\n"
        "1: .asciz \\"[{\\\\\\"soname\\\\\\":[\\\\\\"libz.so.1\\\\\\"],\\\\\\"feature\\\\\\":\\\\\\"zlib\\\\\\",\\\\\\"priority\\\\\\":\\\\\\"suggested\\\\\\"}]\\"\\n"
        "2: .balign 4\\n.popsection\\n");
int x;`;

test('reads a dlopen note that was assembled among others', () => {
  const file = expectElf(compileC('libnote.so', noteSection, ['-shared', '-fPIC', '-Wl,--build-id']));
  assert.deepEqual(file.dlopen, [{ sonames: ['libz.so.1'], feature: 'zlib', priority: 'suggested' }]);
});

test('reads dlopen notes of either form, one or many', () => {
  const { dlopen } = withNotes([
    { owner: 'GNU', type: 3, align: 4, description: Buffer.alloc(20) },
    dlopenNote('[{"soname":["liba.so.2","liba.so.1"],"priority":"required"},{"soname":["libb.so"]}]'),
    dlopenNote('{"soname":"libc.so.9","feature":"old"}'),
    { owner: 'FDO', type: 0xcafe1a7e, align: 4, description: Buffer.from('{"soname":["no"]}\0') },
  ]);
  assert.deepEqual(dlopen, [
    { sonames: ['liba.so.2', 'liba.so.1'], feature: undefined, priority: 'required' },
    { sonames: ['libb.so'], feature: undefined, priority: 'recommended' },
    { sonames: ['libc.so.9'], feature: 'old', priority: 'recommended' },
  ]);
});

test('leaves out what is not of that shape', () => {
  const texts = [
    '',
    '[',
    'null',
    '3',
    '[[]]',
    '{}',
    '[{"soname":[]}]',
    '[{"soname":[3,null,""]}]',
    '['.repeat(60_000),
  ];
  const { dlopen } = withNotes([
    ...texts.map((text) => dlopenNote(text)),
    dlopenNote('[null,{"soname":["good.so",7],"priority":"huge","feature":{}}]'),
  ]);
  assert.deepEqual(dlopen, [{ sonames: ['good.so'], feature: undefined, priority: 'recommended' }]);
});

test('a note that does not fit its segment ends the notes, not the reading', () => {
  const bytes = buildElf({ ...x86, notes: [dlopenNote('[{"soname":["a"]}]')], dynamic: { soname: 'kept' } });
  const at = bytes.indexOf('FDO');
  for (const [offset, value] of [
    [-12, 0xffff_ffff],
    [-8, 0xffff_ffff],
    [-8, 40_000],
  ] as const) {
    const broken = Buffer.from(bytes);
    broken.writeUInt32LE(value, at + offset);
    const file = expectElf(broken);
    assert.deepEqual([file.dlopen, file.soname], [[], 'kept']);
  }
});
