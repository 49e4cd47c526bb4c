// The verdict of a loader: the machine's own on real programs, and scripts that end as no loader should.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
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

test('a loader that is missing, dies, or fails in silence is a complaint', () => {
  const verdict = (loader: string): readonly string[] => askLoader({ ...request, loader }).complaints;
  assert.deepEqual(verdict('/nowhere/ld.so'), ['the loader could not be started (ENOENT)']);
  assert.deepEqual(verdict('/etc/passwd'), ['the loader could not be started (EACCES)']);
  assert.deepEqual(verdict(fakeLoader('dies', 'kill -SEGV $$')), ['the loader was killed by a signal']);
  assert.deepEqual(verdict(fakeLoader('silent', 'exit 3')), ['the loader ended with status 3']);
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
