// Separate debug files, headers followed by code, 32-bit, big-endian, and files that another tool rewrote: faults of
// patchelf and LIEF → ours keeps the structure, runs, and goes back.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
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
import { bytesInMemory } from '../../../src/elf/reader.ts';
import { SEGMENT_TYPE } from '../../../src/elf/segments.ts';
import { structureComplaints } from '../../../src/integrations/patch/check-structure.ts';
import { chooseEdits, type Method } from '../../../src/integrations/patch/choose-edits.ts';
import { readImage } from '../../../src/integrations/patch/elf-image.ts';
import { changedSource, undoneSource, undoOf } from '../../../src/integrations/patch/file-changes.ts';
import type { WantedNames } from '../../../src/integrations/patch/wanted-names.ts';
import { needTool, on32Bit } from '../../launcher/tool-fixture.ts';
import { compile } from '../../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'faults-of-structure-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => path.join(scratch, name);
const SAY =
  '#include <stdio.h>\nint bss[99]; int main(int n, char **v) { return printf("%d said\\n", n + bss[3]) < 0; }';

/** Names as long as those that break patchelf: an interpreter of 82 characters, a run path of 108. */
function wantedWith(loader: string, interpreter: 'too' | 'not' = 'too'): WantedNames {
  const farm = at('f'.repeat(79 - scratch.length - 1));
  mkdirSync(farm, { recursive: true });
  rmSync(path.join(farm, 'ld'), { force: true });
  symlinkSync(loader, path.join(farm, 'ld'));
  return {
    interpreter: interpreter === 'too' ? path.join(farm, 'ld') : undefined,
    runPath: { tag: 'rpath', text: `${farm}:/nix/store/${'0'.repeat(18)}` },
    renamed: new Map(),
    lifted: [],
  };
}

function edit(file: string, wanted: WantedNames, method: Method | 'auto'): string {
  const before = readFileSync(file);
  const choice = chooseEdits(bytesInMemory(before), wanted, method);
  assert.ok(choice.kind === 'chosen', choice.kind === 'impossible' ? choice.why : '');
  const changed = changedSource(bytesInMemory(before), choice.changes);
  const bytes = Buffer.from(changed.read(0, changed.size));
  assert.deepEqual(structureComplaints(bytesInMemory(before), bytesInMemory(bytes), wanted), []);
  const back = undoneSource(bytesInMemory(bytes), undoOf(bytesInMemory(before), choice.changes));
  assert.ok(back !== undefined && before.equals(back.read(0, back.size)), 'undo gives other bytes');
  const output = `${file}.${method}`;
  writeFileSync(output, bytes, { mode: 0o755 });
  return output;
}

function run(command: string, args: readonly string[] = []): string {
  const { status, signal, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env: {} });
  return [status, signal, stdout, stderr].join('\n');
}

test('a separate debug file serves gdb as before; eu-unstrip takes it again once the file is undone', () => {
  needTool('eu-unstrip', 'elfutils');
  needTool('gdb', 'gdb');
  const whole = compile(at('debugged'), SAY, ['-g']);
  const stripped = at('stripped');
  execFileSync('objcopy', ['--only-keep-debug', whole, at('stripped.debug')]);
  execFileSync('strip', ['-o', stripped, whole]);
  execFileSync('objcopy', [`--add-gnu-debuglink=${at('stripped.debug')}`, stripped]);
  const merge = (file: string) =>
    spawnSync('eu-unstrip', [file, at('stripped.debug'), '-o', at('merged')]).status;
  assert.equal(merge(stripped), 0);
  for (const method of ['auto', 'append'] as const) {
    const file = edit(stripped, wantedWith('/lib64/ld-linux-x86-64.so.2'), method);
    const args = ['-nx', '-batch', '-ex', 'break main', '-ex', 'run', '-ex', 'info source', file];
    const said = execFileSync('gdb', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    assert.match(said, /Breakpoint 1, main \(n=1/, method);
  }
  // patchelf's files are not taken either: what is moved has another place than in the debug file.
  assert.equal(merge(stripped), 0);
});

/** lld has put .init there (patchelf 639); a linker script does the same with any linker. */
const CODE_FIRST = `SECTIONS {
  . = SIZEOF_HEADERS;
  .init : { *(.init) } .plt : { *(.plt .plt.*) } .text : { *(.text .text.*) } .fini : { *(.fini) }
  . = ALIGN(0x1000);
  .hash : { *(.hash) } .gnu.hash : { *(.gnu.hash) } .dynsym : { *(.dynsym) } .dynstr : { *(.dynstr) }
  .gnu.version : { *(.gnu.version) } .gnu.version_r : { *(.gnu.version_r) }
  .rela.dyn : { *(.rela.dyn .rela.*) } .rodata : { *(.rodata .rodata.*) } .eh_frame : { *(.eh_frame) }
  . = ALIGN(0x1000);
  .init_array : { *(.init_array*) } .fini_array : { *(.fini_array*) } .dynamic : { *(.dynamic) }
  .got : { *(.got .got.*) } .data : { *(.data .data.*) } .bss : { *(.bss .bss.*) }
  /DISCARD/ : { *(.note*) *(.comment) }
}`;

test('code that follows the headers at once is not written over', () => {
  writeFileSync(at('code-first.ld'), CODE_FIRST);
  const library = compile(
    at('libfirst.so'),
    '__attribute__((section(".init"))) int seven(void) { return 7; }',
    [
      '-shared',
      '-fPIC',
      '-nostdlib',
      '-fno-asynchronous-unwind-tables',
      '-Wl,-z,norelro',
      `-Wl,-T,${at('code-first.ld')}`,
    ],
  );
  const host = compile(
    at('host'),
    `#include <dlfcn.h>
    #include <stdio.h>
    int main(int n, char **v) {
      void *l = dlopen(v[1], RTLD_NOW);
      return l ? printf("%d\\n", ((int (*)(void)) dlsym(l, "seven"))()) < 0 : (puts(dlerror()), 3);
    }`,
  );
  const { header, sections } = readImage(bytesInMemory(readFileSync(library)));
  const end = header.programHeaders.offset + header.programHeaders.entrySize * header.programHeaders.count;
  const init = sections.find(({ label }) => label === '.init');
  assert.ok(init !== undefined && init.offset - end < 56, 'the table has room to grow');
  assert.equal(run(host, [library]), '0\n\n7\n\n');
  const wanted = wantedWith('/lib64/ld-linux-x86-64.so.2', 'not');
  let edited = 0;
  for (const method of ['auto', 'in-place', 'append'] as const) {
    const choice = chooseEdits(bytesInMemory(readFileSync(library)), wanted, method);
    if (choice.kind === 'impossible') continue;
    edited += 1;
    const file = edit(library, wanted, method);
    const [before, now] = [readFileSync(library), readFileSync(file)];
    const code = (bytes: Buffer) => bytes.subarray(init.offset, init.offset + init.size);
    assert.ok(code(before).equals(code(now)), method);
    assert.equal(run(host, [file]), '0\n\n7\n\n', method);
  }
  assert.ok(edited > 0, 'no method was possible');
});

test('a 32-bit program at a fixed place, with long names, runs as before', on32Bit, () => {
  const long = 's'.repeat(900);
  const source = `#include <stdio.h>
    int ${long} = 5; int main(void) { return printf("%d\\n", ${long}) < 0; }`;
  const file = compile(at('i686'), source, ['-m32', '-no-pie', '-rdynamic']);
  const before = run(file);
  assert.match(before, /^0\n\n5\n/);
  for (const method of ['auto', 'append'] as const)
    assert.equal(run(edit(file, wantedWith('/lib/ld-linux.so.2'), method)), before, method);
});

test('in a 32-bit file with long names the structure is sound, whether this kernel starts it or not', () => {
  const file = compile(at('i686-only'), `int ${'t'.repeat(900)} = 5; int main(void) { return 0; }`, [
    '-m32',
    '-no-pie',
    '-rdynamic',
  ]);
  for (const method of ['auto', 'append'] as const) edit(file, wantedWith('/lib/ld-linux.so.2'), method);
});

test('big-endian: the program headers stay in a loaded segment, and it runs', () => {
  needTool('powerpc64-linux-gnu-gcc', 'gcc-powerpc64-linux-gnu');
  needTool('/usr/powerpc64-linux-gnu/include/stdio.h', 'libc6-dev-ppc64-cross');
  needTool('qemu-ppc64', 'qemu-user');
  // qemu looks for the interpreter below its -L first.
  const root = at('ppc64');
  const farm = path.dirname(wantedWith('/lib64/ld64.so.1').interpreter ?? '');
  mkdirSync(path.join(root, farm), { recursive: true });
  cpSync('/usr/powerpc64-linux-gnu/lib', path.join(root, 'lib'), { recursive: true, verbatimSymlinks: true });
  symlinkSync('lib', path.join(root, 'lib64'));
  symlinkSync(path.join(root, 'lib/ld64.so.1'), path.join(root, farm, 'ld'));
  for (const [kind, flags] of [
    ['pie', []],
    ['fixed', ['-no-pie']],
  ] as const) {
    const file = at(`ppc64-${kind}`);
    execFileSync('powerpc64-linux-gnu-gcc', ['-x', 'c', '-o', file, '-', ...flags], { input: SAY });
    const emulated = (program: string) => run('qemu-ppc64', ['-L', '/usr/powerpc64-linux-gnu', program]);
    const before = emulated(file);
    assert.match(before, /^0\n\n1 said\n/);
    for (const method of ['auto', 'append'] as const) {
      const edited = edit(file, wantedWith('/lib64/ld64.so.1'), method);
      const { header, segments } = readImage(bytesInMemory(readFileSync(edited)));
      const { offset, entrySize, count } = header.programHeaders;
      const holds = ({ type, offset: from, fileSize }: (typeof segments)[number]) =>
        type === SEGMENT_TYPE.load && from <= offset && offset + entrySize * count <= from + fileSize;
      assert.ok(segments.some(holds), `${kind}, ${method}`);
      assert.equal(
        run('qemu-ppc64', ['-L', root, edited]).replaceAll(edited, file),
        before,
        `${kind}, ${method}`,
      );
    }
  }
});

test('what another tool rewrote, with headers in the padding of its code, is edited like any other', () => {
  const file = compile(at('rewritten'), SAY);
  const grown = at('rewritten.moved');
  cpSync(file, grown);
  // As LIEF does it: program headers in a place of their own behind everything, PT_PHDR with a size that is nonsense.
  const bytes = readFileSync(grown);
  const { header, segments } = readImage(bytesInMemory(bytes));
  // PT_PHDR (elf.h)
  const index = segments.findIndex(({ type }) => type === 6);
  const entry = header.programHeaders.offset + index * header.programHeaders.entrySize;
  bytes.writeBigUInt64LE(1n << 20n, entry + 32);
  bytes.writeBigUInt64LE(1n << 20n, entry + 40);
  writeFileSync(grown, bytes);
  chmodSync(grown, 0o755);
  const before = run(grown);
  assert.match(before, /^0\n\n1 said/);
  for (const method of ['auto', 'append'] as const) {
    const edited = edit(grown, wantedWith('/lib64/ld-linux-x86-64.so.2'), method);
    assert.equal(run(edited), before, method);
  }
});
