// What the time of a name table says of the store: only what was looked at.
import assert from 'node:assert/strict';
import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { machinesRunBy } from '../../src/elf/machine.ts';
import { openCatalogue } from '../../src/store/catalogue.ts';
import { catalogueFile } from '../../src/store/catalogue-file.ts';
import { openStore } from '../../src/store/open-catalogue.ts';
import { sonameTableFile, touchSonameTables } from '../../src/store/soname-table.ts';
import { objectName, scratchDirectory } from './compiled-library.ts';
import { addObjects, syntheticLocation } from './synthetic-store.ts';

const OLD = 1000;

function open(count: number) {
  const scratch = scratchDirectory();
  const location = syntheticLocation(scratch);
  const catalogues = path.join(scratch, 'catalogues');
  addObjects(scratch, 'a', count);
  const [machine] = machinesRunBy(process.arch);
  assert.ok(machine);
  const table = sonameTableFile(catalogues, location.storeDir, machine.machine);
  return { scratch, location, catalogues, table, modified: () => statSync(table).mtimeMs / 1000 };
}

/** A store object of that kind that comes after the look; whether the table is dated all the same. */
for (const [what, add, isDated] of [
  ['nothing', () => {}, true],
  ['a derivation', (file: string) => writeFileSync(`${file}.drv`, ''), true],
  ['a directory', (file: string) => mkdirSync(file), false],
] as const)
  test(`${what} came to the store after the look at it`, async () => {
    const { location, catalogues, table, modified } = open(1);
    const catalogue = await openStore(catalogues, location);
    catalogue.close();
    utimesSync(table, OLD, OLD);
    add(path.join(location.storeDir, objectName('later')));
    touchSonameTables(catalogues, location.storeDir);
    assert.equal(modified() !== OLD, isDated);
  });

test('what was unfinished at the look may be whole now', async () => {
  const { location, catalogues, table, modified } = open(1);
  const half = path.join(location.storeDir, objectName('half'));
  mkdirSync(half);
  writeFileSync(`${half}.lock`, '');
  const catalogue = await openStore(catalogues, location);
  catalogue.close();
  utimesSync(table, OLD, OLD);
  writeFileSync(`${half}.drv`, '');
  touchSonameTables(catalogues, location.storeDir);
  assert.equal(modified(), OLD);
});

test('what comes while the store is read is read as well, before the table is newer than the store', async () => {
  const { scratch, location, catalogues } = open(600);
  const watching = openCatalogue(catalogueFile(catalogues, location.storeDir), location.storeDir);
  const opening = openStore(catalogues, location);
  while (watching.counts().objects === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(watching.counts().objects < 600);
  watching.close();
  addObjects(scratch, 'during', 1);
  const catalogue = await opening;
  assert.equal(catalogue.counts().libraries, 601);
  catalogue.close();
});
