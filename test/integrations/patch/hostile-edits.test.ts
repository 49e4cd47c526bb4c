// Damaged, odd and hostile files → an answer in one clause, or edits that hold: never an exception, never a wrong file.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openFileSource } from '../../../src/elf/open-elf.ts';
import { bytesInMemory } from '../../../src/elf/reader.ts';
import { structureComplaints } from '../../../src/integrations/patch/check-structure.ts';
import { chooseEdits } from '../../../src/integrations/patch/choose-edits.ts';
import { copyWithChanges, copyWithUndo } from '../../../src/integrations/patch/copy-with-changes.ts';
import { changedSource, undoneSource, undoOf } from '../../../src/integrations/patch/file-changes.ts';
import type { WantedNames } from '../../../src/integrations/patch/wanted-names.ts';
import { compile } from '../../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'hostile-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const farm = `/nix/store/${'0'.repeat(32)}-f`;
const wanted: WantedNames = {
  interpreter: `${farm}/ld`,
  runPath: { tag: 'rpath', text: farm },
  renamed: new Map([['libc.so.6', 'libc.so.7']]),
  lifted: ['libdl.so.2', 'libm.so.6', 'libpthread.so.0', 'librt.so.1', 'libutil.so.1'],
};

const program = compile(path.join(scratch, 'program'), 'int data = 3; int main(void) { return data - 3; }');
const bytes = readFileSync(program);

/** Whether it was edited; whatever happens undo must give the same bytes. */
function tried(input: Buffer, method: 'auto' | 'append' | 'insert'): 'edited' | 'refused' | 'unsound' {
  const source = bytesInMemory(input);
  const choice = chooseEdits(source, wanted, method);
  if (choice.kind === 'impossible') {
    assert.ok(choice.why.length > 0 && !choice.why.includes('\n'));
    return 'refused';
  }
  const changed = changedSource(source, choice.changes);
  const result = bytesInMemory(Buffer.from(changed.read(0, changed.size)));
  const back = undoneSource(result, undoOf(source, choice.changes));
  assert.ok(back !== undefined && input.equals(back.read(0, back.size)), 'undo gives other bytes');
  return structureComplaints(source, result, { ...wanted, lifted: choice.lifted }).length === 0
    ? 'edited'
    : 'unsound';
}

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state;
  }
}

test('the program itself is edited', () => {
  for (const method of ['auto', 'append', 'insert'] as const) assert.equal(tried(bytes, method), 'edited');
});

test('cut anywhere it is refused or edited', () => {
  for (let size = 0; size < bytes.length; size += size < 1024 ? 7 : 613)
    assert.notEqual(tried(Buffer.from(bytes.subarray(0, size)), 'auto'), 'unsound', `${size} bytes`);
});

test('with any number in headers, dynamic table or strings it gets an answer', () => {
  const next = numbers(14);
  const number = () => next.next().value as number;
  const extremes = [0, 1, 7, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 0x1000, 0x10000000];
  const outcomes = new Map<string, number>();
  const dynamic = bytes.indexOf(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), 0x2000);
  for (let round = 0; round < 1200; round += 1) {
    const damaged = Buffer.from(bytes);
    for (let count = 1 + (number() % 3); count > 0; count -= 1) {
      const from = number() % 3 === 0 && dynamic > 0 ? dynamic : 0;
      const at = from + (number() % (from === 0 ? 1600 : 512));
      damaged.writeUInt32LE(extremes[number() % extremes.length] ?? 0, Math.min(at, damaged.length - 4));
    }
    const outcome = tried(damaged, (['auto', 'append', 'insert'] as const)[round % 3] ?? 'auto');
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  assert.ok(
    (outcomes.get('refused') ?? 0) > 50 && (outcomes.get('edited') ?? 0) > 50,
    JSON.stringify([...outcomes]),
  );
});

test('what is no ELF file is refused in a clause', () => {
  for (const [text, why] of [
    ['', /not an ELF file/],
    ['#!/bin/sh\n', /not an ELF file/],
    [`\x7fELF${'\0'.repeat(60)}`, /class/],
  ] as const) {
    const choice = chooseEdits(bytesInMemory(Buffer.from(text, 'latin1')), wanted, 'auto');
    assert.ok(choice.kind === 'impossible');
    assert.match(choice.why, why);
  }
});

/** The pack, its size and a mark (Godot, core/io/file_access_pack.cpp, try_open_pack). */
const godot = Buffer.from('GDPCpack\x08\0\0\0\0\0\0\0GDPC', 'latin1');

const payloads: readonly (readonly [string, Buffer, RegExp])[] = [
  ['zeros', Buffer.alloc(5000), /unknown/],
  ['an ELF file', bytes, /unknown/],
  ['Bun', Buffer.from('code\n---- Bun! ----\n'), /Bun/],
  ['OCaml', Buffer.from('codeCaml1999X031'), /OCaml/],
  ['PyInstaller', Buffer.from('xMEI\x0c\x0b\x0a\x0b\x0e'.padEnd(90, '\0'), 'latin1'), /PyInstaller/],
  ['a zip archive', Buffer.from(`PK\x05\x06${'\0'.repeat(18)}`, 'latin1'), /zip/],
  ['Deno', Buffer.from(`code d3n0l4nd${'\0'.repeat(32)}`, 'latin1'), /Deno/],
  ['Godot', godot, /Godot/],
];

/** Godot's exporter has a section of the engine, here `.comment`, describe the pack. */
function withPackInSection(): Buffer {
  const input = Buffer.concat([bytes, godot]);
  const headers = Number(input.readBigUInt64LE(40));
  const at = (index: number): number => headers + 64 * index;
  const names = Number(input.readBigUInt64LE(at(input.readUInt16LE(62)) + 24));
  const isComment = (index: number): boolean => {
    const name = names + input.readUInt32LE(at(index));
    return input.toString('latin1', name, name + 9) === '.comment\0';
  };
  const index = Array.from({ length: input.readUInt16LE(60) }, (_, each) => each).find(isComment) ?? 0;
  input.writeBigUInt64LE(BigInt(bytes.length), at(index) + 24);
  input.writeBigUInt64LE(BigInt(godot.length), at(index) + 32);
  return input;
}

test("a pack of Godot's that a section describes stays at the end, unless something is to be appended", () => {
  const source = bytesInMemory(withPackInSection());
  const noRoom = { ...wanted, lifted: Array.from({ length: 64 }, (_, each) => `liblifted-${each}.so.1`) };
  for (const names of [wanted, noRoom]) {
    const choice = chooseEdits(source, names, 'auto');
    assert.deepEqual(choice.payload, { bytes: godot.length, kind: 'Godot', found: 'both' });
    if (choice.kind === 'chosen') assert.equal(choice.changes.added, undefined);
  }
  const appended = chooseEdits(source, noRoom, 'append');
  assert.ok(appended.kind === 'chosen' && appended.changes.added !== undefined);
});

for (const [name, payload, kind] of payloads)
  test(`appended: ${name}; its last bytes stay, in place nothing moves`, () => {
    const input = Buffer.concat([bytes, payload]);
    const source = bytesInMemory(input);
    const choice = chooseEdits(source, wanted, 'auto');
    assert.equal(choice.payload?.bytes, payload.length);
    assert.match(choice.payload?.kind ?? '', kind);
    if (choice.kind === 'impossible') return;
    assert.notEqual(choice.method, 'append');
    const changed = changedSource(source, choice.changes);
    assert.ok(payload.equals(changed.read(changed.size - payload.length, payload.length)));
    assert.equal(tried(input, 'auto'), 'edited');
  });

test('3 GiB with holes: copied, changed and back within seconds, with the holes', (t) => {
  const large = path.join(scratch, 'large');
  const size = 3 * 2 ** 30;
  writeFileSync(large, bytes);
  truncateSync(large, size - 8);
  writeFileSync(large, 'payload!', { flag: 'a' });
  const source = openFileSource(large);
  const started = performance.now();
  const choice = chooseEdits(source, { ...wanted, lifted: [] }, 'in-place');
  assert.ok(choice.kind === 'chosen');
  const undo = undoOf(source, choice.changes);
  source.close();
  const [copy, back] = [path.join(scratch, 'large-copy'), path.join(scratch, 'large-back')];
  copyWithChanges(large, copy, choice.changes, size);
  const seconds = (performance.now() - started) / 1000;
  t.diagnostic(`${seconds.toFixed(2)} s`);
  assert.ok(seconds < 10, `${seconds} s`);
  assert.ok(statSync(copy).blocks * 512 < 2 ** 24, 'the holes are filled');
  copyWithUndo(copy, back, undo);
  const [first, last] = [openFileSource(back), openFileSource(large)];
  assert.equal(first.size, last.size);
  assert.deepEqual(first.read(0, 65_536), last.read(0, 65_536));
  assert.equal(Buffer.from(first.read(size - 8, 8)).toString(), 'payload!');
  first.close();
  last.close();
});
