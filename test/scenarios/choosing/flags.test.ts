// Choices made with options: they hold at once, for the program's next version and after a collection, until reset.
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openShop } from '../diamonds/shop.ts';
import { calls, forwards, returns } from '../diamonds/sources.ts';
import { changeContent, copyHome, foreign, onHost } from '../foreign-files.ts';
import { cacheOf, fingerprintBehind, planFiles, rootLinks, stateOf } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const curl = foreign(rig, 'bookworm', 'curl');
const program = copyHome(root, curl, 'curl');
const words = [program, ...curl.args];

interface View {
  readonly name: string;
  readonly candidates: readonly {
    readonly storePath: string;
    readonly file: string;
    readonly chosen: boolean;
    readonly closureSize: number;
    readonly symbols: { readonly needed: number; readonly missing: readonly string[] };
    readonly forces: readonly unknown[] | null;
    readonly impossible: readonly string[] | null;
  }[];
}

async function chooseJson(...flags: string[]) {
  const { status, stdout, stderr } = await root.manage(['choose', '--json', ...flags, program]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** soname → store path and how it was matched, as the program's only fingerprint has it. */
function chosen(soname: string): { storePath: string; match: string } {
  const links = rootLinks(root);
  assert.equal(links.length, 1);
  const found = fingerprintBehind(root, links[0] ?? '').libraries.find((each) => each.soname === soname);
  assert.ok(found, soname);
  return { storePath: found.storePath, match: found.match };
}

async function starts(start: typeof root.start = root.start): Promise<string> {
  const { status, stdout, stderr } = await start(words);
  assert.equal(status, 0, stderr);
  assert.match(stdout, curl.expect);
  return stdout;
}

/** Another OpenSSL than the one that is taken without any choice. */
let other: { storePath: string; file: string };

test('without a terminal and without options nothing is asked, and what there is to choose is printed', async () => {
  assert.equal((await root.bare(program, curl.args)).status, 127);
  await starts();
  const { status, stdout, stderr } = await root.manage(['choose', program]);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^nothing is chosen by hand$/m);
  assert.match(stdout, /^\d+ libraries have alternatives/m);
  assert.match(stdout, /^libssl\.so\.3$/m);
  const { alternatives } = await chooseJson();
  const ssl = (alternatives as View[]).find(({ name }) => name === 'libssl.so.3');
  assert.equal(ssl?.candidates.filter((each) => each.chosen).length, 1);
  for (const { chosen: taken, closureSize, symbols, forces, impossible } of ssl?.candidates ?? []) {
    assert.ok(closureSize > 0 && symbols.needed > 10);
    assert.equal([forces, impossible].filter((each) => each !== null).length, taken ? 0 : 1);
  }
  assert.match(stdout, /^ {4}libssl3\S*, glibc-\S+, [\d.]+ [KM]iB: /m);
  assert.match(stdout, /^ {6}all \d+ symbols that are needed are there\n {6}changes /m);
  assert.equal(chosen('libssl.so.3').storePath, ssl?.candidates[0]?.storePath);
  other = ssl?.candidates.at(-1) ?? assert.fail('the rig has one OpenSSL 3 only');
  assert.notEqual(other.storePath, chosen('libssl.so.3').storePath);
});

test('a store object is pinned: the next start has its library, and it is said to be pinned', async () => {
  const outcome = await chooseJson('--pin', `libssl.so.3=${other.storePath}`);
  assert.deepEqual(outcome.choices.pins, { 'libssl.so.3': other.file });
  assert.ok(outcome.changes.some(({ name }: { name: string }) => name === 'libssl.so.3'));
  assert.deepEqual(chosen('libssl.so.3'), { storePath: other.storePath, match: 'pinned' });
  await starts(root.startHit);
  const { stdout } = await root.manage(['explain', program]);
  assert.match(stdout, new RegExp(`^by hand +pin libssl.so.3=${other.file.replace(/[.+]/g, '\\$&')}$`, 'm'));
  assert.match(stdout, /farm, pinned match/);
});

test('a re-resolve, an update of the program and a collection keep the choice', async () => {
  assert.equal((await root.start(['--refresh', ...words])).status, 0);
  assert.deepEqual(chosen('libssl.so.3'), { storePath: other.storePath, match: 'pinned' });
  changeContent(onHost(root, program));
  await starts();
  assert.deepEqual(chosen('libssl.so.3'), { storePath: other.storePath, match: 'pinned' });
  assert.equal((await root.run({ argv: ['nix-store', '--gc'] })).status, 0);
  await starts(root.startHit);
});

test('a copy elsewhere, which nobody chose for, is not served with what was chosen for this one', async () => {
  const copy = path.join(path.dirname(program), 'copy');
  writeFileSync(onHost(root, copy), readFileSync(onHost(root, program)));
  chmodSync(onHost(root, copy), 0o755);
  await root.start([copy, ...curl.args]);
  const prints = rootLinks(root).map((link) => fingerprintBehind(root, link));
  assert.equal(prints.length, 2);
  assert.equal(prints.filter(({ choices }) => choices !== undefined).length, 1);
  await root.manage(['forget', copy]);
});

test('choices that are edited or removed by hand are seen by the launcher', async () => {
  const directory = path.join(stateOf(root), 'choices');
  const [name = ''] = readdirSync(directory);
  const file = path.join(directory, name);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"version":1', '"version":7'));
  assert.match((await root.startHit(words)).stderr, /a file of the plan has changed/);
  const { stderr } = await root.start(words, { env: { NIX_RUN_FOREIGN_DEBUG: '1' } });
  assert.match(stderr, /choices .* are not trusted: version/);
  assert.equal(fingerprintBehind(root, rootLinks(root)[0] ?? '').choices, undefined);
  writeFileSync(file, text);
  await chooseJson('--exclude', 'nothing-is-named-like-this-*');
  assert.equal(chosen('libssl.so.3').match, 'pinned');
});

test('one choice is taken back by its name, the others stay', async () => {
  const { choices } = await chooseJson('--drop', 'nothing-is-named-like-this-*');
  assert.deepEqual(choices, { exclude: [], pins: { 'libssl.so.3': other.file }, prefer: [] });
  const { status, stderr } = await root.manage(['choose', '--drop', 'libssl.so', program]);
  assert.equal(status, 125);
  assert.match(
    stderr,
    /^nix-foreign: libssl.so: nothing was chosen by that name\n {2}see .*choose .* --json\n$/,
  );
  assert.equal(chosen('libssl.so.3').match, 'pinned');
});

test('reset forgets everything', async () => {
  const { choices } = await chooseJson('--reset');
  assert.deepEqual(choices, { exclude: [], pins: {}, prefer: [] });
  assert.equal(chosen('libssl.so.3').match, 'exact');
  assert.deepEqual(readdirSync(path.join(stateOf(root), 'choices')), []);
  await starts(root.startHit);
});

test('what is excluded is not taken; what is preferred is', async () => {
  const name = path.basename(chosen('libz.so.1').storePath).slice(33);
  await chooseJson('--exclude', `${name.slice(0, -1)}?`);
  const second = chosen('libz.so.1').storePath;
  assert.notEqual(path.basename(second).slice(33), name);
  await chooseJson('--reset', '--prefer', path.basename(other.storePath).slice(33));
  assert.deepEqual(chosen('libssl.so.3'), { storePath: other.storePath, match: 'exact' });
  await starts(root.startHit);
  await chooseJson('--reset');
});

test('a choice that leaves no set is refused in sentences, and everything stays as it was', async () => {
  const before = [planFiles(root).map((file) => readFileSync(file, 'utf8')), rootLinks(root)];
  const { status, stdout, stderr } = await root.manage(['choose', '--exclude', 'zlib1g-*', program]);
  assert.deepEqual([status, stdout], [126, '']);
  assert.match(stderr, /^nix-foreign: .*zlib1g.* excluded by choice.*\n {2}.*--reset\n$/);
  assert.deepEqual([planFiles(root).map((file) => readFileSync(file, 'utf8')), rootLinks(root)], before);
  await starts(root.startHit);
});

for (const [flags, cause] of [
  [['--pin', 'libz.so.1'], /a pin is SONAME=PATH/],
  [['--pin', 'libz.so.1=/nowhere'], /no such file/],
  [['--pin', 'libz.so.1=/tmp'], /does not lie in \/nix\/store/],
  [['--prefer', ''], /fits everything/],
] as const) {
  test(`refused: ${flags.join(' ')}`, async () => {
    const { status, stdout, stderr } = await root.manage(['choose', ...flags, program]);
    assert.deepEqual([status, stdout], [125, '']);
    assert.match(stderr, cause);
    assert.match(stderr, /^nix-foreign: .+\n {2}.+\n$/);
  });
}

test('a pin to an object that has no such library is refused', async () => {
  const { stderr, status } = await root.manage(['choose', '--pin', `libz.so.1=${other.storePath}`, program]);
  assert.equal(status, 125);
  assert.match(stderr, /holds no such library/);
});

test('a pin that moves the rest to libraries that do not need it is told', async () => {
  const shop = openShop(root);
  const inner = (version: string, versions: string) =>
    shop.library(`inner-${version}`, { soname: 'libinner.so.1', source: returns('inner', 1), versions });
  const [old, recent] = [
    await inner('1.0', 'INNER_1 { global: *; };'),
    await inner('2.0', 'INNER_1 { }; INNER_2 { global: *; } INNER_1;'),
  ];
  await shop.library('outer-1.0', { soname: 'libouter.so.1', source: returns('outer', 1) });
  const source = forwards('outer', 'inner');
  const outer = await shop.library('outer-2.0', { soname: 'libouter.so.1', source, needs: [recent] });
  const moved = shop.program('moved', calls('outer'), [outer]);
  const { status, stdout, stderr } = await root.manage([
    'choose',
    '--pin',
    `libinner.so.1=${old.directory}`,
    moved,
  ]);
  assert.equal(status, 1, 'the pin came to nothing');
  assert.match(stdout, /libouter\.so\.1: outer-2\.0\S* → outer-1\.0/);
  assert.equal(stderr, 'nix-foreign: the pin of libinner.so.1 has no effect: nothing in the set needs it\n');
  await root.manage(['forget', moved]);
});

test('two libcs: it is said that they come as one', async () => {
  const libcs = readdirSync(path.join(root.nixDir, 'store')).filter((each) =>
    /^glibc-2\.4\d$/.test(each.slice(33)),
  );
  const pins = ['libc.so.6', 'libm.so.6'].flatMap((name, at) => [
    '--pin',
    `${name}=/nix/store/${libcs[at]}/lib/${name}`,
  ]);
  const { status, stderr } = await root.manage(['choose', ...pins, program]);
  assert.equal(status, 126, stderr);
  assert.match(stderr, /libm\.so\.6 is pinned to \S+, and the whole libc family comes from the one glibc/);
});

test('the cache deleted: planned again by the choices', async () => {
  await chooseJson('--pin', `libssl.so.3=${other.file}`);
  assert.ok(cacheOf(root).includes('.cache'));
  await root.run({ argv: ['bash', '-c', 'rm -r ~/.cache/nix-run-foreign'] });
  await starts();
  assert.equal(chosen('libssl.so.3').match, 'pinned');
});
