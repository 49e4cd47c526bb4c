// A set that was solved before → the drivers that its program opens, without a walk through the program's tree.
import assert from 'node:assert/strict';
import fs, { mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, mock, test } from 'node:test';
import { machinesRunBy } from '../../src/elf/machine.ts';
import type { Fingerprint } from '../../src/fingerprint/fingerprint.ts';
import { inspectProgram } from '../../src/program/inspect-program.ts';
import { dynamicOf } from '../../src/resolve/job.ts';
import { judgeDrivers } from '../../src/resolve/opened-drivers.ts';
import { compile, compileLibrary } from '../scenarios/compile.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'opened-drivers-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const drivers = path.join(scratch, 'drivers');
const cuda = compileLibrary(path.join(drivers, 'libcuda.so.1'), 'libcuda.so.1', 'int driver;');
const egl = compileLibrary(path.join(drivers, 'libEGL_any.so.0'), 'libEGL_any.so.0', 'int driver;');
const hostMachines = machinesRunBy(process.arch);
const host = { storeDir: '/nix/store', hostMachines, uid: 0, gid: 0, driverDirectories: [drivers] };

/** `added`: name → library outside the store. */
function opened(
  name: string,
  text: string,
  sonames: readonly string[] = [],
  added: ReadonlyMap<string, string> = new Map(),
): readonly string[] {
  const source = `const char *name = "${text}"; int main(void) { return !name; }`;
  const inspected = dynamicOf(inspectProgram(compile(path.join(scratch, name, 'tool'), source), host));
  assert.ok(inspected);
  const program = { ...inspected, added };
  const library = { file: 'lib/x', match: 'exact', narHash: '', storePath: '/nix/store/x' };
  const libraries = sonames.map((soname) => ({ ...library, soname }));
  const fingerprint = { loader: { file: 'lib/ld', storePath: '/nix/store/x' }, libraries };
  const judged = judgeDrivers(fingerprint as unknown as Fingerprint, { program });
  assert.ok('files' in judged);
  return judged.files;
}

test('what stands in the program, or what opens any driver, counts; the tree is not walked', () => {
  const mocked = mock.method(fs, 'readdirSync');
  syncBuiltinESMExports();
  try {
    assert.deepEqual(opened('none', 'libother.so.1'), []);
    assert.deepEqual(opened('named', 'libcuda.so.1'), [cuda]);
    assert.deepEqual(opened('loader', 'libEGL.so.1'), [egl, cuda]);
    assert.deepEqual(opened('needed', '', ['libGL.so.1']), [egl, cuda]);
    const walked = mocked.mock.calls.map(({ arguments: [directory] }) => String(directory));
    assert.deepEqual([...new Set(walked)], [drivers]);
  } finally {
    mocked.mock.restore();
    syncBuiltinESMExports();
  }
});

test('a soname that an added library does not serve may still be a loader of drivers', () => {
  const added = compileLibrary(path.join(scratch, 'libextra.so'), 'libGL.so.1', 'int extra;');
  assert.deepEqual(opened('added', 'libGL.so.1', [], new Map([['libextra.so', added]])), [egl, cuda]);
});
