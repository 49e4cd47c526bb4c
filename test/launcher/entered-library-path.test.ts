// What the loader is told to search where the launcher is the interpreter: the plan's libraries, its libc, the user's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { searchesItsOwnDirectory } from '../../src/farm/layout.ts';
import { compileInterpreter } from '../rig/program-interpreters.ts';
import { compileEntered, compileLibrary, LOADER, plan } from './interpreter-fixture.ts';
import { limited, openWorkshop, runCommand } from './launcher-fixture.ts';

const workshop = await openWorkshop();
const library = compileLibrary(workshop, 'change-environment', ['-DCHANGE=0']);
const libraries = path.dirname(library);
const own = path.dirname(LOADER);
const userFirst = { NIX_RUN_FOREIGN_LIBRARY_ORDER: 'user-first' };

const users = path.join(workshop.directory, 'users');
const otherLibc = path.join(workshop.directory, 'other-libc');
for (const directory of [users, otherLibc]) mkdirSync(directory);
const flags = ['-shared', '-fPIC', '-nostdlib', '-Wl,-soname,libc.so.6'];
execFileSync('cc', ['-x', 'c', ...flags, '-o', path.join(otherLibc, 'libc.so.6'), '-'], {
  input: 'int nothing;',
});

/** What the loader was given, as a constructor sees it. */
async function given(program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const all = { env: { ...workshop.environment, ...env }, ...limited };
  const { code, stdout, stderr } = await runCommand(workshop, [program], all);
  assert.deepEqual([code, stderr], [0, '']);
  return /^library sees (.*)$/m.exec(stdout)?.[1];
}

/** Calls the library; the kernel enters `interpreter` for it, the launcher if it is left out. */
function putProgram(name: string, interpreter?: string): string {
  const file = path.join(workshop.directory, name);
  renameSync(compileEntered(workshop, 'print-environment', [library], interpreter), file);
  plan(workshop, file, libraries);
  return file;
}

const program = putProgram('program');

test("another libc in the user's directory is not taken, though the plan's list has none", async () => {
  assert.ok(searchesItsOwnDirectory(LOADER));
  const list = [libraries, otherLibc].join(':');
  const without = await runCommand(workshop, [LOADER, '--library-path', list, program], limited);
  assert.notEqual(without.code, 0);
  const env = { LD_LIBRARY_PATH: otherLibc };
  assert.equal(await given(program, env), [libraries, own, otherLibc].join(':'));
  assert.equal(await given(program, { ...env, ...userFirst }), [libraries, own, otherLibc].join(':'));
});

test('user-first: what fits comes first, what does not comes last', async () => {
  const env = { LD_LIBRARY_PATH: [otherLibc, users].join(':'), ...userFirst };
  assert.equal(await given(program, env), [users, libraries, own, otherLibc].join(':'));
  assert.equal(await given(program, { LD_LIBRARY_PATH: users, ...userFirst }), `${users}:${libraries}`);
  assert.equal(await given(program, userFirst), libraries);
});

/** Where NixOS has libraries for nix-ld; 2.x adds it where no other list is set. */
const system = '/run/current-system/sw/share/nix-ld/lib';

for (const version of ['nix-ld', 'nix-ld-1'] as const) {
  const entered = putProgram(version, await compileInterpreter(version));
  const through = (env: NodeJS.ProcessEnv) =>
    given(entered, { NIX_LD: workshop.launcher, ...userFirst, ...env });

  test(`user-first, entered by ${version}: its list comes after the plan's, the user's before`, async () => {
    const before = (list: string, more: string) => [list, own, more].join(':');
    const withDefault = (list: string) => (version === 'nix-ld' ? before(list, system) : list);
    const withUsers = `${users}:${libraries}`;
    const LD_LIBRARY_PATH = users;
    assert.equal(await through({}), withDefault(libraries));
    assert.equal(await through({ LD_LIBRARY_PATH }), withDefault(withUsers));
    const both = { LD_LIBRARY_PATH, NIX_LD_LIBRARY_PATH: '/more' };
    assert.equal(await through(both), before(withUsers, '/more'));
    assert.equal(await through({ NIX_LD_LIBRARY_PATH: users }), withUsers);
    assert.equal(await through({ NIX_LD_LIBRARY_PATH: system }), before(libraries, system));
  });
}
