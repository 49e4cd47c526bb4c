// Run paths and token expansion, by the rules one by one and against the search path of the real ld.so.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { expandTokens, libraryPathDirectories, runPathDirectories } from '../../src/elf/run-path.ts';
import { compileC, scratchPath } from './compile-c.ts';
import { seededRandom } from './seeded-random.ts';

const tokens = { origin: '/app/bin', lib: 'lib64', platform: 'haswell' };

test('splits a run path as ld.so does', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['/a', ['/a']],
    ['/a:/b', ['/a', '/b']],
    [':', ['']],
    ['/a:', ['/a', '']],
    [':/a::/b', ['', '/a', '/b']],
    ['/a/:/b///', ['/a', '/b']],
    ['/:///', ['/']],
    ['/a:/a/:/a//', ['/a']],
    ['/a//b:rel:.', ['/a//b', 'rel', '.']],
    ['/a;/b', ['/a;/b']],
    [`$ORIGIN/../lib:\${ORIGIN}`, ['/app/bin/../lib', '/app/bin']],
    [`/x/$LIB/\${PLATFORM}/`, ['/x/lib64/haswell']],
    ['$ORIGIN:/app/bin', ['/app/bin']],
  ];
  for (const [text, expected] of cases) assert.deepEqual(runPathDirectories(text, tokens), expected, text);
});

test('splits LD_LIBRARY_PATH at semicolons too', () => {
  assert.deepEqual(libraryPathDirectories('/a;/b:/c;;/d', tokens), ['/a', '/b', '/c', '', '/d']);
  assert.deepEqual(libraryPathDirectories('', tokens), []);
});

test('a token ends where an identifier would', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['$ORIGIN', '/app/bin'],
    ['$ORIGINAL', '$ORIGINAL'],
    ['$ORIGIN_', '$ORIGIN_'],
    ['$ORIGIN2', '$ORIGIN2'],
    ['$ORIGIN-', '/app/bin-'],
    [`\${ORIGIN`, `\${ORIGIN`],
    [`\${ORIGIN}AL`, '/app/binAL'],
    [`\${LIBX}`, `\${LIBX}`],
    ['$$ORIGIN$', '$/app/bin$'],
    [`$HOME/\${USER}`, `$HOME/\${USER}`],
    ['$origin', '$origin'],
    ['$ORIGIN$LIB', '/app/binlib64'],
  ];
  for (const [text, expected] of cases) assert.equal(expandTokens(text, tokens), expected, text);
});

test('a value that looks like a token is not expanded again', () => {
  assert.equal(expandTokens('$ORIGIN', { ...tokens, origin: '/a/$LIB$&' }), '/a/$LIB$&');
});

test('an element with a token of no value is dropped', () => {
  const unknown = { ...tokens, platform: undefined, origin: undefined };
  assert.equal(expandTokens('/a/$PLATFORM', unknown), undefined);
  assert.deepEqual(runPathDirectories('/a/$PLATFORM:/b:$ORIGIN/c:', unknown), ['/b', '']);
  assert.deepEqual(runPathDirectories('$LIB', { ...tokens, lib: '' }), []);
});

const missing = compileC('libmissing.so', 'int missing;', [
  '-shared',
  '-fPIC',
  '-Wl,-soname,libmissing.so.1',
]);
const origin = dirname(realpathSync(scratchPath('libmissing.so')));

function linkSeeker(name: string, runPath: string): string {
  const flags = runPath === '' ? [] : [`-Wl,--enable-new-dtags,-rpath,${runPath}`];
  return compileC(name, 'extern int missing; int main(void){return missing;}', [missing, ...flags]);
}

/** Where ld.so looked for the library that is nowhere, hardware directories left out. */
function searched(program: string, libraryPath: string): string[] {
  const { stderr } = spawnSync(program, [], {
    encoding: 'utf8',
    cwd: '/',
    env: { LD_DEBUG: 'libs', LD_LIBRARY_PATH: libraryPath },
  });
  const sections = stderr.split(/search path=/).slice(1);
  const ours = sections.filter((section) =>
    /\((LD_LIBRARY_PATH|RUNPATH from file)/.test(section.split('\n')[0] ?? ''),
  );
  return ours.flatMap((section) =>
    [...section.matchAll(/trying file=(.*)$/gm)]
      .map((match) => match[1] ?? '')
      .filter(
        (path) =>
          !/\/(glibc-hwcaps|tls|haswell|avx512_1|xeon_phi|x86_64)\/|^(glibc-hwcaps|tls|haswell|x86_64)\//.test(
            path,
          ),
      )
      .map((path) =>
        path.includes('/') ? (dirname(path) === '/' ? '/' : path.slice(0, path.lastIndexOf('/'))) : '',
      ),
  );
}

test('searches the directories that ld.so searches, LD_LIBRARY_PATH', () => {
  const program = linkSeeker('seek-plain', '');
  const random = seededRandom(11);
  const elements = [
    '/q/a',
    '/q/a/',
    '/q/b//',
    '',
    '/',
    '$ORIGIN/q',
    `\${ORIGIN}/q`,
    '/q/$ORIGIN',
    '/q/$FOO',
    'rel/c',
    '/q/$ORIGINX',
  ];
  for (let round = 0; round < 60; round += 1) {
    const parts = Array.from({ length: 1 + random(6) }, () => elements[random(elements.length)] ?? '');
    const text = parts.reduce((joined, part) => joined + (random(3) === 0 ? ';' : ':') + part);
    const expected = libraryPathDirectories(text, { origin, lib: undefined, platform: undefined });
    assert.deepEqual(searched(program, text), expected, text);
  }
});

test('searches the directories that ld.so searches, DT_RUNPATH', () => {
  for (const text of [`$ORIGIN/../q:/q/a//:/q/a:\${ORIGIN}`, '/q/a::/q/b', '/q;/r:/s']) {
    const program = linkSeeker('seek-runpath', text);
    const expected = runPathDirectories(text, { origin, lib: undefined, platform: undefined });
    assert.deepEqual(searched(program, ''), expected, text);
  }
});
