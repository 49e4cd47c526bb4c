// What a program opened and could not load → counted at its next start, told by explain, and forgotten when asked.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readRunTimeRecord } from '../../../src/plan/run-time-record.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { openTerminal } from '../choosing/terminal.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { launcher, openToolRoot } from '../tool.ts';
import { addObject, addObjects, scratchOf } from './own-objects.ts';
import { putPlugIn } from './ways.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const scratch = scratchOf(root);

/** As libstdc++ grows: a newer one has all versions of the older, and one more. */
function versions(count: 1 | 2): string {
  const script = path.join(scratch, `duo-${count}.map`);
  mkdirSync(scratch, { recursive: true });
  const second = count === 2 ? 'DUO_2 { global: second; } DUO_1;\n' : '';
  writeFileSync(script, `DUO_1 { global: first; local: *; };\n${second}`);
  return `-Wl,--version-script=${script}`;
}

const older = 'int first(void) { return 1; }\n';
const newer = `${older}int second(void) { return 2; }\n`;

function put(name: string, flags: readonly string[]): string {
  const inRoot = path.join(homeInRoot, name, 'tool');
  const source = readFileSync(path.join(import.meta.dirname, 'programs/open-names.c'), 'utf8');
  compile(
    onHost(root, inRoot),
    `extern int first(void) __attribute__((weak)); int (*used)(void) = first;\n${source}`,
    ['-Wl,--no-as-needed', ...flags],
  );
  return inRoot;
}

const old = await addObject(root, {
  name: 'duo-1.0',
  soname: 'libduo.so.1',
  source: older,
  flags: [versions(1)],
});
const needsSecond = 'extern int second(void); int (*wanted)(void) = second;\n';

// Started before the store has the newer one.
const early = ['tells', 'mixes', 'halves', 'nears'].map((name) => put(name, [old]));
const [tells = '', mixes = '', halves = '', nears = ''] = early;
for (const each of early) assert.equal((await root.start([each])).status, 0);

/** The last one of the program. */
function recordOf(program: string): { readonly inRoot: string; readonly file: string } {
  const top = path.join(homeInRoot, '.cache/nix-run-foreign/v1/run-time');
  const inRoot = readdirSync(onHost(root, top))
    .map((name) => path.join(top, name))
    .filter((each) => readRunTimeRecord(onHost(root, each))?.names.length)
    .find((each) => readRunTimeRecord(onHost(root, each))?.program === program);
  assert.ok(inRoot !== undefined);
  return { inRoot, file: onHost(root, path.join(inRoot, 'record.json')) };
}

test('a plug-in that needs a newer library than the set has gets it at the next start', async () => {
  const tool = put('grows', [old]);
  assert.equal((await root.start([tool])).status, 0);
  const fresh = await addObject(root, {
    name: 'duo-2.0',
    soname: 'libduo.so.1',
    source: newer,
    flags: [versions(2)],
  });
  const plugIn = putPlugIn(root, 'wheels/wheel.so', needsSecond, []);
  compile(onHost(root, plugIn), needsSecond, ['-shared', '-fPIC', fresh]);
  const first = await root.start([tool, plugIn]);
  assert.match(first.stdout, /version .DUO_2' not found/);
  assert.equal(first.stderr, '');
  const second = await root.start([tool, plugIn]);
  assert.match(second.stdout, /wheel\.so opened\n/);
  assert.deepEqual([second.status, second.stderr], [0, '']);
  assert.match((await root.startHit([tool, plugIn])).stdout, /wheel\.so opened\n/);
});

test('a plug-in that the loader refuses: a terminal is told in one line that the next start looks for a set', async () => {
  const hopeless = putPlugIn(root, 'wheels/hopeless.so', needsSecond, []);
  const nowhere = compileLibrary(path.join(scratch, 'libnowhere.so.1'), 'libnowhere.so.1', newer);
  compile(onHost(root, hopeless), needsSecond, ['-shared', '-fPIC', nowhere]);
  const plugIn = path.join(homeInRoot, 'wheels/wheel.so');
  const screenOf = async (...words: string[]): Promise<string> => {
    const terminal = openTerminal(root.wordsOf({ argv: [launcher, tells, ...words] }));
    try {
      return await terminal.until(/\[status \d+\]/);
    } finally {
      terminal.close();
    }
  };
  const line =
    /^nix-run-foreign: tool: (\S+) does not fit beside what is loaded; the next start looks for a set/gm;
  const told = (screen: string): string[] => [...screen.matchAll(line)].map(([, name = '']) => name);
  const first = await screenOf(hopeless, plugIn, plugIn);
  assert.match(first, /version .DUO_2' not found/);
  assert.deepEqual(told(first), ['wheel.so']);
  const second = await screenOf(plugIn);
  assert.match(second, /wheel\.so opened/);
  assert.doesNotMatch(second, /nix-run-foreign:/);
});

test('a plug-in that the loader refused is counted by the next start, whatever was found after it', async () => {
  const refused = path.join(homeInRoot, 'wheels/wheel.so');
  const found = putPlugIn(root, 'wheels/found.so', 'int found;', []);
  const mono = { name: 'mono-1.0', soname: 'libmono.so.1', source: 'int mono;\n' };
  const file = await addObject(root, mono);
  compile(onHost(root, found), 'int found;', ['-shared', '-fPIC', '-Wl,--no-as-needed', file]);
  const first = await root.start([mixes, refused, found]);
  assert.match(first.stdout, /version .DUO_2' not found.*\n.*found\.so opened\n/);
  const second = await root.start([mixes, refused, found]);
  assert.match(second.stdout, /wheel\.so opened\n.*found\.so opened\n/);
  assert.equal((await root.startHit([mixes, refused, found])).stdout, second.stdout);
});

test('what plug-ins find by LD_LIBRARY_PATH keeps none from another set, and is not taken from the store', async () => {
  const at = (file: string): string => onHost(root, path.join(homeInRoot, file));
  const script = path.join(scratch, 'two.map');
  writeFileSync(script, 'TWO_2 { global: third; };\n');
  const [two = '', both = '', newest = ''] = await addObjects(root, [
    { name: 'two-1.0', soname: 'libtwo.so.1', source: older, flags: [versions(1)] },
    { name: 'both-1.0', soname: 'libboth.so.1', source: 'int both;\n' },
    {
      name: 'two-2.0',
      soname: 'libtwo.so.1',
      source: 'int third;\n',
      flags: [`-Wl,--version-script=${script}`],
    },
  ]);
  const only = compileLibrary(at('vendor/lib/libonly.so.1'), 'libonly.so.1', 'int only;\n');
  compileLibrary(at('vendor/lib/libboth.so.1'), 'libboth.so.1', 'int both;\n');
  const shared = ['-shared', '-fPIC', '-Wl,--no-as-needed'];
  compile(at('led/both.so'), 'int dup;', [...shared, both]);
  compile(at('led/led.so'), 'extern int first(void); int (*wanted)(void) = first;', [...shared, two, only]);
  const tool = put('leads', [newest]);
  const words = [tool, ...['led/both.so', 'led/led.so'].map((each) => path.join(homeInRoot, each))];
  const settings = { env: { LD_LIBRARY_PATH: path.join(homeInRoot, 'vendor/lib') } };
  assert.match((await root.start(words, settings)).stdout, /both\.so opened\n.*version .DUO_1' not found/);
  for (const start of [root.start, root.startHit])
    assert.match((await start(words, settings)).stdout, /both\.so opened\n.*led\.so opened\n/);
  const { stdout } = await root.manage(['fingerprint', 'export', '-o', '-', tool]);
  assert.match(stdout, /two-1\.0/);
  assert.doesNotMatch(stdout, /libboth/);
});

test('choosing keeps what was learned', async () => {
  const tells = async (...words: string[]) => (await root.manage([...words, mixes])).stdout;
  const learned = /learned from earlier starts:\n(?:.*\n)*.*wheels\/wheel\.so/;
  assert.match(await tells('explain'), learned);
  const chosen = await root.manage(['choose', mixes, '--prefer', 'duo-2.0']);
  assert.equal(chosen.status, 0, chosen.stderr);
  assert.match(await tells('explain'), learned);
  assert.match(await tells('fingerprint', 'export', '-o', '-'), /libmono\.so\.1/);
  const hit = await root.startHit([mixes, path.join(homeInRoot, 'wheels/found.so')]);
  assert.match(hit.stdout, /found\.so opened\n/);
});

test('a plug-in for which only some of what it needs fits is counted by the next start', async () => {
  const duet = await addObject(root, { name: 'duet-1.0', soname: 'libduet.so.1', source: 'int duet;\n' });
  const duo = path.join(scratch, 'duo-2.0/lib/libduo.so.1');
  const half = putPlugIn(root, 'wheels/half.so', needsSecond, []);
  const flags = ['-shared', '-fPIC', '-Wl,--no-as-needed', duo, duet];
  compile(onHost(root, half), needsSecond, flags);
  assert.match((await root.start([halves, half])).stdout, /version .DUO_2' not found/);
  assert.match((await root.start([halves, half])).stdout, /half\.so opened\n/);
  assert.match((await root.startHit([halves, half])).stdout, /half\.so opened\n/);
});

test('so is one that is opened by a relative path', async () => {
  const there = { cwd: path.join(homeInRoot, 'wheels') };
  assert.match((await root.start([nears, './half.so'], there)).stdout, /version .DUO_2' not found/);
  const { stdout } = await root.manage(['explain', nears]);
  assert.match(stdout, new RegExp(`libduet\\.so\\.1, for ${there.cwd}/half\\.so`));
  assert.match((await root.start([nears, './half.so'], there)).stdout, /half\.so opened\n/);
  assert.match((await root.startHit([nears, './half.so'], there)).stdout, /half\.so opened\n/);
});

test('a library that does not fit beside what is loaded is in the set of the next start', async () => {
  const tool = put('trio', [old]);
  const duo = path.join(scratch, 'duo-2.0/lib/libduo.so.1');
  // Without the newer one in the set: chosen by hand, then taken back.
  const pin = await root.manage(['choose', tool, '--exclude', 'duo-2.0']);
  assert.equal(pin.status, 0, pin.stderr);
  assert.equal((await root.start([tool])).status, 0);
  await addObject(root, { name: 'trio-1.0', soname: 'libtrio.so.1', source: needsSecond, flags: [duo] });
  const excluded = await root.start([tool, 'libtrio.so.1']);
  assert.match(excluded.stdout, /^libtrio\.so\.1 .*cannot open shared object file/);
  // As a process that had asked for it at the same moment.
  const record = recordOf(tool);
  const question = ['--run-time', record.inRoot, '--process', '1', '--requester', '', '--', 'libtrio.so.1'];
  const before = readFileSync(record.file, 'utf8');
  const asked = await root.manage(['extend', ...question]);
  assert.deepEqual([asked.status, asked.stderr], [0, '']);
  assert.equal(readFileSync(record.file, 'utf8'), before, 'it is searched once');
  const { stdout } = await root.manage(['explain', tool]);
  assert.match(stdout, /learned from earlier starts:\n.*libtrio\.so\.1, for the program: /);
  assert.equal((await root.manage(['choose', tool, '--reset'])).status, 0);
  const next = await root.start([tool, 'libtrio.so.1']);
  assert.match(next.stdout, /^libtrio\.so\.1 opened\n/);
});

test('forget --learned takes it all back, and only that', async () => {
  const tool = put('forgets', []);
  assert.match((await root.start([tool, 'libexpat.so.1'])).stdout, /opened/);
  assert.match((await root.manage(['explain', tool])).stdout, /libexpat\.so\.1, for the program/);
  const forgot = await root.manage(['forget', '--learned', tool]);
  assert.deepEqual([forgot.status, forgot.stdout], [0, `forgot what was learned of ${tool}\n`]);
  assert.equal((await root.start([tool])).status, 0);
  assert.doesNotMatch((await root.manage(['explain', tool])).stdout, /libexpat/);
});

test('a fingerprint that travels names what was opened, and no path of the machine', async () => {
  const tool = put('travels', []);
  assert.match((await root.start([tool, 'libexpat.so.1'])).stdout, /opened/);
  const { stdout } = await root.manage(['fingerprint', 'export', '-o', '-', tool]);
  assert.match(stdout, /"match":"dlopen"[^}]*"soname":"libexpat\.so\.1"/);
  assert.doesNotMatch(stdout, /\/home|\/opt/);
});

test('files that a program unpacks, opens and removes make no later start a miss', async () => {
  const tool = put('unpacks', []);
  const passing = putPlugIn(root, 'unpacks/passing-1.so', 'int passing;', []);
  assert.match((await root.start([tool])).stdout, /LD_AUDIT=unset/);
  const file = onHost(root, passing);
  const bytes = readFileSync(file);
  for (const round of [2, 3, 4]) {
    const name = path.join(homeInRoot, `elsewhere-${round}.so`);
    writeFileSync(onHost(root, name), bytes, { mode: 0o755 });
    assert.match((await root.start([tool, name])).stdout, /opened/);
    rmSync(onHost(root, name));
  }
  assert.equal((await root.startHit([tool])).status, 0);
});

test('what a process left that was killed while it wrote answers goes when the program is planned anew', async () => {
  const tool = put('killed', [old]);
  const top = onHost(root, path.join(homeInRoot, '.cache/nix-run-foreign/v1/run-time'));
  const before = readdirSync(top);
  assert.equal((await root.start([tool])).status, 0);
  const [made = assert.fail()] = readdirSync(top).filter((name) => !before.includes(name));
  const left = path.join(top, made, '.answers.4026531836.7.1.tmp');
  writeFileSync(left, '');
  const hoursAgo = Date.now() / 1000 - 2 * 60 * 60;
  utimesSync(left, hoursAgo, hoursAgo);
  assert.equal((await root.startHit([tool])).status, 0);
  assert.ok(existsSync(left));
  assert.equal((await root.start(['--refresh', tool])).status, 0);
  assert.equal(existsSync(left), false);
});
