// A debugger that is a foreign program itself, with no prefix, stops another one.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { storeFileOnHost } from '../saved-state.ts';
import { openWays } from './ways-in.ts';

const rig = await ensureRig('full');
const gdb = rig.foreign.find(({ name }) => name === 'gdb');
assert.ok(gdb, 'the rig has gdb');
const program = path.join(homeInRoot, 'bin/call-library');
const sources = path.resolve(import.meta.dirname, '../../launcher/programs');
const source = (name: string) => readFileSync(path.join(sources, `${name}.c`), 'utf8');

for (const root of await openWays(rig)) {
  const { way } = root;
  const object = path.join(root.homeDir, '..', 'called-1.0');
  const soname = 'libcalled-library.so.1';
  compileLibrary(path.join(object, 'lib', soname), soname, source('called-library'), ['-g']);
  const { stdout } = await root.runOnHost({ argv: ['nix-store', '--add', object] });
  const library = `${stdout.trim()}/lib/${soname}`;
  mkdirSync(path.dirname(onHost(root, program)), { recursive: true });
  compile(onHost(root, program), source('call-library'), ['-g', storeFileOnHost(root, library)]);

  // A root has no shell to start programs by.
  const debug = async (...commands: readonly string[]) => {
    const words = ['set startup-with-shell off', 'set breakpoint pending on', ...commands];
    const args = ['-q', '-nx', '-batch', ...words.flatMap((word) => ['-ex', word])];
    return root.plain(gdb.path, [...args, program], { timeoutMs: 60_000 });
  };

  test(`it stops in a library, entered by ${way}`, async () => {
    assert.equal((await root.plain(program)).status, 0);
    const said = await debug('break in_library', 'run', 'bt', 'info sharedlibrary', 'continue');
    assert.match(said.stdout, /Breakpoint 1, .*in_library \(die=0\)/);
    assert.match(said.stdout, /^#1 .* in main \(/m);
    assert.match(said.stdout, /^0x.*-glibc-\S*\/ld-linux-x86-64\.so\.2$/m);
    assert.match(said.stdout, /exited normally/);
  });
}
