// What of the environment reaches the program, by a plan's edits, and what reaches the resolver.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, openWorkshop, putScript, resolving, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';

const workshop = await openWorkshop();
const report = compile(workshop, 'report-state');
const startWith = compile(workshop, 'start-with');
const output = path.join(workshop.directory, 'report');

/** The environment that the program has, when started with `edits` of start-with by a plan of these records. */
async function environment(records: readonly string[], edits: readonly string[]): Promise<string[]> {
  putPlan(workshop.place, report, planText(report, records));
  const command = [startWith, ...edits, '--', workshop.launcher, report, output] as const;
  const { code, stderr } = await runCommand(workshop, [...command]);
  assert.deepEqual([code, stderr], [0, '']);
  const lines = readFileSync(output, 'utf8').split('\n');
  return lines.flatMap((line) => /^env \d+ (.*)$/.exec(line)?.[1] ?? []);
}

const base = Object.entries(workshop.environment).map(([name, value]) => `${name}=${value}`);

test('without edits: the same entries in the same order', async () => {
  assert.deepEqual(await environment([], ['entry', 'Z=1', 'entry', 'A=2']), ['A=2', 'Z=1', ...base]);
});

test('what a plan sets comes first, in its order, and replaces the entries of that name', async () => {
  const edits = ['entry', 'A=user', 'entry', 'KEPT=1', 'entry', 'A=twice', 'entry', 'AB=other'];
  const expected = ['B=b', 'A=a=x', 'AB=other', 'KEPT=1', ...base];
  assert.deepEqual(await environment(['+B=b', '+A=a=x'], edits), expected);
});

test('of two values for one name the later one counts', async () => {
  assert.deepEqual(await environment(['+A=1', '+B=', '+A=2'], []), ['B=', 'A=2', ...base]);
});

test('what is to be the path of the launcher comes in its order too, and replaces', async () => {
  const edits = ['entry', 'A=user', 'entry', 'KEPT=1'];
  const own = workshop.launcher;
  assert.deepEqual(await environment(['NA', '+B=b'], edits), [`A=${own}`, 'B=b', 'KEPT=1', ...base]);
  assert.deepEqual(await environment(['NA', '+A=plan'], []), ['A=plan', ...base]);
});

const toLink = path.join(workshop.directory, 'library.c');
writeFileSync(toLink, 'int library(void) { return 0; }');
const prints = compile(workshop, 'print-environment', ['-static', toLink]); // no loader is told of the module

/** What a program prints that starts with the audit module /m, as far as that is not left out. */
async function printedBesideModule(entries: readonly string[]): Promise<string> {
  putPlan(workshop.place, prints, planText(prints, ['+LD_AUDIT=/m']));
  const edits = entries.flatMap((entry) => ['entry', entry]);
  const { stdout } = await runCommand(workshop, [startWith, ...edits, '--', workshop.launcher, prints]);
  return stdout;
}

test('the audit module comes in front of what the user has the loader ask', async () => {
  for (const [ofUser, expected] of [
    [['LD_AUDIT=/u:/v'], 'LD_AUDIT=/m:/u:/v'],
    [['LD_AUDIT='], 'LD_AUDIT=/m'],
    [[], 'LD_AUDIT=/m'],
  ] as const) {
    const stdout = await printedBesideModule(ofUser);
    assert.deepEqual(stdout.match(/LD_AUDIT=.*/g), [expected]);
    assert.ok(stdout.includes(`\n${expected}\nvector `), 'last: what takes it out moves no other entry');
  }
});

/** A library without libc. Returns its path. */
function preload(name: string, source: string): string {
  const file = path.join(workshop.directory, `lib${name}.so`);
  writeFileSync(`${file}.c`, source);
  execFileSync('cc', ['-shared', '-fPIC', '-nostdlib', '-o', file, `${file}.c`]);
  return file;
}

/** The same with its program headers at the end, behind what is read of a file first (gABI, e_phoff). */
function withHeadersBehind(file: string): string {
  const bytes = readFileSync(file);
  const at = Number(bytes.readBigUInt64LE(32));
  const end = Math.max(4096, Math.ceil(bytes.length / 8) * 8);
  const padded = Buffer.concat([bytes, Buffer.alloc(end - bytes.length)]);
  padded.writeBigUInt64LE(BigInt(end), 32);
  const moved = `${file}.moved.so`;
  writeFileSync(moved, Buffer.concat([padded, bytes.subarray(at, at + 56 * bytes.readUInt16LE(56))]));
  return moved;
}

test('the audit module is left out beside a preload that may have thread storage', async () => {
  const plain = preload('plain', 'int plain;');
  const storage = preload('storage', '_Thread_local char storage[4096];');
  for (const [list, expected] of [
    ['', 'LD_AUDIT=/m:/u'],
    [`${plain}:${toLink} `, 'LD_AUDIT=/m:/u'],
    [storage, 'LD_AUDIT=/u'],
    [`${plain} ${storage}`, 'LD_AUDIT=/u'],
    [`:${storage}:`, 'LD_AUDIT=/u'],
    [withHeadersBehind(storage), 'LD_AUDIT=/u'],
    [withHeadersBehind(plain), 'LD_AUDIT=/u'], // not looked at: it may have some
    ['libsearched.so', 'LD_AUDIT=/u'],
    ['/nowhere/$LIB/libany.so', 'LD_AUDIT=/u'],
  ] as const) {
    const stdout = await printedBesideModule([`LD_PRELOAD=${list}`, 'LD_AUDIT=/u']);
    assert.deepEqual(stdout.match(/LD_AUDIT=.*/g), [expected], list);
    assert.ok(stdout.includes(`LD_PRELOAD=${list}\n`), stdout);
  }
  for (const both of [
    [plain, storage],
    [storage, plain],
  ]) {
    const stdout = await printedBesideModule(both.map((list) => `LD_PRELOAD=${list}`).concat('LD_AUDIT=/u'));
    assert.deepEqual(
      stdout.match(/LD_AUDIT=.*/g),
      ['LD_AUDIT=/u'],
      'of several any may be the one that counts',
    );
  }
});

test("a list for nix-ld goes in front of the user's own", async () => {
  const generic = 'NIX_LD_LIBRARY_PATH';
  const ours = `j${generic}_s=/farm`;
  const both = [ours, `j${generic}=/farm`];
  const listsBy = async (records: readonly string[], ...entries: readonly string[]): Promise<string[]> => {
    const seen = await environment(
      records,
      entries.flatMap((entry) => ['entry', entry]),
    );
    return seen.filter((entry) => entry.startsWith(generic));
  };
  const lists = (...entries: readonly string[]) => listsBy(both, ...entries);
  const of = (suffixed: string, other: string) => [`${generic}_s=${suffixed}`, `${generic}=${other}`];
  assert.deepEqual(await lists(), of('/farm', '/farm'));
  assert.deepEqual(await lists(`${generic}=`), of('/farm', '/farm'));
  assert.deepEqual(await lists(`${generic}=/user:/b`), of('/farm:/user:/b', '/farm:/user:/b'));
  assert.deepEqual(await lists(`${generic}_s=/s`), of('/farm:/s', '/farm'));
  assert.deepEqual(await lists(`${generic}_s=/s`, `${generic}=/g`), of('/farm:/s', '/farm:/g'));
  assert.deepEqual(await lists(`${generic}=/farm:/user`), of('/farm:/user', '/farm:/user'), 'nested starts');
  assert.deepEqual(await lists(`${generic}=/farm`), of('/farm', '/farm'));
  assert.deepEqual(await lists(`${generic}=/farmer`), of('/farm:/farmer', '/farm:/farmer'));
  // In it may lie another libc than that of the plan's loader.
  const ofGlibc = [...both, 'l/glibc/ld-linux-x86-64.so.2'];
  assert.deepEqual(await listsBy(ofGlibc), of('/farm', '/farm'));
  assert.deepEqual(await listsBy(ofGlibc, `${generic}=/u`), of('/farm:/glibc:/u', '/farm:/glibc:/u'));
});

test('entries without = stay, after what the plan sets', async () => {
  const edits = ['entry', 'NIX_LD', 'entry', 'no equals', 'entry', '', 'entry', '=x'];
  assert.deepEqual(await environment(['+NIX_LD=1'], edits), [
    'NIX_LD=1',
    '=x',
    '',
    'no equals',
    'NIX_LD',
    ...base,
  ]);
});

test('ten thousand entries', async () => {
  const actual = await environment(['+VARIABLE_5=new'], ['fill', '10000']);
  const filled = Array.from({ length: 10_000 }, (_, index) => `VARIABLE_${index}=value ${index}`);
  const kept = filled.filter((_, index) => index !== 5);
  assert.deepEqual(actual, ['VARIABLE_5=new', ...base, ...kept]);
});

test('the resolver gets of the environment only what is for it', async () => {
  const steering = [
    'LD_PRELOAD=',
    'LD_LIBRARY_PATH=/x',
    'GLIBC_TUNABLES=',
    'NODE_OPTIONS=--bad',
    'NODE_PATH=/x',
    'NIX_LD=/x',
    'NIX_LD_LIBRARY_PATH_x86_64_linux=/x',
    'MALLOC_ARENA_MAX=1',
    'ELECTRON_RUN_AS_NODE=1',
    'OPENSSL_CONF=/x',
    'OPENSSL_MODULES=/x',
    'SSLKEYLOGFILE=/x',
    'UV_THREADPOOL_SIZE=1',
    'NIX_RUN_FOREIGN_WRITE_COMPILED=/x',
    'NIX_RUN_FOREIGN_RESOLVING=0',
    'PATHS=/x',
    'OF_NOBODY=1',
    'PATH',
  ];
  const told = [
    'NIX_PATH=x',
    'HOME=/x',
    'LC_ALL=C',
    'https_proxy=x',
    'XDG_RUNTIME_DIR=/x',
    'SSL_CERT_FILE=/x',
  ];
  const seen = path.join(workshop.directory, 'seen');
  const body = `tr '\\0' '\\n' < /proc/$$/environ > '${seen}'; ${resolving(workshop, report)}`;
  const env = { NIX_RUN_FOREIGN_RESOLVER: putScript(workshop.directory, 'resolver', body) };
  const edits = [...steering, ...told].toReversed().flatMap((entry) => ['entry', entry]);
  const command = [startWith, ...edits, '--', workshop.launcher, report, output] as const;
  const options = { env: { ...workshop.environment, ...env } };
  const { code, stderr } = await runCommand(workshop, [...command], options);
  assert.deepEqual([code, stderr], [0, '']);
  const names = (entries: readonly string[]): string[] => entries.map((entry) => entry.replace(/=.*/, ''));
  // The user's library path is told under a name that steers nothing; it stands where the other stood.
  const environ = readFileSync(seen, 'utf8').trimEnd().split('\n');
  const expected = [
    'NIX_RUN_FOREIGN_LD_LIBRARY_PATH',
    ...names([...told, ...base]),
    'NIX_RUN_FOREIGN_RESOLVING',
  ];
  assert.deepEqual(names(environ), expected);
  assert.equal(environ[0], 'NIX_RUN_FOREIGN_LD_LIBRARY_PATH=/x');
  const target = readFileSync(output, 'utf8');
  for (const entry of [...steering, ...told]) assert.ok(target.includes(` ${entry}\n`), entry);
});

test('what a plan takes from the start itself: argv[0] and the working directory', async () => {
  const edits = ['entry', 'OWD=user', 'entry', 'ARGV0=user'];
  const expected = [`OWD=${process.cwd()}`, `ARGV0=${report}`, ...base];
  assert.deepEqual(await environment(['cOWD', 'vARGV0'], edits), expected);
});
