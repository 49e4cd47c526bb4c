// Bytes or a path -> the ElfFile read from them, for tests that expect one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import { bytesInMemory } from '../../src/elf/reader.ts';

export function expectElf(input: string | Uint8Array): ElfFile {
  const bytes = typeof input === 'string' ? readFileSync(input) : input;
  const reading = readElf(bytesInMemory(bytes));
  assert.equal(reading.kind, 'elf', reading.kind === 'bad-elf' ? reading.why : '');
  return (reading as { file: ElfFile }).file;
}

export function expectBad(bytes: Uint8Array): string {
  const reading = readElf(bytesInMemory(bytes));
  assert.equal(reading.kind, 'bad-elf');
  return (reading as { why: string }).why;
}
