// Sets in which a library is of another version → what the machine's own loader finds undefined because of it.
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { askLoader, closestComplaints, parseUndefinedSymbols } from '../../src/ldso/ask-loader.ts';
import { compileLibrary, compileProgram, scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);

const exact = compileLibrary(at('exact', 'liba.so.1'), {
  soname: 'liba.so.1',
  source: 'int one(void) { return 1; } int two(void) { return 2; }',
});
// Beside the matter: it leaves to others what nobody has.
const careless = compileLibrary(at('lib', 'libcareless.so.1'), {
  soname: 'libcareless.so.1',
  source: 'int nobody(void); int careless(void) { return nobody(); }',
});
const program = compileProgram(at('program'), {
  source:
    'int one(void); int two(void); int careless(void); int main(void) { return one() + two() + careless(); }',
  needs: [exact, careless],
  flags: ['-Wl,--unresolved-symbols=ignore-all'],
});
const names = new Set(['liba.so.1']);

function complaintsWith(source: string): string[] {
  const file = compileLibrary(at(`near-${source.length}`, 'liba.so.2'), { soname: 'liba.so.2', source });
  symlinkSync(file, at(`near-${source.length}`, 'liba.so.1'));
  const libraryPath = `${path.dirname(file)}:${at('lib')}`;
  const request = { loader: '/lib64/ld-linux-x86-64.so.2', libc: 'glibc', libraryPath, program } as const;
  const { objects, complaints } = askLoader(request);
  assert.deepEqual(complaints, []);
  assert.deepEqual(closestComplaints(request, objects, new Set()), []);
  return closestComplaints(request, objects, names);
}

test('all symbols are there; what others leave undefined does not count', () => {
  assert.deepEqual(complaintsWith('int one(void) { return 1; } int two(void) { return 0; }'), []);
});

test('a symbol that is not there', () => {
  assert.deepEqual(complaintsWith('int one(void) { return 1; }'), [
    'program needs the symbol two, which nobody defines',
  ]);
});

test('a symbol that the library itself would need', () => {
  const source = 'int more(void); int one(void) { return more(); } int two(void) { return 2; }';
  assert.deepEqual(complaintsWith(source), ['liba.so.1 needs the symbol more, which nobody defines']);
});

test('lines of other matters are passed over', () => {
  const printed = [
    'undefined symbol: a, version V_1\t(/lib/x.so)',
    'undefined symbol: b\t(./program)',
    './program: /lib/x.so: no version information available (required by ./program)',
  ].join('\n');
  assert.deepEqual(parseUndefinedSymbols(`${printed}\n`), [
    { symbol: 'a, version V_1', file: '/lib/x.so' },
    { symbol: 'b', file: './program' },
  ]);
});
