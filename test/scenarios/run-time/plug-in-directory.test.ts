// A program that looks through a directory of plug-ins outside its tree → from the second one on all that they need is
// found by one run of the resolver, as far as it fits beside what the program has.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readRunTimeRecord, runTimesDirectory } from '../../../src/plan/run-time-record.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { addObject, addObjects, scratchOf } from './own-objects.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const scratch = scratchOf(root);
const UNSEEN = 'LD_AUDIT=unset LD_LIBRARY_PATH=unset\n';
const COUNT = 12;

const numbers = Array.from({ length: COUNT }, (_, index) => index);

/** A library in a store object of its own for each plug-in: names that only one test's plug-ins need. */
async function libraries(set: string): Promise<string[]> {
  return await addObjects(
    root,
    numbers.map((each) => ({
      name: `${set}-${each}-1.0`,
      soname: `lib${set}${each}.so.1`,
      source: `int ${set}${each}(void) { return ${each}; }\n`,
    })),
  );
}

/** Plug-ins by the place of each; `needed`: the files of the libraries that it needs. */
function putPlugIns(places: readonly string[], needed: (index: number) => readonly string[]): string[] {
  return places.map((place, index) => {
    const inRoot = path.join(homeInRoot, place);
    const flags = ['-shared', '-fPIC', '-Wl,--no-as-needed', '-Wl,--allow-shlib-undefined'];
    compile(onHost(root, inRoot), `int plug${index};\n`, [...flags, ...needed(index)]);
    return inRoot;
  });
}

const inOne = (set: string): string[] => numbers.map((each) => `${set}-plug-ins/plug-${each}.so`);

/** The program in a tree of its own; `flags` may name libraries that it is linked with. */
function putHost(name: string, flags: readonly string[] = []): string {
  const inRoot = path.join(homeInRoot, name, 'host');
  const source = readFileSync(path.join(import.meta.dirname, 'programs/open-names.c'), 'utf8');
  compile(onHost(root, inRoot), source, ['-Wl,--no-as-needed', ...flags]);
  return inRoot;
}

/** What the resolver was asked for while the program ran: one row for each run. */
function runsOf(program: string): string[] {
  const directory = runTimesDirectory({ cache: onHost(root, `${homeInRoot}/.cache/nix-run-foreign/v1`) });
  return readdirSync(directory)
    .flatMap((each) => readRunTimeRecord(path.join(directory, each)) ?? [])
    .filter((record) => record.program === program)
    .flatMap(({ names }) => names.map(({ name }) => name));
}

function opened(plugIns: readonly string[]): string {
  return plugIns.map((each) => `${each} opened\n`).join('');
}

/** What the program says when it is started by what is planned, and the resolver cannot be started. */
async function assertHit(words: readonly string[], stdout: string, status = 0): Promise<void> {
  const outcome = await root.startHit(words, { env: { NIX_RUN_FOREIGN_DEBUG: undefined } });
  assert.deepEqual(
    { status: outcome.status, stdout: outcome.stdout, stderr: outcome.stderr },
    { status, stdout, stderr: '' },
  );
}

test('plug-ins in directories of their own: a run of the resolver for each', async () => {
  const files = await libraries('apart');
  const places = numbers.map((each) => `apart-${each}/plug.so`);
  const plugIns = putPlugIns(places, (index) => [files[index] ?? '']);
  const host = putHost('apart');
  const { status, stdout, stderr } = await root.start([host, ...plugIns]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: opened(plugIns) + UNSEEN, stderr: '' });
  assert.equal(runsOf(host).length, COUNT);
});

test('plug-ins in one directory: two runs of the resolver, and the second start is a hit', async () => {
  const files = await libraries('near');
  const plugIns = putPlugIns(inOne('near'), (index) => [files[index] ?? '']);
  const host = putHost('near');
  const { status, stdout, stderr } = await root.start([host, ...plugIns]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: opened(plugIns) + UNSEEN, stderr: '' });
  assert.deepEqual(runsOf(host), ['libnear0.so.1', 'libnear1.so.1']);
  await assertHit([host, ...plugIns], opened(plugIns) + UNSEEN);
  const explained = await root.manage(['explain', host]);
  assert.match(explained.stdout, /plug-11\.so \(a plug-in\): served: libnear11\.so\.1/);
});

test('one plug-in of a directory, whatever lies beside it: its own libraries and no more', async () => {
  const files = await libraries('single');
  const [plugIn = ''] = putPlugIns(inOne('single'), (index) => [files[index] ?? '']);
  const host = putHost('single');
  assert.equal((await root.start([host, plugIn, plugIn])).stdout, opened([plugIn, plugIn]) + UNSEEN);
  const { stdout } = await root.manage(['fingerprint', 'export', '-o', '-', host]);
  assert.deepEqual([...new Set(stdout.match(/libsingle\d+\.so\.1/g))], ['libsingle0.so.1']);
});

test('a library that the program loaded from elsewhere is not taken from the store for its plug-ins', async () => {
  const files = await libraries('own');
  const own = await addObject(root, { name: 'owned-1.0', soname: 'libowned.so.1', source: 'int owned;\n' });
  const [elsewhere = ''] = putPlugIns(['elsewhere/libowned.so.1'], () => ['-Wl,-soname,libowned.so.1']);
  const plugIns = putPlugIns(inOne('own'), (index) => [...(index === 3 ? [own] : []), files[index] ?? '']);
  const host = putHost('own');
  const words = [elsewhere, ...plugIns];
  assert.equal((await root.start([host, ...words])).stdout, opened(words) + UNSEEN);
  assert.equal(runsOf(host).length, 2);
  const { stdout } = await root.manage(['fingerprint', 'export', '-o', '-', host]);
  assert.match(stdout, /libown11\.so\.1/);
  assert.doesNotMatch(stdout, /libowned/);
});

test('a library that the program may open by its run path is left to be asked for', async () => {
  const files = await libraries('kept');
  const both = await addObject(root, { name: 'both-1.0', soname: 'libboth.so.1', source: 'int both;\n' });
  const plugIns = putPlugIns(inOne('kept'), (index) => [...(index === 3 ? [both] : []), files[index] ?? '']);
  const host = putHost('kept', ['-Wl,-rpath,$ORIGIN/lib']);
  putPlugIns(['kept/lib/libboth.so.1'], () => ['-Wl,-soname,libboth.so.1']);
  const words = plugIns.slice(0, 3);
  assert.equal((await root.start([host, ...words])).stdout, opened(words) + UNSEEN);
  assert.equal(runsOf(host).length, 2);
  const { stdout } = await root.manage(['fingerprint', 'export', '-o', '-', host]);
  assert.match(stdout, /libkept11\.so\.1/);
  assert.doesNotMatch(stdout, /libboth/);
  const later = ['libboth.so.1', ...plugIns.slice(3)];
  assert.equal((await root.start([host, ...later])).stdout, opened(later) + UNSEEN);
});

test('one that needs what nobody has fails as before, and the others have theirs', async () => {
  const files = await libraries('lost');
  const nowhere = compileLibrary(path.join(scratch, 'libnowhere.so.9'), 'libnowhere.so.9', 'int nowhere;');
  const needed = (index: number) => [...(index === 5 ? [nowhere] : []), files[index] ?? ''];
  const plugIns = putPlugIns(inOne('lost'), needed);
  writeFileSync(onHost(root, `${homeInRoot}/lost-plug-ins/damaged.so`), '\x7fELF and no more');
  const host = putHost('lost');
  const { status, stdout, stderr } = await root.start([host, ...plugIns]);
  const lost = /plug-5\.so libnowhere\.so\.9: cannot open shared object file: No such file or directory\n/;
  assert.match(stdout, lost);
  assert.equal(stdout.replace(/^.*plug-5\.so .*\n/m, ''), opened(plugIns.toSpliced(5, 1)) + UNSEEN);
  assert.deepEqual([status, stderr], [1, '']);
  assert.deepEqual(runsOf(host), ['liblost0.so.1', 'liblost1.so.1']);
  await assertHit([host, ...plugIns], stdout, 1);
});

test('one that needs another version of a loaded library is left for the next start', async () => {
  const older = 'int first(void) { return 1; }\n';
  const newer = `${older}int second(void) { return 2; }\n`;
  mkdirSync(scratch, { recursive: true });
  const versions = (text: string): string => {
    const script = path.join(scratch, `duo-${text.length}.map`);
    writeFileSync(script, text);
    return `-Wl,--version-script=${script}`;
  };
  const duo = { soname: 'libduo.so.1', source: older, flags: [versions('DUO_1 { global: first; };\n')] };
  const host = putHost('odd', [await addObject(root, { ...duo, name: 'duo-1.0' })]);
  assert.equal((await root.start([host])).status, 0);
  const both = [versions('DUO_1 { global: first; };\nDUO_2 { global: second; } DUO_1;\n')];
  const next = await addObject(root, { ...duo, name: 'duo-2.0', source: newer, flags: both });
  const trio = await addObject(root, {
    name: 'trio-1.0',
    soname: 'libtrio.so.1',
    source: 'extern int second(void); int (*wanted)(void) = second;\n',
    flags: [next],
  });
  const files = await libraries('odd');
  const plugIns = putPlugIns(inOne('odd'), (index) => [index === 7 ? trio : (files[index] ?? '')]);
  const { stdout, stderr } = await root.start([host, ...plugIns]);
  assert.match(stdout, /plug-7\.so libtrio\.so\.1: cannot open shared object file/);
  assert.equal(stdout.replace(/^.*plug-7\.so .*\n/m, ''), opened(plugIns.toSpliced(7, 1)) + UNSEEN);
  assert.equal(stderr, '');
  assert.deepEqual(runsOf(host), ['libodd0.so.1', 'libodd1.so.1', 'libtrio.so.1']);
  assert.equal((await root.start([host, ...plugIns])).stdout, opened(plugIns) + UNSEEN);
  await assertHit([host, ...plugIns], opened(plugIns) + UNSEEN);
});

test('where the loader refuses what they need, what was asked for is had alone', async () => {
  const files = await libraries('huge');
  // Nothing in its tables is wrong, and no machine has the memory that it wants.
  const huge = await addObject(root, {
    name: 'huge-1.0',
    soname: 'libhuge.so.1',
    source: '__asm__(".lcomm room, 0x400000000000");\n',
  });
  const plugIns = putPlugIns(inOne('huge'), (index) => [index === 11 ? huge : (files[index] ?? '')]);
  const host = putHost('huge');
  const { stdout } = await root.start([host, ...plugIns]);
  assert.match(stdout, /plug-11\.so /);
  assert.equal(stdout.replace(/^.*plug-11\.so .*\n/m, ''), opened(plugIns.slice(0, 11)) + UNSEEN);
  assert.equal(runsOf(host).length, COUNT);
});
