// Programs whose string table is written anew → no byte more, the same symbols, stripped as before, and back byte for byte.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import { bytesInMemory } from '../../../src/elf/reader.ts';
import { structureComplaints } from '../../../src/integrations/patch/check-structure.ts';
import { chooseEdits } from '../../../src/integrations/patch/choose-edits.ts';
import { editInPlace } from '../../../src/integrations/patch/edit-in-place.ts';
import { type EditedImage, readImage } from '../../../src/integrations/patch/elf-image.ts';
import {
  changedSource,
  sortedEdits,
  undoneSource,
  undoOf,
} from '../../../src/integrations/patch/file-changes.ts';
import { stringAt, type WantedNames } from '../../../src/integrations/patch/wanted-names.ts';
import { needTool } from '../../launcher/tool-fixture.ts';
import { compile } from '../../scenarios/compile.ts';

needTool('ld.lld', 'lld');
const scratch = mkdtempSync(path.join(tmpdir(), 'rewritten-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** As long as a farm's path in the store. */
const farm = path.join(scratch, 'f'.repeat(Math.max(1, 44 - scratch.length)));
mkdirSync(farm);
symlinkSync('/lib64/ld-linux-x86-64.so.2', path.join(farm, 'ld'));
const wanted: WantedNames = {
  interpreter: path.join(farm, 'ld'),
  runPath: { tag: 'rpath', text: farm },
  renamed: new Map(),
  lifted: [],
};

/** Names that end in others, as `fwrite` ends in `write`: a table that shares tails is shorter by these. */
const tails = Array.from({ length: 12 }, (_, index) => [
  `a_rather_long_name_${index}`,
  `of_a_rather_long_name_${index}`,
]).flat();
const source = `#include <stdio.h>
#include <math.h>
#include <dlfcn.h>
${tails.map((name, index) => `int ${name}(void) { return ${index}; }`).join('\n')}
int main(int count, char **words) {
  int (*found)(void) = dlsym(NULL, "${tails[2]}"), (*longer)(void) = dlsym(NULL, "${tails[3]}");
  printf("%d %d %.3f\\n", found(), longer(), cos(count));
  return 0;
}
`;
const flags = ['-rdynamic', '-ldl', '-lm'];

function run(file: string): string {
  const { status, signal, stdout, stderr } = spawnSync(file, { encoding: 'utf8', env: {} });
  return [status, signal, stdout, stderr].join('\n');
}

function rewritten(program: string, names: WantedNames) {
  const before = readFileSync(program);
  const input = bytesInMemory(before);
  const made = editInPlace(readImage(input), names, 'rewritten', 'few');
  if (made.kind === 'no-room') return made;
  const changes = { edits: sortedEdits(made.edits), added: undefined };
  const changed = changedSource(input, changes);
  const bytes = Buffer.from(changed.read(0, changed.size));
  assert.equal(bytes.length, before.length);
  assert.deepEqual(structureComplaints(input, bytesInMemory(bytes), names), []);
  const back = undoneSource(bytesInMemory(bytes), undoOf(input, changes));
  assert.ok(back !== undefined && before.equals(back.read(0, back.size)), 'undo gives other bytes');
  const file = path.join(scratch, 'edited');
  rmSync(file, { force: true });
  writeFileSync(file, bytes, { mode: 0o755 });
  return { kind: 'edited', file, bytes } as const;
}

for (const [name, more] of [
  ['PIE', []],
  ['non-PIE', ['-no-pie', '-Wl,-z,now']],
  ['both hash tables', ['-Wl,--hash-style=both']],
  ['its own run path', ['-Wl,-rpath,$ORIGIN/a/run/path/of/its/own']],
] as const)
  test(`lld, ${name}: the table is shorter, everything is found, and strip leaves it`, () => {
    const program = compile(path.join(scratch, name.replaceAll(' ', '-')), source, [
      ...flags,
      ...more,
      '-fuse-ld=lld',
    ]);
    const before = run(program);
    assert.match(before, /^0\n\n2 3 0\.540\n/);
    const made = rewritten(program, wanted);
    assert.ok(made.kind === 'edited', made.kind === 'no-room' ? made.why : '');
    assert.equal(run(made.file), before);
    const stripped = `${made.file}.stripped`;
    assert.equal(spawnSync('strip', ['-o', stripped, made.file], { encoding: 'utf8' }).stderr, '');
    assert.equal(run(stripped), before);
    assert.equal(elfFileAt(stripped)?.rpath, farm);
    const said = spawnSync('readelf', ['-dW', '--dyn-syms', '-V', made.file], { encoding: 'utf8' });
    assert.equal(said.stderr, '');
    assert.match(said.stdout, new RegExp(`Library rpath: \\[${farm}\\]`));
    for (const each of tails) assert.match(said.stdout, new RegExp(` ${each}$`, 'm'));
  });

test('a needed name is renamed, and the old one is gone from the table', () => {
  const alias = path.join(farm, 'libm-of-another-name.so.6');
  symlinkSync('/lib/x86_64-linux-gnu/libm.so.6', alias);
  const program = compile(path.join(scratch, 'renamed'), source, [...flags, '-fuse-ld=lld']);
  const names = { ...wanted, renamed: new Map([['libm.so.6', path.basename(alias)]]) };
  const made = rewritten(program, names);
  assert.ok(made.kind === 'edited', made.kind === 'no-room' ? made.why : '');
  assert.equal(run(made.file), run(program));
  assert.ok(elfFileAt(made.file)?.verneed.some(({ file }) => file === path.basename(alias)));
  assert.equal(made.bytes.includes('\0libm.so.6\0'), false);
});

test('where another section names strings of the table too, it is left alone', () => {
  const program = compile(path.join(scratch, 'shared'), source, [...flags, '-fuse-ld=lld']);
  const bytes = readFileSync(program);
  const image = readImage(bytesInMemory(bytes));
  const strings = image.sections.findIndex(({ label }) => label === '.dynstr');
  const comment = image.sections.find(({ label }) => label === '.comment') ?? assert.fail();
  assert.equal(rewritten(program, wanted).kind, 'edited');
  bytes.writeUInt32LE(strings, comment.at + 40);
  writeFileSync(program, bytes);
  assert.equal(rewritten(program, wanted).kind, 'no-room');
});

/** An lld program, and its bytes as `spoil` leaves them. */
function spoiled(name: string, spoil: (bytes: Buffer, image: EditedImage) => void): string {
  const program = compile(path.join(scratch, name), source, [...flags, '-fuse-ld=lld']);
  const bytes = readFileSync(program);
  spoil(bytes, readImage(bytesInMemory(bytes)));
  writeFileSync(program, bytes);
  return program;
}

test('where the names of sections are in the table too, it is left alone', () => {
  const program = spoiled('section-names', (bytes, { sections }) => {
    bytes.writeUInt16LE(
      sections.findIndex(({ label }) => label === '.dynstr'),
      62,
    );
  });
  assert.equal(rewritten(program, wanted).kind, 'no-room');
});

test('a symbol whose name lies outside the table stands in no other way', () => {
  const program = spoiled('bad-symbol', (bytes, { sections, strings }) => {
    const symbols = sections.find(({ label }) => label === '.dynsym') ?? assert.fail();
    bytes.writeUInt32LE(strings.size + 5, symbols.offset + symbols.size - 24);
  });
  const input = bytesInMemory(readFileSync(program));
  assert.throws(() => editInPlace(readImage(input), wanted, 'rewritten', 'few'), /outside/);
  const choice = chooseEdits(input, wanted, 'auto');
  assert.ok(choice.kind === 'chosen', choice.kind === 'impossible' ? choice.why : '');
  assert.equal(choice.method, 'append');
});

test('what filters a library by the name that a needed one had still names it', () => {
  const AUXILIARY = 0x7ffffffd;
  const program = compile(path.join(scratch, 'filter'), source, [
    ...flags,
    '-fuse-ld=lld',
    '-shared',
    '-fPIC',
    '-Wl,-f,libm.so.6',
    '-Wl,-soname,libm.so.6',
  ]);
  const textOf = (bytes: Buffer): string => {
    const image = readImage(bytesInMemory(bytes));
    const entry = image.dynamic.entries.find(({ tag }) => tag === AUXILIARY) ?? assert.fail();
    return stringAt(image, Number(entry.value));
  };
  assert.equal(textOf(readFileSync(program)), 'libm.so.6');
  const names = { ...wanted, interpreter: undefined, renamed: new Map([['libm.so.6', 'libm-other.so.6']]) };
  const made = rewritten(program, names);
  assert.ok(made.kind === 'edited', made.kind === 'no-room' ? made.why : '');
  assert.equal(textOf(made.bytes), 'libm.so.6');
  assert.equal(elfFileAt(made.file)?.soname, 'libm.so.6');
  // And where it did not, the check would say so.
  const input = bytesInMemory(readFileSync(program));
  made.bytes.write('X', made.bytes.indexOf('\0libm.so.6\0') + 1);
  assert.ok(
    structureComplaints(input, bytesInMemory(made.bytes), names).includes('its dynamic table lost something'),
  );
});

test('table and interpreter never have a byte in common, where padding lies behind the table', () => {
  const text = `__attribute__((aligned(4096))) const char page[4096] = {1}; const char *seen(void) { return page; }
    ${tails.map((name, index) => `int ${name}(void) { return ${index}; }`).join('\n')}
    void _start(void) { for (;;) ; }`;
  const program = compile(path.join(scratch, 'padding'), text, [
    '-rdynamic',
    '-nostdlib',
    '-fuse-ld=lld',
    '-no-pie',
    '-Wl,--dynamic-linker=/l',
    '-Wl,-rpath,/r',
  ]);
  const image = readImage(bytesInMemory(readFileSync(program)));
  const { offset, size } = image.strings;
  const next = Math.min(...image.sections.map((each) => each.offset).filter((each) => each >= offset + size));
  assert.ok(next - offset - size > 400, `only ${next - offset - size} bytes are behind the table`);
  for (let length = 1; length < 900; length += 40) {
    const names = { ...wanted, runPath: { tag: 'rpath', text: 'r'.repeat(length) } } as const;
    const made = rewritten(program, names);
    assert.ok(made.kind === 'edited', made.kind === 'no-room' ? made.why : '');
    const edited = readImage(bytesInMemory(made.bytes));
    assert.equal(edited.interpreter?.text, wanted.interpreter);
    assert.equal(elfFileAt(made.file)?.rpath, names.runPath.text);
  }
});

test('one name that a symbol lost is noticed', () => {
  const program = compile(path.join(scratch, 'spoiled'), source, [...flags, '-fuse-ld=lld']);
  const input = bytesInMemory(readFileSync(program));
  const made = rewritten(program, wanted);
  assert.ok(made.kind === 'edited');
  const { bytes } = made;
  bytes.write('X', bytes.indexOf(`\0of_${tails[4]}\0`) + 5);
  assert.deepEqual(structureComplaints(input, bytesInMemory(bytes), wanted), [
    'its symbols or versions have other names',
  ]);
});

test('padding that alignment explains takes the names, other zeros do not', () => {
  const constants = '__attribute__((aligned(4096))) const char page[4096] = {1}; const char *seen = page;';
  const program = compile(path.join(scratch, 'aligned'), `${constants}\n${source}`, [
    ...flags,
    '-fuse-ld=lld',
  ]);
  const input = bytesInMemory(readFileSync(program));
  const choice = chooseEdits(input, wanted, 'auto');
  assert.ok(choice.kind === 'chosen');
  assert.equal(choice.method, 'in-place');
  const constant = choice.image.sections.find(({ label }) => label === '.rodata') ?? assert.fail();
  assert.equal(constant.align, 4096);
  const ends = choice.image.sections.map(({ offset, size }) => offset + size);
  const end = Math.max(...ends.filter((each) => each <= constant.offset));
  assert.ok(constant.offset - end > 200, 'there is no padding to speak of');
  const inPadding = ({ offset }: { offset: number }) => offset >= end && offset < constant.offset;
  assert.ok(choice.changes.edits.some(inPadding));
  // Without the alignment nothing says whose they are.
  const bytes = readFileSync(program);
  bytes.writeBigUInt64LE(1n, constant.at + 48);
  const other = chooseEdits(bytesInMemory(bytes), wanted, 'auto');
  assert.ok(other.kind === 'chosen');
  assert.deepEqual(other.changes.edits.filter(inPadding), []);
});
