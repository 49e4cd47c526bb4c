// What code that runs before the program does to the environment: what was put there for the loader still goes.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compileEntered, compileLibrary, LOADER, plan } from './interpreter-fixture.ts';
import { openWorkshop, runCommand } from './launcher-fixture.ts';

const workshop = await openWorkshop();

interface Change {
  /** What a library's constructor does. */
  readonly code: string;
  /** The program's environment, where the user had no library path, and where there was one. */
  readonly without: readonly string[];
  readonly withPath: readonly string[];
}

const users = 'LD_LIBRARY_PATH=/users';
/** libc copied the entries before: there is nothing to be taken out, only to be made harmless. */
const harmless = 'LD_LIBRARY_PATH=';

const changes: Readonly<Record<string, Change>> = {
  nothing: { code: '(void)0', without: ['A=1', 'Z=2'], withPath: ['A=1', users, 'Z=2'] },
  'removes one': { code: 'unsetenv("A")', without: ['Z=2'], withPath: [users, 'Z=2'] },
  'removes the last one': { code: 'unsetenv("Z")', without: ['A=1'], withPath: ['A=1', users] },
  'removes the library path': {
    code: 'unsetenv("LD_LIBRARY_PATH")',
    without: ['A=1', 'Z=2'],
    withPath: ['A=1', 'Z=2'],
  },
  'sets one that is there': {
    code: 'setenv("A", "new", 1)',
    without: ['A=new', 'Z=2'],
    withPath: ['A=new', users, 'Z=2'],
  },
  'adds one': {
    code: 'setenv("B", "3", 1)',
    without: ['A=1', 'Z=2', harmless, harmless, 'B=3'],
    withPath: ['A=1', users, 'Z=2', 'B=3'],
  },
  'changes the library path': {
    code: 'setenv("LD_LIBRARY_PATH", "/its", 1)',
    without: ['A=1', 'Z=2', 'LD_LIBRARY_PATH=/its'],
    withPath: ['A=1', 'LD_LIBRARY_PATH=/its', 'Z=2'],
  },
};

const keepsTheBlock = /^\(void\)|"A", /;

for (const [name, { code, without, withPath }] of Object.entries(changes)) {
  const library = compileLibrary(workshop, 'change-environment', [`-DCHANGE=${code}`]);
  const program = `${library}-program`;
  renameSync(compileEntered(workshop, 'print-environment', [library]), program);
  const libraries = path.dirname(library);
  const { XDG_CACHE_HOME = '' } = workshop.environment;
  const see = async (entries: readonly string[]) => {
    const [first = '', ...rest] = [...entries, `XDG_CACHE_HOME=${XDG_CACHE_HOME}`];
    const {
      code: status,
      stdout,
      stderr,
    } = await runCommand(workshop, ['env', '-i', first, ...rest, program]);
    assert.deepEqual([status, stderr], [0, '']);
    const [seen = '', ...lines] = stdout.trimEnd().split('\n');
    const [vector] = lines.slice(-1);
    return { seen, vector, environment: lines.slice(0, -1).filter((line) => !line.startsWith('XDG_')) };
  };

  test(`a library's constructor: ${name}`, async () => {
    plan(workshop, program, libraries);
    const alone = await see(['A=1', 'Z=2']);
    assert.equal(alone.seen, `library sees ${libraries}`);
    assert.deepEqual(alone.environment, without);
    const both = await see(['A=1', users, 'Z=2']);
    assert.equal(both.seen, `library sees ${libraries}:${path.dirname(LOADER)}:/users`);
    assert.deepEqual(both.environment, withPath);
    // Whose constructors shorten or move the environment lose what follows it, with and without us.
    if (!keepsTheBlock.test(code)) return;
    assert.equal(alone.vector, 'vector readable, page size 4096');
    assert.equal(both.vector, alone.vector);
  });
}
