// The driver of the running kernel, beside others in the store → the running one at each start, also after an upgrade.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { fingerprintBehind, rootLinks } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const scratch = path.join(import.meta.dirname, '../../../build', `drivers-${process.pid}`);
const run = path.join(scratch, 'run');
mkdirSync(run, { recursive: true });
const root = await openToolRoot(rig, { binds: [{ from: run, to: '/run', mode: 'read-only' }] });

const VERSIONS = ['550.1', '560.2'] as const;
const objects = path.join(homeInRoot, 'objects');

for (const version of VERSIONS) {
  const object = path.join(objects, `nvidia-x11-${version}`);
  const file = onHost(root, path.join(object, 'lib/libcuda.so.1'));
  compileLibrary(file, 'libcuda.so.1', `const char *driver(void) { return "${version}"; }\n`);
  const add = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--add', object] });
  assert.equal(add.status, 0, add.stderr);
}

/** What `/run/opengl-driver` is; a link of the root, as on NixOS. */
function install(version: (typeof VERSIONS)[number]): void {
  const link = path.join(run, 'opengl-driver.new');
  symlinkSync(path.join(objects, `nvidia-x11-${version}`), link);
  renameSync(link, path.join(run, 'opengl-driver'));
}

const library = onHost(root, path.join(objects, 'nvidia-x11-550.1/lib/libcuda.so.1'));
const needing = path.join(homeInRoot, 'needing');
compile(
  onHost(root, needing),
  '#include <stdio.h>\nconst char *driver(void);\nint main(void) { return puts(driver()) < 0; }\n',
  [library],
);
const opening = path.join(homeInRoot, 'opening');
compile(
  onHost(root, opening),
  `#include <dlfcn.h>
#include <stdio.h>
int main(void) { void *l = dlopen("libcuda.so.1", RTLD_NOW); if (!l) return puts(dlerror());
const char *(*driver)(void) = (const char *(*)(void))dlsym(l, "driver"); return puts(driver()) < 0; }\n`,
);

for (const [how, program] of [
  ['needs', needing],
  ['opens', opening],
] as const) {
  test(`a program that ${how} it gets the running one, before and after an upgrade`, async () => {
    for (const version of VERSIONS) {
      install(version);
      for (let start = 1; start <= 2; start += 1) {
        const { status, stdout, stderr } = await root.start([program]);
        assert.deepEqual({ status, stdout }, { status: 0, stdout: `${version}\n` }, stderr);
      }
      assert.equal((await root.startHit([program])).stdout, `${version}\n`);
    }
    for (const link of rootLinks(root))
      assert.ok(fingerprintBehind(root, link).libraries.every(({ soname }) => soname !== 'libcuda.so.1'));
    assert.ok(readdirSync(run).length > 0);
  });
}
