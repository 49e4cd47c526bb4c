// The exact library is not in the store, and another version has all that is needed: it is taken, and said so once.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { fingerprintBehind, rootLinks } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';
import { programNeeding, stand, withoutObjects } from './needy-programs.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
assert.ok(withoutObjects(root, /^(libffi7|libxml2-16)-/) >= 2);

interface Case {
  readonly name: string;
  readonly wanted: string;
  readonly served: RegExp;
  /** Of the library to link with. */
  readonly stub: string;
  readonly source: string;
  readonly output: RegExp;
  readonly symbols: RegExp;
}

const cases: readonly Case[] = [
  {
    name: 'readline-7',
    wanted: 'libreadline.so.7',
    served: /libreadline\.so\.8 \(libreadline8/,
    stub: 'int rl_readline_version = 0x700; void add_history(const char *l) {} void *history_get(int n) { return 0; }',
    source: `#include <stdio.h>
      extern int rl_readline_version; void add_history(const char *); struct { char *line; } *history_get(int);
      int main(void) { add_history("kept"); printf("%s %x\\n", history_get(1)->line, rl_readline_version); return 0; }`,
    output: /^kept 80\d\n$/,
    symbols: /all 2 symbols that are needed are there/,
  },
  {
    name: 'libffi-7-without-versions',
    wanted: 'libffi.so.7',
    served: /libffi\.so\.8 \(libffi8-3/,
    stub: 'char ffi_type_void[24]; int ffi_prep_cif(void *c, int a, unsigned n, void *r, void **t) { return 9; }',
    source: `#include <stdio.h>
      extern char ffi_type_void[24]; int ffi_prep_cif(void *, int, unsigned, void *, void **); long cif[32];
      int main(void) { printf("%d\\n", ffi_prep_cif(cif, 2, 0, ffi_type_void, 0)); return 0; }`,
    output: /^0\n$/,
    symbols: /the symbol that is needed is there/,
  },
  {
    name: 'libxml2-16-on-2',
    wanted: 'libxml2.so.16',
    served: /libxml2\.so\.2 \(libxml2-2/,
    stub: 'int xmlGetUTF8Char(const char *s, int *n) { return -1; }',
    source: `#include <stdio.h>
      int xmlGetUTF8Char(const char *, int *);
      int main(void) { int n = 1; printf("%c\\n", xmlGetUTF8Char("x", &n)); return 0; }`,
    output: /^x\n$/,
    symbols: /the symbol that is needed is there/,
  },
  {
    name: 'bzip2-of-fedora',
    wanted: 'libbz2.so.1.0.6',
    served: /libbz2\.so\.1\.0 \(libbz2-1\.0/,
    stub: 'const char *BZ2_bzlibVersion(void) { return "none"; }',
    source: `#include <stdio.h>
      const char *BZ2_bzlibVersion(void);
      int main(void) { puts(BZ2_bzlibVersion()); return 0; }`,
    output: /^1\.0/,
    symbols: /the symbol that is needed is there/,
  },
];

for (const { name, wanted, served, stub, source, output, symbols } of cases) {
  test(`${name}: ${wanted} is served by another version`, async () => {
    const program = programNeeding(root, name, source, [stand(root, wanted, stub)]);
    const bare = await root.bare(program);
    assert.notEqual(bare.status, 0);

    const before = new Set(rootLinks(root));
    const first = await root.start([program]);
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, output);
    const [line = '', ...more] = first.stderr.split('\n');
    assert.deepEqual(more, ['']);
    assert.ok(line.startsWith(`nix-run-foreign: ${program}: ${wanted} is served by `), line);
    assert.match(line, served);
    assert.match(line, symbols);

    const second = await root.startHit([program]);
    assert.match(second.stdout, output);
    assert.doesNotMatch(second.stderr, /is served by/);

    const [link = ''] = rootLinks(root).filter((each) => !before.has(each));
    const library = fingerprintBehind(root, link).libraries.find(({ soname }) => soname === wanted);
    assert.equal(library?.match, 'closest');
    assert.match((await root.manage(['explain', program])).stdout, /closest match/);
  });
}

test('what others need under its real soname is the same file', async () => {
  const stub = stand(
    root,
    'libreadline.so.7',
    'int rl_readline_version = 7; void add_history(const char *l) {}',
  );
  const real = stand(root, 'libreadline.so.8', 'void *history_get(int n) { return 0; }');
  const directory = path.join(homeInRoot, 'both');
  const beside = compileLibrary(
    onHost(root, path.join(directory, 'libreader.so')),
    'libreader.so',
    'struct entry { char *line; }; struct entry *history_get(int); char *reader(void) { return history_get(1)->line; }',
    [real],
  );
  const program = path.join(directory, 'program');
  compile(
    onHost(root, program),
    `#include <stdio.h>
     void add_history(const char *); char *reader(void);
     int main(void) { add_history("shared"); puts(reader()); return 0; }`,
    [beside, stub, '-Wl,-rpath,$ORIGIN', '-Wl,--allow-shlib-undefined'],
  );
  const outcome = await root.start([program]);
  assert.equal(outcome.stdout, 'shared\n', outcome.stderr);
  assert.match(outcome.stderr, /libreadline\.so\.7 is served by libreadline\.so\.8/);
});
