// Inputs that the torture found → an answer of each, within its time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stemOf } from '../../src/candidates/soname.ts';
import { openImage } from '../../src/elf/image.ts';
import { bytesInMemory, Malformed, readFields } from '../../src/elf/reader.ts';
import { rewriteEntry } from '../../src/integrations/shims/desktop-entry.ts';
import { parseListOutput, parseUndefinedSymbols } from '../../src/ldso/ask-loader.ts';
import { readSearchPaths } from '../../src/ldso/search-paths.ts';

/** Milliseconds of processor time; each took seconds, or minutes. */
const MOST = 500;

function withinTime<T>(work: () => T): T {
  const begin = process.cpuUsage();
  const answer = work();
  const { user, system } = process.cpuUsage(begin);
  assert.ok((user + system) / 1000 < MOST, `${(user + system) / 1000} ms`);
  return answer;
}

const blanks = ' '.repeat(100_000);

test('a value of a desktop entry with many blanks in it', () => {
  const same = (named: string) => named;
  const edits = { shim: '/s', name: 'p', isProgram: () => true, icon: same, directory: same };
  const text = `[Desktop Entry]\nName=a${blanks}b\nExec = a \nIcon=x${blanks}\n`;
  const { text: written } = withinTime(() => rewriteEntry(text, edits));
  assert.equal(written, `[Desktop Entry]\nX-Nix-Run-Foreign-Shim=p\nName=a${blanks}b\nExec=/s\nIcon=x\n`);
});

test('a symbol with many blanks in its name, which ld.so does not find', () => {
  const said = `undefined symbol: a${blanks}b, version V\t(/p)\nundefined symbol: c${blanks}\n`;
  assert.deepEqual(
    withinTime(() => parseUndefinedSymbols(said)),
    [{ symbol: `a${blanks}b, version V`, file: '/p' }],
  );
});

test('a needed name with a line separator of Unicode is in the list of the loader', () => {
  const name = 'lib\u2028x.so';
  const { complaints } = withinTime(() => parseListOutput(`\t${name} => not found\n`, '', '/p'));
  assert.deepEqual(complaints, [`${name} not found`]);
  withinTime(() => parseListOutput(`\t${' => '.repeat(20_000)}\u2028\n`, '', '/p'));
});

test('many empty lines in what ld.so says of its directories', () => {
  assert.equal(
    withinTime(() => readSearchPaths('\n'.repeat(100_000), [2, 40])),
    undefined,
  );
});

test('a name that only looks like one with versions, as long as an ELF string may be', () => {
  assert.equal(
    withinTime(() => stemOf('1.'.repeat(2000))),
    undefined,
  );
  assert.equal(stemOf(`lib${'x'.repeat(200)}-5.3.so`), `lib${'x'.repeat(200)}`);
});

test('a table in memory that no byte of the file fills ends, and makes no bytes for each number', () => {
  const fields = readFields(bytesInMemory(Buffer.alloc(4096)), { wide: true, little: true, cachedBlocks: 4 });
  const image = openImage(fields, [{ type: 1, address: 0, offset: 0, fileSize: 1, memorySize: 2 ** 40 }]);
  const readOn = () => {
    for (let at = 8192; ; at += 4) assert.equal(image.u32(at, 'it'), 0);
  };
  const begin = process.cpuUsage();
  assert.throws(readOn, Malformed);
  assert.ok(process.cpuUsage(begin).user / 1000 < MOST);
});
