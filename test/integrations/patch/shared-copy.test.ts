// A program that others may not read: no copy of it in a place for everybody, and one in the user's own.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { sha256OfFile } from '../../../src/host/file-identity.ts';
import { makeCopy } from '../../../src/integrations/patch/patched-copy.ts';
import type { ProgramFile } from '../../../src/program/inspect-program.ts';
import { compile } from '../../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'shared-copy-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const file = compile(path.join(scratch, 'own/program'), 'int main(void) { return 0; }');
const copies = path.join(scratch, 'copies');

function copyInto(shared: boolean) {
  const program = { typedName: file, path: file, size: statSync(file).size } as unknown as ProgramFile;
  return makeCopy({
    program,
    sha256: sha256OfFile(file),
    interpreter: '/x',
    copies,
    shared,
  }).kind;
}

/** Modes of what lies above the program, of its directory, and of itself. */
const rows = [
  [0o755, 0o755, 0o700, 'impossible'],
  [0o755, 0o755, 0o754, 'impossible'],
  [0o755, 0o755, 0o751, 'impossible'],
  [0o755, 0o700, 0o755, 'impossible'],
  [0o700, 0o755, 0o755, 'impossible'],
  [0o711, 0o755, 0o755, 'copied'],
] as const;

for (const [above, directory, own, kind] of rows)
  test(`${above.toString(8)}, ${directory.toString(8)}, ${own.toString(8)}: ${kind}`, () => {
    chmodSync(scratch, above);
    chmodSync(path.dirname(file), directory);
    chmodSync(file, own);
    assert.equal(copyInto(true), kind);
    assert.equal(existsSync(copies), kind === 'copied', 'nothing is left');
    assert.equal(copyInto(false), 'copied');
    rmSync(copies, { recursive: true });
  });

test('a damaged copy is replaced, a sound one stays, and another content under the hash is refused', () => {
  const program = { typedName: file, path: file, size: statSync(file).size } as unknown as ProgramFile;
  const request = { program, interpreter: '/x', copies };
  const copy = () => makeCopy({ ...request, sha256: sha256OfFile(file) });
  const first = copy();
  assert.ok(first.kind === 'copied');
  const sound = readFileSync(first.file);
  const { ino } = statSync(first.file);
  copy();
  assert.equal(statSync(first.file).ino, ino);
  const damaged = Buffer.from(sound);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  chmodSync(first.file, 0o700);
  writeFileSync(first.file, damaged);
  chmodSync(first.file, 0o555);
  copy();
  assert.deepEqual(readFileSync(first.file), sound);
  assert.equal(makeCopy({ ...request, sha256: 'another' }).kind, 'impossible');
});
