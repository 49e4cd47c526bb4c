// findLoadError against the real ld.so: the same words for the same damage, and silence where it loads.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { compileC, scratchPath } from './compile-c.ts';
import { expectElf } from './expect-elf.ts';

const soname = 'libwanted.so.1';
const library = readFileSync(
  compileC(soname, 'int wanted = 0; int text(void){return 1;}', [
    '-shared',
    '-fPIC',
    '-nostdlib',
    `-Wl,-soname,${soname}`,
  ]),
);
const program = compileC('wants', 'extern int wanted; int main(void){return wanted;}', [scratchPath(soname)]);
const directory = join(dirname(program), 'search');
mkdirSync(directory);

/** What ld.so says of these bytes under the wanted name; `undefined` when it loads them. */
function saidByLoader(bytes: Uint8Array): string | undefined {
  writeFileSync(join(directory, soname), bytes);
  const { status, stderr } = spawnSync(program, [], {
    env: { LD_LIBRARY_PATH: directory },
    encoding: 'utf8',
  });
  return status === 0 ? undefined : stderr.trim().split(': ').at(-1);
}

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(library);
  change(bytes);
  return bytes;
}

test('ld.so loads what has no load error', () => {
  for (const bytes of [library, changed((b) => b.writeUInt8(3, 7))]) {
    assert.equal(expectElf(bytes).loadError, undefined);
    assert.equal(saidByLoader(bytes), undefined);
  }
});

test('ld.so says what the load error says', () => {
  const header = library.readUInt16LE(54) + 64;
  const cases = [
    changed((b) => b.writeUInt8(2, 6)),
    changed((b) => b.writeUInt8(9, 7)),
    changed((b) => b.writeUInt8(1, 8)),
    changed((b) => b.write('AI\x02', 8, 'latin1')),
    changed((b) => b.writeUInt8(1, 9)),
    changed((b) => b.writeUInt8(1, 15)),
    changed((b) => b.writeUInt32LE(2, 20)),
    // p_vaddr of the second segment, moved off its page.
    changed((b) => b.writeBigUInt64LE(b.readBigUInt64LE(header + 16) + 8n, header + 16)),
    readFileSync(compileC('as-program', 'int main(void){return 0;}', ['-no-pie'])),
    readFileSync(compileC('as-pie', 'int main(void){return 0;}', ['-pie'])),
  ];
  const said = cases.map((bytes) => saidByLoader(bytes));
  assert.ok(said.every((message) => message !== undefined));
  assert.deepEqual(
    cases.map((bytes) => expectElf(bytes).loadError),
    said,
  );
});
