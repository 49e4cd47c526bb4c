// Random trees and compiled programs → simulation and Debian's musl loader agree.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { filesOfMachine } from '../../src/ldso/simulate-start.ts';
import { simulate } from '../../src/ldso/simulation/simulate.ts';
import { askMusl, muslAnswerOf, muslLoader } from './ask-musl.ts';
import { withoutRunPaths } from './one-rule.ts';
import { growTree } from './random-tree.ts';

const path = '/lib/ld-musl-x86_64.so.1';
const missing = muslLoader(path, undefined) ? false : 'install the Debian packages musl and musl-tools';

const home = mkdtempSync(join(tmpdir(), 'loader-musl-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** Starts for which a simulation without run paths would have been caught. */
let noticed = 0;

/** Compares one start; returns its status. */
function compare(
  root: string,
  program: string,
  libraryPath: string,
  preload: readonly string[],
): number | null {
  const elf = elfFileAt(program);
  const loader = muslLoader(path, elf?.interpreter);
  assert.ok(elf && loader);
  const before = process.cwd();
  process.chdir(root);
  const request = { program: { path: program, elf }, loader, libraryPath, preload, files: filesOfMachine() };
  const trace = simulate(request);
  const blind = simulate(withoutRunPaths(request));
  process.chdir(before);
  const asked = askMusl(request, root);
  assert.deepEqual(muslAnswerOf(trace), asked, `${program} library path ${libraryPath}, preload ${preload}`);
  if (!isDeepStrictEqual(muslAnswerOf(blind), asked)) noticed += 1;
  return asked.status;
}

for (const mood of ['sound', 'rough'] as const) {
  test(`${mood} trees of libraries`, { skip: missing }, (t) => {
    const count = Number(process.env['LOADER_SEEDS'] ?? 100);
    let loaded = 0;
    for (let seed = 1; seed <= count; seed += 1) {
      const root = join(home, `${mood}-${seed}`);
      mkdirSync(root);
      const { program, libraryPath, preload, report } = growTree(root, seed, mood);
      try {
        if (compare(root, program, libraryPath, preload) === 0) loaded += 1;
      } catch (error) {
        t.diagnostic(`seed ${seed}\n${report.join('\n')}`);
        throw error;
      }
      rmSync(root, { recursive: true });
    }
    t.diagnostic(
      `${count} of ${count} trees have the same list, status and words (${loaded} load everything)`,
    );
    t.diagnostic(`without run paths the simulation would have been caught ${noticed} times so far`);
    assert.ok(loaded > 0 && (count < 100 || noticed > 10), 'these trees judge too little');
  });
}

test('a program compiled for musl, its runpath inherited by what it loads', { skip: missing }, () => {
  const root = join(home, 'compiled');
  for (const folder of ['app', 'app/lib', 'path']) mkdirSync(join(root, folder), { recursive: true });
  const compile = (to: string, source: string, flags: readonly string[]) => {
    const from = `${join(root, to)}.c`;
    writeFileSync(from, source);
    execFileSync('musl-gcc', ['-o', join(root, to), from, ...flags]);
  };
  const shared = (soname: string) => ['-shared', '-fPIC', `-Wl,-soname,${soname}`];
  compile('app/lib/libinner.so.1', 'int inner(void){return 1;}', shared('libinner.so.1'));
  const needs = (file: string) => ['-L', root, join(root, file)];
  compile('app/lib/libouter.so.1', 'int inner(void); int outer(void){return inner();}', [
    ...shared('libouter.so.1'),
    ...needs('app/lib/libinner.so.1'),
  ]);
  compile('path/libouter.so.1', 'int outer(void){return 7;}', shared('libouter.so.1'));
  compile('app/program', 'int outer(void); int main(void){return outer();}', [
    '-Wl,--enable-new-dtags,-rpath,$ORIGIN/lib',
    '-Wl,-rpath-link',
    join(root, 'app/lib'),
    ...needs('app/lib/libouter.so.1'),
  ]);
  const program = join(root, 'app/program');
  assert.equal(compare(root, program, '', []), 0);
  assert.equal(compare(root, program, join(root, 'path'), []), 0);
  assert.equal(compare(root, program, '', [join(root, 'path/libouter.so.1')]), 0);
  rmSync(join(root, 'app/lib/libinner.so.1'));
  assert.equal(compare(root, program, '', []), 127);
});
