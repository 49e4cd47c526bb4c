// A store directory whose database is another's, as with one mounted into a container, or lost a store object: programs
// start, nothing is pinned.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { catalogue: 'none' });
const jq = rig.foreign.find(({ name }) => name === 'jq');
assert.ok(jq);

test('libraries that are there and unknown to Nix start the program, unpinned, and one line says so', async () => {
  assert.equal((await root.bare(jq.path, jq.args)).status, 127);
  const emptied = await root.runOnHost({ argv: ['rm', '-rf', '/nix/var/nix/db', '/nix/var/nix/gcroots'] });
  assert.equal(emptied.status, 0);
  const first = await root.start([jq.path, ...jq.args]);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, jq.expect);
  assert.match(first.stderr, /^nix-run-foreign: [^\n]*not protected from garbage collection: [^\n]*\n$/);
  const second = await root.startHit([jq.path, ...jq.args]);
  assert.deepEqual([second.status, second.stderr], [0, '']);
});

/** Leaves the files, as a collector that was killed between the two. */
const FORGET = `const { DatabaseSync } = require('node:sqlite');
const database = new DatabaseSync('/nix/var/nix/db/db.sqlite', { enableForeignKeyConstraints: false });
database.prepare('delete from ValidPaths where path = ?').run(process.argv[1]);`;

test('the only library of a name, which Nix has lost, starts the program, unpinned', async () => {
  const machine = await openToolRoot(rig);
  const library = path.join(machine.homeDir, 'lost-1.0/lib/liblost.so.1');
  compileLibrary(library, 'liblost.so.1', 'int lost(void) { return 42; }');
  const source = '#include <stdio.h>\nint lost(void); int main(void) { printf("%d\\n", lost()); }';
  compile(path.join(machine.homeDir, 'bin/tool'), source, [library]);
  const program = `${homeInRoot}/bin/tool`;
  const added = await machine.run({ argv: ['nix-store', '--add', `${homeInRoot}/lost-1.0`] });
  assert.equal(added.status, 0, added.stderr);
  const [object, moved] = [added.stdout.trim(), `${homeInRoot}/moved`];
  assert.equal((await machine.run({ argv: ['mv', `${homeInRoot}/lost-1.0`, moved] })).status, 0);
  const before = await machine.start([program]);
  assert.deepEqual([before.status, before.stdout, before.stderr], [0, '42\n', '']);
  const lost = await machine.runOnHost({ argv: [rig.node, '-e', FORGET, object] });
  assert.equal(lost.status, 0, lost.stderr);
  const after = await machine.start(['--refresh', program]);
  assert.deepEqual([after.status, after.stdout], [0, '42\n'], after.stderr);
  assert.match(
    after.stderr,
    /^nix-run-foreign: [^\n]*not protected from garbage collection: [^\n]*lost-1\.0, which is there[^\n]*\n$/,
  );
});
