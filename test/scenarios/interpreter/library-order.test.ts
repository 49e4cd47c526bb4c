// The chosen libraries come before the user's and before nix-ld's own; the user can have it the other way round.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { storeFileOnHost } from '../saved-state.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const says = (word: string) => `const char *word(void) { return "${word}"; }`;
const source = '#include <stdio.h>\nconst char *word(void);\nint main(void) { return puts(word()) < 0; }';
const program = path.join(homeInRoot, 'bin/program');
const INTERPRETER = '/lib64/ld-linux-x86-64.so.2';

for (const root of await openWays(rig)) {
  const { way } = root;
  const object = path.join(root.homeDir, '..', 'word-1.0');
  compileLibrary(path.join(object, 'lib/libword.so.1'), 'libword.so.1', says('chosen'));
  const added = await root.runOnHost({ argv: ['nix-store', '--add', object] });
  mkdirSync(path.dirname(onHost(root, program)), { recursive: true });
  compile(onHost(root, program), source, [storeFileOnHost(root, `${added.stdout.trim()}/lib/libword.so.1`)]);
  const beside = (name: string) => {
    const inRoot = path.join(homeInRoot, name);
    compileLibrary(onHost(root, path.join(inRoot, 'libword.so.1')), 'libword.so.1', says(name));
    return inRoot;
  };
  const LD_LIBRARY_PATH = beside('users');
  const NIX_LD_LIBRARY_PATH = beside('nix-lds');
  const NIX_RUN_FOREIGN_LIBRARY_ORDER = 'user-first';

  test(`the chosen library is the first, entered by ${way}`, async () => {
    for (const env of [
      {},
      { LD_LIBRARY_PATH },
      { NIX_LD_LIBRARY_PATH },
      { LD_LIBRARY_PATH, NIX_LD_LIBRARY_PATH },
    ])
      assert.equal((await root.plain(program, [], { env })).stdout, 'chosen\n');
  });

  test(`user-first: the user's is the first, entered by ${way}`, async () => {
    const outcome = async (env: Record<string, string>) =>
      (await root.plain(program, [], { env: { ...env, NIX_RUN_FOREIGN_LIBRARY_ORDER } })).stdout;
    assert.equal(await outcome({ LD_LIBRARY_PATH }), 'users\n');
    assert.equal(await outcome({}), 'chosen\n');
    assert.equal(await outcome({ NIX_LD_LIBRARY_PATH }), way === 'nix-ld' ? 'nix-lds\n' : 'chosen\n');
  });

  test(`a prefixed program has the same order, and explain says so, entered by ${way}`, async () => {
    assert.equal((await root.start([program], { env: { LD_LIBRARY_PATH } })).stdout, 'chosen\n');
    const shadowed = async (env: Record<string, string>) =>
      (
        JSON.parse((await root.manage(['explain', '--json', program], { env })).stdout) as {
          shadowed: unknown[];
        }
      ).shadowed.length;
    assert.equal(await shadowed({ LD_LIBRARY_PATH }), 0);
    assert.equal(await shadowed({ LD_LIBRARY_PATH, NIX_RUN_FOREIGN_LIBRARY_ORDER }), 1);
  });

  test(`called by the interpreter's path with options of ld.so, entered by ${way}`, async () => {
    const asked = (options: readonly string[], env: Record<string, string>) =>
      root.run({ argv: [INTERPRETER, ...options, program], env: { ...root.session, ...env } });
    for (const env of [{}, { LD_LIBRARY_PATH: '/nowhere', NIX_LD_LIBRARY_PATH }]) {
      const { status, stdout: said, stderr } = await asked(['--verify'], env);
      assert.deepEqual([status, said, stderr], [0, '', '']);
      const { stdout } = await asked(['--list'], env);
      assert.match(stdout, /\tlibword\.so\.1 => (?!\S*nix-lds)\S+ /);
      assert.equal((await asked(['--library-path', '/nowhere'], env)).stdout, 'chosen\n');
    }
    assert.equal((await asked(['--library-path', LD_LIBRARY_PATH], {})).stdout, 'users\n');
  });
}
