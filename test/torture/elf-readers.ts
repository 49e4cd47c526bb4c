// Bytes of an ELF file → everything that is read of one: headers, symbols, notes, names, what reads itself, AppImages.
import { readFileSync } from 'node:fs';
import { distance, stemOf } from '../../src/candidates/soname.ts';
import { readAppImage } from '../../src/elf/app-image.ts';
import { classify } from '../../src/elf/classify.ts';
import { isLibcFamily, whyNoLibraryName } from '../../src/elf/library-names.ts';
import { findLinkTables, relocationsOf } from '../../src/elf/link-tables.ts';
import { namedLibraries } from '../../src/elf/named-libraries.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import { type ByteSource, bytesInMemory } from '../../src/elf/reader.ts';
import { openDefinitions, readStrongReferences } from '../../src/elf/references.ts';
import { libraryPathDirectories, runPathDirectories } from '../../src/elf/run-path.ts';
import { readScriptLine } from '../../src/elf/script-line.ts';
import { selfReader } from '../../src/elf/self-reader.ts';
import { leavesUndefined, readSymbols } from '../../src/elf/symbols.ts';
import { packageName } from '../../src/index/package-name.ts';
import { chooseEdits } from '../../src/integrations/patch/choose-edits.ts';
import { changedSource } from '../../src/integrations/patch/file-changes.ts';
import { findPayload } from '../../src/integrations/patch/payload.ts';
import { interpreterOnly } from '../../src/integrations/patch/wanted-names.ts';
import { buildElf } from '../elf/build-elf.ts';
import type { Reader } from './readers.ts';

const LIBRARIES = '/lib/x86_64-linux-gnu';
const note = (json: string) => ({
  owner: 'FDO',
  type: 0x407c0c0a,
  align: 4 as const,
  description: Buffer.from(`${json}\0`, 'latin1'),
});

const DLOPEN = [
  '[{"feature":"archive","description":"Support for archives","priority":"suggested","soname":["libarchive.so.13","liba.so"]}]',
  '[{"soname":["libfdisk.so.1"]},{"soname":["libpwquality.so.1"],"priority":"required","feature":"pwquality"}]',
  '{"soname":"libtss2-esys.so.0"}',
];

/** One with notes, versions and both kinds of run paths, of each word size and byte order. */
function handmade(): Buffer[] {
  const dynamic = {
    needed: ['libc.so.6', 'liba.so'],
    soname: 'libown.so.1',
    runpath: '$ORIGIN/../lib:/opt',
    rpath: '/opt',
    verneed: [{ file: 'libc.so.6', versions: [{ name: 'GLIBC_2.34', weak: true }] }],
    verdef: ['libown.so.1', 'OWN_1'],
  };
  const notes = DLOPEN.map(note);
  const property = Buffer.from('028000c0040000000700000000000000', 'hex');
  const isa = { owner: 'GNU', type: 5, align: 8 as const, description: property };
  const rest = { interpreter: '/lib64/ld-linux-x86-64.so.2', dynamic, notes: [...notes, isa], stack: 7 };
  return [
    buildElf({ class: 64, byteOrder: 'little', machine: 62, ...rest }),
    buildElf({ class: 32, byteOrder: 'little', machine: 3, ...rest }),
    buildElf({ class: 32, byteOrder: 'big', machine: 8, ...rest }),
    buildElf({ class: 64, byteOrder: 'big', machine: 22, ...rest }),
  ];
}

const realOnes = (): Buffer[] => [
  readFileSync('/bin/true'),
  readFileSync(`${LIBRARIES}/libdl.so.2`),
  ...handmade(),
];

function appImages(): Buffer[] {
  const [elf, , own] = realOnes() as [Buffer, Buffer, Buffer];
  const marked = (bytes: Buffer, type: number, behind: Buffer) => {
    const whole = Buffer.concat([bytes, behind]);
    whole.set([0x41, 0x49, type], 8);
    return whole;
  };
  const iso = Buffer.alloc(33 * 1024);
  iso.write('CD001', 32_769 - own.length, 'latin1');
  return [marked(elf, 2, Buffer.from('hsqs')), marked(own, 2, Buffer.from('hsqs')), marked(own, 1, iso)];
}

/** Counts what is asked of it: memory and time must be linear in the file. */
function counted(bytes: Buffer): { source: ByteSource; expectLittle: () => void } {
  const inMemory = bytesInMemory(bytes);
  let asked = 0;
  const read = (offset: number, length: number): Uint8Array => {
    asked += length;
    return inMemory.read(offset, length);
  };
  const expectLittle = (): void => {
    if (asked > 64 * bytes.length + 8_000_000)
      throw new Error(`must not read ${asked} of ${bytes.length} bytes`);
  };
  return { source: { size: bytes.length, read }, expectLittle };
}

const facts = { storeDir: '/nix/store', hostMachines: [{ class: 64, machine: 62 }] } as const;

function readHeaders(bytes: Buffer): unknown {
  const { source, expectLittle } = counted(bytes);
  const kind = classify(readElf(source), bytes.subarray(0, 256), facts);
  selfReader(source, { needed: [], end: bytes.length });
  namedLibraries(source);
  expectLittle();
  return kind;
}

function readTables(bytes: Buffer): unknown {
  const { source, expectLittle } = counted(bytes);
  readSymbols(source);
  leavesUndefined(source, ['dlopen']);
  const tables = findLinkTables(source);
  if (tables !== undefined) {
    for (const _ of relocationsOf(tables));
    readStrongReferences(tables);
    openDefinitions(tables)('malloc');
  }
  expectLittle();
  return tables;
}

/** What `patch` would change; a plan of edits must lie within what it makes. */
function planEdits(bytes: Buffer): unknown {
  const { source } = counted(bytes);
  const choice = chooseEdits(source, interpreterOnly('/nix/store/x/ld-linux-x86-64.so.2'), 'auto');
  if ('changes' in choice) readElf(changedSource(source, choice.changes));
  return choice;
}

/** Names that programs need, and lists of directories in them. */
const NAMES = [
  'libpython3.11.so.1.0\nlibdb-5.3.so\nld-linux-x86-64.so.2\nlibz.so',
  '$ORIGIN/../lib:${ORIGIN}:/usr/$LIB:$PLATFORM;/opt//x/\nlibssl.so.3\nlibssl.so.1.1',
];

function readNames(bytes: Buffer): unknown {
  const names = bytes.toString('latin1').split('\n').slice(0, 50);
  const tokens = { origin: '/opt/app', lib: 'lib', platform: undefined };
  return names.map((name) => [
    whyNoLibraryName(name),
    isLibcFamily(name),
    stemOf(name),
    distance('libz.so.1', name),
    packageName(name),
    runPathDirectories(name, tokens),
    libraryPathDirectories(name, tokens),
  ]);
}

export const ELF_READERS: readonly Reader[] = [
  { name: 'library names and run paths', form: 'lines', seeds: () => NAMES, read: readNames },
  { name: 'ELF headers and notes', form: 'elf', seeds: realOnes, read: readHeaders },
  { name: 'ELF symbols and relocations', form: 'elf', seeds: realOnes, read: readTables },
  { name: 'ELF edits', form: 'elf', seeds: realOnes, read: planEdits },
  {
    name: 'dlopen notes',
    form: 'json',
    seeds: () => DLOPEN,
    read: (bytes) =>
      readElf(
        bytesInMemory(
          buildElf({
            class: 64,
            byteOrder: 'little',
            machine: 62,
            notes: [note(bytes.toString('latin1'))],
            dynamic: {},
          }),
        ),
      ),
  },
  {
    name: 'AppImage headers',
    form: 'elf',
    seeds: appImages,
    read: (bytes) => [
      readAppImage(bytesInMemory(bytes)),
      findPayload(bytesInMemory(bytes), bytes.length >> 1),
    ],
  },
  {
    name: 'script lines',
    form: 'lines',
    seeds: () => ['#!/bin/sh -e\n', '#! /usr/bin/env -S A=1 node --x "a b"\n', '#!/usr/bin/env python3\r\n'],
    read: (bytes) => readScriptLine(bytes.subarray(0, 256)),
  },
];
