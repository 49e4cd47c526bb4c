// Programs with the marks of each packer → the packer's name; whatever the size, only a few reads.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readElf } from '../../src/elf/read-elf.ts';
import { type ByteSource, bytesInMemory } from '../../src/elf/reader.ts';
import { selfReader } from '../../src/elf/self-reader.ts';
import { compile } from '../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'markers-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const plain = readFileSync(compile(path.join(scratch, 'plain'), 'int main(void) { return 0; }'));

function nameOf(source: ByteSource): string | undefined {
  const reading = readElf(source);
  assert.equal(reading.kind, 'elf');
  return reading.kind === 'elf' ? selfReader(source, reading.file) : undefined;
}

const ending = (...parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([
    plain,
    Buffer.alloc(5000, 1),
    ...parts.map((each) => Buffer.from(each as string, 'latin1')),
  ]);

/** As Go's linker leaves a program without symbols. */
const filled = (byte: number): Buffer =>
  Buffer.concat([plain, Buffer.alloc(4096 - (plain.length % 4096), byte)]);

function withSection(name: string): Buffer {
  const [from, to, payload] = ['plain', `with${name}`, 'payload'].map((each) => path.join(scratch, each));
  writeFileSync(payload ?? '', 'x');
  execFileSync('objcopy', ['--add-section', `${name}=${payload}`, from ?? '', to ?? '']);
  return readFileSync(to ?? '');
}

function withNote(owner: string): Buffer {
  const source = `__attribute__((section(".note.x"), used, aligned(4))) static const struct { int n, d, t; char o[16]; int v; } note =
    { ${owner.length + 1}, 4, 1, "${owner}", 7 }; int main(void) { return note.v - 7; }`;
  const size = Math.ceil((owner.length + 1) / 4) * 4;
  return readFileSync(
    compile(path.join(scratch, `note-${owner}`), source.replace('o[16]', `o[${size}]`), [
      '-x',
      'none',
      '-Wl,-z,noseparate-code',
    ]),
  );
}

function asAppImage(type: number): Buffer {
  const bytes = Buffer.from(plain);
  bytes.set([0x41, 0x49, type], 8);
  return bytes;
}

const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('latin1');
};

const APPENDED = 'something is appended to it';
const rows: readonly (readonly [string, Buffer, string | undefined])[] = [
  ['an ordinary program', plain, undefined],
  ['a trailer of Bun', ending('\n---- Bun! ----\n', word(99), word(0)), 'Bun'],
  ['a section of Bun', withSection('.bun'), 'Bun'],
  ['a trailer of Deno before 1.46', ending('d3n0l4nd', Buffer.alloc(16)), 'Deno'],
  ['a trailer of libsui', ending(word(0x501e), word(5008)), 'Deno'],
  ['a note of libsui', withNote('SUI'), 'Deno'],
  ['a note of postject', withNote('NODE_SEA_BLOB'), 'Node SEA'],
  ["PyInstaller's cookie", ending('MEI\x0c\x0b\x0a\x0b\x0e', Buffer.alloc(80)), 'PyInstaller'],
  ["PyInstaller's section", withSection('pydata'), 'PyInstaller'],
  ["pkg's script", ending('(function(process, require) { x\n})'), 'pkg'],
  ['anything else at its end', ending('whatever'), APPENDED],
  ['zeros to the end of its last page', filled(0), undefined],
  ['zeros beyond its last page', Buffer.concat([filled(0), Buffer.alloc(4096)]), APPENDED],
  ['zeros that end within a page', filled(0).subarray(0, -1), APPENDED],
  ['anything else up to the end of its last page', filled(1), APPENDED],
  ['an AppImage of type 1', asAppImage(1), 'AppImage'],
  ['an AppImage of type 2', asAppImage(2), 'AppImage'],
  ['type 3, which there is none of', asAppImage(3), undefined],
];

for (const [what, bytes, name] of rows)
  test(`${what}: ${name ?? 'nothing'}`, () => assert.equal(nameOf(bytesInMemory(bytes)), name));

test('Electron and CEF by the libraries that they need', () => {
  const source = bytesInMemory(plain);
  const named = (needed: readonly string[]) => selfReader(source, { needed, end: plain.length });
  assert.equal(named(['libc.so.6', 'libffmpeg.so']), 'Electron');
  assert.equal(named(['libcef.so']), 'CEF');
  assert.equal(named(['libffmpeg.so.4']), undefined);
});

test('a program of 300 MB costs no more reading than a small one', () => {
  let read = 0;
  const size = 300 << 20;
  const source: ByteSource = {
    size,
    read: (offset, length) => {
      read += length;
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      bytes.set(plain.subarray(offset, offset + length));
      return bytes;
    },
  };
  assert.equal(selfReader(source, { needed: [], end: size }), undefined);
  assert.ok(read < 300_000, `${read} bytes were read`);
});

test('damaged headers are no reason to fail', () => {
  for (let at = 0; at < 64; at += 1) {
    const bytes = Buffer.from(plain);
    bytes[at] = 0xff;
    selfReader(bytesInMemory(bytes), { needed: [], end: plain.length });
  }
});
