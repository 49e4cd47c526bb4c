// Inputs that patchelf breaks, grows or refuses → ours runs, also after strip, is as small as it can be, and goes back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { elfFileAt, openFileSource } from '../../../src/elf/open-elf.ts';
import { bytesInMemory } from '../../../src/elf/reader.ts';
import { structureComplaints } from '../../../src/integrations/patch/check-structure.ts';
import { chooseEdits } from '../../../src/integrations/patch/choose-edits.ts';
import {
  copyWithChanges,
  copyWithUndo,
  sha256OfSource,
} from '../../../src/integrations/patch/copy-with-changes.ts';
import { changedSource, undoneSource, undoOf } from '../../../src/integrations/patch/file-changes.ts';
import type { WantedNames } from '../../../src/integrations/patch/wanted-names.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'faults-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** As long as patchelf's: an interpreter of 82 characters, two directories of 54. */
const farm = path.join(scratch, 'f'.repeat(79 - scratch.length));
mkdirSync(farm);
symlinkSync('/lib64/ld-linux-x86-64.so.2', path.join(farm, 'ld'));
const wanted: WantedNames = {
  interpreter: path.join(farm, 'ld'),
  runPath: { tag: 'rpath', text: `${farm}:/nix/store/${'0'.repeat(32)}-zlib` },
  renamed: new Map(),
  lifted: ['libdl.so.2', 'libm.so.6', 'libpthread.so.0', 'librt.so.1', 'libutil.so.1', 'libresolv.so.2'],
};

function seen(file: string, args: readonly string[]): string {
  const { status, signal, stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    env: { HOME: scratch },
  });
  return [status, signal, stdout, stderr].join('\n').replaceAll(file, 'PROGRAM');
}

interface Fault {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Whether its content lies in sections that strip takes away or breaks. */
  readonly strip: 'bears' | 'not';
}

const modules = path.resolve(import.meta.dirname, '../../node_modules');
const faults: readonly Fault[] = [
  // Their .dynamic ends up where a later read-only segment is mapped: SIGSEGV (patchelf 446, 482, 568).
  { name: 'python3.11, non-PIE', file: '/usr/bin/python3.11', args: ['-c', 'print(6*7)'], strip: 'bears' },
  { name: 'lto-dump, non-PIE', file: '/usr/bin/lto-dump-12', args: ['--version'], strip: 'bears' },
  {
    name: 'gcov, non-PIE, stripped afterwards',
    file: '/usr/bin/gcov-12',
    args: ['--version'],
    strip: 'bears',
  },
  {
    name: 'node of npm, non-PIE',
    file: path.join(modules, 'node/bin/node'),
    args: ['-p', '6*7'],
    strip: 'bears',
  },
  {
    name: 'biome, by lld',
    file: path.join(modules, '@biomejs/cli-linux-x64/biome'),
    args: ['--version'],
    strip: 'bears',
  },
];

for (const { name, file, args, strip } of faults) {
  if (!existsSync(file)) continue;
  test(`${name}: it runs as before, after strip too, and goes back`, () => {
    const source = openFileSource(file);
    for (const method of ['auto', 'append'] as const) {
      const choice = chooseEdits(source, wanted, method);
      assert.ok(choice.kind === 'chosen', JSON.stringify(choice.kind));
      const copy = path.join(scratch, 'copy');
      copyWithChanges(file, copy, choice.changes, source.size);
      chmodSync(copy, 0o755);
      const now = openFileSource(copy);
      assert.deepEqual(structureComplaints(source, now, { ...wanted, lifted: choice.lifted }), []);
      now.close();
      const before = seen(file, args);
      assert.equal(seen(copy, args), before, method);
      if (strip === 'bears' && choice.method === 'append') {
        assert.equal(spawnSync('strip', ['-o', `${copy}.stripped`, copy]).status, 0);
        assert.equal(seen(`${copy}.stripped`, args), before, `${method}, stripped`);
        assert.equal(elfFileAt(`${copy}.stripped`)?.rpath, wanted.runPath?.text);
      }
      copyWithUndo(copy, `${copy}.back`, undoOf(source, choice.changes));
      const back = openFileSource(`${copy}.back`);
      assert.equal(sha256OfSource(back), sha256OfSource(source));
      back.close();
      for (const each of [copy, `${copy}.back`, `${copy}.stripped`]) rmSync(each, { force: true });
    }
    source.close();
  });
}

test('fifty times with other names each time: as large after the last as after the first, with as many headers', () => {
  const original = readFileSync('/usr/bin/curl');
  let bytes: Buffer = original;
  const sizes = new Set<number>();
  const headers = new Set<number>();
  let undo: ReturnType<typeof undoOf> | undefined;
  for (let round = 0; round < 50; round += 1) {
    const before = undo === undefined ? bytesInMemory(bytes) : undoneSource(bytesInMemory(bytes), undo);
    assert.ok(before !== undefined);
    const names = { ...wanted, runPath: { tag: 'rpath', text: `${farm}${round % 2}` } } as const;
    const choice = chooseEdits(before, names, 'append');
    assert.ok(choice.kind === 'chosen');
    undo = undoOf(before, choice.changes);
    const changed = changedSource(before, choice.changes);
    bytes = Buffer.from(changed.read(0, changed.size));
    sizes.add(bytes.length);
    headers.add(bytes.readUInt16LE(56));
  }
  assert.equal(sizes.size, 1);
  assert.equal(headers.size, 1);
  const back = undoneSource(bytesInMemory(bytes), undo as NonNullable<typeof undo>);
  assert.ok(back !== undefined && original.equals(back.read(0, back.size)));
});
