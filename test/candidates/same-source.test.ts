// Providers that carry the program's own identifier come first; without one nothing changes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Provider } from '../../src/candidates/problem.ts';
import { identifiersIn, preferSameSource } from '../../src/candidates/same-source.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-source-'));
after(() => rmSync(directory, { recursive: true }));

const identifier = (seed: string) => createHash('sha256').update(seed).digest('hex');

function file(name: string, text: string): string {
  const target = path.join(directory, name);
  writeFileSync(target, `\u007fELF${text}\0`);
  return target;
}

const provider = (name: string, text: string) => ({ path: file(name, text) }) as Provider;

const old = provider('old', `made of ${identifier('old')}alt1`);
const fresh = provider('fresh', `made of ${identifier('fresh')}alt1`);
const plain = provider('plain', 'made of nothing');
const program = file('program', `2024-08-13 09:16:08 ${identifier('old')}alt1`);

test('identifiers are hashes, not tables of digits and not parts of longer words', () => {
  const hash = identifier('x');
  assert.deepEqual(identifiersIn(`- ${hash} x ${hash}`), [hash]);
  assert.deepEqual(identifiersIn(`${'0'.repeat(64)} ${'01'.repeat(20)} ${hash}${hash}`), []);
  assert.deepEqual(identifiersIn(hash.slice(0, 39)), []);
});

test('the provider that shares an identifier with the program is the only one left', () => {
  const prefer = preferSameSource(program, ['lib.so.1']);
  assert.deepEqual(prefer('lib.so.1', [fresh, plain, old]), [old]);
});

test('where none shares one, or the program does not need the name itself, all are left', () => {
  const prefer = preferSameSource(program, ['lib.so.1']);
  assert.deepEqual(prefer('lib.so.1', [fresh, plain]), [fresh, plain]);
  assert.deepEqual(prefer('other.so.1', [fresh, old]), [fresh, old]);
  assert.deepEqual(preferSameSource(plain.path, ['lib.so.1'])('lib.so.1', [fresh, old]), [fresh, old]);
});

test('a file that cannot be read is of no source', () => {
  const gone = { path: path.join(directory, 'gone') } as Provider;
  assert.deepEqual(preferSameSource(program, ['l'])('l', [gone, old]), [old]);
});
