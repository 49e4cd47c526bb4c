// The verdict of a loader: the machine's own on real programs, and scripts that end as no loader should.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { askLoader } from '../../src/ldso/ask-loader.ts';
import { compileLibrary, compileProgram, scratchDirectory } from '../store/compiled-library.ts';

const LOADER = '/lib64/ld-linux-x86-64.so.2';
const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);

const library = compileLibrary(at('lib/libp.so.1'), { soname: 'libp.so.1' });
const program = compileProgram(at('program'), { needs: [library] });
const request = { loader: LOADER, libc: 'glibc', libraryPath: at('lib'), program } as const;

function fakeLoader(name: string, script: string): string {
  writeFileSync(at(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return at(name);
}

test('an accepted set has no complaint and every object', () => {
  const output = askLoader(request);
  assert.deepEqual(output.complaints, []);
  assert.equal(output.objects.find(({ name }) => name === 'libp.so.1')?.path, library);
});

test('a missing library is one complaint', () => {
  const { complaints } = askLoader({ ...request, libraryPath: at('nowhere') });
  assert.equal(complaints.length, 1);
  assert.match(complaints[0] ?? '', /^libp\.so\.1: cannot open/);
});

test('with what is bound at the start: the same list, and a complaint about what nobody defines', () => {
  const bound = { ...request, binding: 'start' } as const;
  assert.deepEqual(askLoader(bound), askLoader(request));
  // An address in data is bound before the program's first line, whatever is bound lazily.
  const source = 'extern int nobody_has_it; int *address = &nobody_has_it;\n';
  compileLibrary(at('needy/libp.so.1'), { soname: 'libp.so.1', source });
  const needy = { libraryPath: at('needy') };
  assert.deepEqual(askLoader({ ...request, ...needy }).complaints, []);
  assert.deepEqual(askLoader({ ...bound, ...needy }).complaints, [
    'libp.so.1 needs the symbol nobody_has_it, which nobody defines',
  ]);
  const missing = { libraryPath: at('nowhere') };
  assert.deepEqual(askLoader({ ...bound, ...missing }), askLoader({ ...request, ...missing }));
});

test('a program that is none is a complaint', () => {
  assert.notDeepEqual(askLoader({ ...request, program: '/etc/passwd' }).complaints, []);
});

test("nothing of the user's environment reaches the loader", () => {
  process.env['LD_PRELOAD'] = '/nowhere/evil.so';
  try {
    assert.deepEqual(askLoader(request).complaints, []);
  } finally {
    delete process.env['LD_PRELOAD'];
  }
});

test('a loader that cannot be started refuses nothing', () => {
  const failures = {
    '/nowhere/ld.so': /ld\.so cannot be started: no such file or directory$/,
    '/etc/passwd': /passwd cannot be started: permission denied$/,
  };
  for (const [loader, message] of Object.entries(failures))
    for (const asked of [
      { ...request, loader },
      { ...request, loader, binding: 'start' as const },
    ])
      assert.throws(() => askLoader(asked), { code: 'loader-not-started', exitCode: 125, message });
});

test('where no file can be opened any more, the remedy is about that', () => {
  const script = `import { askLoader } from ${JSON.stringify(path.resolve('src/ldso/ask-loader.ts'))};
    import { openSync } from 'node:fs';
    const request = ${JSON.stringify(request)};
    askLoader(request);
    try { for (;;) openSync('/dev/null', 'r'); } catch {}
    try { askLoader(request); } catch ({ code, message, hint }) { console.log(JSON.stringify([code, message, hint])); }`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(stdout), [
    'loader-not-started',
    `the loader ${LOADER} cannot be started: too many open files`,
    'raise the limit of open files: ulimit -S -n hard',
  ]);
});

test('a loader that dies or fails in silence is a complaint', () => {
  const verdict = (loader: string): readonly string[] => askLoader({ ...request, loader }).complaints;
  assert.deepEqual(verdict(fakeLoader('dies', 'kill -SEGV $$')), ['the loader was killed by a signal']);
  assert.deepEqual(verdict(fakeLoader('silent', 'exit 3')), ['the loader ended with status 3']);
});

test('names and directories with line breaks write no lines of their own', () => {
  const forged = 'z.so (0x1)\n\tlibc.so.6 => /evil/libc.so.6 (0x2)\n\tx.so';
  const directory = at('line\nbreak (0x7f)\n\tlibevil.so => ');
  const odd = compileLibrary(path.join(directory, 'lib', 'libodd.so'), {
    soname: forged.replaceAll('/', '%'),
  });
  const flags = ['-Wl,-rpath,$ORIGIN/lib', `-Wl,--dynamic-linker=/lib64/ld\n-linux.so.2`];
  const named = compileProgram(path.join(directory, 'program'), { needs: [library, odd], flags });
  renameSync(odd, path.join(path.dirname(odd), forged.replaceAll('/', '%')));
  const { objects, complaints } = askLoader({ ...request, program: named });
  assert.deepEqual(complaints, []);
  assert.deepEqual(
    objects.map(({ name }) => name).sort(),
    ['/lib64/ld\n-linux.so.2', forged.replaceAll('/', '%'), 'libc.so.6', 'libp.so.1'].sort(),
  );
  assert.equal(
    objects.find(({ name }) => name.startsWith('z.so'))?.path,
    path.join(directory, 'lib', forged.replaceAll('/', '%')),
  );
});

test('arguments with blanks arrive whole', () => {
  const odd = compileProgram(at('odd $HOME `x`'), { needs: [library] });
  assert.deepEqual(askLoader({ ...request, program: odd }).complaints, []);
});

test("musl's loader, which names itself by the program's interpreter, is the one that was asked", () => {
  const recorded =
    'printf "\\t/lib/ld-musl-x86_64.so.1 (0x7f)\\n\\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f)\\n"';
  const loader = fakeLoader('ld-musl', `[ "$1" = --library-path ] || exit 9\n${recorded}`);
  const output = askLoader({ ...request, loader, libc: 'musl' });
  assert.deepEqual(output.complaints, []);
  assert.deepEqual(
    output.objects.map((each) => each.path),
    [loader, loader],
  );
});
