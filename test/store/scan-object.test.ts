// scan-object on built trees: which files are found, and under which names.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { scanComplete, scanObject } from '../../src/store/scan-object.ts';
import { asRoot } from '../launcher/tool-fixture.ts';
import { compileLibrary, compileProgram, objectName, scratchDirectory } from './compiled-library.ts';

const scratch = scratchDirectory();
const versioned = compileLibrary(path.join(scratch, 'libv.so'), { soname: 'libv.so.1' });

/** Makes a store object; a value that begins with `->` is a symlink, `elf` a copy of libv, else text. */
function makeObject(name: string, tree: Readonly<Record<string, string>>): string {
  const root = path.join(scratch, 'store', objectName(name));
  for (const [file, content] of Object.entries(tree)) {
    const target = path.join(root, file);
    mkdirSync(path.dirname(target), { recursive: true });
    if (content.startsWith('->')) symlinkSync(content.slice(2), target);
    else if (content === 'elf') copyFileSync(versioned, target);
    else writeFileSync(target, content);
  }
  return root;
}

function found(root: string): Record<string, readonly string[]> {
  return Object.fromEntries(scanObject(root).map(({ file, names }) => [file, names]));
}

test('a library answers to its file name, its soname and every link to it', () => {
  const root = makeObject('plain', {
    'lib/libv.so.1.2.3': 'elf',
    'lib/libv.so.1': '->libv.so.1.2.3',
    'lib/libv.so': '->libv.so.1',
  });
  assert.deepEqual(found(root), { 'lib/libv.so.1.2.3': ['libv.so', 'libv.so.1', 'libv.so.1.2.3'] });
});

test('a soname without a link of that name is a name all the same', () => {
  assert.deepEqual(found(makeObject('no-link', { 'lib/libother.so': 'elf' })), {
    'lib/libother.so': ['libother.so', 'libv.so.1'],
  });
});

test('lib64 as a link to lib gives each file once', () => {
  const root = makeObject('lib64-link', { 'lib/libv.so.1': 'elf', lib64: '->lib' });
  assert.deepEqual(found(root), { 'lib/libv.so.1': ['libv.so.1'] });
});

test('lib, lib32 and lib64 are all looked at', () => {
  const root = makeObject('three', { 'lib/a.so': 'elf', 'lib32/b.so': 'elf', 'lib64/c.so': 'elf' });
  assert.deepEqual(Object.keys(found(root)), ['lib/a.so', 'lib32/b.so', 'lib64/c.so']);
});

test("a cross compiler's directory has some, too, and what embeds R has its library", () => {
  const root = makeObject('cross', {
    'aarch64-unknown-linux-gnu/lib/libv.so.1': 'elf',
    'riscv64-linux/lib64/a.so': 'elf',
    'lib/R/lib/libR.so': 'elf',
    'lib/R/library/stats/libs/stats.so': 'elf',
    'share-linux/doc/b.so': 'elf',
  });
  assert.deepEqual(Object.keys(found(root)), [
    'aarch64-unknown-linux-gnu/lib/libv.so.1',
    'lib/R/lib/libR.so',
    'riscv64-linux/lib64/a.so',
  ]);
});

test('a link through a linked directory leads to the file', () => {
  const root = makeObject('through', {
    'lib/libv.so.1.2': 'elf',
    lib64: '->lib',
    'lib/libother.so.5': '->../lib64/libv.so.1.2',
  });
  assert.deepEqual(found(root)['lib/libv.so.1.2'], ['libother.so.5', 'libv.so.1', 'libv.so.1.2']);
});

test('a link to a file elsewhere in the object finds that file', () => {
  const root = makeObject('elsewhere', {
    'opt/vendor/libv-real.so.9': 'elf',
    'lib/libv.so.1': '->../opt/vendor/libv-real.so.9',
  });
  assert.deepEqual(found(root), {
    'opt/vendor/libv-real.so.9': ['libv-real.so.9', 'libv.so.1'],
  });
});

test('a link to a file whose own name is not that of a library finds it', () => {
  const root = makeObject('odd-name', { 'lib/libv-1.2': 'elf', 'lib/libv.so.1': '->libv-1.2' });
  assert.deepEqual(found(root), { 'lib/libv-1.2': ['libv-1.2', 'libv.so.1'] });
});

test('an absolute link inside the object counts, one that leaves it does not', () => {
  const other = makeObject('other', { 'lib/libfar.so.1': 'elf' });
  const name = objectName('absolute');
  const root = makeObject('absolute', {
    'lib/libv.so.1': 'elf',
    'lib/libinside.so': `->${path.join(scratch, 'store', name, 'lib/libv.so.1')}`,
    'lib/libfar.so.1': `->${other}/lib/libfar.so.1`,
    'lib/libup.so.1': `->../../${path.basename(other)}/lib/libfar.so.1`,
  });
  assert.deepEqual(found(root), { 'lib/libv.so.1': ['libinside.so', 'libv.so.1'] });
});

test('a neighbour whose name begins with the name of the object is outside', () => {
  const neighbour = makeObject('pre-more', { 'lib/libn.so': 'elf' });
  const root = path.join(scratch, 'store', path.basename(neighbour).replace('-more', ''));
  mkdirSync(path.join(root, 'lib'), { recursive: true });
  symlinkSync(`${neighbour}/lib/libn.so`, path.join(root, 'lib/libn.so'));
  assert.deepEqual(scanObject(root), []);
});

test('loops, dangling links and links to directories give nothing and do no harm', () => {
  const root = makeObject('loops', {
    'lib/a.so': '->b.so',
    'lib/b.so': '->a.so',
    'lib/self.so': '->self.so',
    'lib/gone.so': '->nothing.so.1',
    'lib/dir.so': '->directory',
    'lib/directory/x.so.1': 'elf',
    'lib/out.so': '->/nowhere/at/all.so',
  });
  assert.deepEqual(Object.keys(found(root)), ['lib/directory/x.so.1']);
});

test('variants for better processors are found under their own path', () => {
  const root = makeObject('hwcaps', {
    'lib/libv.so.1': 'elf',
    'lib/glibc-hwcaps/x86-64-v3/libv.so.1': 'elf',
  });
  assert.deepEqual(Object.keys(found(root)), ['lib/glibc-hwcaps/x86-64-v3/libv.so.1', 'lib/libv.so.1']);
});

test('linker scripts, empty files, archives, damaged ELF and programs are no libraries', () => {
  const root = makeObject('not-elf', {
    'lib/libc.so': '/* GNU ld script */\nGROUP ( /lib/libc.so.6 )\n',
    'lib/libempty.so': '',
    'lib/libar.so': '!<arch>\n',
    'lib/libcut.so': '\x7fELF\x02\x01\x01',
    'lib/libv.so.1': 'elf',
  });
  compileProgram(path.join(root, 'lib/program.so'), { flags: ['-no-pie'] });
  execFileSync('mkfifo', [path.join(root, 'lib/fifo.so')]);
  mkdirSync(path.join(root, 'lib/directory.so.1'));
  assert.deepEqual(Object.keys(found(root)), ['lib/libv.so.1']);
});

test('trees of modules for an interpreter are passed over', () => {
  const root = makeObject('modules', {
    'lib/python3.11/site-packages/x.so': 'elf',
    'lib/perl5/y.so': 'elf',
    'lib/mysql/plugin/z.so': 'elf',
  });
  assert.deepEqual(Object.keys(found(root)), ['lib/mysql/plugin/z.so']);
});

test('a store object that is a file, an empty one and a missing one give nothing', () => {
  const file = path.join(scratch, 'store', objectName('single-file.so'));
  copyFileSync(versioned, file);
  assert.deepEqual(scanObject(file), []);
  assert.deepEqual(scanObject(makeObject('empty', { 'bin/x': 'text' })), []);
  assert.deepEqual(scanObject(path.join(scratch, 'store', objectName('gone'))), []);
});

test('what cannot be read is passed over', asRoot, () => {
  const root = makeObject('unreadable', {
    'lib/closed/a.so': 'elf',
    'lib/secret.so': 'elf',
    'lib/open.so': 'elf',
  });
  chmodSync(path.join(root, 'lib/closed'), 0o700);
  chmodSync(path.join(root, 'lib/secret.so'), 0o600);
  chmodSync(scratch, 0o755);
  const script = `import { scanObject } from ${JSON.stringify(path.resolve('src/store/scan-object.ts'))};
    console.log(JSON.stringify(scanObject(${JSON.stringify(root)}).map((each) => each.file)));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    uid: 65534,
    encoding: 'utf8',
  });
  assert.deepEqual(JSON.parse(output), ['lib/open.so']);
});

test('the facts of the file are those that ld.so decides by', () => {
  const root = makeObject('facts', {});
  const needed = compileLibrary(path.join(root, 'lib/libneeded.so.2'), { soname: 'libneeded.so.2' });
  compileLibrary(path.join(root, 'lib/libfacts.so'), { needs: [needed], runpath: '$ORIGIN/private' });
  const [facts] = scanObject(root).filter(({ file }) => file === 'lib/libfacts.so');
  assert.deepEqual(facts?.elf.needed, ['libneeded.so.2']);
  assert.equal(facts?.elf.runpath, '$ORIGIN/private');
  assert.equal(facts?.elf.soname, undefined);
});

test('an object that is taken while it is read is not complete, though half of it was there', () => {
  const root = makeObject('taken', { 'lib/a.so': 'elf' });
  const answers = [true, false];
  assert.deepEqual(
    scanComplete(root, () => answers.shift() === true),
    { kind: 'unfinished' },
  );
  assert.equal(scanComplete(root, () => true).kind, 'found');
});
