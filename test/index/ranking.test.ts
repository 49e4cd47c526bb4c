// Sonames with right and wrong candidates → how often the right one is chosen before anything is downloaded.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { newestFirst } from '../../src/candidates/rank.ts';
import { absentName } from '../../src/index/absent-names.ts';
import { chooseSet } from '../../src/index/choose-set.ts';
import { absentText } from '../../src/index/fetch-words.ts';
import { KNOWN_PROVIDERS, knownProvider } from '../../src/index/known-providers.ts';
import { findName } from '../../src/index/manage-indexes.ts';
import { packageName } from '../../src/index/package-name.ts';
import { type RankContext, whatDecides } from '../../src/index/rank-matches.ts';
import { readSource } from '../../src/index/read-source.ts';
import { openSideCatalogue, type SideCatalogue } from '../../src/index/side-catalogue.ts';
import { targetOf } from '../../src/resolve/file-indexes.ts';
import { OTHER } from '../elf/foreign-program.ts';
import { databaseOf, hashOf, type IndexedPackage, treeOf } from '../rig/file-index.ts';
import { RIGHT_ROWS, rankingWorld } from './ranking-world.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-ranking-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

let serial = 0;
async function catalogueOf(packages: readonly IndexedPackage[]): Promise<SideCatalogue> {
  serial += 1;
  const at = (name: string) => path.join(scratch, `${serial}-${name}`);
  writeFileSync(at('files'), databaseOf(packages));
  const place = { file: at('side.sqlite'), lock: at('lock'), storeDir: '/nix/store' };
  const state = await readSource(place, at('files'), {
    progress: () => {},
    verify: () => ({ kind: 'accepted' }),
  });
  assert.equal(state.kind, 'read', JSON.stringify(state));
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  assert.ok(catalogue);
  after(() => catalogue.close());
  return catalogue;
}

function contextOf(catalogue: SideCatalogue, more: Partial<RankContext> = {}): RankContext {
  const target = { system: 'x86_64-linux', triple: 'x86_64-linux-gnu', bits: 64 } as const;
  return { catalogue, target, newestFirst, opinion: () => 'none', isLocal: () => false, ...more };
}

const pathOf = ({ hash, name }: IndexedPackage) => `/nix/store/${hash}-${name}`;
const world = rankingWorld();

test('the first choice is right', async (t) => {
  const context = contextOf(await catalogueOf(world.packages));
  const wrong: string[] = [];
  for (const [soname] of RIGHT_ROWS) {
    const { chosen } = chooseSet([soname], context);
    const right = world.right.get(soname) as IndexedPackage;
    assert.ok((chosen[0]?.others.length ?? 0) >= 2, `${soname} has no wrong candidates`);
    if (chosen[0]?.candidate.storePath !== pathOf(right)) {
      wrong.push(`${soname}: ${chosen[0]?.candidate.storePath}`);
    }
  }
  t.diagnostic(`first choice right: ${RIGHT_ROWS.length - wrong.length} of ${RIGHT_ROWS.length}`);
  assert.ok(RIGHT_ROWS.length >= 60);
  assert.ok(RIGHT_ROWS.length - wrong.length >= RIGHT_ROWS.length - 2, wrong.join('\n'));
});

test('all together, no name gets another package than alone', async () => {
  const context = contextOf(await catalogueOf(world.packages));
  const { chosen, absent } = chooseSet(
    RIGHT_ROWS.map(([soname]) => soname),
    context,
  );
  assert.deepEqual(absent, []);
  const wrong = chosen.filter(
    ({ name, candidate }) => candidate.storePath !== pathOf(world.right.get(name) as IndexedPackage),
  );
  assert.ok(
    wrong.length <= 2,
    wrong.map(({ name, candidate }) => `${name}: ${candidate.storePath}`).join('\n'),
  );
});

test('in any order of packages the choice is the same', async () => {
  const names = RIGHT_ROWS.map(([soname]) => soname);
  const paths = async (packages: readonly IndexedPackage[]) =>
    chooseSet(names, contextOf(await catalogueOf(packages))).chosen.map(
      ({ candidate }) => candidate.storePath,
    );
  assert.deepEqual(await paths([...world.packages].reverse()), await paths(world.packages));
});

test('without the table of known providers most would be right, and not as many', async (t) => {
  // What the other criteria are worth is seen with names that the table does not have.
  const context = contextOf(await catalogueOf(world.packages));
  const unknown = RIGHT_ROWS.filter(([soname]) => knownProvider(soname) === undefined);
  assert.ok(unknown.length >= 15, `${unknown.length}`);
  const right = unknown.filter(([soname]) => {
    const [found] = chooseSet([soname], context).chosen;
    return found?.candidate.storePath === pathOf(world.right.get(soname) as IndexedPackage);
  });
  t.diagnostic(`not in the table, right: ${right.length} of ${unknown.length}`);
  assert.ok(right.length >= unknown.length - 2);
});

const lib = (
  number: number,
  name: string,
  files: Record<string, number | string>,
  more: Partial<IndexedPackage> = {},
): IndexedPackage => ({
  hash: hashOf(number),
  name,
  attr: name.replace(/-\d.*/, ''),
  tree: treeOf(files),
  ...more,
});

test('what is dropped, and why', async () => {
  const name = 'libwant.so.1';
  const packages = [
    lib(1, 'other-1', { 'lib/libwant.so.1': 9000 }, { system: 'aarch64-linux' }),
    lib(2, 'x-fhs', { 'lib/libwant.so.1': 9000 }),
    lib(3, 'x-1.0-debug', { 'lib/libwant.so.1': 9000 }),
    lib(4, 'x-1.0-dev', { 'lib/libwant.so.1': 9000 }),
    lib(5, 'stubs-1', { 'lib/stubs/libwant.so.1': 9000 }),
    lib(6, 'script-1', { 'lib/libwant.so.1': 200 }),
    lib(7, 'dangling-1', { 'lib/libwant.so.1': '-> libwant.so.1.9' }),
    lib(8, 'loop-1', { 'lib/libwant.so.1': '-> libwant.so.1.1', 'lib/libwant.so.1.1': '-> libwant.so.1' }),
    lib(9, 'outside-1', { 'lib/libwant.so.1': '-> /usr/lib/libwant.so.1' }),
    lib(10, 'climb-1', { 'lib/libwant.so.1': '-> ../../../../etc/libwant.so.1' }),
    lib(11, 'owner-1', { 'lib/libwant.so.1': 9000 }),
    lib(12, 'join-1', { 'lib/libwant.so.1': `-> /nix/store/${hashOf(11)}-owner-1/lib/libwant.so.1` }),
    lib(13, 'sibling-1', { 'lib/libwant.so.1': `-> ../../${hashOf(11)}-owner-1/lib/libwant.so.1` }),
    lib(14, 'excluded-1', { 'lib/libwant.so.1': 9000 }),
  ];
  const opinion = (storePath: string) => (storePath.endsWith('excluded-1') ? 'excluded' : 'none');
  const context = contextOf(await catalogueOf(packages), { opinion });
  const { chosen } = chooseSet([name], context);
  assert.deepEqual(
    [chosen[0]?.candidate.storePath, ...(chosen[0]?.others ?? [])],
    [`/nix/store/${hashOf(11)}-owner-1`],
  );
  const { examineName } = await import('../../src/index/rank-matches.ts');
  assert.deepEqual(examineName(name, context).dropped, {
    system: 1,
    tree: 1,
    output: 2,
    directory: 1,
    'linker script': 1,
    'dangling link': 4,
    're-export': 2,
    excluded: 1,
  });
});

test('the output of who refers to a package is not its own', async () => {
  const referred = { attr: 'referrer', toplevel: false };
  const packages = [
    lib(1, 'libwant-1.0', { 'lib/libwant.so.1': 9000 }, { ...referred, output: 'dev' }),
    lib(2, 'want-1.0-dev', { 'lib/libwant.so.1': 9000 }, { ...referred, output: 'out' }),
    lib(3, 'gcc-14.3.0', { 'lib/libgomp.so.1': 9000 }, { ...referred, output: 'lib' }),
    lib(4, 'gcc-9.5.0-lib', { 'lib/libgomp.so.1': 9000 }, { ...referred, output: 'out' }),
  ];
  const { chosen, absent } = chooseSet(
    ['libwant.so.1', 'libgomp.so.1'],
    contextOf(await catalogueOf(packages)),
  );
  assert.deepEqual(absent, []);
  assert.deepEqual(
    chosen.map(({ candidate, others }) => [candidate.match.object.name.slice(33), others.length]),
    [
      ['gcc-9.5.0-lib', 1],
      ['libwant-1.0', 0],
    ],
  );
});

test('a link through a link to a directory, which has no entries of its own, is no dangling one', async () => {
  const self = `/nix/store/${hashOf(1)}-linked-1`;
  const packages = [
    lib(1, 'linked-1', {
      lib64: '-> lib',
      'lib/libwant.so.1': `-> ${self}/lib64/libwant.so.1.2`,
      'lib/libwant.so.1.2': 9000,
    }),
    lib(2, 'relative-1', { 'lib/libwant.so.1': '-> ../lib64/libwant.so.1.2', 'lib/libwant.so.1.2': 9000 }),
    lib(3, 'script-1', { 'lib/libwant.so.1': '-> ../lib64/libwant.so.1.2', 'lib/libwant.so.1.2': 200 }),
    lib(4, 'dangling-1', { 'lib/libwant.so.1': '-> ../lib64/libwant.so.1.2' }),
  ];
  const context = contextOf(await catalogueOf(packages));
  const { examineName } = await import('../../src/index/rank-matches.ts');
  const { examined, dropped } = examineName('libwant.so.1', context);
  assert.deepEqual(examined.map(({ match }) => match.object.name).sort(), [
    `${hashOf(1)}-linked-1`,
    `${hashOf(2)}-relative-1`,
  ]);
  assert.deepEqual(dropped, { 'linker script': 1, 'dangling link': 1 });
});

test('a 32-bit program takes what is labelled otherwise', async () => {
  const packages = [
    lib(1, 'libwant-1', { 'lib/libwant.so.1': 9000 }, { toplevel: false }),
    lib(2, 'multi-1', { 'lib64/libwant.so.1': 9000 }),
  ];
  const target = { system: 'i686-linux', triple: 'i386-linux-gnu', bits: 32 } as const;
  const { chosen } = chooseSet(['libwant.so.1'], contextOf(await catalogueOf(packages), { target }));
  assert.deepEqual(
    chosen.map(({ candidate, others }) => [candidate.storePath, others.length]),
    [[`/nix/store/${hashOf(1)}-libwant-1`, 0]],
  );
});

test('directories of 32-bit libraries are for 32-bit programs of that machine, and for no others', async () => {
  const packages = [
    lib(1, 'multi-1', { 'lib/i386-linux-gnu/libwant.so.1': 9000 }),
    lib(2, 'multi-2', { 'lib/i686-linux-gnu/libwant.so.1': 9000 }),
    lib(3, 'multi-3', { 'lib/i686/libwant.so.1': 9000 }),
  ];
  const catalogue = await catalogueOf(packages);
  const { examineName } = await import('../../src/index/rank-matches.ts');
  const counted = (system: string, triple: string, bits: 32 | 64) => {
    const context = contextOf(catalogue, { target: { system, triple, bits } });
    const { examined, dropped } = examineName('libwant.so.1', context);
    return [examined.length, dropped.directory ?? 0];
  };
  assert.deepEqual(counted('i686-linux', 'i386-linux-gnu', 32), [3, 0]);
  assert.deepEqual(counted('x86_64-linux', 'x86_64-linux-gnu', 64), [0, 3]);
  assert.deepEqual(counted('armv7l-linux', 'arm-linux-gnueabihf', 32), [0, 3]);
});

test("of directories with a configuration name those of the program's machine and of glibc count", async () => {
  const { examineName } = await import('../../src/index/rank-matches.ts');
  const machines = [
    { system: 'x86_64-linux', triple: 'x86_64-linux-gnu', bits: 64 },
    { system: 'i686-linux', triple: 'i386-linux-gnu', bits: 32 },
    { system: 'armv7l-linux', triple: 'arm-linux-gnueabihf', bits: 32 },
  ] as const;
  const rows: readonly (readonly [dir: string, ...systems: string[]])[] = [
    ['lib/rustlib/x86_64-unknown-linux-gnu/lib', 'x86_64-linux'],
    ['x86_64-pc-linux-gnu/lib', 'x86_64-linux'],
    ['lib/x86_64-linux-gnu', 'x86_64-linux'],
    ['lib/x86_64-linux', 'x86_64-linux'],
    ['lib/x86_64-linux-musl'],
    ['lib/rustlib/x86_64-unknown-linux-musl/lib'],
    ['lib/x86_64-linux-gnux32'],
    ['lib/rustlib/i686-unknown-linux-gnu/lib', 'i686-linux'],
    ['lib/i686-linux-musl'],
    ['armv7l-unknown-linux-gnueabihf/lib', 'armv7l-linux'],
    ['lib/arm-linux-gnueabihf', 'armv7l-linux'],
    ['aarch64-unknown-linux-gnu/lib'],
  ];
  const catalogue = await catalogueOf(
    rows.map(([dir], index) => lib(index + 1, `at-${index}-1`, { [`${dir}/libwant.so.1`]: 9000 })),
  );
  for (const target of machines) {
    const { examined } = examineName('libwant.so.1', contextOf(catalogue, { target }));
    assert.deepEqual(
      examined.map(({ match }) => match.dir).sort(),
      rows.flatMap(([dir, ...systems]) => (systems.includes(target.system) ? [dir] : [])).sort(),
      target.system,
    );
  }
});

test('fewest paths: what is chosen for one name serves others, and what is local comes first', async () => {
  const files = (...names: string[]) => Object.fromEntries(names.map((name) => [`lib/${name}`, 9000]));
  const packages = [
    lib(1, 'alpha-2.0', files('libsome.so.1')),
    lib(2, 'beta-1.0', files('libsome.so.1', 'libonly.so.1')),
    lib(3, 'gamma-3.0', files('libsome.so.1', 'libthird.so.1')),
  ];
  const catalogue = await catalogueOf(packages);
  const together = chooseSet(['libsome.so.1', 'libonly.so.1'], contextOf(catalogue));
  assert.deepEqual(
    [...new Set(together.chosen.map(({ candidate }) => candidate.match.object.name.slice(33)))],
    ['beta-1.0'],
  );
  const alone = chooseSet(['libsome.so.1'], contextOf(catalogue));
  assert.equal(alone.chosen[0]?.candidate.match.object.name.slice(33), 'gamma-3.0', 'the newest');
  const isLocal = (storePath: string) => storePath.endsWith('alpha-2.0');
  const [local] = chooseSet(['libsome.so.1'], contextOf(catalogue, { isLocal })).chosen;
  assert.equal(local?.candidate.match.object.name.slice(33), 'alpha-2.0');
  assert.equal(
    local && whatDecides(local.candidate, local.others[0] as typeof local.candidate),
    'already chosen',
  );
});

test('a preference goes before everything', async () => {
  const context = contextOf(await catalogueOf(world.packages), {
    opinion: (storePath) => (storePath.endsWith('-zlib-ng-2.2.4') ? 'preferred' : 'none'),
  });
  assert.match(chooseSet(['libz.so.1'], context).chosen[0]?.candidate.storePath ?? '', /zlib-ng/);
});

test('names that nothing has: other versions, and what is known of them', async () => {
  const packages = [
    lib(1, 'pcre-8.45', { 'lib/libpcre.so.1': 9000 }),
    lib(2, 'foo-4', { 'lib/libfoo.so.3': 9000, 'lib/libfoo.so.4': 9000 }),
  ];
  const { chosen, absent } = chooseSet(
    ['libpcre.so.3', 'libfoo.so.2', 'libcuda.so.1', 'libnone.so.1'],
    contextOf(await catalogueOf(packages)),
  );
  assert.deepEqual(chosen, []);
  const of = (name: string) => absent.find((each) => each.name === name);
  assert.equal(of('libpcre.so.3')?.known?.kind, 'never');
  assert.equal(of('libpcre.so.3')?.known?.alias, 'libpcre.so.1');
  assert.deepEqual(of('libfoo.so.2')?.otherVersions, ['libfoo.so.3', 'libfoo.so.4']);
  assert.equal(of('libcuda.so.1')?.known?.kind, 'driver');
  assert.deepEqual([of('libnone.so.1')?.known, of('libnone.so.1')?.otherVersions], [undefined, []]);
});

test('a million candidates for one name', { timeout: 120_000 }, async () => {
  const packages = Array.from({ length: 1000 }, (_, i) =>
    lib(
      i + 1,
      `crowd${i}-1`,
      Object.fromEntries(Array.from({ length: 100 }, (_each, k) => [`d${k}/libwant.so.1`, 9000])),
    ),
  );
  const catalogue = await catalogueOf([...packages, lib(5000, 'want-1', { 'lib/libwant.so.1': 9000 })]);
  const before = process.cpuUsage();
  const { chosen } = chooseSet(['libwant.so.1'], contextOf(catalogue));
  const { user, system } = process.cpuUsage(before);
  assert.equal(chosen[0]?.candidate.match.object.name.slice(33), 'want-1', 'the crowd hides nothing in lib');
  assert.ok((chosen[0]?.others.length ?? 0) <= 5120);
  assert.ok(user + system < 2e6, `${(user + system) / 1e6} s`);
});

test('the tables', () => {
  assert.ok(KNOWN_PROVIDERS.size >= 150, `${KNOWN_PROVIDERS.size}`);
  for (const [name, { attr, packages, source }] of KNOWN_PROVIDERS) {
    assert.match(name, /^[\w.+-]+\.so(\.[\w.*]+)?$/, name);
    assert.match(attr, /^[A-Za-z_][\w.-]*$/, name);
    assert.ok(packages.length > 0 && packages.every((each) => /^[\w+.-]+$/.test(each.name)), name);
    assert.match(source, /^(ld|fhs|alias|name)$/, name);
  }
  assert.equal(knownProvider('libicuuc.so.99')?.attr, 'icu');
  assert.equal(knownProvider('libssl3.so')?.attr, 'nss');
  assert.equal(knownProvider('libnothing.so.1'), undefined);
  for (const name of [
    'libssl.so.10',
    'libssl.so.1.1',
    'libaio.so.1t64',
    'libldap_r-2.4.so.2',
    'libffi.so.6',
    'libcuda.so',
    'libpython3.10.so.1.0',
  ]) {
    const known = absentName(name, 'x86_64-linux');
    assert.ok(known, name);
    assert.doesNotMatch(`${known.why}${known.remedy}`, /\n|NAME=|^[A-Z][a-z]+ /, name);
  }
  assert.equal(absentName('libssl.so.3', 'x86_64-linux'), undefined);
});

test('of a name that an index lacks, and of one that is asked for: what to type is for the program', async () => {
  const catalogue = await catalogueOf([]);
  const target = targetOf(OTHER);
  const typed = new RegExp(`'<nixpkgs>' --argstr system ${OTHER.system} -A ncurses5$`);
  const { absent } = chooseSet(['libtinfo.so.5'], contextOf(catalogue, { target }));
  assert.deepEqual(absent.length, 1);
  for (const each of absent) assert.match(absentText(each, './tool').remedy, typed);
  assert.match(findName('libtinfo.so.5', contextOf(catalogue, { target })).absent?.remedy ?? '', typed);
});

test('names of store objects', () => {
  const cases: [string, string, string, string][] = [
    ['gcc-14.3.0-lib', 'gcc', '14.3.0', 'lib'],
    ['gtk+3-3.24.49', 'gtk+3', '3.24.49', ''],
    ['util-linux-minimal-2.41-lib', 'util-linux-minimal', '2.41', 'lib'],
    ['re2-2024-07-02', 're2', '2024-07-02', ''],
    ['foo-1.0-dev', 'foo', '1.0', 'dev'],
    ['steam-run', 'steam-run', '', ''],
    ['alsa-lib-1.2.14', 'alsa-lib', '1.2.14', ''],
  ];
  for (const [text, name, version, output] of cases)
    assert.deepEqual(packageName(text), { name, version, output });
});
