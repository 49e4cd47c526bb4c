// A program that has LD_LIBRARY_PATH lead to its own tree → its plug-ins get the tree's libraries, though the store has
// some by these names: a family that belongs together comes from one place.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { addObject, scratchOf } from './own-objects.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { interpreter: 'stub-ld' });

mkdirSync(scratchOf(root), { recursive: true });
const versions = path.join(scratchOf(root), 'who.map');
const answering = (who: string): string => `const char *who(void) { return "${who}"; }\n`;
const SECOND = 'int second(void) { return 2; }\n';

const inStore = await addObject(root, {
  name: 'who-2.0',
  soname: 'libwho.so.1',
  source: answering('of the store') + SECOND,
  flags: [versionsOf('WHO_1 { global: who; local: *; };\nWHO_2 { global: second; } WHO_1;\n')],
});

function versionsOf(text: string): string {
  writeFileSync(versions, text);
  return `-Wl,--version-script=${versions}`;
}

interface Tree {
  readonly program: string;
  /** Without a run path. */
  readonly plug: string;
}

/** The program with a library of that name, and a plug-in that is linked with these. Paths in the root. */
function putTree(name: string, plugIn: string, place = 'lib/dynload', needed = [inStore]): Tree {
  const at = (file: string): string => path.join(homeInRoot, name, file);
  const source = readFileSync(path.join(import.meta.dirname, 'programs/set-library-path.c'), 'utf8');
  // Other content than in the other trees: the same would be planned from its fingerprint.
  compile(onHost(root, at('tool')), `${source}const char tree[] = "${name}";\n`);
  const flags = [versionsOf('WHO_1 { global: who; local: *; };\n')];
  compileLibrary(onHost(root, at('lib/libwho.so.1')), 'libwho.so.1', answering('of the tree'), flags);
  const plug = at(`${place}/plug.so`);
  compile(onHost(root, plug), plugIn, ['-shared', '-fPIC', '-Wl,--no-as-needed', ...needed]);
  return { program: at('tool'), plug };
}

const ASK = 'extern const char *who(void);\nconst char *ask(void) { return who(); }\n';

async function assertAnswers(words: readonly string[], who: string): Promise<void> {
  for (const start of [root.start, root.startHit]) {
    const { status, stdout, stderr } = await start(words, { env: { NIX_RUN_FOREIGN_DEBUG: undefined } });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${who}\n`, stderr: '' });
  }
}

test('a program that sets it and executes itself again: the library is of the tree', async () => {
  const { program, plug } = putTree('sets', ASK);
  assert.equal((await root.bare(program, [plug])).status, 127);
  await assertAnswers([program, plug], 'of the tree');
});

test('the same where nobody sets it: the library is asked for, and of the store', async () => {
  const { program, plug } = putTree('leaves', ASK);
  await assertAnswers([program, plug, 'as it is'], 'of the store');
});

test('a library of the tree that lacks a version: the plug-in gets that of the store', async () => {
  const { program, plug } = putTree(
    'lacks',
    `${ASK}extern int second(void);\nint more(void) { return second(); }\n`,
  );
  await assertAnswers([program, plug], 'of the store');
});

test('a plug-in from elsewhere that asks for another library: what the path has is not taken from the store', async () => {
  const more = await addObject(root, { name: 'more-1.0', soname: 'libmore.so.1', source: 'int more;\n' });
  const { program, plug } = putTree('asks', ASK, '../elsewhere', [inStore, more]);
  await assertAnswers([program, plug], 'of the tree');
});

/** Sets nothing, and does not name the variable. */
const OPENS = `#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
  void *plugIn = dlopen(argv[1], RTLD_NOW);
  const char *(*ask)(void) = plugIn ? dlsym(plugIn, "ask") : NULL;
  puts(ask ? ask() : dlerror());
}
`;

/** In a way in which the set comes before the variable. */
async function startLed(words: readonly string[], libraryPath: string): Promise<string> {
  const settings = { env: { LD_LIBRARY_PATH: libraryPath, NIX_RUN_FOREIGN_DEBUG: undefined } };
  return (await root.start(['--strategy', 'namespace', ...words], settings)).stdout;
}

test('a variable that leads to the tree by a link leads there, and by `..` elsewhere', async () => {
  const at = (file: string): string => path.join(homeInRoot, file);
  const flags = [versionsOf('WHO_1 { global: who; local: *; };\n')];
  const other = onHost(root, at('other/lib/libwho.so.1'));
  compileLibrary(other, 'libwho.so.1', answering('of the other'), flags);
  symlinkSync('linked', onHost(root, at('current')));
  for (const [name, libraryPath, who] of [
    ['linked', at('current/lib'), 'of the tree'],
    ['leaving', `${at('leaving')}/../other/lib`, 'of the store'],
  ] as const) {
    const { program, plug } = putTree(name, ASK);
    compile(onHost(root, program), `${OPENS}const char tree[] = "${name}";\n`);
    assert.equal(await startLed([program, plug], libraryPath), `${who}\n`);
  }
});

test('a version that the library of the variable lacks comes from the store', async () => {
  const asks = `${ASK}extern int second(void);\nint more(void) { return second(); }\n`;
  const { program, plug } = putTree('apart', asks, '../beside');
  compile(onHost(root, program), `${OPENS}const char tree[] = "apart";\n`);
  const other = path.join(homeInRoot, 'other/lib');
  assert.match(await startLed([program, plug], other), /version .WHO_2' not found/);
  assert.equal(await startLed([program, plug], other), 'of the store\n');
});
