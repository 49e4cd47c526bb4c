// A Python of the store and a wheel of numpy for manylinux → imported, with libraries that fit the Python's own libc.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { fetchWheel } from '../../rig/fetch-once.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';

const version = 'python3.11';
needTool(path.join('/usr/bin', version), version);
needTool('patchelf', 'patchelf');
const rig = await ensureRig('full');
const wheel = await fetchWheel({
  name: 'numpy',
  version: '2.4.6',
  python: '3.11',
  platform: 'manylinux_2_27_x86_64',
  sha256: '89cd468399cfd2504718f0ba50e410dca55a170b61a02ad92bb18c8a65186e93',
});
const site = '/opt/venv/site-packages';
const foreignTree = '/opt/python';
const root = await openToolRoot(rig, {
  binds: [
    { from: wheel, to: site, mode: 'read-only' },
    { from: path.join('/usr/bin', version), to: path.join(foreignTree, 'bin', version), mode: 'read-only' },
    { from: path.join('/usr/lib', version), to: path.join(foreignTree, 'lib', version), mode: 'read-only' },
  ],
});

/** As Nix builds it: interpreter and run path lead to the store. Returns its path there. */
async function addPython(): Promise<string> {
  const object = path.join(homeInRoot, 'objects/python3-3.11');
  const [program, modules] = [`bin/${version}`, `lib/${version}`].map((each) => path.join(object, each));
  assert.ok(program && modules);
  mkdirSync(path.dirname(onHost(root, program)), { recursive: true });
  copyFileSync(path.join('/usr/bin', version), onHost(root, program));
  cpSync(path.join('/usr/lib', version), onHost(root, modules), {
    recursive: true,
    dereference: true,
    filter: (file) => !/\/(?:test|__pycache__|config-3|ensurepip|idlelib)/.test(file) && existsSync(file),
  });
  const store = readdirSync(path.join(rig.nixDir, 'store'));
  const runPath = store.filter((name) => /-(?:zlib1g-1\.2\.13|libexpat1-2\.5)/.test(name));
  const directories = runPath.map((name) => `/nix/store/${name}/lib`).join(':');
  const words = ['--set-interpreter', foreign(rig, 'bookworm', 'curl').loader, '--set-rpath', directories];
  execFileSync('patchelf', [...words, onHost(root, program)]);
  const { stdout, stderr } = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--add', object] });
  assert.match(stdout, /^\/nix\/store\//, stderr);
  return path.join(stdout.trim(), 'bin', version);
}

const python = await addPython();
const script = `import sys; sys.path.insert(0, "${site}"); import numpy, os
print(numpy.__version__, (numpy.ones((3, 3)) @ numpy.ones(3)).sum(), numpy.linalg.det(numpy.eye(3)))
print(os.environ.get("LD_LIBRARY_PATH"), os.environ.get("LD_AUDIT"), sys.executable)
print(*{line.split()[-1] for line in open("/proc/self/maps") if "/libc.so.6" in line})`;

test('a Python of the store: numpy fails without, and finds libstdc++ and libz for the libc that runs', async () => {
  const bare = await root.bare(python, ['-c', script]);
  assert.match(bare.stderr, /ImportError: libstdc\+\+\.so\.6: cannot open shared object file/);
  const libc = path.join(path.dirname(foreign(rig, 'bookworm', 'curl').loader), 'libc.so.6');
  const expected = `2.4.6 9.0 1.0\nNone None ${python}\n${libc}\n`;
  for (const start of [root.start, root.start, root.startHit]) {
    const { status, stdout, stderr } = await start([python, '-c', script]);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: expected, stderr: '' });
  }
});

test('a foreign Python: the wheel lies elsewhere, and later starts have all in the set', async () => {
  const program = path.join(foreignTree, 'bin', version);
  for (const start of [root.start, root.start, root.startHit]) {
    const { status, stdout, stderr } = await start([program, '-c', script]);
    assert.match(stdout, /^2\.4\.6 9\.0 1\.0\nNone None /, stderr);
    assert.equal(status, 0);
  }
});
