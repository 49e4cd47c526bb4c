// Where a program is that the manager was told of.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { namedProgram, programToChange } from '../../src/cli/program-argument.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const env = { PATH: '/nowhere:/usr/bin:/bin' };
const host = { storeDir: '/nix/store', hostMachines: [], uid: 0, gid: 0 };

test('a bare name in PATH, everything else as it is', () => {
  assert.equal(namedProgram('env', { env }), '/usr/bin/env');
  for (const name of ['./env', '', 'no-such-program-anywhere'])
    assert.equal(namedProgram(name, { env }), name);
});

test('without PATH, where execvp looks', () => {
  assert.match(namedProgram('env', { env: {} }), /^(\/usr)?\/bin\/env$/);
});

test('of a file here its path, which the launcher and every printed line take for the same program', (t) => {
  const [before, scratch] = [process.cwd(), scratchDirectory()];
  process.chdir(scratch);
  t.after(() => process.chdir(before));
  for (const name of ['env', '-tool']) {
    writeFileSync(path.join(scratch, name), '');
    assert.equal(namedProgram(name, { env }), `./${name}`);
    assert.equal(programToChange(name, { env, host }, 'patch'), `./${name}`);
  }
  mkdirSync('sh');
  assert.match(namedProgram('sh', { env }), /^(\/usr)?\/bin\/sh$/, 'a directory is no program');
});
