// Real objects with names in their data → the names that are found, and those that are not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { namedLibraries } from '../../src/elf/named-libraries.ts';
import { type ByteSource, bytesInMemory } from '../../src/elf/reader.ts';
import { bytesOf, compileC } from './compile-c.ts';

function namesOf(
  name: string,
  source: string,
  flags: readonly string[] = ['-shared', '-fPIC'],
): readonly string[] {
  const { names, complete } = namedLibraries(bytesInMemory(bytesOf(compileC(name, source, flags))));
  assert.ok(complete);
  return names.filter((each) => !each.startsWith('libc.so'));
}

const strings = (each: readonly string[]) =>
  `const char *const names[] = {${each.map((text) => JSON.stringify(text)).join(', ')}};\n`;

test('names in read-only and in writable data, each once', () => {
  const source = `${strings(['libudev.so.1', 'libudev.so.0', 'libssl.so', 'libudev.so.1', 'libstdc++.so.6.0'])}
char writable[] = "libwritable.so.2";`;
  const expected = ['libssl.so', 'libstdc++.so.6.0', 'libudev.so.0', 'libudev.so.1', 'libwritable.so.2'];
  assert.deepEqual([...namesOf('names.so', source)].sort(), expected);
});

test('no paths, no patterns, no other words', () => {
  const others = [
    '/usr/lib/libpath.so.1',
    '$ORIGIN/liborigin.so',
    'libicuuc.so.%d',
    'lib%s.so',
    'mylibfoo.so',
    'x.so',
  ];
  const more = [
    'libfoo.so.conf',
    'libfoo.sound',
    'libfoo.so.1.',
    'lib/libfoo.so/x',
    'liberty',
    'libx.so_old',
    'libé.so',
  ];
  assert.deepEqual(namesOf('others.so', strings([...others, ...more])), []);
});

test('names in a message, and side by side as Rust has them', () => {
  const source = strings(['cannot open libfoo.so.1: no', 'value libX11.so.6libX11.solibxcb.so.1 ok']);
  const expected = ['libX11.so', 'libX11.so.6', 'libfoo.so.1', 'libxcb.so.1'];
  assert.deepEqual([...namesOf('beside.so', source)].sort(), expected);
});

test('not in code, nor in what is not loaded', () => {
  const source = `__asm__(".text\\n.asciz \\"libcode.so.1\\"\\n.section .comment\\n.asciz \\"libcomment.so.1\\"\\n.text\\n");`;
  assert.deepEqual(namesOf('code.so', source, ['-shared', '-fPIC', '-Wl,-z,separate-code']), []);
});

test('among the code, where the linker has put the constants there', () => {
  const source = 'int dlopen(const char *); int main(void) { return dlopen("libfoo.so.1"); }';
  const flags = ['-shared', '-fPIC', '-nostdlib', '-Wl,-z,noseparate-code'];
  assert.deepEqual(namesOf('constants.so', source, flags), ['libfoo.so.1']);
});

test('32-bit objects as well', () => {
  assert.deepEqual(
    namesOf('small.so', strings(['libsmall.so.1']), ['-m32', '-shared', '-nostdlib', '-fno-pic']),
    ['libsmall.so.1'],
  );
});

test('a name or a path across the end of a piece is found, or not, as elsewhere', () => {
  for (let at = 1024 * 1024 - 600; at < 1024 * 1024 + 20; at += at % 64 < 24 ? 1 : 64) {
    const filling = Buffer.alloc(3 * 1024 * 1024);
    filling.write('libacross.so.1\0/usr/lib/libpath.so.1', at - 120, 'latin1');
    assert.deepEqual(namedLibraries(objectWith(filling)).names, ['libacross.so.1'], `${at}`);
  }
});

test('what is no ELF object, or a broken one, names nothing', () => {
  const bytes = Buffer.from(bytesOf(compileC('whole.so', strings(['libwhole.so.1']), ['-shared', '-fPIC'])));
  for (const broken of [Buffer.from('libtext.so.1\0'), bytes.subarray(0, 100), Buffer.alloc(0)])
    assert.deepEqual(namedLibraries(bytesInMemory(broken)), { names: [], complete: true });
});

test('limits end the search, and say so', () => {
  const many = Array.from({ length: 5000 }, (_, i) => `libmany-${i}.so.1`);
  const source = bytesInMemory(bytesOf(compileC('many.so', strings(many), ['-shared', '-fPIC'])));
  const few = namedLibraries(source, { bytes: 1e9, names: 10 });
  assert.deepEqual([few.names.length, few.complete], [10, false]);
  assert.equal(namedLibraries(source, { bytes: 1, names: 10 }).complete, false);
  assert.equal(namedLibraries(source).complete, false);
  assert.equal(namedLibraries(source, { bytes: 1e9, names: 10_000 }).names.length >= 5000, true);
});

/** A program header that loads all of `filling` as data. */
function objectWith(filling: Buffer): ByteSource {
  const head = Buffer.alloc(120);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(3, 16);
  head.writeUInt16LE(62, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64);
  head.writeUInt32LE(4, 68);
  head.writeBigUInt64LE(BigInt(120 + filling.length), 96);
  return bytesInMemory(Buffer.concat([head, filling]));
}

test('hostile bytes take no longer than others', () => {
  for (const text of ['.so', 'lib', 'lib.so', 'lib.so.1', 'a', 'liblib.so.so']) {
    const source = objectWith(Buffer.alloc(16 * 1024 * 1024, text));
    const begin = process.cpuUsage();
    namedLibraries(source);
    const { user, system } = process.cpuUsage(begin);
    assert.ok(user + system < 3_000_000, `${text}: ${user + system} us`);
  }
  assert.deepEqual(namedLibraries(objectWith(Buffer.from('libreal.so.1'))).names, ['libreal.so.1']);
});

test('a real program names what it opens', () => {
  const { names } = namedLibraries(bytesInMemory(readFileSync(process.execPath)));
  assert.ok(
    names.every((name) => /^lib[\w+.-]+\.so[\d.]*$/.test(name)),
    names.join(' '),
  );
});
