// A store to which something is added, and half of that → it is put back as it was in each state.
import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { namesBelow } from './state-digest.ts';
import { openStoreStates } from './store-states.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'torture-store-'));
after(() => rmSync(scratch, { recursive: true }));

const nix = path.join(scratch, 'nix');
const inNix = (name: string): string => path.join(nix, name);
const AUTO = 'var/nix/gcroots/auto';
const DATABASE = 'var/nix/db/db.sqlite';

function write(name: string, content: string): void {
  mkdirSync(path.dirname(inNix(name)), { recursive: true });
  writeFileSync(inNix(name), content);
}

/** As Nix adds it. */
function addDocument(): void {
  write('store/b-document', 'document');
  chmodSync(inNix('store/b-document'), 0o444);
  write('store/c-farm/lib', 'lib');
  chmodSync(inNix('store/c-farm'), 0o555);
  symlinkSync('/home/tester/root', inNix(`${AUTO}/hash`));
  write(DATABASE, 'with the document');
}

function now(): Record<string, string | number> {
  return Object.fromEntries(
    namesBelow(nix).map((name) => {
      const stats = lstatSync(inNix(name));
      return [name, stats.isFile() ? readFileSync(inNix(name), 'utf8') : stats.mode];
    }),
  );
}

test('names that came since, links and the database are put back for each state', () => {
  for (const [name, content] of [['store/a-rig/lib', 'rig'] as const, [DATABASE, 'of the rig'] as const])
    write(name, content);
  const states = openStoreStates(nix, path.join(scratch, 'copies'));
  const nothing = now();
  states.save('nothing');
  addDocument();
  states.save('plan');
  const plan = now();
  states.putBack('nothing');
  assert.deepEqual(now(), nothing);
  states.putBack('plan');
  assert.deepEqual(now(), plan);
  states.putBack('nothing');
  write('store/b-document', 'docu'); // half of it, not registered
  write(`${DATABASE}-wal`, 'of one that was killed');
  states.putBack('plan');
  assert.deepEqual(now(), plan);
  write('store/d-document.lock', '');
  states.putBack('plan');
  assert.deepEqual(now(), plan);
});
