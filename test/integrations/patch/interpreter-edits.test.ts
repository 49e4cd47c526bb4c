// Real programs and built ones → the bytes that name another interpreter, or why there is no room for them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readElf } from '../../../src/elf/read-elf.ts';
import { bytesInMemory } from '../../../src/elf/reader.ts';
import { chooseEdits } from '../../../src/integrations/patch/choose-edits.ts';
import type { FileEdit } from '../../../src/integrations/patch/file-changes.ts';
import { interpreterOnly } from '../../../src/integrations/patch/wanted-names.ts';
import { compile } from '../../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'edits-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const long = `/nix/store/${'x'.repeat(32)}-nix-run-foreign-0.1.0/bin/nix-run-foreign`;
const source = 'int bss[5000]; int data = 3; int main(void) { return bss[4] + data - 3; }';

interface Found {
  readonly kind: 'edits' | 'no-room';
  readonly edits: readonly FileEdit[];
  readonly why: string;
}

/** In place, and nothing else. */
function interpreterEdits(source: Parameters<typeof chooseEdits>[0], interpreter: string): Found {
  const choice = chooseEdits(source, interpreterOnly(interpreter), 'interpreter');
  return choice.kind === 'chosen'
    ? { kind: 'edits', edits: choice.changes.edits, why: '' }
    : { kind: 'no-room', edits: [], why: choice.why };
}

/** Where the name itself is written. */
const placeOfName = ({ edits }: Found): number =>
  edits.find(({ what }) => what === 'interpreter')?.offset ?? 0;

function build(name: string, flags: readonly string[]): string {
  return compile(path.join(scratch, name), source, flags);
}

function patched(bytes: Buffer, interpreter: string): Buffer {
  const found = interpreterEdits(bytesInMemory(bytes), interpreter);
  assert.equal(found.kind, 'edits', JSON.stringify(found));
  const copy = Buffer.from(bytes);
  for (const edit of found.edits) copy.set(edit.bytes, edit.offset);
  return copy;
}

function interpreterOf(bytes: Buffer): string | undefined {
  const reading = readElf(bytesInMemory(bytes));
  return reading.kind === 'elf' ? reading.file.interpreter : undefined;
}

const kinds: readonly (readonly [string, readonly string[]])[] = [
  ['pie', []],
  ['no-pie', ['-no-pie']],
  ['stripped', ['-s']],
  ['gold', ['-fuse-ld=gold']],
  ['one code segment', ['-Wl,-z,noseparate-code']],
  ['without relro', ['-Wl,-z,norelro']],
  ['large pages', ['-Wl,-z,max-page-size=0x200000']],
];

for (const [name, flags] of kinds) {
  test(`${name}: it names the new one, by readelf too, runs, and what is appended stays where it was`, () => {
    const program = build(name.replaceAll(' ', '-'), flags);
    appendFileSync(program, 'payload');
    const before = readFileSync(program);
    const interpreter = path.join(scratch, `ld-${'y'.repeat(50)}`);
    rmSync(interpreter, { force: true });
    execFileSync('ln', ['-s', '/lib64/ld-linux-x86-64.so.2', interpreter]);
    const copy = patched(before, interpreter);
    assert.equal(interpreterOf(copy), interpreter);
    assert.equal(copy.length, before.length);
    assert.equal(copy.subarray(-7).toString(), 'payload');
    const file = path.join(scratch, 'copy');
    rmSync(file, { force: true });
    writeFileSync(file, copy, { mode: 0o755 });
    execFileSync(file, { env: {} });
    execFileSync('/lib64/ld-linux-x86-64.so.2', ['--list', file]);
    const headers = execFileSync('readelf', ['-lW', file], { encoding: 'utf8' });
    assert.match(headers, new RegExp(`Requesting program interpreter: ${interpreter}\\]`));
    const sections = execFileSync('readelf', ['-SW', file], { encoding: 'utf8' });
    if (/\.interp/.test(sections)) {
      const shown = execFileSync('readelf', ['-p', '.interp', file], { encoding: 'utf8' });
      assert.match(shown, new RegExp(interpreter));
    }
    // ld.so reads the name from memory: it must lie in a segment that is loaded.
    const mapped = execFileSync('readelf', ['-lW', file], { encoding: 'utf8' });
    assert.doesNotMatch(mapped, /Error|Warning/);
  });
}

test('a name longer than any page has room for is refused', () => {
  const bytes = readFileSync(build('pie', []));
  const found = interpreterEdits(bytesInMemory(bytes), `/${'x'.repeat(4096)}`);
  assert.match(found.why, /^there are too few free bytes for its interpreter's name$/);
});

/** With a byte in every room, as where the linker left none. */
function withoutRoom(bytes: Buffer): Buffer {
  const filled = Buffer.from(bytes);
  const comment = bytes.indexOf('GCC: (');
  for (let round = 0; round < 8; round += 1) {
    const next = interpreterEdits(bytesInMemory(filled), long);
    const offset = next.kind === 'edits' ? placeOfName(next) : comment;
    if (offset === comment || next.kind === 'no-room') return filled;
    filled[offset + 3] = 1;
  }
  return assert.fail('it always finds room');
}

test('bytes that are not zero are not written over: then the name goes where compilers left theirs', () => {
  const source = 'int main(void) { return 0; }';
  const file = compile(
    path.join(scratch, 'commented'),
    `__asm__(".ident \\"${'z'.repeat(90)}\\"");${source}`,
  );
  const bytes = withoutRoom(readFileSync(file));
  const interpreter = path.join(scratch, `ld-${'z'.repeat(40)}`);
  rmSync(interpreter, { force: true });
  execFileSync('ln', ['-s', '/lib64/ld-linux-x86-64.so.2', interpreter]);
  appendFileSync(file, 'x');
  const copy = patched(bytes, interpreter);
  assert.equal(interpreterOf(copy), interpreter);
  assert.equal(copy.length, bytes.length);
  const target = path.join(scratch, 'by-comment');
  writeFileSync(target, copy, { mode: 0o755 });
  execFileSync(target, { env: {} });
  execFileSync('/lib64/ld-linux-x86-64.so.2', ['--verify', target]);
  execFileSync('/lib64/ld-linux-x86-64.so.2', ['--list', target]);
  // What only memory has stays: ld.so knows itself by that name.
  assert.ok(copy.includes('/lib64/ld-linux-x86-64.so.2\0'));
});

test('without that section either there is no room', () => {
  const file = build('uncommented', []);
  execFileSync('objcopy', ['-R', '.comment', file]);
  const found = interpreterEdits(bytesInMemory(withoutRoom(readFileSync(file))), long);
  assert.match(found.why, /^there are too few free bytes for its interpreter's name$/);
});

test('zeros that a section holds, or that were appended, are no room', () => {
  const program = build('sections', []);
  const bytes = readFileSync(program);
  const found = interpreterEdits(bytesInMemory(bytes), long);
  const offset = placeOfName(found);
  // The section .comment is said to lie where the room is.
  const header = Number(bytes.readBigUInt64LE(40));
  const comment = header + 64 * (bytes.readUInt16LE(60) - 4);
  bytes.writeBigUInt64LE(BigInt(offset), comment + 24);
  bytes.writeBigUInt64LE(64n, comment + 32);
  bytes.writeUInt32LE(1, comment + 4);
  const other = interpreterEdits(bytesInMemory(bytes), long);
  assert.notEqual(placeOfName(other), offset);
});

test('what cannot be read is refused, not thrown', () => {
  const bytes = readFileSync(build('pie', []));
  for (const broken of [Buffer.alloc(0), Buffer.from('#!/bin/sh\n'), bytes.subarray(0, 100)])
    assert.equal(interpreterEdits(bytesInMemory(broken), long).kind, 'no-room');
  const still = readFileSync(build('static', ['-static']));
  assert.equal(interpreterEdits(bytesInMemory(still), long).why, 'it has no dynamic table');
});

test('damaged headers never lead outside the file', () => {
  const bytes = readFileSync(build('pie', []));
  for (let at = 0; at < 900; at += 1) {
    for (const value of [0xff, 0x00, 0x80]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = value;
      const found = interpreterEdits(bytesInMemory(damaged), long);
      if (found.kind === 'no-room') continue;
      for (const edit of found.edits)
        assert.ok(edit.offset >= 0 && edit.offset + edit.bytes.length <= bytes.length, `byte ${at}`);
    }
  }
});
