// Damaged libraries beside a program, against the machine's own ld.so: where it ends the start, and where it goes on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { type DamagedLibrary, damagedLibraryError, findBundled } from '../../src/program/bundled.ts';
import { compileLibrary, compileProgram, scratchDirectory } from '../store/compiled-library.ts';

const LOADER = '/lib64/ld-linux-x86-64.so.2';
const scratch = scratchDirectory();
const good = compileLibrary(path.join(scratch, 'good/libours.so.1'), { soname: 'libours.so.1' });
const program = compileProgram(path.join(scratch, 'program'), {
  needs: [good],
  runpath: '$ORIGIN/first:$ORIGIN/good',
});
const first = path.join(scratch, 'first/libours.so.1');

type Make = () => void;

const kinds: Record<string, { readonly make: Make; readonly why: RegExp | undefined }> = {
  empty: { make: () => writeFileSync(first, ''), why: /^it is empty$/ },
  'a linker script': {
    make: () => writeFileSync(first, 'INPUT(libz.so)\n'.repeat(9)),
    why: /not an ELF file/,
  },
  'cut in its header': { make: () => writeFileSync(first, readFileSync(good).subarray(0, 40)), why: /./ },
  'cut in its program headers': {
    make: () => writeFileSync(first, readFileSync(good).subarray(0, 100)),
    why: /./,
  },
  'a device': { make: () => symlinkSync('/dev/null', first), why: /^it is not a regular file$/ },
  'a directory': { make: () => mkdirSync(first), why: /^it is a directory$/ },
  'a link that leads nowhere': { make: () => symlinkSync('/nowhere', first), why: undefined },
  'of another machine': {
    make: () => {
      const bytes = Buffer.from(readFileSync(good));
      bytes.writeUInt16LE(183, 18);
      writeFileSync(first, bytes);
    },
    why: undefined,
  },
};

for (const [kind, { make, why }] of Object.entries(kinds))
  test(kind, (context) => {
    mkdirSync(path.dirname(first));
    context.after(() => spawnSync('rm', ['-r', path.dirname(first)]));
    make();
    const { status, stdout } = spawnSync(LOADER, ['--inhibit-cache', '--list', program], {
      env: {},
      encoding: 'utf8',
    });
    const elf = elfFileAt(program);
    assert.ok(elf);
    const told: DamagedLibrary[] = [];
    const found = findBundled({ path: program, elf }, 'glibc', (damaged) => told.push(damaged));
    if (why === undefined) {
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`=> ${good}`));
      assert.deepEqual(told, []);
      assert.deepEqual(
        found.map((each) => each.path),
        [good],
      );
    } else {
      assert.equal(status, 127);
      assert.deepEqual(
        told.map(({ name, path: file }) => [name, file]),
        [['libours.so.1', first]],
      );
      assert.match(told[0]?.why ?? '', why);
    }
  });

const hintOf = (name: string, file: string) =>
  damagedLibraryError('/opt/tool', { name, path: file, why: 'it is empty' }).hint;

test('the failure names the file and why, and what to do', () => {
  const damaged = { name: 'liba.so', path: '/opt/liba.so', why: 'it is empty' };
  const error = damagedLibraryError('/opt/tool', damaged);
  assert.equal(error.message, '/opt/tool: its library /opt/liba.so cannot be loaded: it is empty');
  assert.equal(error.exitCode, 126);
  assert.match(hintOf('liba.so', '/opt/liba.so'), /install the program again; or remove that file/);
});

test('nobody is told to remove what does not lie beside the program', () => {
  assert.match(hintOf('/etc/passwd', '/etc/passwd'), /names that very file/);
  assert.match(hintOf('passwd', '/etc/passwd'), /run path/);
  for (const file of ['/', '/nix/store', '/etc/passwd', '/opt/lib/x'])
    assert.doesNotMatch(hintOf(file, file), /remove/);
});
