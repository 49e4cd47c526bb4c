// Programs with libraries of their own → patched, each library is the one that they start with by the launcher.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, compileLibrary } from '../compile.ts';
import { tooOldBundled } from '../real-programs/input-programs.ts';
import { openVendorRoot } from './vendor-root.ts';

const vendor = await openVendorRoot('full', { user: 0 });
const at = (name: string): string => path.join(vendor.dir, name);
const said = async (program: string) => (await vendor.root.bare(program, [], { env: {} })).stdout;

test("an own library that is too old gives way to the store's in the patched file too", async () => {
  const program = await tooOldBundled(vendor.root, 'runpath');
  const launched = await vendor.root.start([program]);
  assert.equal(launched.stdout, 'answer 7\n', launched.stderr);
  const { status, stderr } = await vendor.root.manage(['patch', '-y', program]);
  assert.equal(status, 0, stderr);
  assert.equal(await said(program), 'answer 7\n');
});

test("in a tree one program keeps its own library where another has the store's", async () => {
  const source = `#include <stdio.h>
    const char *zlibVersion(void);
    int main(void) { return puts(zlibVersion()) < 0; }`;
  mkdirSync(at('app'));
  const text = 'const char *zlibVersion(void) { return "mine"; }';
  const own = compileLibrary(at('app/lib/libz.so.1'), 'libz.so.1', text);
  compile(at('app/a/own'), source, [own, '-Wl,--enable-new-dtags,-rpath,$ORIGIN/../lib']);
  compile(at('app/b/stores'), source, [own]);
  const { status, stderr } = await vendor.root.manage(['patch', '-y', '--tree', '/vendor/app']);
  assert.equal(status, 0, stderr);
  assert.equal(await said('/vendor/app/a/own'), 'mine\n');
  assert.match(await said('/vendor/app/b/stores'), /^1\.\d/);
});

test("with the user's libraries first, one of its own finds in the farm what only that needs", async () => {
  const foo = 'const char *zlibVersion(void); const char *foo(void) { return zlibVersion(); }';
  const own = compileLibrary(at('first/lib/libfoo.so'), 'libfoo.so', foo, ['-l:libz.so.1']);
  const source = '#include <stdio.h>\nconst char *foo(void);\nint main(void) { return puts(foo()) < 0; }';
  compile(at('first/tool'), source, [own, '-Wl,-rpath,$ORIGIN/lib']);
  const text = 'const char *zlibVersion(void) { return "theirs"; }';
  compileLibrary(at('theirs/libz.so.1'), 'libz.so.1', text);
  const { status, stderr } = await vendor.root.manage([
    'patch',
    '-y',
    '--user-libraries-first',
    '/vendor/first/tool',
  ]);
  assert.equal(status, 0, stderr);
  assert.match(await said('/vendor/first/tool'), /^1\.\d/);
  const env = { LD_LIBRARY_PATH: '/vendor/theirs' };
  assert.equal((await vendor.root.bare('/vendor/first/tool', [], { env })).stdout, 'theirs\n');
});
