// The exact library is not in the store, and no other version has all that is needed: refused, with what is missing.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { compileLibrary } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { foreign } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { programNeeding, stand, storeLibrary, withoutObjects } from './needy-programs.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);

const main = (call: string) => `int ${call}(); int main(void) { return ${call}(); }`;
const programs = {
  ffi: programNeeding(root, 'ffi', main('ffi_prep_cif'), [
    storeLibrary(root, /^libffi7-/, 'lib/libffi.so.7'),
  ]),
  icu: programNeeding(root, 'icu', main('u_getVersion_67'), [
    storeLibrary(root, /^libicu67-/, 'lib/libicuuc.so.67'),
  ]),
  tinfo: programNeeding(root, 'tinfo', main('setupterm'), [
    storeLibrary(root, /^libtinfo5-6\.4/, 'lib/libtinfo.so.5'),
  ]),
  ncurses: programNeeding(root, 'ncurses', main('initscr'), [
    storeLibrary(root, /^libncurses5-6\.4/, 'lib/libncurses.so.5'),
    storeLibrary(root, /^libtinfo5-6\.4/, 'lib/libtinfo.so.5'),
  ]),
  ssl: foreign(rig, 'bullseye', 'nodejs').path,
};

test('before, each of them finds what it was built with', async () => {
  for (const program of [programs.ffi, programs.icu, programs.tinfo, programs.ncurses]) {
    const outcome = await root.manage(['resolve', program]);
    assert.equal(outcome.status, 0, outcome.stderr);
  }
  const node = await root.start([programs.ssl, '-p', '6*7']);
  assert.equal(node.stdout, '42\n', node.stderr);
});

test('without the libraries of that time they are refused', async (t) => {
  const gone = withoutObjects(root, /^(libffi7|libicu67|libtinfo5|libncurses5|libssl1\.1)-/);
  assert.ok(gone >= 7, `only ${gone} objects were taken away`);
  const refuse = async (name: keyof typeof programs, cause: RegExp, byHand: 'possible' | 'impossible') =>
    t.test(name, async () => {
      const outcome = await root.start([programs[name]]);
      assertRefused(outcome, { status: 126, cause });
      assert.match(outcome.stderr, /looked at \d+ libraries/);
      if (byHand === 'possible') assert.match(outcome.stderr, /can be chosen by hand: nix-foreign choose/);
      else assert.doesNotMatch(outcome.stderr, /by hand/);
    });
  await refuse(
    'ffi',
    /ffi needs libffi\.so\.7; .*nearest to libffi\.so\.7 is libffi\.so\.8 \(libffi8-.*\(ffi_prep_cif@LIBFFI_BASE_7\.0\) and the version LIBFFI_BASE_7\.0$/,
    'impossible',
  );
  await refuse(
    'icu',
    /icu needs libicuuc\.so\.67; .*nearest to libicuuc\.so\.67 is libicuuc\.so\.72 \(libicu72-.*lacks the symbol needed \(u_getVersion_67\)$/,
    'possible',
  );
  await refuse('tinfo', /libtinfo\.so\.5 is libtinfo\.so\.6 .*NCURSES_TINFO_5\.0\.19991023/, 'impossible');
  await refuse('ncurses', /libncurses\.so\.5 is libncurses\.so\.6/, 'impossible');
  await refuse('ssl', /libcrypto\.so\.1\.1 is libcrypto\.so\.3 .*OPENSSL_1_1_0/, 'impossible');
});

test('the loader has the last word: a variable that the program holds a copy of, and nobody has', async () => {
  const stub = stand(root, 'libreadline.so.7', 'int rl_of_old = 7; void add_history(const char *line) {}');
  const program = programNeeding(
    root,
    'copy',
    'extern int rl_of_old; void add_history(const char *); int main(void) { add_history("x"); return rl_of_old; }',
    [stub],
  );
  const outcome = await root.start([program]);
  assertRefused(outcome, {
    status: 126,
    cause:
      /refuses the set: copy needs the symbol rl_of_old, which nobody defines; libreadline\.so\.7 is served by libreadline\.so\.8/,
  });
});

test('by hand it may be chosen all the same: here the symbol is not called', async () => {
  const stub = stand(root, 'libreadline.so.7', 'int rl_of_old(void) { return 7; }');
  const program = programNeeding(
    root,
    'by-hand',
    'int rl_of_old(void); int main(int n) { return n > 1 ? rl_of_old() : 0; }',
    [stub, '-Wl,-z,lazy'],
  );
  const refused = await root.start([program]);
  assertRefused(refused, { status: 126, cause: /lacks the symbol needed \(rl_of_old\)$/ });
  assert.match(refused.stderr, /can be chosen by hand: nix-foreign choose/);

  const library = storeLibrary(root, /^libreadline8-8\.2/, 'lib/libreadline.so.8');
  const file = library.replace(root.nixDir, '/nix');
  const chosen = await root.manage(['choose', program, '--pin', `libreadline.so.7=${file}`]);
  assert.equal(chosen.status, 0, chosen.stderr);
  const outcome = await root.start([program]);
  assert.deepEqual([outcome.status, outcome.stderr], [0, '']);
});

test('another release, which is in the name before .so, is only offered', async () => {
  const stub = stand(root, 'libdb-5.1.so', 'void *db_version(int *a, int *b, int *c) { return 0; }');
  const program = programNeeding(
    root,
    'release',
    `#include <stdio.h>
     char *db_version(int *, int *, int *);
     int main(void) { int n; printf("%.12s\\n", db_version(&n, &n, &n)); return 0; }`,
    [stub],
  );
  const refused = await root.start([program]);
  assertRefused(refused, { status: 126, cause: /libdb-5\.1\.so; .*nearest to .* is libdb-5\.3\.so/ });
  assert.match(refused.stderr, /can be chosen by hand: nix-foreign choose/);
  const library = storeLibrary(root, /^libdb5\.3-/, 'lib/libdb-5.3.so').replace(root.nixDir, '/nix');
  const chosen = await root.manage(['choose', program, '--pin', `libdb-5.1.so=${library}`]);
  assert.equal(chosen.status, 0, chosen.stderr);
  assert.equal((await root.start([program])).stdout, 'Berkeley DB \n');
});

test('the exact library around the program is offered, and none of the store is taken instead', async () => {
  const source = 'int rl_readline_version = 0x700; void add_history(const char *line) {}';
  const beside = compileLibrary(
    path.join(root.homeDir, 'moved/lib/libreadline.so.7'),
    'libreadline.so.7',
    source,
  );
  const program = programNeeding(
    root,
    'moved/bin/tool',
    `#include <stdio.h>
     extern int rl_readline_version; void add_history(const char *);
     int main(void) { add_history("x"); printf("%x\\n", rl_readline_version); return 0; }`,
    [beside, '-Wl,-rpath,/where/it/was/built'],
  );
  const refused = await root.start([program]);
  assertRefused(refused, { status: 126, cause: /libreadline\.so\.7/ });
  const [, words = ''] =
    /it lies beside the program, take it with: nix-foreign (.*)\n/.exec(refused.stderr) ?? [];
  assert.match(words, /^choose \S+ --add libreadline\.so\.7=\S+moved\/lib\/libreadline\.so\.7$/);
  const chosen = await root.manage(words.split(' '));
  assert.equal(chosen.status, 0, chosen.stderr);
  assert.equal((await root.start([program])).stdout, '700\n');
});
