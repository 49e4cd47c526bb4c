// A library that is opened while the program runs is found by the plan's path, which the environment no longer says.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compileEntered, compileLibrary, LOADER, plan } from './interpreter-fixture.ts';
import { openWorkshop, runCommand } from './launcher-fixture.ts';
import { needTool } from './tool-fixture.ts';

needTool('musl-gcc', 'musl-tools');
const workshop = await openWorkshop();
const libraries = path.dirname(compileLibrary(workshop, 'called-library', ['-nostdlib']));

async function assertFound(program: string, loader: string): Promise<void> {
  plan(workshop, program, libraries, loader);
  const see = async (env: NodeJS.ProcessEnv) =>
    runCommand(workshop, [program], { env: { ...workshop.environment, ...env } });
  const found = (users: string) => ({
    code: 0,
    signal: null,
    stdout: `library path ${users}, found\n`,
    stderr: '',
  });
  assert.deepEqual(await see({}), found('unset'));
  assert.deepEqual(await see({ LD_LIBRARY_PATH: '/users' }), found('/users'));
}

test("by glibc's loader", async () => {
  await assertFound(compileEntered(workshop, 'open-library'), LOADER);
});

// musl reads the path anew each time (ldso/dynlink.c, load_library).
test("by musl's loader", async () => {
  const program = path.join(workshop.directory, 'open-library-musl');
  const source = path.join(import.meta.dirname, 'programs/open-library.c');
  execFileSync('musl-gcc', ['-o', program, source, `-Wl,--dynamic-linker=${workshop.launcher}`]);
  await assertFound(program, realpathSync('/lib/ld-musl-x86_64.so.1'));
});
