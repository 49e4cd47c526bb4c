// A program → whether a copy of it could be made, asked without making one.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import type { VerifiedSet } from '../../../src/farm/verify-set.ts';
import type { Directories } from '../../../src/host/directories.ts';
import { sha256OfFile } from '../../../src/host/file-identity.ts';
import { type CopyTarget, copyForPlan, whyNoCopy } from '../../../src/integrations/patch/patched-copy.ts';
import type { ProgramFile } from '../../../src/program/inspect-program.ts';
import { libcOf } from '../../../src/program/libc.ts';
import { builtLauncher } from '../../built-launcher.ts';
import { compile } from '../../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'why-no-copy-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const file = compile(path.join(scratch, 'own/program'), 'int main(void) { return 0; }');
const elf = elfFileAt(file) ?? assert.fail();
// A name that is longer than that of the usual loader would need room that the file may not have.
const launcher = path.join(scratch, 'l');
await builtLauncher({ output: launcher, node: '/n', script: '/s' });
const cache = mkdtempSync(path.join(scratch, 'cache-'));

function target(rest: Partial<CopyTarget> = {}): CopyTarget {
  const program = { typedName: file, path: file, size: statSync(file).size, elf } as unknown as ProgramFile;
  const set = {
    loader: elf.interpreter,
    askedPath: '',
    objects: [],
    verdict: 'loader',
  } as unknown as VerifiedSet;
  const dirs = { cache } as unknown as Directories;
  const known = { program, sha256: sha256OfFile(file), set, libc: libcOf(elf, 'glibc'), dirs };
  return { ...known, launcher, ...rest };
}

const rows: Record<string, [Partial<CopyTarget>, RegExp]> = {
  'no launcher': [{ launcher: undefined }, /^there is no launcher/],
  'another program in its place': [{ launcher: '/bin/sh' }, /^there is no launcher/],
  'a program that others may not read, for everybody': [
    { dirs: { cache, shared: true } as unknown as Directories },
    /^others may not read the program/,
  ],
};

for (const [what, [rest, why]] of Object.entries(rows))
  test(`${what}: why not is said, and nothing is written`, async () => {
    chmodSync(file, 0o700);
    assert.match(whyNoCopy(target(rest)) ?? '', why);
    const outcome = await copyForPlan(target(rest));
    assert.match(outcome.kind === 'impossible' ? outcome.why : '', why);
    assert.deepEqual(readdirSync(cache), []);
  });

test('where a copy can be made, asking writes nothing, and making it does', async () => {
  assert.equal(whyNoCopy(target()), undefined);
  assert.deepEqual(readdirSync(cache), []);
  await copyForPlan(target());
  assert.deepEqual(readdirSync(cache), ['copies']);
});
