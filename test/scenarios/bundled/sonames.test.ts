// Libraries beside a program whose file names and sonames differ, or that filter others → who serves each name.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const root = await openToolRoot(await ensureRig('full'));
const RUNPATH = '-Wl,--no-as-needed,--enable-new-dtags,-rpath,$ORIGIN';

async function assertStarts(program: string, stdout: string): Promise<void> {
  for (const start of [root.start, root.startHit]) {
    const { status, stdout: said, stderr } = await start([program]);
    assert.deepEqual({ status, said, stderr }, { status: 0, said: stdout, stderr: '' });
  }
}

test('a soname that was asked for before its file was opened comes from the store', async () => {
  const place = path.join(homeInRoot, 'first');
  const on = (name: string) => onHost(root, path.join(place, name));
  const source = 'const char *zlibVersion(void) { return ""; }';
  const stub = compileLibrary(on('stubs/libz.so.1'), 'libz.so.1', source);
  const vendor = 'int vendor(void) { return 7; }';
  const linked = compileLibrary(on('stubs/libvendor.so'), 'libvendor.so', vendor);
  const program = path.join(place, 'program');
  compile(
    onHost(root, program),
    '#include <stdio.h>\nint vendor(void); const char *zlibVersion(void);\nint main(void) { printf("%d %c\\n", vendor(), zlibVersion()[0]); return 0; }',
    [RUNPATH, stub, linked],
  );
  compileLibrary(on('libvendor.so'), 'libz.so.1', vendor);
  await assertStarts(program, '7 1\n');
});

test('a library beyond ASCII that lies there under another file name', async () => {
  const place = path.join(homeInRoot, 'beyond');
  const on = (name: string) => onHost(root, path.join(place, name));
  const library = compileLibrary(on('libmüll.so.1'), 'libmüll.so.1', 'int ours(void) { return 8; }');
  const program = path.join(place, 'program');
  compile(
    onHost(root, program),
    '#include <stdio.h>\nint ours(void);\nint main(void) { printf("%d\\n", ours()); return 0; }',
    [RUNPATH, library],
  );
  renameSync(library, on('libmüll.so.1.2'));
  await assertStarts(program, '8\n');
});

test('what a library beside the program filters comes from the store', async () => {
  const place = path.join(homeInRoot, 'filter');
  const on = (name: string) => onHost(root, path.join(place, name));
  const source = 'const char *zlibVersion(void) { return "none"; }';
  const filter = compileLibrary(on('libfilter.so.1'), 'libfilter.so.1', source, ['-Wl,-F,libz.so.1']);
  const program = path.join(place, 'program');
  compile(
    onHost(root, program),
    '#include <stdio.h>\nconst char *zlibVersion(void);\nint main(void) { printf("%c\\n", zlibVersion()[0]); return 0; }',
    [RUNPATH, filter],
  );
  await assertStarts(program, '1\n');
});
