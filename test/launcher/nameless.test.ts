// A program that runs or is named by a descriptor: with a file it starts, without one it is told what that means.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compileEntered, plan } from './interpreter-fixture.ts';
import { compile, limited, openWorkshop, putScript, runCommand } from './launcher-fixture.ts';

const workshop = await openWorkshop();
const at = (name: string) => path.join(workshop.directory, name);
const original = compileEntered(workshop, 'say-started');
const starter = compile(workshop, 'start-by-descriptor', ['-static']);
const called = at('called');
const NIX_RUN_FOREIGN_RESOLVER = putScript(workshop.directory, 'noting', `echo "$*" >> ${called}; exit 126`);

/** The launcher is entered for the program, or gets it as its argument. */
const roles = [
  { role: 'interpreter', more: [], status: 127 },
  { role: 'command', more: [workshop.launcher], status: 126 },
] as const;

const inMemory = {
  cause: 'it is only in memory (memfd), and plans are for files',
  remedy: 'write it to a file, and start that',
};
const gone = {
  cause: 'its file was removed or replaced while it was being started',
  remedy: 'start it again by its path; keep the file until it runs',
};

for (const option of ['--explain', '--choose'])
  test(`${option}: the same words`, async () => {
    const file = at(`asked-about${option}`);
    copyFileSync(original, file);
    const script = `exec 9< "$1"; rm -f "$1"; exec "$2" ${option} /proc/self/fd/9`;
    rmSync(called, { force: true });
    const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER };
    const words = ['/bin/sh', '-c', script, 'sh', file, workshop.launcher] as const;
    const { code, stderr } = await runCommand(workshop, words, { ...limited, env });
    assert.deepEqual([code, existsSync(called)], [126, false]);
    assert.equal(stderr, `nix-run-foreign: ${file} (deleted): ${gone.cause}\n  ${gone.remedy}\n`);
  });

for (const { role, more, status } of roles) {
  const startBy = async (how: string, file: string) => {
    rmSync(called, { force: true });
    const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER };
    return runCommand(workshop, [starter, how, file, ...more], { ...limited, env });
  };
  const copy = (name: string) => {
    copyFileSync(original, at(`${name}-${role}`));
    return at(`${name}-${role}`);
  };

  test(`${role}: a program that has a file starts by its descriptor`, async () => {
    const file = copy('kept');
    plan(workshop, file, '/lib/x86_64-linux-gnu');
    const { code, stdout, stderr } = await startBy('kept', file);
    assert.deepEqual([code, stdout, stderr], [0, 'started\n', '']);
  });

  for (const [how, shown, { cause, remedy }] of [
    ['memfd', '/memfd:in memory (deleted)', inMemory],
    ['removed', undefined, gone],
    ['replaced', undefined, gone],
  ] as const)
    test(`${role}: ${how}: refused, and nobody is asked to resolve another file`, async () => {
      const file = copy(how);
      const { code, stdout, stderr } = await startBy(how, file);
      assert.deepEqual([code, stdout], [status, '']);
      assert.equal(stderr, `nix-run-foreign: ${shown ?? `${file} (deleted)`}: ${cause}\n  ${remedy}\n`);
      assert.equal(existsSync(called), false);
    });

  test(`${role}: a file can be called that`, async () => {
    const file = copy('named (deleted)');
    copyFileSync(file, `${file} (deleted)`);
    await startBy('kept', `${file} (deleted)`);
    assert.equal(existsSync(called), true);
  });
}
