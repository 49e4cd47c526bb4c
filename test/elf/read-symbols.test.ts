// readSymbols on libraries built for the purpose, and against binutils' readelf on the system's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readElf } from '../../src/elf/read-elf.ts';
import { bytesInMemory } from '../../src/elf/reader.ts';
import { type DynamicSymbol, leavesUndefined, readSymbols } from '../../src/elf/symbols.ts';
import { compileC, writeScratch } from './compile-c.ts';

function symbolsOf(path: string) {
  const reading = readSymbols(bytesInMemory(readFileSync(path)));
  assert.equal(reading.kind, 'symbols', path);
  return reading as Extract<typeof reading, { kind: 'symbols' }>;
}

/**
 * As readelf writes it: `name@version`, `name@@version` for the default of those defined, or `name` without a version
 * and for the symbol that marks a version and has its name.
 */
function written(symbol: DynamicSymbol, defined: boolean): string {
  if (symbol.version === undefined || symbol.version === symbol.name) return symbol.name;
  const own = defined && !symbol.hidden && symbol.from === undefined;
  return `${symbol.name}${own ? '@@' : '@'}${symbol.version}`;
}

const source = `
__asm__(".symver old_two, two@V_1");
__asm__(".symver new_two, two@@V_2");
int one(void){return 1;} int old_two(void){return 1;} int new_two(void){return 2;}
__attribute__((weak)) int maybe(void){return 0;}
_Thread_local int per_thread;
extern int elsewhere(void); extern int perhaps(void) __attribute__((weak));
int use(void){return elsewhere() + (perhaps ? perhaps() : 0);}
`;
const map = writeScratch(
  'map',
  'V_1 { global: one; two; };\nV_2 { global: two; maybe; per_thread; use; local: *; } V_1;\n',
);

for (const style of ['sysv', 'gnu', 'both']) {
  for (const width of ['-m64', '-m32']) {
    test(`reads versions, binding and type by the ${style} hash table, ${width}`, () => {
      const path = compileC(`lib${style}${width}.so`, source, [
        width,
        '-shared',
        '-fPIC',
        '-nostdlib',
        `-Wl,--hash-style=${style},--version-script=${map}`,
      ]);
      const { defined, undefined: missing } = symbolsOf(path);
      assert.deepEqual(defined.map((symbol) => written(symbol, true)).sort(), [
        'V_1',
        'V_2',
        'maybe@@V_2',
        'one@@V_1',
        'per_thread@@V_2',
        'two@@V_2',
        'two@V_1',
        'use@@V_2',
      ]);
      const byName = (name: string) => [...defined, ...missing].find((symbol) => symbol.name === name);
      assert.deepEqual([byName('maybe')?.weak, byName('one')?.weak], [true, false]);
      assert.deepEqual([byName('per_thread')?.type, byName('one')?.type], [6, 2]);
      assert.deepEqual(
        missing
          .map(({ name, weak }) => `${name} ${weak}`)
          .filter((it) => !it.startsWith('_'))
          .sort(),
        ['elsewhere false', 'perhaps true'],
      );
    });
  }
}

test('counts undefined symbols by the relocations when the hash table is empty', () => {
  const flags = ['-Wl,--hash-style=gnu', '-no-pie'];
  const path = compileC('plain', '#include <stdio.h>\nint main(void){return puts("x") + fflush(0);}', flags);
  const { undefined: missing } = symbolsOf(path);
  const names = missing.map((symbol) => `${symbol.name}@${symbol.version} ${symbol.from}`);
  assert.ok(names.includes('puts@GLIBC_2.2.5 libc.so.6'), names.join());
  assert.ok(names.includes('fflush@GLIBC_2.2.5 libc.so.6'), names.join());
});

test('a copied variable is defined, and says where it comes from', () => {
  const path = compileC('copies', '#include <stdio.h>\nint main(void){return fputs("x", stdout);}', [
    '-no-pie',
    '-fno-pie',
  ]);
  const copy = symbolsOf(path).defined.find(({ name }) => name === 'stdout');
  assert.deepEqual([copy?.version, copy?.from], ['GLIBC_2.2.5', 'libc.so.6']);
});

test('a static program has no dynamic symbols', () => {
  const path = compileC('still', 'int main(void){return 0;}', ['-static']);
  assert.deepEqual(symbolsOf(path), { kind: 'symbols', defined: [], undefined: [] });
});

test('bytes that are not ELF, or not whole', () => {
  assert.deepEqual(readSymbols(bytesInMemory(Buffer.from('text'))), { kind: 'not-elf' });
  assert.equal(readSymbols(bytesInMemory(Buffer.from('\x7fELF\x02\x01'))).kind, 'bad-elf');
});

test('reads what readelf reads, in a sample of the system', (context) => {
  const directories = ['/usr/lib/x86_64-linux-gnu', '/usr/bin'];
  const all = directories.flatMap((directory) =>
    readdirSync(directory)
      .sort()
      .map((name) => join(directory, name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile()),
  );
  const known = ['libc.so.6', 'libstdc++.so.6'].map((name) => join('/usr/lib/x86_64-linux-gnu', name));
  const sample = [...known, ...all.filter((_, index) => index % 20 === 7)].filter((path) => {
    const reading = readElf(bytesInMemory(readFileSync(path)));
    return reading.kind === 'elf' && reading.file.dynamic;
  });
  const theirs = readelfSymbols(sample);
  let count = 0;
  for (const path of sample) {
    const { defined, undefined: missing } = symbolsOf(path);
    const opinion = theirs.get(path);
    const mine = [
      ...defined.map((symbol) => `${written(symbol, true)} ${symbol.weak}`),
      ...missing.map((symbol) => `UND ${written(symbol, false)} ${symbol.weak}`),
    ];
    assert.deepEqual(mine.sort(), opinion, path);
    count += mine.length;
  }
  context.diagnostic(`${count} symbols of ${sample.length} files agree with readelf`);
  assert.ok(count > 1_000, 'too few symbols to mean anything');
});

function readelfSymbols(paths: readonly string[]): Map<string, string[]> {
  const output = execFileSync('readelf', ['--dyn-syms', '-W', ...paths], {
    encoding: 'latin1',
    maxBuffer: 1 << 30,
    env: { ...process.env, LC_ALL: 'C' },
  });
  return new Map(
    output
      .split(/^File: /m)
      .slice(1)
      .map((part) => {
        const line = /^ *\d+: [0-9a-f]+ +\w+ \w+ +(GLOBAL|WEAK|UNIQUE) +\w+ +(\w+) (\S+)(?: \(\d+\))?$/gm;
        const symbols = [...part.matchAll(line)].map(
          ([, binding, section, name]) => `${section === 'UND' ? 'UND ' : ''}${name} ${binding === 'WEAK'}`,
        );
        return [part.slice(0, part.indexOf('\n')), symbols.sort()];
      }),
  );
}

test('a name is left to others exactly where the symbols say so', () => {
  const directory = '/usr/lib/x86_64-linux-gnu';
  const names = ['dlopen', 'open', 'XML_Parse', 'no symbol has blanks'];
  const found = new Map(names.map((name) => [name, 0]));
  for (const each of readdirSync(directory).filter((it) => /\.so\.\d+$/.test(it))) {
    const file = join(directory, each);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) continue;
    const bytes = bytesInMemory(readFileSync(file));
    const symbols = readSymbols(bytes);
    for (const name of names) {
      const isLeft = symbols.kind === 'symbols' && symbols.undefined.some((it) => it.name === name);
      assert.equal(leavesUndefined(bytes, [name]), isLeft, `${file}: ${name}`);
      if (isLeft) found.set(name, (found.get(name) ?? 0) + 1);
    }
  }
  assert.ok((found.get('dlopen') ?? 0) > 3, `${found.get('dlopen')} libraries import dlopen`);
  assert.equal(found.get('no symbol has blanks'), 0);
  assert.equal(leavesUndefined(bytesInMemory(Buffer.from('text')), ['dlopen']), false);
});
