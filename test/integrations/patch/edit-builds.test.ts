// Programs of several linkers and kinds → edited each way they run as before, can be stripped, and go back byte for byte.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import { bytesInMemory } from '../../../src/elf/reader.ts';
import { structureComplaints } from '../../../src/integrations/patch/check-structure.ts';
import { type ChosenEdits, chooseEdits, type Method } from '../../../src/integrations/patch/choose-edits.ts';
import { changedSource, undoneSource, undoOf } from '../../../src/integrations/patch/file-changes.ts';
import type { WantedNames } from '../../../src/integrations/patch/wanted-names.ts';
import { needTool } from '../../launcher/tool-fixture.ts';
import { compile } from '../../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'edit-builds-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** As long as a farm's path in the store. */
const farm = path.join(scratch, 'f'.repeat(45 - scratch.length - 1 > 0 ? 45 - scratch.length - 1 : 1));
mkdirSync(farm);
symlinkSync('/lib64/ld-linux-x86-64.so.2', path.join(farm, 'ld'));

const source = `#include <stdio.h>
#include <math.h>
#include <string.h>
int bss[5000]; int data = 3;
int main(int count, char **words) {
  char end[8] = {0};
  FILE *self = fopen("/proc/self/exe", "r");
  fseek(self, -7, SEEK_END);
  if (fread(end, 1, 7, self) == 7 && strcmp(end, "payload") == 0) puts(end);
  printf("%d %.3f\\n", bss[4] + data, cos(count));
  return 0;
}
`;

const wanted: WantedNames = {
  interpreter: path.join(farm, 'ld'),
  runPath: { tag: 'rpath', text: `$ORIGIN/lib:${farm}` },
  renamed: new Map(),
  lifted: ['libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'libutil.so.1', 'libresolv.so.2', 'libanl.so.1'],
};

interface Edited {
  readonly choice: ChosenEdits;
  readonly file: string;
  readonly bytes: Buffer;
}

function edit(program: string, method: Method | 'auto', names: WantedNames = wanted): Edited {
  const before = readFileSync(program);
  const input = bytesInMemory(before);
  const choice = chooseEdits(input, names, method);
  assert.ok(choice.kind === 'chosen', JSON.stringify(choice.kind === 'impossible' && choice.why));
  const changed = changedSource(input, choice.changes);
  const bytes = Buffer.from(changed.read(0, changed.size));
  const named = { ...names, lifted: choice.lifted };
  assert.deepEqual(structureComplaints(input, bytesInMemory(bytes), named), []);
  const back = undoneSource(bytesInMemory(bytes), undoOf(input, choice.changes));
  assert.ok(back !== undefined && before.equals(back.read(0, back.size)), 'undo gives other bytes');
  const file = path.join(scratch, 'edited');
  rmSync(file, { force: true });
  writeFileSync(file, bytes, { mode: 0o755 });
  return { choice, file, bytes };
}

function run(file: string): string {
  const { status, signal, stdout, stderr } = spawnSync(file, { encoding: 'utf8', env: {} });
  return [status, signal, stdout, stderr].join('\n');
}

function build(name: string, flags: readonly string[]): string {
  return compile(path.join(scratch, name), source, [...flags, '-lm']);
}

needTool('ld.lld', 'lld');
needTool('mold', 'mold');

const kinds: readonly (readonly [string, readonly string[]])[] = [
  ['bfd', []],
  ['bfd, non-PIE', ['-no-pie']],
  ['bfd, one code segment, no RELRO', ['-Wl,-z,noseparate-code', '-Wl,-z,norelro']],
  ['bfd, SysV hash, large pages', ['-Wl,--hash-style=sysv', '-Wl,-z,max-page-size=0x200000']],
  ['bfd, RELR, BIND_NOW, stripped', ['-Wl,-z,pack-relative-relocs', '-Wl,-z,now', '-s']],
  ['gold', ['-fuse-ld=gold']],
  ['gold, non-PIE', ['-fuse-ld=gold', '-no-pie']],
  ['lld', ['-fuse-ld=lld']],
  ['lld, non-PIE', ['-fuse-ld=lld', '-no-pie']],
  ['mold', ['-fuse-ld=mold']],
  ['mold, non-PIE, no RELRO', ['-fuse-ld=mold', '-no-pie', '-Wl,-z,norelro']],
  ['bfd, with a run path', ['-Wl,-rpath,$ORIGIN/lib']],
  ['bfd, with DT_RPATH', ['-Wl,--disable-new-dtags', '-Wl,-rpath,$ORIGIN/lib']],
];

for (const [name, flags] of kinds) {
  test(`${name}: by itself, by a segment at the end and by one inserted it runs, and strip leaves what it names`, () => {
    const program = build(name.replaceAll(/\W+/g, '-'), flags);
    const before = run(program);
    assert.match(before, /^0\n\n3 0\.540\n/);
    for (const method of ['auto', 'append', 'insert'] as const) {
      const { file, choice } = edit(program, method);
      assert.equal(run(file), before, method);
      const stripped = `${file}.stripped`;
      const { stderr } = spawnSync('strip', ['-o', stripped, file], { encoding: 'utf8' });
      assert.equal(stderr, '', method);
      assert.equal(run(stripped), before, `${method}, stripped`);
      const elf = elfFileAt(stripped);
      assert.equal(elf?.interpreter, wanted.interpreter, method);
      assert.equal(elf?.rpath, wanted.runPath?.text, method);
      assert.equal(elf?.runpath, undefined);
      assert.deepEqual(elf?.needed.slice(-choice.lifted.length), wanted.lifted);
    }
  });

  test(`${name}: what is appended stays where it is, or is found from the end after an insertion`, () => {
    const program = build(`payload-${name.replaceAll(/\W+/g, '-')}`, flags);
    appendFileSync(program, 'payload');
    const before = run(program);
    assert.match(before, /payload/);
    const inserted = edit(program, 'insert', { ...wanted, lifted: [] });
    assert.equal(run(inserted.file), before);
    assert.equal(inserted.bytes.length % 4096, readFileSync(program).length % 4096);
    const choice = chooseEdits(bytesInMemory(readFileSync(program)), { ...wanted, lifted: [] }, 'auto');
    if (choice.kind === 'impossible') return assert.match(choice.why, /too few free bytes/);
    const still = edit(program, 'auto', { ...wanted, lifted: [] });
    assert.equal(still.bytes.length, readFileSync(program).length);
    assert.equal(run(still.file), before);
  });
}

test('without section headers it is edited too', () => {
  const program = build('no-sections', []);
  const bytes = readFileSync(program);
  bytes.fill(0, 40, 48); // e_shoff
  bytes.fill(0, 60, 64); // e_shnum, e_shstrndx
  writeFileSync(program, bytes);
  for (const method of ['auto', 'append'] as const)
    assert.equal(run(edit(program, method).file), run(program));
});

test('a needed name is renamed where versions are needed of it as well', () => {
  const alias = path.join(farm, 'libmath-of-another-name.so.6');
  symlinkSync('/lib/x86_64-linux-gnu/libm.so.6', alias);
  const program = build('renamed', []);
  const names = { ...wanted, lifted: [], renamed: new Map([['libm.so.6', path.basename(alias)]]) };
  for (const method of ['auto', 'append'] as const) {
    const { file } = edit(program, method, names);
    const elf = elfFileAt(file);
    assert.ok(elf?.needed.includes(path.basename(alias)), method);
    assert.ok(!elf?.needed.includes('libm.so.6'), method);
    assert.ok(
      elf?.verneed.some((each) => each.file === path.basename(alias)),
      method,
    );
    assert.equal(run(file), run(program), method);
  }
});

test('gdb stops at main, and knows the libraries', () => {
  needTool('gdb', 'gdb');
  const program = build('debugged', ['-g']);
  for (const method of ['auto', 'append'] as const) {
    const { file } = edit(program, method);
    const args = ['-nx', '-batch', '-ex', 'break main', '-ex', 'run', '-ex', 'info sharedlibrary', file];
    const said = execFileSync('gdb', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    assert.match(said, /Breakpoint 1, main/, method);
    assert.match(said, /libm\.so\.6/, method);
  }
});

const seeker = (how: string) => `#include <stdio.h>
#include <link.h>
extern ElfW(Dyn) _DYNAMIC[];
${how}
int main(void) {
  for (ElfW(Dyn) *each = TABLE; each->d_tag != DT_NULL; each++)
    if (each->d_tag == DT_DEBUG) {
      struct link_map *map = ((struct r_debug *) each->d_un.d_ptr)->r_map;
      int count = 0;
      for (; map != NULL; map = map->l_next) count++;
      puts(count > 2 ? "several" : "few");
    }
  return 0;
}
`;
const ways: readonly (readonly [string, string, readonly string[]])[] = [
  ['by an instruction', '#define TABLE _DYNAMIC', ['-O2']],
  ['as in a library', '#define TABLE _DYNAMIC', ['-fPIC']],
  ['by a pointer in data', 'ElfW(Dyn) *volatile pointer = _DYNAMIC;\n#define TABLE pointer', ['-O1']],
  [
    'by a pointer that RELR relocates',
    'ElfW(Dyn) *volatile pointer = _DYNAMIC;\n#define TABLE pointer',
    ['-O1', '-Wl,-z,pack-relative-relocs'],
  ],
];

/** DT_DEBUG is written where PT_DYNAMIC leads: what has the address of the table finds the old one, and a null pointer. */
test('a program that has the address of its dynamic table finds r_debug by it, so the table is not moved', () => {
  const linkers = ['bfd', 'gold', 'lld', 'mold'].flatMap((each) =>
    ['-pie', '-no-pie'].map((kind) => [`-fuse-ld=${each}`, kind]),
  );
  for (const [name, how, flags] of ways)
    for (const linker of linkers) {
      if (flags.some((flag) => flag.includes('relocs')) && linker[0] !== '-fuse-ld=bfd') continue;
      const told = `${name}, ${linker}`;
      const program = compile(path.join(scratch, 'seeker'), seeker(how), [...flags, ...linker, '-s']);
      assert.match(run(program), /^0\n\nseveral\n/, told);
      for (const method of ['auto', 'append'] as const) {
        const found = chooseEdits(bytesInMemory(readFileSync(program)), wanted, method);
        if (found.kind === 'impossible') {
          // It leaves no entry even for the run path.
          assert.deepEqual(linker, ['-fuse-ld=lld', '-no-pie'], told);
          assert.match(found.why, /refers to its dynamic table/, told);
          continue;
        }
        const { file, choice } = edit(program, method);
        assert.equal(run(file), run(program), `${told}, ${method}`);
        assert.deepEqual(choice.lifted, [], told);
        assert.match(choice.notLifted ?? '', /refers to its dynamic table/, told);
      }
    }
});

test('of another machine too, and only what refers to the table is left without the names', () => {
  needTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');
  needTool('musl-gcc', 'musl-tools');
  const lifted = (cc: string, text: string, flags: readonly string[]): number => {
    const program = path.join(scratch, 'other');
    execFileSync(cc, ['-x', 'c', '-w', '-o', program, '-', ...flags], { input: text });
    const choice = chooseEdits(bytesInMemory(readFileSync(program)), wanted, 'auto');
    if (choice.kind === 'chosen') return choice.lifted.length;
    // It leaves no entry even for the run path.
    assert.match(choice.why, /refers to its dynamic table/);
    return 0;
  };
  const seeking = seeker('#define TABLE _DYNAMIC');
  for (const optimisation of ['-O0', '-O2'])
    for (const kind of ['-pie', '-no-pie']) {
      for (const [cc, bits] of [
        ['aarch64-linux-gnu-gcc', '-fPIE'],
        ['gcc', '-m32'],
      ] as const) {
        const flags = [optimisation, kind, bits];
        assert.equal(lifted(cc, seeking, flags), 0, `${cc} ${flags}`);
        assert.equal(lifted(cc, 'int main(void) { return 0; }', flags), 6, `${cc} ${flags}`);
      }
      for (const linker of ['bfd', 'gold', 'lld', 'mold'])
        for (const binding of ['lazy', 'now']) {
          const flags = [optimisation, kind, '-m32', '-fPIE', `-fuse-ld=${linker}`, `-Wl,-z,${binding}`];
          assert.equal(lifted('gcc', seeking, flags), 0, `gcc ${flags}`);
          assert.equal(lifted('gcc', 'int main(void) { return 0; }', flags), 6, `gcc ${flags}`);
        }
      for (const code of ['-fPIE', '-fPIC', '-fpic']) {
        // bfd puts the table's address into a word within `.got`, which nothing reads.
        const flags = [optimisation, kind, code, '-Wl,-z,now'];
        assert.equal(lifted('aarch64-linux-gnu-gcc', seeking, flags), 0, `aarch64 ${flags}`);
        assert.equal(lifted('aarch64-linux-gnu-gcc', 'int main(void) { return 0; }', flags), 6, `${flags}`);
      }
      // Its start code names the table, and looks at it in static programs only.
      assert.equal(lifted('musl-gcc', 'int main(void) { return 0; }', [optimisation, kind]), 6);
    }
});

test('without section headers nothing tells the base of displacements of i386, so its table stays', () => {
  const program = compile(path.join(scratch, 'bare'), seeker('#define TABLE _DYNAMIC'), [
    ...['-m32', '-fPIE', '-pie', '-fuse-ld=mold'],
  ]);
  const bytes = readFileSync(program);
  bytes.fill(0, 32, 36); // e_shoff
  bytes.fill(0, 48, 52); // e_shnum, e_shstrndx
  const choice = chooseEdits(bytesInMemory(bytes), wanted, 'append');
  assert.match(
    (choice.kind === 'chosen' ? choice.notLifted : choice.why) ?? '',
    /refers to its dynamic table/,
  );
});

test('code is looked through once for a file, however often it is opened', () => {
  const bytes = readFileSync(build('looked-through', []));
  const readFor = (identity: string): number => {
    let read = 0;
    const memory = bytesInMemory(bytes);
    const counted = (offset: number, length: number) => {
      read += length;
      return memory.read(offset, length);
    };
    const choice = chooseEdits({ size: memory.size, identity, read: counted }, wanted, 'append');
    assert.equal(choice.kind === 'chosen' && choice.lifted.length, wanted.lifted.length);
    return read;
  };
  const [first, again, another] = ['one', 'one', 'another'].map(readFor);
  assert.ok((again ?? 0) < (first ?? 0), `${again} and ${first}`);
  assert.equal(another, first);
});

test('where the table moves the symbol for it does, and eu-elflint finds nothing new', () => {
  needTool('eu-elflint', 'elfutils');
  const program = build('symbols', []);
  const complaints = (file: string) =>
    spawnSync('eu-elflint', ['--gnu-ld', file], { encoding: 'utf8' }).stdout.split('\n').sort();
  const { file, choice } = edit(program, 'append');
  assert.equal(choice.lifted.length, wanted.lifted.length);
  const place = /DYNAMIC +0x\w+ 0x(\w+)/.exec(
    execFileSync('readelf', ['-lW', file], { encoding: 'utf8' }),
  )?.[1];
  const symbol = /(\w+) +0 OBJECT +LOCAL +DEFAULT +\w+ _DYNAMIC/.exec(
    execFileSync('readelf', ['-sW', file], { encoding: 'utf8' }),
  )?.[1];
  assert.equal(symbol, place);
  assert.deepEqual(
    complaints(file).filter((each) => !complaints(program).includes(each)),
    [],
  );
});
