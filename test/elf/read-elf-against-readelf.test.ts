// ELF files in the system's directories: this reader, through program headers, against binutils' readelf.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import { openFileSource } from '../../src/elf/open-elf.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import { sampled } from '../sample.ts';
import { askReadelf, type ReadelfOpinion } from './readelf-output.ts';

const directories = ['/usr/bin', '/usr/lib/x86_64-linux-gnu'];
const flagNames: readonly (readonly [number, string])[] = [
  [0x1, 'NOW'],
  [0x8, 'NODELETE'],
  [0x20, 'INITFIRST'],
  [0x40, 'NOOPEN'],
  [0x80, 'ORIGIN'],
  [0x800, 'NODEFLIB'],
  [0x0800_0000, 'PIE'],
];
const isaNames = ['x86-64-baseline', 'x86-64-v2', 'x86-64-v3', 'x86-64-v4'];

test('reads what readelf reads, in ELF files of the system', (context) => {
  const paths = sampled(
    directories.flatMap((directory) => filesIn(directory)),
    3,
  );
  const mine = new Map<string, ElfFile>();
  const refused: string[] = [];
  for (const path of paths) {
    const source = openFileSource(path);
    const reading = readElf(source);
    source.close();
    // Of object files readelf tells the sections, which ld.so never sees.
    if (reading.kind === 'elf' && reading.file.type !== 1) mine.set(path, reading.file);
    if (reading.kind === 'bad-elf') refused.push(`${path}: ${reading.why}`);
  }
  assert.deepEqual(refused, []);
  const theirs = askReadelf([...mine.keys()]);
  for (const [path, file] of mine) {
    const opinion = theirs.get(path);
    assert.ok(opinion, `readelf says nothing of ${path}`);
    assert.deepEqual(inTheirWords(file), opinion, path);
  }
  context.diagnostic(`${mine.size} ELF files agree with readelf`);
  assert.ok(mine.size > 100, 'too few files to mean anything');
});

function filesIn(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

function inTheirWords(file: ElfFile): ReadelfOpinion {
  return {
    class: file.class,
    byteOrder: file.byteOrder,
    type: file.type,
    entry: file.entry ?? 0,
    interpreter: file.interpreter,
    dynamic: file.dynamic,
    soname: file.soname,
    rpath: file.rpath,
    runpath: file.runpath,
    needed: [...file.needed],
    hasVersym: file.hasVersym,
    hasRelr: file.hasRelr,
    stack: file.stack,
    verneed: file.verneed.map(({ file: name, versions }) => ({ file: name, versions: [...versions] })),
    verdef: [...file.verdef],
    isa: isaNames.filter((_, bit) => (file.isaNeeded & (1 << bit)) !== 0),
    flags1: flagNames.filter(([bit]) => (file.flags1 & bit) !== 0).map(([, name]) => name),
    dlopenNotes: file.dlopen.length,
  };
}
