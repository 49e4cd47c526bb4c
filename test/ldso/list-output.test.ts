// The reader of `ld.so --list` on recorded forms, and on what every loader of the rig really prints.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { parseListOutput } from '../../src/ldso/ask-loader.ts';
import { ensureRig, type Rig } from '../rig/rig.ts';
import { type Outcome, openRoot, type Root } from '../rig/root.ts';
import { compileLibrary, compileProgram, scratchDirectory } from '../store/compiled-library.ts';

test('found, loader, vdso and missing', () => {
  const stdout = [
    '\tlinux-vdso.so.1 (0x00007ffc0)',
    '\tlibz.so.1 => /nix/store/z/lib/libz.so.1 (0x00007f)',
    '\t/lib64/ld-linux-x86-64.so.2 => /nix/store/g/lib/ld-linux-x86-64.so.2 (0x00007f)',
    '\t/app/libslash.so (0x00007f)',
    '\tlibgone.so => not found',
    '',
  ].join('\n');
  assert.deepEqual(parseListOutput(stdout, '', '/p'), {
    objects: [
      { name: 'libz.so.1', path: '/nix/store/z/lib/libz.so.1' },
      { name: '/lib64/ld-linux-x86-64.so.2', path: '/nix/store/g/lib/ld-linux-x86-64.so.2' },
      { name: '/app/libslash.so', path: '/app/libslash.so' },
      { name: 'libgone.so', path: undefined },
    ],
    complaints: ['libgone.so not found'],
  });
});

test('a kernel without a vDSO: the program itself is in the list, with no name', () => {
  const { objects } = parseListOutput('\t (0x0000005502850000)\n\tliba.so => /a/liba.so (0x7f)\n', '', '/p');
  assert.deepEqual(objects, [{ name: 'liba.so', path: '/a/liba.so' }]);
});

test('blanks, brackets and arrows in paths', () => {
  const { objects } = parseListOutput('\tliba.so => /a b (c)/x => y/liba.so (0x7f)\n', '', '/p');
  assert.deepEqual(objects, [{ name: 'liba.so', path: '/a b (c)/x => y/liba.so' }]);
});

test('a statically linked program has no objects', () => {
  assert.deepEqual(parseListOutput('\tstatically linked\n', '', '/p'), { objects: [], complaints: [] });
});

test('every line of stderr that is not known to be harmless is a complaint', () => {
  const stderr = [
    "/p: /x/libv.so.1: version `V2' not found (required by /p)",
    '/p: /x/libv.so.1: no version information available (required by /p)',
    "/p: /x/libv.so.1: weak version `V3' not found (required by /p)",
    '/p: error while loading shared libraries: liba.so: cannot open shared object file: No such file or directory',
    "ERROR: ld.so: object '/nix/store/x/libscudo.so' from /etc/ld-nix.so.preload cannot be preloaded (wrong ELF class: ELFCLASS64): ignored.",
    "ERROR: ld.so: object '/x/liby.so' from LD_PRELOAD cannot be preloaded (cannot open shared object file): ignored.",
    'something nobody has seen before',
    '',
  ].join('\n');
  assert.deepEqual(parseListOutput('', stderr, '/p').complaints, [
    "/x/libv.so.1: version `V2' not found (required by /p)",
    'liba.so: cannot open shared object file: No such file or directory',
    "ERROR: ld.so: object '/x/liby.so' from LD_PRELOAD cannot be preloaded (cannot open shared object file): ignored.",
    'something nobody has seen before',
  ]);
});

const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);
let rig: Rig;
let root: Root;
/** One loader of x86-64 per suite. */
let loaders: [suite: string, loader: string][];

before(
  async () => {
    rig = await ensureRig('full');
    root = await openRoot(rig);
    loaders = rig.storeObjects
      .filter((each) => each.architecture === 'amd64' && each.provides.includes('ld-linux-x86-64.so.2'))
      .filter((each) => each.provides.includes('libc.so.6'))
      .map((each) => [each.suite, `${each.path}/lib/ld-linux-x86-64.so.2`]);
    // Three libv: what is linked with defines V1 and V2, one lacks V2, one has no versions at all.
    const source = 'int v1(void) { return 1; } int v2(void) { return 2; }';
    const script = 'V1 { v1; }; V2 { v2; };';
    compileLibrary(at('good/libv.so.1'), { soname: 'libv.so.1', source, versions: script });
    compileLibrary(at('old/libv.so.1'), { soname: 'libv.so.1', source, versions: 'V1 { v1; };' });
    compileLibrary(at('bare/libv.so.1'), { soname: 'libv.so.1', source });
    mkdirSync(at('none'));
    compileProgram(at('program'), {
      needs: [at('good/libv.so.1')],
      // No symbol of a libc newer than the oldest loader here.
      source: 'int v1(void), v2(void); int _start(void) { return v1() + v2(); }',
      flags: ['-nostartfiles', '-nodefaultlibs', '-lc'],
    });
  },
  { timeout: 30 * 60_000 },
);
after(() => root?.close());

async function list(loader: string, directory: string): Promise<Outcome> {
  const libraryPath = [at(directory), path.dirname(loader)].join(':');
  const argv = [loader, '--inhibit-cache', '--library-path', libraryPath, '--list', at('program')] as const;
  return await root.runOnHost({ argv: [...argv], env: { PATH: undefined, HOME: undefined } });
}

test('the rig has loaders of several glibcs', () => assert.ok(loaders.length >= 4, JSON.stringify(loaders)));

test('every real loader: found, missing library, missing version, no versions', {
  timeout: 60_000,
}, async (t) => {
  for (const [suite, loader] of loaders) {
    await t.test(suite, async () => {
      const read = async (directory: string) => {
        const { stdout, stderr } = await list(loader, directory);
        return { ...parseListOutput(stdout, stderr, at('program')), stderr };
      };
      const good = await read('good');
      assert.deepEqual(good.complaints, [], good.stderr);
      const byName = new Map(good.objects.map((each) => [path.basename(each.name), each.path]));
      assert.equal(byName.get('libv.so.1'), at('good/libv.so.1'));
      assert.equal(path.dirname(byName.get('libc.so.6') ?? ''), path.dirname(loader));
      assert.ok(byName.has('ld-linux-x86-64.so.2'));
      assert.equal(
        good.objects.some(({ name }) => name.includes('vdso')),
        false,
      );

      const missing = await read('none');
      assert.equal(missing.complaints.length, 1, missing.stderr);
      assert.match(missing.complaints[0] ?? '', /^libv\.so\.1: cannot open shared object file/);

      const old = await read('old');
      assert.equal(old.complaints.length, 1, old.stderr);
      assert.match(old.complaints[0] ?? '', /libv\.so\.1: version `V2' not found \(required by /);
      assert.doesNotMatch(old.complaints[0] ?? '', /^\S*program: /);

      const bare = await read('bare');
      assert.match(bare.stderr, /no version information available/);
      assert.deepEqual(bare.complaints, []);
    });
  }
});
