// Damaged objects: binding's reader gives an answer or Malformed, and ends.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { findLinkTables, relocationsOf } from '../../src/elf/link-tables.ts';
import { bytesInMemory, Malformed } from '../../src/elf/reader.ts';
import { openDefinitions, readStrongReferences } from '../../src/elf/references.ts';
import { compileC } from './compile-c.ts';
import { seededRandom } from './seeded-random.ts';

/** How the reading ended. */
function readAll(bytes: Uint8Array): 'read' | 'nothing' | 'malformed' {
  try {
    const tables = findLinkTables(bytesInMemory(bytes));
    if (tables === undefined) return 'nothing';
    const defines = openDefinitions(tables);
    for (const { name } of readStrongReferences(tables)) defines(name);
    for (const name of ['use', 'pointer', 'absent']) defines(name);
    for (const _ of relocationsOf(tables));
    return 'read';
  } catch (error) {
    assert.ok(error instanceof Malformed, String(error));
    return 'malformed';
  }
}

const source = `extern int called(void); extern int datum; int (*pointer)(void) = called;
  int use(void) { return called() + datum; }`;

for (const style of ['gnu', 'sysv']) {
  for (const width of ['-m64', '-m32']) {
    const flags = [width, '-shared', '-fPIC', '-nostdlib', `-Wl,--hash-style=${style}`];
    const original = readFileSync(compileC(`libhostile-${style}${width}.so`, source, flags));

    test(`changed bytes, ${style} ${width}`, () => {
      const random = seededRandom(7);
      const ends = new Map<string, number>();
      for (let round = 0; round < 4000; round += 1) {
        const bytes = Uint8Array.from(original);
        for (let changes = 1 + (round % 3); changes > 0; changes -= 1) {
          // Where the tables are: the beginning, and the dynamic table behind the code.
          const at = random(4) ? random(0x400) : 0x2e00 + random(0x300);
          bytes[Math.min(at, bytes.length - 1)] = random(256);
        }
        const end = readAll(bytes);
        ends.set(end, (ends.get(end) ?? 0) + 1);
      }
      assert.ok((ends.get('read') ?? 0) > 100 && (ends.get('malformed') ?? 0) > 100, [...ends].join());
    });

    test(`cut off, ${style} ${width}`, () => {
      for (let length = 0; length < original.length; length += 37) readAll(original.subarray(0, length));
      assert.equal(readAll(original), 'read');
    });
  }
}
