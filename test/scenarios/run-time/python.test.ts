// Debian's Python with its extension modules, in a root with only /nix → every one that needs libraries can be imported.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';

needTool('/usr/bin/python3', 'python3');
const version = readdirSync('/usr/lib').find(
  (name) => /^python3\.\d+$/.test(name) && existsSync(`/usr/bin/${name}`),
);
assert.ok(version, 'Debian has a Python');
const rig = await ensureRig('full');
const tree = '/opt/python';
const root = await openToolRoot(rig, {
  binds: [
    { from: path.join('/usr/bin', version), to: path.join(tree, 'bin', version), mode: 'read-only' },
    { from: path.join('/usr/lib', version), to: path.join(tree, 'lib', version), mode: 'read-only' },
  ],
});
const python = path.join(tree, 'bin', version);
const MODULES = ['_ssl', '_sqlite3', '_ctypes', '_bz2', '_lzma', 'readline', '_curses', '_uuid'];
const script = `
import importlib
for name in ${JSON.stringify(MODULES)}:
    try:
        importlib.import_module(name); print(name, 'imported')
    except ImportError as error:
        print(name, error)`;
const everything = MODULES.map((name) => `${name} imported\n`).join('');

test('modules that need libraries of the system are imported from the first start on', async () => {
  const like =
    rig.foreign.find((each) => each.name === 'python3' && each.suite === 'bookworm') ?? assert.fail();
  const libraries = like.libraryDirectories.join(':');
  const bare = await root.run({ argv: [like.loader, '--library-path', libraries, python, '-c', script] });
  assert.match(bare.stdout, /_sqlite3 libsqlite3\.so\.0: cannot open shared object file/);
  const { status, stdout, stderr } = await root.start([python, '-c', script]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: everything, stderr: '' });
  assert.equal((await root.startHit([python, '-c', script])).stdout, everything);
});
