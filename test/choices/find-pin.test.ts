// A file, a store object, a directory of it or a link to it → the library that is meant; anything unclear is refused.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findPin } from '../../src/choices/find-pin.ts';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import { libcOf } from '../../src/program/libc.ts';
import type { Catalogue } from '../../src/store/catalogue.ts';
import { libraryImage } from '../ldso/library-image.ts';

const storeDir = realpathSync(mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-pin-')));
after(() => rmSync(storeDir, { recursive: true }));

const LIBRARIES: Record<string, Record<string, readonly string[]>> = {
  [`${'0'.repeat(32)}-zlib-1`]: {
    'lib/libz.so.1.3': ['libz.so.1', 'libz.so.1.3', 'libz.so'],
    'lib/glibc-hwcaps/x86-64-v3/libz.so.1.3': ['libz.so.1'],
  },
  [`${'1'.repeat(32)}-libffi-3`]: { 'lib/libffi.so.8.1': ['libffi.so.8', 'libffi.so.8.1'] },
  [`${'2'.repeat(32)}-icu`]: {
    'lib/a/libicu.so.72': ['libicu.so.72'],
    'lib/b/libicu.so.76': ['libicu.so.76'],
  },
};

for (const [object, files] of Object.entries(LIBRARIES)) {
  for (const file of Object.keys(files)) {
    const full = path.join(storeDir, object, file);
    mkdirSync(path.dirname(full), { recursive: true });
    writeFileSync(full, '');
  }
}
const [zlib = '', libffi = '', icu = ''] = Object.keys(LIBRARIES).map((object) =>
  path.join(storeDir, object),
);
const elf = { class: 64, machine: 62, osAbi: 0, isaNeeded: 0, needed: [] as readonly string[] } as ElfFile;
const libc = libcOf(elf, 'glibc');
const empty = path.join(storeDir, `${'9'.repeat(32)}-empty`);
mkdirSync(empty);
/** Objects with libraries that no such program can load. */
const ODD: Record<string, Partial<ElfFile>> = {
  musl: { needed: ['libc.so'] },
  level: { isaNeeded: 0x4000_0000 },
  system: { osAbi: 9 },
  broken: { loadError: 'ELF load command address/offset not page-aligned' },
};
for (const [i, name] of Object.keys(ODD).entries()) {
  LIBRARIES[`${String(i + 3).repeat(32)}-${name}`] = { 'lib/libz.so.1': ['libz.so.1'] };
  mkdirSync(path.join(storeDir, `${String(i + 3).repeat(32)}-${name}`));
}
const catalogue = {
  storeDir,
  librariesIn: (storePath: string) =>
    Object.entries(LIBRARIES[path.basename(storePath)] ?? {}).map(([file, names]) => ({
      storePath,
      file,
      elf: { ...elf, ...ODD[path.basename(storePath).slice(33)] },
      names,
    })),
} as Pick<Catalogue, 'storeDir' | 'librariesIn'> as Catalogue;
const find = (soname: string, typedName: string) =>
  findPin(soname, typedName, catalogue, { elf, libc }).slice(storeDir.length + 34);

test('an object, its directory, the file, a link to any: the plain file of the name', () => {
  const profile = path.join(storeDir, 'profile');
  symlinkSync(zlib, profile);
  for (const typedName of [zlib, `${zlib}/lib`, `${zlib}/lib/libz.so.1.3`, profile, `${profile}/lib`])
    assert.equal(find('libz.so.1', typedName), 'zlib-1/lib/libz.so.1.3', typedName);
});

test('another version is taken when it is the only one, or named itself', () => {
  assert.equal(find('libffi.so.7', libffi), 'libffi-3/lib/libffi.so.8.1');
  assert.equal(find('libicu.so.67', `${icu}/lib/b`), 'icu/lib/b/libicu.so.76');
  assert.equal(find('libanything.so', `${icu}/lib/a/libicu.so.72`), 'icu/lib/a/libicu.so.72');
});

for (const [soname, typedName, cause] of [
  ['libicu.so.67', icu, /icu has several: lib\/a\/libicu\.so\.72, lib\/b\/libicu\.so\.76/],
  ['libz.so.1', libffi, /holds no such library/],
  ['libz.so.1', '/usr', /does not lie in/],
  ['libz.so.1', storeDir, /is the whole store/],
  ['libz.so.1', `${zlib}/lib/nothing`, /no such file/],
] as const) {
  test(`refused: ${soname} from ${typedName.slice(storeDir.length)}`, () => {
    assert.throws(() => find(soname, typedName), cause);
  });
}

for (const [i, [name, cause]] of [
  ['musl', /built with musl/],
  ['level', /CPU ISA level is lower than required/],
  ['system', /another system \(OS ABI 9\)/],
  ['broken', /the loader refuses it: ELF load command/],
].entries()) {
  test(`refused: a library that no such program can load (${name})`, () => {
    const object = path.join(storeDir, `${String(i + 3).repeat(32)}-${name}`);
    assert.throws(() => find('libz.so.1', object), cause as RegExp);
  });
}

test('a library for another machine: both are named, and not told to be named again', () => {
  const file = path.join(libffi, 'lib/small.so');
  writeFileSync(file, libraryImage({ class: 32, machine: 3, soname: 'libz.so.1' }));
  assert.throws(
    () => find('libz.so.1', file),
    (error: Error & { hint?: string }) =>
      /is for 32-bit x86, the program for x86-64$/.test(error.message) &&
      error.hint === 'name a library for x86-64',
  );
});

test('an object without such a library: only where it has others is a file of it worth naming', () => {
  const hints = [libffi, empty].map((object) => {
    try {
      return find('libz.so.1', object);
    } catch (error) {
      return (error as { hint?: string }).hint;
    }
  });
  assert.match(hints[0] ?? '', /^name the file itself/);
  assert.match(hints[1] ?? '', /^name another store object/);
});
