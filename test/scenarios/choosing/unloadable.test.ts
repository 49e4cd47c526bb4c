// Libraries that no such program could load here → they cannot be pinned, and lying beside the program they are told of.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openShop } from '../diamonds/shop.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shop = openShop(root);

const MARK = '-Wl,-z,x86-64-v4';
const value = (number: number) => `int value(void) { return ${number}; }`;
const main = `#include <stdio.h>
  int value(void); int main(void) { printf("%d\\n", value()); return 0; }`;

/** What an x86 object marked by MARK demands, made more than any processor has (GNU_PROPERTY_X86_ISA_1_NEEDED). */
function beyondAll(file: string): void {
  const bytes = readFileSync(file);
  const at = bytes.indexOf(Buffer.from([0x02, 0x80, 0x00, 0xc0, 4, 0, 0, 0]));
  assert.ok(at > 0, `${file} has no mark`);
  bytes.writeUInt32LE(0x4000_0001, at + 8);
  writeFileSync(file, bytes);
}

const plain = await shop.library('value-1.0', { soname: 'libvalue.so.1', source: value(1) });
const marked = await shop.library('value-0.9', {
  soname: 'libvalue.so.1',
  source: value(9),
  flags: [MARK],
});
beyondAll(marked.host);
const muslLibc = shop.existing(/^musl-/, 'libc.so');
// By `-l`, so that its needed name is no path: musl's libc has no soname.
const musl = await shop.library('value-0.8', {
  soname: 'libvalue.so.1',
  source: value(8),
  flags: [`-L${path.dirname(muslLibc.host)}`, '-l:libc.so'],
});

for (const [what, library, cause] of [
  ['for a better processor', marked, /cannot be pinned: .*value-0\.9.*CPU ISA level is lower than required/],
  ['built with musl', musl, /cannot be pinned: .*value-0\.8.*built with musl, and the program with glibc/],
] as const) {
  test(`a library ${what} cannot be pinned, and the program starts as before`, async () => {
    const program = shop.program(`pin-${library.directory.slice(44, 53)}`, main, [plain]);
    assert.equal((await root.start([program])).stdout, '1\n');
    const outcome = await root.manage(['choose', program, '--pin', `libvalue.so.1=${library.directory}`]);
    assert.notEqual(outcome.status, 0);
    assert.match(outcome.stderr, cause);
    assert.equal((await root.startHit([program])).stdout, '1\n');
  });
}

test('one beside the program: the first start says what every start of the loader would', async () => {
  const program = shop.program('beside', main, [plain], ['-Wl,-rpath,$ORIGIN']);
  shop.bundle(program, marked, 'libvalue.so.1');
  for (const _ of ['first', 'second']) {
    const outcome = await root.start([program]);
    assertRefused(outcome, {
      status: 126,
      cause: /beside\/libvalue\.so\.1: CPU ISA level is lower than required/,
    });
    assert.match(outcome.stderr, /a build of the program for this processor/);
  }
});

test('the program itself', async () => {
  const program = shop.program('itself', main, [plain], [MARK]);
  beyondAll(onHost(root, program));
  assertRefused(await root.start([program]), {
    status: 126,
    cause: /itself\/program: CPU ISA level is lower than required/,
  });
});
