// Each rule of musl's loader by itself → Debian's agrees with the simulation, and not with one that lacks the rule.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { filesOfMachine } from '../../src/ldso/simulate-start.ts';
import { simulate } from '../../src/ldso/simulation/simulate.ts';
import { askMusl, muslAnswerOf, muslLoader } from './ask-musl.ts';
import { growScene, type Scene, seenAs, withoutIdentities, withSettings } from './one-rule.ts';

const loaderPath = '/lib/ld-musl-x86_64.so.1';
const missing = muslLoader(loaderPath, undefined) ? false : 'install the Debian package musl';
const home = realpathSync(mkdtempSync(join(tmpdir(), 'loader-musl-rules-')));
after(() => rmSync(home, { recursive: true, force: true }));

const interpreter = loaderPath;
const rules: readonly ((root: string) => Scene)[] = [
  () => ({
    rule: 'names of libc are the loader',
    files: { 'a/lib0.so': {}, 'a/libm.so.6': {} },
    program: { interpreter, needed: ['lib0.so', 'libm.so.6'] },
    libraryPath: ['a'],
    without: seenAs(({ needed }) => ({ needed: needed.map((name) => name.replace('libm.so.6', 'lib1.so')) })),
  }),
  (root) => ({
    rule: 'library path before rpath',
    files: { 'a/lib0.so': {}, 'b/lib0.so': {} },
    program: { interpreter, needed: ['lib0.so'], rpath: `${root}/b` },
    libraryPath: ['a'],
    without: (request) => ({ ...request, libraryPath: '' }),
  }),
  (root) => ({
    rule: 'runpath, of those above too',
    files: { 'a/lib0.so': { needed: ['lib1.so'] }, 'b/lib1.so': {} },
    program: { interpreter, needed: ['lib0.so'], runpath: `${root}/b` },
    libraryPath: ['a'],
    without: seenAs(() => ({ runpath: undefined })),
  }),
  (root) => ({
    rule: 'a run path with any token but $ORIGIN is void',
    files: { 'a/lib0.so': {} },
    program: { interpreter, needed: ['lib0.so'], runpath: `${root}/a:${root}/$LIB` },
    without: seenAs(({ runpath }) => ({ runpath: runpath?.replace('$LIB', 'lib') })),
  }),
  () => ({
    rule: '$ORIGIN',
    files: { 'a/lib0.so': {} },
    program: { interpreter, needed: ['lib0.so'], runpath: '$ORIGIN/../a' },
    without: seenAs(({ runpath }) => ({ runpath: runpath?.replace('$ORIGIN', '/nowhere') })),
  }),
  () => ({
    rule: 'a soname is no name',
    files: { 'a/liba.so': { soname: 'lib0.so' }, 'a/lib0.so': { soname: 'lib0.so' } },
    program: { interpreter, needed: ['liba.so', 'lib0.so'] },
    libraryPath: ['a'],
    without: (request) => {
      const probe: typeof request.files.probe = (path) => {
        const met = request.files.probe(path);
        return met.kind === 'elf' ? { ...met, identity: met.elf.soname ?? path } : met;
      };
      return { ...request, files: { ...request.files, probe } };
    },
  }),
  () => ({
    rule: 'one object per file',
    files: { 'a/lib0.so': {}, 'a/lib1.so': '= a/lib0.so' },
    program: { interpreter, needed: ['lib0.so', 'lib1.so'] },
    libraryPath: ['a'],
    without: withoutIdentities,
  }),
  (root) => ({
    rule: 'names with a slash are paths',
    files: { 'a/lib0.so': {}, 'b/lib0.so': {} },
    program: { interpreter, needed: [`${root}/b/lib0.so`] },
    libraryPath: ['a'],
    without: seenAs(({ needed }) => ({ needed: needed.map((name) => name.replace(/.*\//, '')) })),
  }),
  () => ({
    rule: 'another class is the end, not passed over',
    files: { 'a/lib0.so': { class: 32, machine: 3 }, 'b/lib0.so': {} },
    program: { interpreter, needed: ['lib0.so'] },
    libraryPath: ['a', 'b'],
    without: (request) => {
      const probe: typeof request.files.probe = (path) => {
        const met = request.files.probe(path);
        return met.kind === 'elf' && met.elf.class === 32 ? { kind: 'unopened', errno: 'ENOENT' } : met;
      };
      return { ...request, files: { ...request.files, probe } };
    },
  }),
  (root) => ({
    rule: 'directories of the .path file above the interpreter, where there is none: built in',
    files: { 'lib/lib0.so': {} },
    program: { interpreter: `${root}/lib/ld-musl-x86_64.so.1`, needed: ['lib0.so'] },
    without: withSettings({ defaultDirectories: [`${root}/lib`] }),
  }),
];

for (const [at, write] of rules.entries()) {
  const root = join(home, String(at));
  const scene = write(root);
  test(scene.rule, { skip: missing }, () => {
    mkdirSync(root);
    const path = growScene(root, scene);
    const elf = elfFileAt(path) ?? assert.fail();
    const loader = muslLoader(loaderPath, elf.interpreter) ?? assert.fail();
    const libraryPath = (scene.libraryPath ?? []).map((name) => join(root, name)).join(':');
    const request = { program: { path, elf }, loader, libraryPath, files: filesOfMachine() };
    const asked = askMusl(request, home);
    assert.deepEqual(muslAnswerOf(simulate(request)), asked);
    const without = muslAnswerOf(simulate(scene.without(request)));
    assert.notDeepEqual(without, asked, 'the scene does not show its rule');
  });
}
