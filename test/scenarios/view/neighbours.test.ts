// A program that starts the one beside it → a view, whatever PATH says; in a home's directory of commands none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openViewRoot, putProgram } from './view-root.ts';

const rig = await ensureRig('full');
const root = await openViewRoot(rig, { interpreter: 'none', uid: 0 });

/** As initdb of PostgreSQL: it takes the directory that it was called by. */
const INITDB = `
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  char path[4096];
  snprintf(path, sizeof path, "%s", argv[0]);
  strcpy(strrchr(path, '/') + 1, "postgres");
  execl(path, path, (char *)0);
  return perror(path), argc > 0;
}`;

function putPair(directory: string): string {
  putProgram(
    root,
    `${directory}/postgres`,
    'int puts(const char *); int main(void) { return puts("served") < 0; }',
  );
  return putProgram(root, `${directory}/initdb`, INITDB, ['-w']);
}

test("a vendor's bin in PATH: its program finds its neighbour, and keeps finding it", async () => {
  const initdb = putPair('pgsql/bin');
  const env = { PATH: '/home/tester/pgsql/bin:/nix/var/nix/profiles/default/bin' };
  assert.notEqual((await root.start(['--strategy', 'loader', initdb], { env })).stdout, 'served\n');
  for (const words of [['--strategy', 'auto', initdb], [initdb]]) {
    const { stdout, stderr } = await root.start(words, { env });
    assert.equal(stdout, 'served\n', stderr);
  }
  assert.match((await root.manage(['explain', initdb])).stdout, /^because {3}it may start \S+postgres, /m);
});

test('in ~/.local/bin neighbours do not count, in PATH or not', async () => {
  const initdb = putPair('.local/bin');
  for (const words of [['resolve'], ['resolve', '--refresh']]) {
    const PATH = `${words.length === 1 ? '' : '/home/tester/.local/bin:'}/nix/var/nix/profiles/default/bin`;
    const { stdout } = await root.manage([...words, initdb], { env: { PATH } });
    assert.match(stdout, /strategy loader\n$/);
  }
});
