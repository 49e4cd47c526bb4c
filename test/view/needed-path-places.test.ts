// Needed paths and the places of a view → those that are seen there already, that get an entry, that nothing can serve.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineOfSystem } from '../../src/elf/machine.ts';
import { entriesByPath } from '../../src/view/make-view.ts';
import { libraryDirectoriesOf } from '../../src/view/shown-libraries.ts';

const place = (target: string) => ({ target, state: 'missing', names: [] }) as const;
const machine = machineOfSystem('x86_64-linux') ?? assert.fail();
const libraries = [place('/none-such/lib')];
const shown = {
  libraryDirectories: libraries.flatMap((each) => libraryDirectoriesOf(each, machine)),
  names: ['libz.so.1'],
  places: [...libraries, place('/none-such/bin')],
  storeDir: '/none-such/store',
};
const SOURCE = '/nix/store/z/lib/libz.so.1';

for (const [file, outcome] of [
  ['/none-such/lib/libz.so.1', 'seen'],
  ['/none-such/lib/x86_64-linux-gnu/libz.so.1', 'seen'],
  ['/none-such/lib/i386-linux-gnu/libz.so.1', 'unserved'],
  ['/none-such/lib/vendor/libz.so.1', 'unserved'],
  ['/none-such/lib/x86_64-linux-gnu/vendor/libz.so.1', 'unserved'],
  ['/none-such/lib/libm.so.6', 'unserved'],
  ['/none-such/bin/libz.so.1', 'unserved'],
  ['/none-such/bin/x86_64-linux-gnu/libz.so.1', 'unserved'],
  ['/none-such/store/libz.so.1', 'unserved'],
  ['/none-such/opt/libz.so.1', 'served'],
] as const)
  test(`${file} is ${outcome}`, () => {
    const { served, unserved } = entriesByPath(new Map([[file, SOURCE]]), shown);
    assert.deepEqual(served, outcome === 'served' ? [{ target: file, source: SOURCE }] : []);
    assert.deepEqual(unserved, outcome === 'unserved' ? [file] : []);
  });
