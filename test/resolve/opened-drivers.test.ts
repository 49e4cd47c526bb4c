// A set that was solved before, and what lies beside its program → the drivers that the program may open.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import type { Fingerprint } from '../../src/fingerprint/fingerprint.ts';
import type { DynamicProgram } from '../../src/resolve/job.ts';
import { driversOfSet } from '../../src/resolve/opened-drivers.ts';
import { compileC, scratchPath } from '../elf/compile-c.ts';

test('a soname that an added library does not serve may still be a loader of drivers', () => {
  const shared = ['-shared', '-fPIC', '-nostdlib'];
  const directory = scratchPath('drivers');
  const driver = path.join(directory, 'libGLX_x.so.0');
  mkdirSync(directory);
  renameSync(compileC('libGLX_x.so.0', 'int glx;', shared), driver);
  const library = compileC('libextra.so', 'int extra;', [...shared, '-Wl,-soname,libGL.so.1']);
  const file = compileC(
    'opener',
    'const char *volatile name = "libGL.so.1"; int main(void) { return !name; }',
    [],
  );
  const driversWith = (added: ReadonlyMap<string, string>): string[] => {
    const known = { path: file, elf: elfFileAt(file), driverDirectories: [directory], added };
    const set = { libraries: [] } as unknown as Fingerprint;
    const drivers = driversOfSet(set, { program: known as unknown as DynamicProgram });
    return drivers.map((each) => each.path);
  };
  assert.deepEqual(driversWith(new Map()), [driver]);
  assert.deepEqual(driversWith(new Map([['libextra.so', library]])), [driver]);
});
