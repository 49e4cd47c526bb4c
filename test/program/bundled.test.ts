// Bundled libraries against the machine's own ld.so: same trees, same files, rule by rule.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readElf } from '../../src/elf/read-elf.ts';
import { bytesInMemory } from '../../src/elf/reader.ts';
import { parseListOutput } from '../../src/ldso/ask-loader.ts';
import { findBundled } from '../../src/program/bundled.ts';
import { pathOfElfString } from '../../src/program/run-directories.ts';
import { compileLibrary, compileProgram, scratchDirectory, type Wanted } from '../store/compiled-library.ts';

const LOADER = '/lib64/ld-linux-x86-64.so.2';

interface Tree {
  readonly root: string;
  at(...names: string[]): string;
  lib(file: string, wanted?: Wanted): string;
  program(file: string, wanted: Wanted): string;
}

function tree(): Tree {
  const root = scratchDirectory();
  const at = (...names: string[]): string => path.join(root, ...names);
  return {
    root,
    at,
    lib: (file, wanted = {}) => compileLibrary(at(file), { soname: path.basename(file), ...wanted }),
    program: (file, wanted) => compileProgram(at(file), wanted),
  };
}

/** Name → real file of everything below `root` that ld.so loads, when nothing but run paths leads there. */
function asLoaded(root: string, program: string): Record<string, string> {
  const args = ['--inhibit-cache', '--list', realpathSync(program)];
  let stdout = '';
  try {
    stdout = execFileSync(LOADER, args, { env: {}, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    stdout = String((error as { stdout: string }).stdout);
  }
  const { objects } = parseListOutput(stdout, '', program);
  const ours = objects.filter(({ path: file }) => file?.startsWith(`${root}/`));
  return Object.fromEntries(
    ours.map(({ name, path: file }) => [path.basename(name), realpathSync.native(file ?? '')]),
  );
}

function asFound(program: string): Record<string, string> {
  const file = realpathSync(program);
  const reading = readElf(bytesInMemory(readFileSync(file)));
  assert.ok(reading.kind === 'elf');
  const found = findBundled({ path: file, elf: reading.file }, 'glibc');
  return Object.fromEntries(
    found.map(({ name, path: each }) => [path.basename(pathOfElfString(name)), realpathSync.native(each)]),
  );
}

function agree({ root }: Tree, program: string, expected: Record<string, string>): void {
  assert.deepEqual(asLoaded(root, program), expected, 'what ld.so does is not what this test means');
  assert.deepEqual(asFound(program), expected);
}

test('$ORIGIN with and without braces in the runpath of the program', () => {
  const t = tree();
  const a = t.lib('app/lib/liba.so');
  const b = t.lib('app/more/libb.so');
  const runpath = ['$ORIGIN/../lib:$', '{ORIGIN}/../more'].join('');
  const program = t.program('app/bin/p', { needs: [a, b], runpath });
  agree(t, program, { 'liba.so': a, 'libb.so': b });
});

test('an rpath serves the needs of what was loaded by it', () => {
  const t = tree();
  const below = t.lib('lib/libbelow.so');
  const above = t.lib('lib/libabove.so', { needs: [below] });
  agree(t, t.program('p', { needs: [above], rpath: '$ORIGIN/lib' }), {
    'libabove.so': above,
    'libbelow.so': below,
  });
});

test('a runpath is not inherited', () => {
  const t = tree();
  const below = t.lib('lib/libbelow.so');
  const above = t.lib('lib/libabove.so', { needs: [below] });
  const found = asFound(t.program('p', { needs: [above], runpath: '$ORIGIN/lib' }));
  assert.deepEqual(found, { 'libabove.so': above });
});

test('a library with a runpath does not see the rpath above it', () => {
  const t = tree();
  const below = t.lib('lib/libbelow.so');
  const above = t.lib('lib/libabove.so', { needs: [below], runpath: '/nowhere' });
  assert.deepEqual(asFound(t.program('p', { needs: [above], rpath: '$ORIGIN/lib' })), {
    'libabove.so': above,
  });
});

test('$ORIGIN of a program reached by a symlink is where it really lies', () => {
  const t = tree();
  const a = t.lib('real/lib/liba.so');
  t.program('real/bin/p', { needs: [a], runpath: '$ORIGIN/../lib' });
  mkdirSync(t.at('bin'));
  symlinkSync(t.at('real/bin/p'), t.at('bin/p'));
  agree(t, t.at('bin/p'), { 'liba.so': a });
});

test('$ORIGIN of a library is the directory it was opened by, its own links not followed', () => {
  const t = tree();
  const inner = t.lib('lib/private/libinner.so');
  const outer = t.lib('real/libouter.so', { needs: [inner], runpath: '$ORIGIN/private' });
  mkdirSync(t.at('real/private'));
  symlinkSync(outer, t.at('lib/libouter.so'));
  agree(t, t.program('p', { needs: [outer], runpath: '$ORIGIN/lib' }), {
    'libouter.so': outer,
    'libinner.so': inner,
  });
});

test('.. after a linked directory goes up from where the link leads', () => {
  const t = tree();
  const inner = t.lib('opt/v/share/libinner.so');
  const outer = t.lib('opt/v/lib/libouter.so', { needs: [inner], runpath: '$ORIGIN/../share' });
  mkdirSync(t.at('app'));
  symlinkSync(t.at('opt/v/lib'), t.at('app/lib'));
  agree(t, t.program('app/p', { needs: [outer], runpath: '$ORIGIN/lib' }), {
    'libouter.so': outer,
    'libinner.so': inner,
  });
});

test('another class or machine is passed over, the next directory serves', () => {
  const t = tree();
  const good = t.lib('good/libm1.so');
  for (const [offset, byte] of [
    [4, 1],
    [18, 3],
  ] as const) {
    const bytes = readFileSync(good);
    bytes[offset] = byte;
    mkdirSync(t.at(`bad${offset}`));
    writeFileSync(t.at(`bad${offset}`, 'libm1.so'), bytes);
  }
  const runpath = '$ORIGIN/missing:$ORIGIN/bad18:$ORIGIN/bad4:$ORIGIN/good';
  const program = t.program('p', { needs: [good], runpath });
  assert.deepEqual(asFound(program), { 'libm1.so': good });
});

test('a name with a slash is a path, and $ORIGIN in it is the one who needs it', () => {
  const t = tree();
  const absolute = t.lib('x/libabs.so', { soname: t.at('x/libabs.so') });
  const own = t.lib('y/libown.so', { soname: '$ORIGIN/y/libown.so' });
  const program = t.program('p', { needs: [absolute, own] });
  agree(t, program, { 'libabs.so': absolute, 'libown.so': own });
});

test('the first that has a soname serves all who need it later', () => {
  const t = tree();
  const first = t.lib('one/libsame.so');
  const second = t.lib('two/libsame.so');
  const user = t.lib('two/libuser.so', { needs: [second], runpath: '$ORIGIN' });
  agree(t, t.program('p', { needs: [first, user], runpath: '$ORIGIN/one:$ORIGIN/two' }), {
    'libsame.so': first,
    'libuser.so': user,
  });
});

test('a file whose soname is another name serves that name later', () => {
  const t = tree();
  const real = t.lib('lib/libreal.so.2');
  const user = t.lib('lib/libuser.so', { needs: [real], runpath: '/nowhere' });
  const alias = t.lib('lib/libalias.so', { soname: 'libalias.so' });
  const program = t.program('p', { needs: [alias, user], runpath: '$ORIGIN/lib' });
  // After linking, the file behind libalias.so is the one with the other soname.
  renameSync(t.at('lib/libreal.so.2'), t.at('lib/libalias.so'));
  agree(t, program, { 'libalias.so': t.at('lib/libalias.so'), 'libuser.so': user });
});

test('a soname serves nobody who asked for it before its file was opened', () => {
  const t = tree();
  const wanted = t.lib('elsewhere/libwanted.so.1');
  const vendor = t.lib('lib/libvendor.so');
  const before = t.program('before', { needs: [wanted, vendor], runpath: '$ORIGIN/lib' });
  const after = t.program('after', { needs: [vendor, wanted], runpath: '$ORIGIN/lib' });
  renameSync(t.lib('lib/other', { soname: 'libwanted.so.1' }), vendor);
  const namesBeside = (file: string) => {
    const reading = readElf(bytesInMemory(readFileSync(file)));
    assert.ok(reading.kind === 'elf');
    return findBundled({ path: file, elf: reading.file }, 'glibc').map(({ answersTo }) => answersTo);
  };
  assert.deepEqual(namesBeside(before), [['libvendor.so']]);
  assert.deepEqual(namesBeside(after), [['libvendor.so', 'libwanted.so.1']]);
});

test('what a library filters is loaded like what it needs, and served to who needs it later', () => {
  const t = tree();
  const filtered = t.lib('lib/libfiltered.so');
  const filter = t.lib('lib/libfilter.so', { runpath: '$ORIGIN', flags: ['-Wl,-F,libfiltered.so'] });
  agree(t, t.program('p', { needs: [filter], runpath: '$ORIGIN/lib' }), {
    'libfilter.so': filter,
    'libfiltered.so': filtered,
  });
});

test('what the program does not find is not taken from where a later library would find it', () => {
  const t = tree();
  const shared = t.lib('private/libshared.so');
  const user = t.lib('lib/libuser.so', { needs: [shared], runpath: '$ORIGIN/../private' });
  const program = t.program('p', { needs: [shared, user], runpath: '$ORIGIN/lib' });
  // ld.so asks for libshared.so on behalf of the program first: that is for the store to serve.
  assert.deepEqual(asFound(program), { 'libuser.so': user });
});

test('loops of needs end', () => {
  const t = tree();
  const one = t.lib('lib/libone.so');
  const two = t.lib('lib/libtwo.so', { needs: [one], runpath: '$ORIGIN' });
  t.lib('lib/libone.so', { needs: [two], runpath: '$ORIGIN' });
  agree(t, t.program('p', { needs: [one], runpath: '$ORIGIN/lib' }), { 'libone.so': one, 'libtwo.so': two });
});

test('names beyond ASCII and with blanks', () => {
  const t = tree();
  const a = t.lib('bücher und mehr/libé.so');
  agree(t, t.program('p', { needs: [a], runpath: '$ORIGIN/bücher und mehr' }), { 'libé.so': a });
});

test('behind text files, directories and FIFOs the search goes on, should the caller want it', () => {
  const t = tree();
  const good = t.lib('good/libt.so');
  for (const name of ['text', 'dir', 'fifo']) mkdirSync(t.at(name));
  writeFileSync(t.at('text/libt.so'), '/* GNU ld script */');
  mkdirSync(t.at('dir/libt.so'));
  execFileSync('mkfifo', [t.at('fifo/libt.so')]);
  const runpath = '$ORIGIN/text:$ORIGIN/dir:$ORIGIN/fifo:$ORIGIN/good';
  assert.deepEqual(asFound(t.program('p', { needs: [good], runpath })), { 'libt.so': good });
});
