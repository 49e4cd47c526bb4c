// The rig against its own promise: foreign programs fail bare, store programs run, references and contents are real.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ensureRig, type Rig, type StoreObject } from './rig.ts';
import { openRoot, type Root } from './root.ts';
import { readDynamic } from './store/readelf.ts';

let rig: Rig;
let root: Root;

before(async () => {
  rig = await ensureRig('full');
  root = await openRoot(rig);
});
after(() => root.close());

/** The store object of a path below it. */
const objectOf = (path: string): string => path.split('/').slice(0, 4).join('/');

const glibcs = (): StoreObject[] =>
  rig.storeObjects.filter((o) => o.provides.includes('ld-linux-x86-64.so.2'));

test('is of realistic size', () => {
  assert.ok(rig.foreign.length >= 24);
  assert.ok(new Set(rig.foreign.map((f) => f.suite)).size >= 3);
  assert.ok(rig.foreign.filter((f) => f.libraries >= 30).length >= 5);
  assert.equal(glibcs().length, 4);
  const named = (soname: string) => rig.storeObjects.filter((o) => o.provides.includes(soname)).length;
  assert.ok(named('libz.so.1') >= 4);
  assert.ok(named('libssl.so.1.1') >= 1 && named('libssl.so.3') >= 3);
  assert.ok(named('libtinfo.so.5') >= 1 && named('libstdc++.so.6') >= 4);
  assert.ok(named('ld-linux.so.2') >= 1 && named('ld-musl-x86_64.so.1') === 1);
});

test('every foreign program fails bare, and runs with the libraries of its own suite', async (t) => {
  for (const program of rig.foreign) {
    await t.test(`${program.suite} ${program.name}`, async () => {
      const bare = await root.run({ argv: [program.path, ...program.args] });
      assert.equal(bare.status, 127);
      assert.match(bare.stderr, /No such file or directory/);
      const path = program.libraryDirectories.join(':');
      const loaded = [program.loader, '--inhibit-cache', '--library-path', path, program.path] as const;
      const outcome = await root.run({ argv: [...loaded, ...program.args] });
      assert.match(outcome.stdout + outcome.stderr, program.expect);
      assert.equal(outcome.status, 0);
    });
  }
});

test('the programs of the store run with nothing but /nix', async () => {
  const node = await root.run({ argv: [rig.node, '-p', 'process.execPath'] });
  assert.equal(node.stdout, `${rig.node}\n`);
  assert.deepEqual(
    rig.nixVersions.map((nix) => nix.version.split('.')[0]),
    ['2', '2', '2'],
  );
  for (const { version, bin } of rig.nixVersions) {
    const nix = await root.run({ argv: [join(bin, 'nix'), '--version'] });
    assert.match(nix.stdout, new RegExp(`^nix \\(Nix\\) ${version.replaceAll('.', '\\.')}`));
  }
  const profile = await root.run({ argv: ['/nix/var/nix/profiles/default/bin/nix-store', '--version'] });
  assert.equal(profile.status, 0);
});

test('every directory of a run path is a reference, for every Nix', async () => {
  const object = rig.storeObjects.find((o) => o.suite === 'bookworm' && o.provides.includes('libcurl.so.4'));
  assert.ok(object);
  const file = join(rig.dir, object.path, 'lib', 'libcurl.so.4');
  const runpath = (await readDynamic([file])).get(file)?.runpath ?? [];
  assert.ok(runpath.length > 10);
  const expected = [...new Set(runpath.map(objectOf))].sort();
  for (const { bin } of rig.nixVersions) {
    const asked = await root.run({ argv: [join(bin, 'nix-store'), '-q', '--references', object.path] });
    assert.deepEqual(asked.stdout.trim().split('\n').sort(), expected);
  }
});

test('the store is whole', async () => {
  const verified = await root.run({
    argv: ['nix-store', '--verify', '--check-contents'],
    timeoutMs: 300_000,
  });
  assert.equal(verified.status, 0);
  assert.doesNotMatch(verified.stderr, /error|warning|disappeared|modified/);
  const valid = await root.run({ argv: ['nix-store', '--dump-db'] });
  for (const object of rig.storeObjects) assert.ok(valid.stdout.includes(`${object.path}\n`), object.path);
  assert.doesNotMatch(valid.stdout, /\.drv\n[0-9a-f]{64}\n/);
});

describe('a loader of the store', () => {
  const traced = async (glibc: StoreObject) => {
    const program = rig.foreign.find((f) => f.suite === 'bullseye' && f.name === 'sqlite3');
    assert.ok(program);
    const env = { LD_DEBUG: 'libs' };
    const argv = [join(glibc.path, 'lib', 'ld-linux-x86-64.so.2'), '--list', program.path] as const;
    const { stderr } = await root.run({ argv, env });
    return [...stderr.matchAll(/trying file=(.*)/g)].map((match) => match[1] ?? '');
  };

  test('never looks at the host', async () => {
    for (const glibc of glibcs()) {
      const paths = await traced(glibc);
      assert.ok(paths.length > 0);
      assert.deepEqual(
        paths.filter((path) => !path.startsWith('/nix/store/') && existsSync(path)),
        [],
      );
      assert.deepEqual(
        paths.filter((path) => /^\/(usr\/)?lib/.test(path)),
        [],
      );
    }
  });

  test('has its own directory built in, except the oldest', async () => {
    for (const glibc of glibcs()) {
      const paths = await traced(glibc);
      const own = paths.some((path) => path.startsWith(`${glibc.path}/lib/`));
      assert.equal(own, glibc.suite !== 'bullseye', glibc.path);
    }
  });
});

test('the collector takes what nothing roots, from the private copy only', async () => {
  const own = await openRoot(rig);
  try {
    const [first] = rig.foreign.filter((f) => f.name === 'mpv');
    const [directory = ''] = first?.libraryDirectories ?? [];
    const victim = objectOf(directory);
    const before = readdirSync(join(rig.nixDir, 'store')).length;
    assert.ok(existsSync(join(own.nixDir, '..', victim)));
    const collected = await own.run({ argv: ['nix-store', '--gc'], timeoutMs: 300_000 });
    assert.equal(collected.status, 0);
    assert.ok(!existsSync(join(own.nixDir, '..', victim)));
    assert.ok(statSync(join(rig.dir, victim)).isDirectory());
    assert.equal(readdirSync(join(rig.nixDir, 'store')).length, before);
    assert.equal((await own.run({ argv: [rig.node, '-p', '6*7'] })).stdout, '42\n');
    assert.equal((await own.run({ argv: ['nix-store', '--verify'] })).status, 0);
    assert.ok(existsSync(join(root.nixDir, '..', victim)), 'another root is not affected');
  } finally {
    await own.close();
  }
});
