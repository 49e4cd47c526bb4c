// Farms: named by their content, complete at every instant, repaired when damaged, shared by processes.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { farmPath, isSafeInLibraryPath, makeFarm } from '../../src/farm/farm.ts';
import { asRoot } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const links = new Map([
  ['libb.so.1', '/store/b/lib/libb.so.1.2'],
  ['liba.so', '/store/a/lib/liba.so'],
  ['glibc-hwcaps/x86-64-v3/libb.so.1', '/store/b/lib/glibc-hwcaps/x86-64-v3/libb.so.1'],
]);

function contentOf(farm: string): Record<string, string> {
  const entries = readdirSync(farm, { recursive: true, encoding: 'utf8' }).sort();
  const found = entries.filter((name) => lstatSync(path.join(farm, name)).isSymbolicLink());
  return Object.fromEntries(found.map((name) => [name, readlinkSync(path.join(farm, name))]));
}

const expected = Object.fromEntries([...links].sort(([a], [b]) => (a < b ? -1 : 1)));

test('a farm holds its links and nothing else, and is private', () => {
  const farms = scratchDirectory();
  const farm = makeFarm(farms, links);
  assert.deepEqual(contentOf(farm), expected);
  assert.equal(lstatSync(farm).mode & 0o077, 0);
  assert.deepEqual(readdirSync(farms), [path.basename(farm)], 'nothing is left beside it');
});

test('equal sets share one farm whatever their order, other sets have another', () => {
  const farms = scratchDirectory();
  const reversed = new Map([...links].reverse());
  assert.equal(makeFarm(farms, links), makeFarm(farms, reversed));
  const other = new Map(links).set('liba.so', '/store/a2/lib/liba.so');
  assert.notEqual(farmPath(farms, other), farmPath(farms, links));
  const swapped = new Map([['liba.so","/x', '/y']]);
  assert.notEqual(farmPath(farms, swapped), farmPath(farms, new Map([['liba.so', '/x","/y']])));
});

test('an intact farm is taken as it is', () => {
  const farms = scratchDirectory();
  const farm = makeFarm(farms, links);
  const { ino } = lstatSync(farm);
  makeFarm(farms, links);
  assert.equal(lstatSync(farm).ino, ino);
});

test('a farm of somebody else gives way to one of ours', asRoot, () => {
  const farms = scratchDirectory();
  const farm = makeFarm(farms, links);
  chownSync(farm, 65534, 65534);
  assert.equal(makeFarm(farms, links), farm);
  assert.equal(lstatSync(farm).uid, 0);
  assert.deepEqual(contentOf(farm), expected);
  assert.deepEqual(readdirSync(farms), [path.basename(farm)]);
});

test('a farm with a link to a directory is intact too', () => {
  const scratch = scratchDirectory();
  mkdirSync(path.join(scratch, 'farms'));
  mkdirSync(path.join(scratch, 'object/plugins'), { recursive: true });
  writeFileSync(path.join(scratch, 'object/plugins/liba.so'), '');
  const withDirectory = new Map([...links, ['in/object/plugins', path.join(scratch, 'object/plugins')]]);
  const farm = makeFarm(path.join(scratch, 'farms'), withDirectory);
  const { ino } = lstatSync(farm);
  assert.equal(makeFarm(path.join(scratch, 'farms'), withDirectory), farm);
  assert.equal(lstatSync(farm).ino, ino);
});

test('a link of the farm is there at every instant while others are repaired', {
  timeout: 60_000,
}, async () => {
  const farms = scratchDirectory();
  const farm = makeFarm(farms, links);
  const watched = path.join(farm, 'libb.so.1');
  const script = `import { readlinkSync } from 'node:fs';
    let looks = 0, missing = 0;
    process.on('SIGTERM', () => { console.log(JSON.stringify({ looks, missing })); process.exit(); });
    console.log('ready');
    const look = () => {
      for (let i = 0; i < 1000; i += 1) {
        looks += 1;
        try { readlinkSync(${JSON.stringify(watched)}); } catch { missing += 1; }
      }
      setImmediate(look);
    };
    look();`;
  const watcher = spawn(process.execPath, ['--input-type=module', '-e', script]);
  watcher.stdout.setEncoding('utf8');
  await once(watcher.stdout, 'data');
  const answer = once(watcher.stdout, 'data');
  for (let i = 0; i < 300; i += 1) {
    if (i % 2 === 0) unlinkSync(path.join(farm, 'liba.so'));
    else writeFileSync(path.join(farm, 'libx.so'), '');
    makeFarm(farms, links);
  }
  watcher.kill('SIGTERM');
  const { looks, missing } = JSON.parse(String(await answer));
  assert.ok(looks > 1000, `only ${looks} looks`);
  assert.equal(missing, 0);
});

const damages: Record<string, (farm: string, scratch: string) => void> = {
  'lacks a link': (farm) => unlinkSync(path.join(farm, 'liba.so')),
  'has a link too many': (farm) => symlinkSync('/evil', path.join(farm, 'libc.so.6')),
  'has a link too many below': (farm) =>
    symlinkSync('/evil', path.join(farm, 'glibc-hwcaps/x86-64-v3/libm.so.6')),
  'has a file too many': (farm) => writeFileSync(path.join(farm, 'libx.so'), ''),
  'has a link that leads elsewhere': (farm) => {
    unlinkSync(path.join(farm, 'liba.so'));
    symlinkSync('/evil', path.join(farm, 'liba.so'));
  },
  'has a file in place of a link': (farm) => {
    unlinkSync(path.join(farm, 'liba.so'));
    writeFileSync(path.join(farm, 'liba.so'), '');
  },
  'is a file': (farm) => {
    rmSync(farm, { recursive: true });
    writeFileSync(farm, 'no directory');
  },
  'is a link to a directory': (farm, scratch) => {
    rmSync(farm, { recursive: true });
    symlinkSync(makeFarm(path.join(scratch, 'elsewhere'), links), farm);
  },
  'is a dangling link': (farm) => {
    rmSync(farm, { recursive: true });
    symlinkSync('/nowhere', farm);
  },
  'is empty': (farm) => {
    rmSync(farm, { recursive: true });
    mkdirSync(farm);
  },
  'has a link to a directory in place of its own': (farm, scratch) => {
    rmSync(path.join(farm, 'glibc-hwcaps'), { recursive: true });
    symlinkSync(path.join(scratch, 'elsewhere'), path.join(farm, 'glibc-hwcaps'));
  },
  'has a directory in place of a link': (farm) => {
    unlinkSync(path.join(farm, 'liba.so'));
    mkdirSync(path.join(farm, 'liba.so'));
  },
  'can be written by others': (farm) => chmodSync(farm, 0o777),
};

for (const [what, damage] of Object.entries(damages)) {
  test(`a farm that ${what} is made anew`, () => {
    const scratch = scratchDirectory();
    for (const name of ['farms', 'elsewhere']) mkdirSync(path.join(scratch, name));
    const farms = path.join(scratch, 'farms');
    const farm = makeFarm(farms, links);
    damage(farm, scratch);
    assert.equal(makeFarm(farms, links), farm);
    assert.deepEqual(contentOf(farm), expected);
    const stats = lstatSync(farm);
    assert.ok(stats.isDirectory());
    assert.equal(stats.mode & 0o022, 0, 'the launcher takes no farm that others can write');
    assert.deepEqual(readdirSync(farms), [path.basename(farm)]);
    assert.ok(
      !readdirSync(path.join(scratch, 'elsewhere')).includes('x86-64-v3'),
      'nothing is written outside',
    );
  });
}

test('processes that repair one farm together all end with it', { timeout: 60_000 }, async () => {
  const farms = scratchDirectory();
  const module = path.resolve(import.meta.dirname, '../../src/farm/farm.ts');
  const script = `import { makeFarm } from ${JSON.stringify(module)};
    import { rmSync, readdirSync } from 'node:fs';
    const links = new Map(${JSON.stringify([...links])});
    for (let i = 0; i < 400; i += 1) {
      const farm = makeFarm(${JSON.stringify(farms)}, links);
      try { if (i % 3 === 0) rmSync(farm + '/liba.so'); } catch {}
    }
    makeFarm(${JSON.stringify(farms)}, links);`;
  const run = promisify(execFile);
  await Promise.all([1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '-e', script])));
  assert.deepEqual(contentOf(makeFarm(farms, links)), expected);
  assert.deepEqual(readdirSync(farms).length, 1);
});

test('what separates the elements of a library path is not safe in one', () => {
  for (const bad of ['/a:b', '/a;b', '/$ORIGIN', '/a\nb', '/a\tb'])
    assert.equal(isSafeInLibraryPath(bad), false);
  for (const good of ['/home/me/.cache', '/a b', '/é', '/a,b=c'])
    assert.equal(isSafeInLibraryPath(good), true);
});

for (const name of ['../evil.so', '/evil.so', 'a/../../evil.so', '..', '.', '', 'a//b', 'a\0b']) {
  test(`nothing is made for the name ${JSON.stringify(name)}`, () => {
    const farms = path.join(scratchDirectory(), 'farms');
    mkdirSync(farms);
    assert.throws(() => makeFarm(farms, new Map([...links, [name, '/evil']])), { code: 'odd-name' });
    assert.deepEqual(readdirSync(farms), []);
    assert.deepEqual(readdirSync(path.dirname(farms)), ['farms']);
  });
}
