// Programs on disk → what they may open: names in data, families, plug-ins in their own tree; and what is not looked at.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { optionalNames } from '../../src/program/optional-names.ts';
import { filesBeside, findPlugIns, plugInsOf, treeOf } from '../../src/program/plug-ins.ts';
import { compile } from '../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'optional-names-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function program(directory: string, source: string) {
  const file = compile(path.join(scratch, directory, 'tool'), source);
  const elf = elfFileAt(file);
  assert.ok(elf);
  return { path: file, elf };
}

const names = (directory: string, text: string) => {
  const each = program(directory, `const char *name = "${text}"; int main(void) { return !name; }`);
  return optionalNames(each, [], (name) => name === 'libc.so.6').libraries;
};

test('names in data are read, those of the libc and repeated ones are not told', () => {
  const found = names('data', 'libsecret-1.so.0\\0libc.so.6\\0libsecret-1.so.0\\0libfoo.so.%d');
  assert.deepEqual(
    found.map(({ alternatives, source }) => [alternatives, source]),
    [[[['libsecret-1.so.0']], 'data']],
  );
});

test('.NET opens ICU in any version, the newest first, and one OpenSSL', () => {
  const found = names('dotnet', 'libSystem.Native.so\\0');
  const icu = found.find(({ alternatives }) => alternatives[0]?.[0]?.startsWith('libicuuc'));
  assert.equal(icu?.source, 'family');
  assert.deepEqual(icu?.alternatives[0], ['libicuuc.so.90', 'libicui18n.so.90']);
  assert.ok(icu?.alternatives.some(([name]) => name === 'libicuuc.so.72'));
  assert.deepEqual(
    found.find(({ alternatives }) => alternatives.flat().includes('libssl.so.3'))?.alternatives,
    [
      ['libssl.so.3', 'libcrypto.so.3'],
      ['libssl.so.1.1', 'libcrypto.so.1.1'],
    ],
  );
});

test('plug-ins of the tree are found; links, loops, other files and what is loaded anyway are passed over', () => {
  const { path: file, elf } = program('tree/bin', 'int main(void) { return 0; }');
  const tree = path.join(scratch, 'tree');
  const plugIn = (name: string) => compile(path.join(tree, name), 'int plug;', ['-shared', '-fPIC']);
  const found = [
    plugIn('lib/deep/er/a.cpython-311-x86_64-linux-gnu.so'),
    plugIn('lib/addon.node'),
    plugIn('lib/libx.so.1.2'),
  ];
  const loaded = plugIn('lib/libloaded.so.1');
  symlinkSync('..', path.join(tree, 'lib/loop'));
  symlinkSync('libx.so.1.2', path.join(tree, 'lib/libx.so.1'));
  writeFileSync(path.join(tree, 'lib/text.so'), 'INPUT(libx.so.1)\n');
  writeFileSync(path.join(tree, 'lib/empty.so'), '');
  mkdirSync(path.join(tree, 'lib/directory.so'));
  const paths = findPlugIns({ path: file, elf }, [{ path: loaded }]).map((each) => each.path);
  assert.deepEqual(paths.sort(), found.sort());
});

test('a large tree is looked at in part', () => {
  const { path: file, elf } = program('large', 'int main(void) { return 0; }');
  for (let i = 0; i < 4100; i += 1) writeFileSync(path.join(scratch, 'large', `file-${i}.so`), 'x');
  const before = performance.now();
  assert.deepEqual(findPlugIns({ path: file, elf }, []), []);
  assert.ok(performance.now() - before < 5000);
});

test('directories of everybody are nobody’s tree', () => {
  const outside = [
    '/usr/bin/tool',
    '/bin/tool',
    '/tmp/tool',
    '/home/me/tool',
    '/nix/store/hash-a/bin/tool',
    '/opt/tool',
  ];
  for (const file of outside) assert.equal(treeOf(file), undefined, file);
  assert.equal(treeOf('/opt/vendor/bin/tool'), '/opt/vendor');
  assert.equal(treeOf('/opt/vendor/tool'), '/opt/vendor');
  assert.equal(treeOf('/home/me/vendor/tool'), '/home/me/vendor');
});

test('beside a plug-in: what the program could load, in directories of plug-ins only', () => {
  const { elf } = program('beside', 'int main(void) { return 0; }');
  const at = (name: string) => path.join(scratch, 'beside/plug-ins', name);
  for (const name of ['b.so', 'a.so', 'deeper/c.so']) compile(at(name), 'int plug;', ['-shared', '-fPIC']);
  writeFileSync(at('text.so'), 'GROUP ( libc.so.6 )');
  writeFileSync(at('read-me.txt'), 'plug-ins');
  symlinkSync('a.so', at('link.so'));
  const files = filesBeside(at('b.so'), []);
  assert.deepEqual(files, [at('a.so'), at('b.so'), at('text.so')]);
  const found = plugInsOf(files, elf, []).map((each) => each.path);
  assert.deepEqual(found, [at('a.so'), at('b.so')]);
  assert.deepEqual(plugInsOf(files, { ...elf, machine: 8 }, []), []);
  assert.deepEqual(filesBeside(at('b.so'), [path.dirname(at('b.so'))]), []);
  for (const directory of ['/usr/lib', '/lib64', '/usr/local/lib', '/usr/lib/x86_64-linux-gnu', '/', '/tmp'])
    assert.deepEqual(filesBeside(path.join(directory, 'libz.so.1'), []), [], directory);
  assert.deepEqual(filesBeside('/nowhere/at/all/plug.so', []), []);
});
