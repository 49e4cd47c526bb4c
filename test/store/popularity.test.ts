// References between real store objects, as Nix knows them and as run paths show them.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openCatalogue, openPopularity } from '../../src/store/catalogue.ts';
import { scanObject } from '../../src/store/scan-object.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { compileLibrary, objectName, scratchDirectory } from './compiled-library.ts';
import { openPrivateStore } from './private-store.ts';

needTool('nix-store', 'nix-bin');
const none = { objectsNaming: () => assert.fail('the catalogue was asked') };

test('by the database of Nix: who refers to it, and the sizes of all it refers to', () => {
  const scratch = scratchDirectory();
  const store = openPrivateStore(path.join(scratch, 'nix'));
  const add = (name: string, bytes: number): string => {
    const directory = path.join(scratch, name);
    mkdirSync(directory);
    writeFileSync(path.join(directory, 'data'), 'x'.repeat(bytes));
    return store.add(directory);
  };
  const [small, large] = [add('small', 10), add('large', 100_000)];
  const text = (name: string, ...of: readonly string[]): string =>
    store.run(
      'nix-instantiate',
      ...['--eval', '--read-write-mode', '--json', '-E'],
      `builtins.toFile "${name}" "${of.map((each) => `\${builtins.storePath ${each}}`).join(' ')}"`,
    );
  const first = JSON.parse(text('first', small)) as string;
  text('second', small, large);
  const popularity = openPopularity(store.location, none);
  assert.deepEqual([small, large, first].map(popularity.referrersOf), [2, 1, 0]);
  assert.ok(popularity.closureSizeOf(large) > 100_000);
  assert.equal(popularity.closureSizeOf(first) - popularity.closureSizeOf(small) < 1000, true);
  assert.ok(popularity.closureSizeOf(first) > popularity.closureSizeOf(small));
  assert.equal(popularity.referrersOf(path.join(store.location.storeDir, objectName('nothing'))), 0);
  popularity.close();
});

test('without a database, by the run paths of the catalogue', () => {
  const storeDir = path.join(scratchDirectory(), 'store');
  const [base, user, other] = ['base-1', 'user-1', 'other-1'].map(objectName) as [string, string, string];
  const made = (object: string, name: string, runpath?: string) =>
    compileLibrary(path.join(storeDir, object, 'lib', `lib${name}.so`), {
      soname: `lib${name}.so`,
      ...(runpath === undefined ? {} : { runpath }),
    });
  made(base, 'base', `${storeDir}/${base}/lib`);
  made(user, 'user', `${storeDir}/${base}/lib`);
  made(user, 'user2', `${storeDir}/${base}/lib`);
  made(other, 'other');
  const catalogue = openCatalogue(':memory:', storeDir);
  catalogue.update(
    new Map([base, user, other].map((name) => [name, scanObject(path.join(storeDir, name))])),
    [],
  );
  const location = { storeDir, stateDir: path.join(storeDir, 'no-state') };
  const popularity = openPopularity(location, catalogue);
  assert.equal(popularity.referrersOf(path.join(storeDir, base)), 1);
  assert.equal(popularity.referrersOf(path.join(storeDir, other)), 0);
  assert.equal(popularity.closureSizeOf(path.join(storeDir, base)), 0);
  popularity.close();
});
