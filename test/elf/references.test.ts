// References, their time of binding and what they bind to: built for the purpose, and against readelf.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  bindsAllAtStart,
  findLinkTables,
  type LinkTables,
  relocationsOf,
} from '../../src/elf/link-tables.ts';
import { bytesInMemory } from '../../src/elf/reader.ts';
import { bringsUnknown, openDefinitions, readStrongReferences } from '../../src/elf/references.ts';
import { compileC, writeScratch } from './compile-c.ts';

function tablesOf(path: string): LinkTables {
  const tables = findLinkTables(bytesInMemory(readFileSync(path)));
  assert.ok(tables, path);
  return tables;
}

/** `name start` or `name call`, by the table the symbol is in. */
function boundBy(tables: LinkTables): string[] {
  const times = new Map<number, string>();
  for (const { symbol, when } of relocationsOf(tables)) {
    if (times.get(symbol) !== 'start') times.set(symbol, when);
  }
  return readStrongReferences(tables)
    .map(({ name, index }) => `${name} ${times.get(index) ?? 'never'}`)
    .sort();
}

const library = `
extern int called(void); extern int pointed(void); extern int datum; extern _Thread_local int per_thread;
extern int maybe(void) __attribute__((weak));
int (*pointer)(void) = pointed;
int use(void) { return called() + datum + per_thread + (maybe ? maybe() : 0); }`;

const shared = ['-shared', '-fPIC', '-nostdlib'];

for (const style of ['sysv', 'gnu', 'both']) {
  for (const width of ['-m64', '-m32']) {
    test(`a library with the ${style} hash table, ${width}`, () => {
      const flags = [width, ...shared, `-Wl,--hash-style=${style}`];
      const tables = tablesOf(compileC(`libwants-${style}${width}.so`, library, flags));
      const all = boundBy(tables).filter((each) => !/tls_get_addr/.test(each));
      assert.deepEqual(all, ['called call', 'datum start', 'per_thread start', 'pointed start']);
      assert.equal(bindsAllAtStart(tables), false);
    });

    test(`definitions by the ${style} hash table, ${width}`, () => {
      const source = `
        __asm__(".symver first, two@V_1"); __asm__(".symver second, two@@V_2"); __asm__(".symver third, late@V_2");
        int first(void){return 1;} int second(void){return 2;} int third(void){return 3;}
        int plain(void){return 0;} __attribute__((weak)) int weak(void){return 0;} _Thread_local int mine;
        extern int absent(void); int one(void){return absent();}
        static int inner(void){return 1;} int (*p)(void) = inner;`;
      const map = writeScratch(
        'defines.map',
        'V_1 { global: one; plain; };\nV_2 { global: weak; mine; } V_1;\n',
      );
      const flags = [width, ...shared, `-Wl,--hash-style=${style},--version-script=${map}`];
      const defines = openDefinitions(tablesOf(compileC(`libdefines-${style}${width}.so`, source, flags)));
      for (const name of ['plain', 'one', 'two', 'weak', 'mine']) assert.ok(defines(name), name);
      // \`late\` has only a hidden definition of a version that is not the first.
      for (const name of ['absent', 'inner', 'late', 'nothing', '']) assert.ok(!defines(name), name);
      const versioned = ['one@V_1', 'two@V_1', 'two@V_2', 'late@V_2', 'one@V_2', 'late@V_1', 'inner@V_1'];
      const has = versioned.filter((each) => defines(...(each.split('@') as [string, string])));
      assert.deepEqual(has, versioned.slice(0, 4));
    });
  }
}

test('a program that exports nothing, and one that holds its own entries for functions', () => {
  const stub = compileC('libstub.so', 'int called(void){return 1;} int pointed(void){return 1;}', shared);
  const source = `int called(void); int pointed(void); int (*volatile pointer)(void) = pointed;
    int main(void) { return called() + pointer() + (pointer == pointed); }`;
  const flags = ['-Wl,-z,lazy', stub];
  const pie = boundBy(tablesOf(compileC('pie', source, ['-pie', '-fPIE', ...flags])));
  assert.deepEqual(pie, ['called call', 'pointed start']);
  const fixed = tablesOf(compileC('fixed', source, ['-no-pie', '-fno-pie', ...flags]));
  assert.deepEqual(boundBy(fixed), ['called call', 'pointed call']);
  // Whoever else points to the function gets the program's entry for it.
  assert.ok(openDefinitions(fixed)('pointed'));
  assert.ok(!openDefinitions(fixed)('called'));
});

test('a library that is bound at the start says so', () => {
  const marked = compileC('libnow.so', library, [...shared, '-Wl,-z,now']);
  assert.ok(bindsAllAtStart(tablesOf(marked)));
});

test('an object that has others loaded brings more than its tables tell', () => {
  const filter = compileC('libfilter.so', 'int f;', [...shared, '-Wl,--filter,libreal.so']);
  const auxiliary = compileC('libauxiliary.so', 'int f;', [...shared, '-Wl,--auxiliary,libreal.so']);
  const plain = compileC('libplain.so', 'int f;', shared);
  assert.deepEqual(
    [filter, auxiliary, plain].map((each) => bringsUnknown(tablesOf(each))),
    [true, true, false],
  );
  assert.ok(![filter, auxiliary].some((each) => bringsUnknown(tablesOf(each), 'musl')));
});

test('as readelf has it, for programs and libraries of the system', (t) => {
  const files = ['/usr/bin', '/usr/lib/x86_64-linux-gnu'].flatMap((directory) =>
    readdirSync(directory)
      .sort()
      .map((name) => join(directory, name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() && statSync(path).size < 4e6),
  );
  let [checked, references] = [0, 0];
  for (const path of files.filter((_, i) => i % 8 === 0)) {
    const bytes = readFileSync(path);
    if (bytes.toString('latin1', 0, 4) !== '\x7fELF') continue;
    const tables = findLinkTables(bytesInMemory(bytes));
    if (tables === undefined) continue;
    const text = execFileSync('readelf', ['-W', '--dyn-syms', path], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const rows = text.matchAll(
      /^ +\d+: \w+ +\w+ +(\w+) +(\w+) +\w+ +(?:\[.*?\] +)?(\w+) +(\S+)( \(\d+\))?$/gm,
    );
    const expected: string[] = [];
    const defines = openDefinitions(tables);
    for (const [, type, binding, section, name = ''] of rows) {
      if (section === 'UND' && binding === 'GLOBAL') expected.push(name);
      if (section !== 'UND' && binding !== 'LOCAL' && type !== 'SECTION' && !name.endsWith('@'))
        assert.ok(defines(...(name.split(/@+/) as [string, string?])), `${path} ${name}`);
      const isDefault = !/[^@]@[^@]/.test(name) && binding !== 'LOCAL' && type !== 'SECTION';
      if (section !== 'UND' && isDefault) assert.ok(defines(name.replace(/@.*/, '')), `${path} ${name}`);
    }
    const found = readStrongReferences(tables, () => true).map(({ name, version }) =>
      version === undefined ? name : `${name}@${version}`,
    );
    assert.deepEqual(found.sort(), expected.sort(), path);
    const plain = readStrongReferences(tables).map(({ name }) => name);
    assert.deepEqual(plain.sort(), expected.filter((each) => !each.includes('@')).sort(), path);
    checked += 1;
    references += found.length;
  }
  t.diagnostic(`${checked} files, ${references} references`);
  assert.ok(checked > 40 && references > 40);
});
