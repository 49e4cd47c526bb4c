// The user's LD_LIBRARY_PATH beside a plan's list: what the plan's loader cannot load comes last, in C and in src/.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, opendirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { libraryOrder } from '../../src/farm/library-order.ts';
import { compile, openWorkshop, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';

const workshop = await openWorkshop();
// Static: it is no matter what it would load.
const report = compile(workshop, 'report-state', ['-static']);
const at = (...names: string[]): string => path.join(workshop.directory, ...names);
const output = at('report');
const onX86 = process.arch === 'x64' ? {} : { skip: 'its registers are named' };

/** A library that defines a version of glibc, and so has its name in the string table, as one that needs it. */
function putLibrary(file: string, version: string, more: readonly string[] = []): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(at('versions'), `${version} { answer; };`);
  const flags = ['-shared', '-fPIC', '-nostdlib', `-Wl,--version-script=${at('versions')}`, ...more];
  const input = 'int answer(void) { return 42; }';
  execFileSync('cc', ['-x', 'c', '-o', file, '-', ...flags], { input });
}

const own = at('glibc/lib');
const loader = path.join(own, 'ld-linux-x86-64.so.2');
putLibrary(path.join(own, 'libc.so.6'), 'GLIBC_2.36');
writeFileSync(loader, '');
const farm = at('farm');
mkdirSync(farm);
for (const name of ['libz.so.1', 'libm.so.6']) symlinkSync('/nowhere', path.join(farm, name));
putLibrary(at('older/libz.so.1'), 'GLIBC_2.4');
putLibrary(at('same/libz.so.1'), 'GLIBC_2.36');
putLibrary(at('newer/libz.so.1'), 'GLIBC_2.37');
putLibrary(at('unasked/libother.so.1'), 'GLIBC_2.99');
putLibrary(at('named/libz.so.1'), 'GLIBC_PRIVATE');
putLibrary(at('libc/libc.so.6'), 'GLIBC_2.36');
mkdirSync(at('linked'));
symlinkSync(path.join(own, 'libc.so.6'), at('linked/libc.so.6'));
mkdirSync(at('text'));
writeFileSync(at('text/libz.so.1'), 'GLIBC_2.99');
mkdirSync(at('cut'));
writeFileSync(at('cut/libz.so.1'), readFileSync(at('newer/libz.so.1')).subarray(0, 900));
mkdirSync(at('odd/libz.so.1'), { recursive: true });
symlinkSync('loop', at('loop'));

/** The names of directories of the workshop; then which come first, and which last. */
const cases: readonly (readonly [
  of: readonly string[],
  first: readonly string[],
  last: readonly string[],
])[] = [
  [['older'], ['older'], []],
  [['same'], ['same'], []],
  [['newer'], [], ['newer']],
  [['older', 'newer', 'same'], ['older', 'same'], ['newer']],
  [['newer', 'libc'], [], ['newer', 'libc']],
  [['libc', 'older'], ['older'], ['libc']],
  [['linked', 'unasked', 'named'], ['linked', 'unasked', 'named'], []],
  [['text', 'cut', 'odd', 'nowhere', 'loop'], ['text', 'cut', 'odd', 'nowhere', 'loop'], []],
];

type Command = readonly [string, ...string[]];

/** `command`: what starts the launcher; `by`: the loader of the plan. */
async function listOf(
  libraryPath: string,
  links = farm,
  { command = [workshop.launcher], by = loader }: { readonly command?: Command; readonly by?: string } = {},
): Promise<string | undefined> {
  const records = [`l${by}`, `b${links}`, 'Aname', `A${output}`, 'A0', `L${links}:/more`];
  putPlan(workshop.place, report, planText(report, records));
  const options = { env: { ...workshop.environment, LD_LIBRARY_PATH: libraryPath } };
  const { code, stderr } = await runCommand(workshop, [...command, report, output, '0'], options);
  assert.deepEqual([code, stderr], [0, '']);
  return /^argv 3 (.*)$/m.exec(readFileSync(output, 'utf8'))?.[1];
}

test('an empty element, the working directory, is kept', async () => {
  assert.equal(await listOf(`${at('older')}:`), `${at('older')}::${farm}:/more`);
  assert.equal(await listOf(`:${at('newer')}`), `:${farm}:/more:${own}:${at('newer')}`);
});

for (const [names, first, last] of cases)
  test(`${names.join(', ')}: last ${last.join(', ') || 'none'}`, async () => {
    const paths = (each: readonly string[]) => each.map((name) => at(name));
    const behind = last.length === 0 ? [] : [own, ...paths(last)];
    const expected = [...paths(first), farm, '/more', ...behind].join(':');
    assert.equal(await listOf(paths(names).join(':')), expected);
    if (last.length > 0) assert.equal(await listOf(paths(names).join(';')), expected);
    const order = libraryOrder(paths(names), { loader, libraryPath: `${farm}:/more` });
    assert.deepEqual(order, { first: paths(first), last: behind });
  });

test('libraries of the other word size, for a program that has it', onX86, async () => {
  const by = at('glibc-32/lib/ld-linux.so.2');
  putLibrary(at('glibc-32/lib/libc.so.6'), 'GLIBC_2.36', ['-m32']);
  writeFileSync(by, '');
  putLibrary(at('older-32/libz.so.1'), 'GLIBC_2.4', ['-m32']);
  putLibrary(at('newer-32/libz.so.1'), 'GLIBC_2.37', ['-m32']);
  const [older, newer] = [at('older-32'), at('newer-32')];
  const last = [path.dirname(by), newer];
  const expected = [older, farm, '/more', ...last].join(':');
  assert.equal(await listOf(`${newer}:${older}`, farm, { by }), expected);
  const order = libraryOrder([newer, older], { loader: by, libraryPath: `${farm}:/more` });
  assert.deepEqual(order, { first: [older], last });
});

test('by the path of an interpreter, with options of ld.so, the same', async () => {
  // Reports into the file that its first argument names.
  const by = at('glibc-that-reports/lib/ld-linux-x86-64.so.2');
  putLibrary(path.join(path.dirname(by), 'libc.so.6'), 'GLIBC_2.36');
  copyFileSync(report, by);
  putPlan(workshop.place, report, planText(report, [`l${by}`, `b${farm}:/more`]));
  mkdirSync(at('interpreter'));
  const called = at('interpreter/ld-linux-x86-64.so.2');
  symlinkSync(workshop.launcher, called);
  const list = async (typed: readonly string[], ofUser = '') => {
    const env = { ...workshop.environment, LD_LIBRARY_PATH: ofUser };
    const options = { env, cwd: workshop.directory };
    const { code, stderr } = await runCommand(workshop, [called, '--list', ...typed, report], options);
    assert.deepEqual([code, stderr], [0, '']);
    return /^argv 2 --library-path\nargv 3 (.*)$/m.exec(readFileSync(at('--list'), 'utf8'))?.[1];
  };
  const both = `${at('libc')}:${at('older')}`;
  const expected = [at('older'), farm, '/more', path.dirname(by), at('libc')].join(':');
  assert.equal(await list([], both), expected);
  assert.equal(await list(['--library-path', both]), expected);
  assert.equal(await list([]), `${farm}:/more`);
});

test('the same from a nix-ld that was called by that path, whose own list comes last', async () => {
  const by = at('glibc-by-nix-ld/lib/ld-linux-x86-64.so.2');
  putLibrary(path.join(path.dirname(by), 'libc.so.6'), 'GLIBC_2.36');
  copyFileSync(report, by);
  putPlan(workshop.place, report, planText(report, [`l${by}`, `b${farm}`]));
  const ofSystem = '/run/current-system/sw/share/nix-ld/lib';
  const asked = async (variables: Record<string, string>) => {
    const env = { ...workshop.environment, ...variables };
    // nix-ld gives its own first word to the launcher (execve(2)).
    const options = { env, cwd: workshop.directory, argv0: '/lib64/ld-linux-x86-64.so.2' };
    const { code, stderr } = await runCommand(workshop, [workshop.launcher, '--verify', report], options);
    assert.deepEqual([code, stderr], [0, '']);
    const reported = readFileSync(at('--verify'), 'utf8');
    const list = /^argv 2 --library-path\nargv 3 (.*)$/m.exec(reported)?.[1];
    return [list, /^env \d+ LD_LIBRARY_PATH=(.*)$/m.exec(reported)?.[1]];
  };
  const own = path.dirname(by);
  const user = at('older');
  const ownBefore = (last: string) => [farm, own, last].join(':');
  assert.deepEqual(await asked({ LD_LIBRARY_PATH: ofSystem }), [ownBefore(ofSystem), undefined]);
  assert.deepEqual(await asked({ LD_LIBRARY_PATH: `${user}:${ofSystem}` }), [
    `${user}:${ownBefore(ofSystem)}`,
    user,
  ]);
  assert.deepEqual(await asked({ LD_LIBRARY_PATH: `${user}:/nix/lds`, NIX_LD_LIBRARY_PATH: '/nix/lds' }), [
    `${user}:${ownBefore('/nix/lds')}`,
    user,
  ]);
  // That of the system counts before the other, and the end of an element is no element.
  for (const variables of [
    { LD_LIBRARY_PATH: user, NIX_LD_LIBRARY_PATH: 'older' },
    { LD_LIBRARY_PATH: user, NIX_LD_LIBRARY_PATH_x86_64_linux: '/other', NIX_LD_LIBRARY_PATH: user },
  ])
    assert.deepEqual(await asked(variables), [`${user}:${farm}`, user]);
});

/** A farm of so many links, and the name that the kernel gives last. */
function putFarm(name: string, count: number): { links: string; last: string } {
  const links = at(name);
  mkdirSync(links);
  for (let i = 0; i < count; i += 1)
    symlinkSync('/nowhere', path.join(links, `lib${i}-with-a-long-name.so.1`));
  const directory = opendirSync(links);
  let last = '';
  for (let each = directory.readSync(); each !== null; each = directory.readSync()) last = each.name;
  directory.closeSync();
  return { links, last };
}

test('all names of a large farm count, and none of one that is too large', async () => {
  for (const [count, isJudged] of [
    [1500, true],
    [4000, false],
  ] as const) {
    const { links, last } = putFarm(`farm-of-${count}`, count);
    putLibrary(at(`newer-${count}`, last), 'GLIBC_2.37');
    const newer = at(`newer-${count}`);
    const expected = isJudged ? `${links}:/more:${own}:${newer}` : `${newer}:${links}:/more`;
    assert.equal(await listOf(newer, links), expected);
  }
});

test('a farm on a file system that gives names by the page, and says no types', onX86, async () => {
  const tracer = compile(workshop, 'as-on-fuse');
  const { links, last } = putFarm('farm-on-fuse', 300);
  putLibrary(at('newer-on-fuse', last), 'GLIBC_2.37');
  const found = await listOf(at('newer-on-fuse'), links, { command: [tracer, workshop.launcher] });
  assert.equal(found, `${links}:/more:${own}:${at('newer-on-fuse')}`);
});
