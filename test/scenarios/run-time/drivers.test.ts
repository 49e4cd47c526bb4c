// The driver of the running kernel, beside others in the store → the running one at each start, also after an upgrade.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { cacheOf, fingerprintBehind, rootLinks, stateOf } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';
import { flagsOfNix } from './ways.ts';

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
function install(version: string, vendor: 'nvidia-x11' | 'mesa' = 'nvidia-x11'): void {
  const link = path.join(run, 'opengl-driver.new');
  symlinkSync(path.join(objects, `${vendor}-${version}`), link);
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
const OPENS = `#include <dlfcn.h>
#include <stdio.h>
int main(void) { void *l = dlopen("libcuda.so.1", RTLD_NOW); if (!l) return puts(dlerror());
const char *(*driver)(void) = (const char *(*)(void))dlsym(l, "driver"); return puts(driver()) < 0; }\n`;
compile(onHost(root, opening), OPENS);

const OPENS_NAMED = `#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) { if (count < 2) return puts("nothing") < 0;
void *l = dlopen(words[1], RTLD_NOW); if (!l) return puts(dlerror());
int (*driver)(void) = (int (*)(void))dlsym(l, "driver"); return (driver ? printf("driver %d\\n", driver()) : puts("opened")) < 0; }\n`;

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

/** The minor version of the glibc that a program is planned with. */
async function glibcOf(program: string): Promise<string> {
  const { stdout } = await root.manage(['resolve', '--json', program]);
  return /glibc-2\.(\d+)/.exec(stdout)?.[1] ?? '';
}

// Was built for bookworm, as all that it needs.
const [icuObject = ''] = readdirSync(path.join(rig.nixDir, 'store')).filter((name) =>
  /-libicu72-/.test(name),
);
const icuLibrary = path.join(rig.nixDir, 'store', icuObject, 'lib/libicuuc.so.72');
const linked = ['-Wl,--no-as-needed', icuLibrary];

/** A program like the one above, and a fingerprint of it for a driver; nothing is saved of it here. */
async function exportedWith(version: string, name: string): Promise<{ program: string; file: string }> {
  const program = path.join(homeInRoot, name);
  const file = path.join(homeInRoot, `${name}.exported.json`);
  compile(onHost(root, program), `${OPENS}int content_of_${name};\n`, linked);
  install(version);
  assert.equal((await root.start([program])).stdout, `${version}\n`);
  const { status, stderr } = await root.manage(['fingerprint', 'export', program, '-o', file]);
  assert.equal(status, 0, stderr);
  for (const saved of [cacheOf(root), stateOf(root)]) rmSync(saved, { recursive: true });
  return { program, file };
}

/** Planned from its record, where the one above is solved. */
const again = path.join(homeInRoot, 'again');

test('a driver that needs a newer glibc than the best set has: the set has a newer one', async () => {
  const glibc = path.dirname(path.join(rig.nixDir, foreign(rig, 'sid', 'curl').loader.slice('/nix'.length)));
  const object = path.join(objects, 'nvidia-x11-570.3');
  const source =
    'extern long __isoc23_strtol(const char *, char **, int); const char *driver(void) { return __isoc23_strtol("3", 0, 9) == 3 ? "570.3" : ""; }';
  const flags = ['-nodefaultlibs', path.join(glibc, 'libc.so.6'), '-Wl,--allow-shlib-undefined'];
  compileLibrary(onHost(root, path.join(object, 'lib/libcuda.so.1')), 'libcuda.so.1', source, flags);
  const add = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--add', object] });
  assert.equal(add.status, 0, add.stderr);
  const icu = path.join(homeInRoot, 'icu');
  compile(onHost(root, icu), OPENS, linked);
  compile(onHost(root, again), `${OPENS}int other_content;\n`, linked);
  install('550.1');
  assert.equal((await root.start([icu])).stdout, '550.1\n');
  assert.equal(await glibcOf(icu), '36');
  install('570.3');
  for (const start of [root.start, root.startHit]) {
    const { status, stdout, stderr } = await start([icu]);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: '570.3\n' }, stderr);
  }
  assert.ok(Number(await glibcOf(icu)) >= 38);
  install('550.1');
  assert.equal((await root.start([icu])).stdout, '550.1\n');
});

test('a program planned from its record follows a driver that needs a newer glibc', async () => {
  const planAgain = async (forget: () => void) => {
    install('550.1');
    assert.equal((await root.start(['--refresh', again])).stdout, '550.1\n');
    forget();
  };
  await planAgain(() => utimesSync(onHost(root, again), 1, 1));
  const { stdout, stderr } = await root.start([again], { env: { NIX_RUN_FOREIGN_DEBUG: '1' } });
  assert.deepEqual([stdout, /optional libraries/.test(stderr)], ['550.1\n', false], 'it was solved');
  install('570.3');
  assert.equal((await root.start([again])).stdout, '570.3\n');
  await planAgain(() => rmSync(cacheOf(root), { recursive: true }));
  install('570.3');
  assert.equal((await root.start([again])).stdout, '570.3\n');
});

test('a plan by a fingerprint from elsewhere is for the driver of that start', async () => {
  install('550.1');
  assert.equal((await root.start(['--refresh', again])).stdout, '550.1\n');
  assert.equal((await root.manage(['fingerprint', 'export', again])).status, 0);
  for (const saved of [cacheOf(root), stateOf(root)]) rmSync(saved, { recursive: true });
  const { stdout } = await root.manage(['resolve', again]);
  assert.match(stdout, /from the store/);
  assert.match((await root.manage(['explain', again])).stdout, /^set +.*again\.nix-fingerprint\.json$/m);
  assert.equal((await root.startHit([again])).stdout, '550.1\n');
  install('560.2');
  assert.match((await root.startHit([again])).stderr, /a file of the plan has changed: .*libcuda\.so\.1/);
  install('570.3');
  assert.equal((await root.start([again])).stdout, '570.3\n');
  for (const saved of [cacheOf(root), stateOf(root)]) rmSync(saved, { recursive: true });
  const { stdout: first, stderr } = await root.start([again]);
  assert.equal(first, '570.3\n');
  assert.match(
    stderr,
    /^\S+: \S+: the fingerprint of \S+ is not used: the driver \S+ needs another glibc; .*\n$/,
  );
});

test('an imported set stays when the driver changes to another that it serves', async () => {
  const { program, file } = await exportedWith('570.3', 'imported');
  assert.equal((await root.manage(['fingerprint', 'import', file, program])).status, 0);
  install('550.1');
  assert.equal((await root.start([program])).stdout, '550.1\n');
  assert.ok(Number(await glibcOf(program)) >= 38, 'a set of the local store');
});

test('a driver that no glibc serves is told in one line, and the program starts', async () => {
  const object = path.join(objects, 'nvidia-x11-999.9');
  const flags = [`-Wl,--version-script=${versionScript()}`];
  const later = compileLibrary(
    path.join(scratch, 'later/libc.so.6'),
    'libc.so.6',
    'int later(void) { return 0; }',
    ['-nostdlib', ...flags],
  );
  const source = 'extern int later(void); const char *driver(void) { return later() ? "" : "999.9"; }';
  compileLibrary(onHost(root, path.join(object, 'lib/libcuda.so.1')), 'libcuda.so.1', source, [
    '-nodefaultlibs',
    later,
  ]);
  const add = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--add', object] });
  assert.equal(add.status, 0, add.stderr);
  // It would load, and comes first.
  compileLibrary(onHost(root, path.join(object, 'lib/libEGL_other.so.0')), 'libEGL_other.so.0', 'int other;');
  install('999.9');
  const openingAny = path.join(homeInRoot, 'opening-any');
  compile(onHost(root, openingAny), `${OPENS}const char *loader = "libOpenCL.so.1";\n`);
  for (const program of [opening, openingAny]) {
    const { stdout, stderr } = await root.start([program]);
    assert.match(stdout, /version .GLIBC_2\.99' not found/);
    assert.match(
      stderr,
      /^nix-run-foreign: .*opening\S*: the driver \/run\/opengl-driver\/lib\/libcuda\.so\.1 needs another glibc .*\n$/,
    );
  }
});

const UNSERVED =
  /^nix-\S+: \S+: the driver \/run\/opengl-driver\/lib\/libcuda\.so\.1 needs another glibc .*\n$/;

/** Also when it is planned from its record. */
async function assertUnserved(program: string): Promise<void> {
  for (const seconds of [1, 2]) {
    const { stdout, stderr } = await root.start([program]);
    assert.match(stdout, /version .GLIBC_2\.\d+' not found/, stderr);
    assert.match(stderr, UNSERVED);
    utimesSync(onHost(root, program), seconds, seconds);
  }
}

test('an imported set that does not serve the driver gives way to no other that does not', async () => {
  const { program, file } = await exportedWith('570.3', 'kept');
  install('999.9');
  const { status, stderr } = await root.manage(['fingerprint', 'import', file, program]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, UNSERVED);
  utimesSync(onHost(root, program), 3, 3);
  await assertUnserved(program);
  assert.ok(Number(await glibcOf(program)) >= 38, 'a set of the local store');
});

test('a program without another set starts without the driver that this one does not serve', async () => {
  const name = 'libby-hand.so.1';
  const stub = compileLibrary(path.join(scratch, name), name, 'int by_hand;');
  const program = path.join(homeInRoot, 'by-hand');
  const file = path.join(homeInRoot, 'by-hand.exported.json');
  compile(onHost(root, program), OPENS, [...linked, stub]);
  install('550.1');
  for (const words of [
    ['choose', program, '--pin', `${name}=/nix/store/${icuObject}/lib/libicuuc.so.72`],
    ['fingerprint', 'export', program, '-o', file],
  ]) {
    const { status, stderr } = await root.manage(words);
    assert.equal(status, 0, stderr);
  }
  for (const saved of [cacheOf(root), stateOf(root)]) rmSync(saved, { recursive: true });
  assert.match((await root.start([program])).stderr, /libby-hand\.so\.1/);
  assert.equal((await root.manage(['fingerprint', 'import', file, program])).status, 0);
  assert.equal((await root.start([program])).stdout, '550.1\n');
  install('570.3');
  await assertUnserved(program);
  install('550.1');
  assert.equal((await root.start([program])).stdout, '550.1\n');
});

test('of a driver with libraries of its own, as Mesa has them, only the libc is asked for', async () => {
  const object = path.join(objects, 'mesa-25.1');
  const wayland = compileLibrary(
    onHost(root, path.join(object, 'own/libwayland-client.so.0')),
    'libwayland-client.so.0',
    'int wl_registry_interface = 25;',
  );
  const source =
    'extern int wl_registry_interface; int *registry = &wl_registry_interface; int driver(void) { return *registry; }';
  const own = [wayland, '-Wl,--enable-new-dtags,-rpath,$ORIGIN/../own'];
  const driver = 'libEGL_mesa.so.0';
  compileLibrary(onHost(root, path.join(object, 'lib', driver)), driver, source, own);
  install('25.1', 'mesa');
  const plain = path.join(homeInRoot, 'plain');
  compile(onHost(root, plain), OPENS_NAMED);
  const opener = path.join(homeInRoot, 'opener');
  compile(onHost(root, opener), `${OPENS_NAMED}const char *name = "${driver}";`);
  for (const [program, name, said] of [
    [plain, undefined, 'nothing'],
    [plain, 'libjq.so.1', 'opened'],
    [opener, driver, 'driver 25'],
  ] as const) {
    const { status, stdout, stderr } = await root.start(name === undefined ? [program] : [program, name]);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${said}\n`, stderr: '' });
  }
});

test('what a driver needs of the same driver is loaded with it, and binds', async () => {
  const installed = (name: string) => onHost(root, path.join(objects, 'nvidia-x11-580.4/lib', name));
  const core = compileLibrary(installed('libnvidia-glcore.so.1'), 'libnvidia-glcore.so.1', 'int core = 580;');
  const all = ['-Wl,--no-as-needed'];
  const driver = compileLibrary(installed('libGLX_x.so.0'), 'libGLX_x.so.0', 'int glx;', [...all, core]);
  install('580.4');
  const tree = path.join(homeInRoot, 'with-core');
  const beside = compileLibrary(
    onHost(root, path.join(tree, 'libbeside.so')),
    'libbeside.so',
    'extern int core; int *pointer = &core; int said(void) { return *pointer; }',
  );
  const tool = path.join(tree, 'tool');
  const source =
    '#include <stdio.h>\nint said(void);\nint main(void) { return printf("%d\\n", said()) < 0; }\n';
  const flags = ['-Wl,--allow-shlib-undefined,-rpath,$ORIGIN'];
  compile(onHost(root, tool), source, [...all, ...flags, beside, driver]);
  const { status, stdout, stderr } = await root.start([tool]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '580\n', stderr: '' });
});

const OPENS_LATE = `#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) { if (count < 2) return puts("nothing") < 0;
void *l = dlopen(words[1], RTLD_NOW); if (!l) return puts(dlerror());
const char *(*driver)(void) = (const char *(*)(void))dlsym(l, "driver"); return puts(driver()) < 0; }\n`;

function putNixProgram(name: string, flags: readonly string[] = []): string {
  const program = path.join(homeInRoot, name);
  compile(onHost(root, program), `${OPENS_LATE}int content_of_${name};`, [...flagsOfNix(rig), ...flags]);
  return program;
}

test('a program of Nix gets the running one, before and after an upgrade', async () => {
  const program = putNixProgram('nix_upgraded');
  assert.match((await root.bare(program, ['libcuda.so.1'])).stdout, /cannot open shared object file/);
  for (const version of VERSIONS) {
    install(version);
    for (let start = 1; start <= 2; start += 1) {
      const { status, stdout, stderr } = await root.start([program, 'libcuda.so.1']);
      assert.deepEqual({ status, stdout }, { status: 0, stdout: `${version}\n` }, stderr);
    }
    assert.equal((await root.startHit([program, 'libcuda.so.1'])).stdout, `${version}\n`);
  }
  const { stdout } = await root.run({ argv: [`${rig.nixBin}/nix-store`, '--gc', '--print-roots'] });
  assert.doesNotMatch(stdout, /nvidia/);
});

test('a program of Nix gets one that the store has not, as on WSL, and one that came after its plan', async () => {
  const name = 'libnvidia-ml.so.1';
  const file = onHost(root, path.join(objects, 'nvidia-x11-wsl/lib', name));
  compileLibrary(file, name, 'const char *driver(void) { return "wsl"; }');
  rmSync(path.join(run, 'opengl-driver'), { force: true });
  const program = putNixProgram('nix_of_wsl');
  for (const each of ['libcuda.so.1', name])
    assert.match((await root.start([program, each])).stdout, /cannot open shared object file/);
  install('wsl');
  assert.equal((await root.start([program, name])).stdout, 'wsl\n');
  install('550.1');
  assert.equal((await root.start([program, 'libcuda.so.1'])).stdout, '550.1\n');
});

test('a driver that needs a newer glibc than runs is not opened by a program of Nix; its next one is', async () => {
  const program = putNixProgram('nix_unserved');
  install('999.9');
  assert.match((await root.start([program, 'libcuda.so.1'])).stdout, /cannot open shared object file/);
  const runTimes = onHost(root, path.join(homeInRoot, '.cache/nix-run-foreign/v1/run-time'));
  const asked = readdirSync(runTimes, { recursive: true, encoding: 'utf8' });
  assert.ok(asked.some((each) => each.endsWith('/answers')));
  assert.deepEqual(
    asked.filter((each) => each.endsWith('/again')),
    [],
    'no start looks for another set',
  );
  install('550.1');
  assert.equal((await root.start([program, 'libcuda.so.1'])).stdout, '550.1\n');
});

test('a driver with a run path to another glibc is opened by a program of Nix that has loaded what it needs of it', async () => {
  const own = flagsOfNix(rig).join();
  const other = ['bookworm', 'sid']
    .map((release) => path.dirname(foreign(rig, release, 'curl').loader))
    .find((directory) => !own.includes(directory));
  assert.ok(other !== undefined, 'the rig has another glibc');
  const source = 'double floor(double); const char *driver(void) { return floor(1.5) == 1 ? "far" : ""; }';
  const flags = ['-fno-builtin', '-Wl,--no-as-needed', '-lm', `-Wl,--enable-new-dtags,-rpath,${other}`];
  const file = onHost(root, path.join(objects, 'nvidia-x11-far/lib/libcuda.so.1'));
  compileLibrary(file, 'libcuda.so.1', source, flags);
  install('far');
  const [without, having] = [
    putNixProgram('nix_plain'),
    putNixProgram('nix_math', ['-Wl,--no-as-needed', '-lm']),
  ];
  assert.match((await root.start([without, 'libcuda.so.1'])).stdout, /cannot open shared object file/);
  assert.equal((await root.start([having, 'libcuda.so.1'])).stdout, 'far\n');
});

function versionScript(): string {
  const file = path.join(scratch, 'later.map');
  writeFileSync(file, 'GLIBC_2.99 { global: later; };\n');
  return file;
}
