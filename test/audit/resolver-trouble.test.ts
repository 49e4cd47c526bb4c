// A resolver that hangs, dies, says nothing or lies, and files that are broken → a search that goes on as without us.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { addAnswers, readAnswers, readLearned } from '../../src/plan/run-time-files.ts';
import { sonameTable } from '../../src/store/soname-table.ts';
import { asRoot } from '../launcher/tool-fixture.ts';
import {
  buildModule,
  CATALOGUE,
  compileLibrary,
  compileProgram,
  loaderWords,
  makePlace,
  type Place,
  type PlaceContent,
  rigGlibcs,
  runsOf,
  runWords,
  startBy,
  writeAnswers,
} from './audit-fixture.ts';

const glibcs = rigGlibcs();
const [oldest, newest] = [glibcs[0], glibcs.at(-1)];
assert.ok(oldest && newest);
const module = await buildModule('nix-foreign-audit.so');
const program = compileProgram('open-late', oldest);
const late = compileLibrary('liblate.so.1', 'int answer(void) { return 42; }\n');
const content: PlaceContent = {
  names: ['liblate.so.1', ...Array.from({ length: 100 }, (_, i) => `libmany-${i}.so.1`)],
  found: { 'liblate.so.1': late },
};
const notFound = /^liblate\.so\.1 liblate\.so\.1: cannot open shared object file/;

async function open(place: Place, names: readonly string[] = ['liblate.so.1'], env: NodeJS.ProcessEnv = {}) {
  assert.ok(newest);
  const { status, signal, stdout, stderr } = await startBy(newest, place, [program, 'open', ...names], env);
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' });
  return stdout;
}

/** Gone, or waiting for somebody to ask for its status. */
async function hasEnded(pid: string): Promise<boolean> {
  for (let i = 0; i < 50; i += 1) {
    if (!existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

test('a resolver that hangs is ended after its time, and its children with it', async () => {
  const script = `trap 'kill $!; exit 1' TERM; sleep 60 & echo $! > "$0.child"; wait`;
  const place = makePlace(module, { ...content, script, settings: { limit: 1 } });
  const begin = Date.now();
  assert.match(await open(place, ['liblate.so.1', 'liblate.so.1']), notFound);
  assert.ok(Date.now() - begin < 15_000);
  assert.equal(runsOf(place).length, 1);
  const child = readFileSync(path.join(place.directory, 'resolver.child'), 'utf8').trim();
  assert.ok(await hasEnded(child));
});

test('a resolver that does not listen is killed a second after its time, and its children with it', async () => {
  const script = 'sleep 60 & echo $! > "$0.child"; trap "" TERM; while :; do :; done';
  const place = makePlace(module, { ...content, script, settings: { limit: 1 } });
  const begin = Date.now();
  assert.match(await open(place), notFound);
  const milliseconds = Date.now() - begin;
  assert.ok(milliseconds >= 2000 && milliseconds < 4000, `${milliseconds}`); // a busy machine may add to it
  const child = readFileSync(path.join(place.directory, 'resolver.child'), 'utf8').trim();
  assert.ok(await hasEnded(child));
});

/** The words that have the loader start the program, which opens the library. */
function openingWords(place: Place): string[] {
  assert.ok(newest);
  return [newest.loader, ...loaderWords(newest, place), program, 'open', 'liblate.so.1'];
}

test('a stop of the process group during a search, as by Ctrl-Z, comes after it, and harms nothing', async () => {
  const place = makePlace(module, { ...content, script: 'kill -s TSTP -- "-$4"' });
  // A job of a shell, which is its process group: one that no shell could continue is not stopped.
  const runs = '[ -d /proc/$! ] && ! grep -q "^State:.T" /proc/$!/status';
  const goOn = `while ${runs}; do sleep 0.05; done; echo stopped; kill -CONT -- -$!; wait -f $!`;
  const shell = ['bash', '--norc', '-c', `set -m; "$@" & ${goOn}`, 'bash'];
  const { status, stdout } = await runWords([...shell, ...openingWords(place)]);
  assert.deepEqual([status, stdout], [0, 'stopped\nliblate.so.1 opened\n']);
});

for (const ending of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'])
  test(`${ending} to the process group, as by Ctrl-C, ends a search and the program`, async () => {
    const script = `echo $$ > "$0.began"; kill -s ${ending.slice(3)} -- "-$4"; exec sleep 60`;
    const place = makePlace(module, { ...content, script });
    const begin = Date.now();
    const group = ['setsid', 'sh', '-c', 'ulimit -c 0; exec "$@"', 'sh'];
    const { signal, stdout } = await runWords([...group, ...openingWords(place)]);
    assert.deepEqual([signal, stdout], [ending, '']);
    assert.ok(Date.now() - begin < 15_000);
    assert.ok(await hasEnded(readFileSync(path.join(place.directory, 'resolver.began'), 'utf8').trim()));
  });

for (const [title, script] of [
  ['fails', 'exit 1'],
  ['is killed', 'kill -9 $$'],
  ['leaves a broken answer', 'echo nonsense > $(dirname $0)/answers; exit 0'],
  ['leaves an answer that others may write', 'cd $(dirname $0); cp next answers; chmod 666 answers; exit 0'],
  ['writes on all its descriptors', 'echo out; echo error >&2; exit 1'],
] as const)
  test(`a resolver that ${title}`, async () => {
    const place = makePlace(module, { ...content, script });
    assert.match(await open(place, ['liblate.so.1', 'liblate.so.1']), notFound);
    assert.equal(runsOf(place).length, 1);
  });

test('what the resolver says is seen on a terminal, and nowhere else', async () => {
  const place = makePlace(module, { ...content, script: 'echo out; echo "next time" >&2' });
  // Even where the terminal stops whoever writes to it from the background.
  const { stdout } = await runWords([
    'script',
    '-qec',
    `stty tostop; ${openingWords(place).join(' ')}`,
    '/dev/null',
  ]);
  assert.equal(stdout.replaceAll('\r', ''), 'next time\nliblate.so.1 opened\n');
});

test('a resolver that is not there, or no program', async () => {
  for (const file of ['/nowhere/resolver', '/', '/dev/null']) {
    const settings = { resolver: { file, argv: ['name'] as const } };
    assert.match(await open(makePlace(module, { ...content, settings })), notFound);
  }
});

test('an answer that is no file, and a library that is none, fail as they would elsewhere', async () => {
  const gone = makePlace(module, { ...content, answers: { 'liblate.so.1': '/nowhere/liblate.so.1' } });
  assert.match(await open(gone), notFound);
  const text = makePlace(module, { ...content, answers: { 'liblate.so.1': '/etc/passwd' } });
  assert.match(await open(text), /^liblate\.so\.1 .*invalid ELF header/);
});

test('the resolver is asked at most 64 times by one process', async () => {
  const place = makePlace(module, { ...content, script: 'exit 0' });
  await open(place, content.names?.slice(1) ?? []);
  assert.equal(runsOf(place).length, 64);
});

test('within the resolver nobody is asked', async () => {
  const place = makePlace(module, content);
  assert.match(await open(place, undefined, { NIX_RUN_FOREIGN_RESOLVING: '1' }), notFound);
  assert.deepEqual(runsOf(place), []);
});

/** What a stand-in for the resolver finds in its environment, but what its shell sets. */
const WRITE_ENVIRONMENT = `tr '\\0' '\\n' < /proc/$$/environ > "$0.env"`;

function environmentOf(place: Place): readonly string[] {
  const text = readFileSync(path.join(place.directory, 'resolver.env'), 'utf8');
  return text.trimEnd().split('\n').sort();
}

test('the resolver has of the environment of the start only what is for it, and its mark', async () => {
  const script = `${WRITE_ENVIRONMENT}; pwd > "$0.cwd"`;
  const place = makePlace(module, { ...content, script });
  const told = { HOME: '/home/me', LC_ALL: 'C', NIX_PATH: 'x', XDG_CACHE_HOME: '/c', https_proxy: 'x' };
  await open(place, undefined, {
    ...told,
    LD_DEBUG_OUTPUT: '/x',
    NODE_OPTIONS: '--x',
    NIX_LD: '/y',
    OPENSSL_CONF: '/x',
    OPENSSL_MODULES: '/x',
    SSLKEYLOGFILE: '/x',
    UV_THREADPOOL_SIZE: '1',
    NIX_RUN_FOREIGN_WRITE_COMPILED: '/x',
    PATHS: '/x',
    OF_NOBODY: '1',
  });
  const expected = { ...told, PATH: '/usr/bin:/bin', NIX_RUN_FOREIGN_RESOLVING: '1' };
  const entries = Object.entries(expected).map(([name, value]) => `${name}=${value}`);
  assert.deepEqual(environmentOf(place), entries.sort());
  assert.equal(readFileSync(path.join(place.directory, 'resolver.cwd'), 'utf8'), '/\n');
});

test('a program that writes over its environment leaves the resolver what the settings have', async () => {
  const environment = { HOME: '/home/plan', PATH: '/usr/bin:/bin', XDG_CACHE_HOME: '/c' };
  const settings = { environment };
  const place = makePlace(module, { ...content, script: WRITE_ENVIRONMENT, settings });
  const entries = (all: Readonly<Record<string, string>>) =>
    Object.entries({ ...all, NIX_RUN_FOREIGN_RESOLVING: '1' }).map(([name, value]) => `${name}=${value}`);
  assert.ok(newest);
  const env = { HOME: '/home/me', LANG: 'C' };
  const { stdout } = await startBy(newest, place, [program, 'title-written', 'liblate.so.1'], env);
  assert.equal(stdout, 'liblate.so.1 opened\n');
  assert.deepEqual(environmentOf(place), entries(environment).sort());
  // A variable that is not set now was unset by whoever started it.
  rmSync(path.join(place.directory, 'answers'));
  await open(place, undefined, env);
  assert.deepEqual(environmentOf(place), entries({ PATH: '/usr/bin:/bin', ...env }).sort());
});

test('an absent answer holds for its state of the catalogue only', async () => {
  const place = makePlace(module, { ...content, answers: { 'liblate.so.1': '' } });
  assert.match(await open(place), notFound);
  assert.deepEqual(runsOf(place), []);
  writeAnswers(path.join(place.directory, 'answers'), { 'liblate.so.1': '' }, CATALOGUE + 1n);
  assert.equal(await open(place), 'liblate.so.1 opened\n');
});

test('answers are added to those that are there', () => {
  const place = makePlace(module, { answers: { 'liba.so.1': '/a', 'libb.so.1': '' } });
  addAnswers(place.directory, new Map([['libc.so.1', '/ä']]), CATALOGUE);
  const all = [...readAnswers(place.directory).entries].sort();
  assert.deepEqual(all, [
    ['liba.so.1', '/a'],
    ['libb.so.1', ''],
    ['libc.so.1', '/ä'],
  ]);
  addAnswers(place.directory, new Map([['libd.so.1', undefined]]), CATALOGUE + 1n);
  const later = [...readAnswers(place.directory).entries.keys()].sort();
  assert.deepEqual(later, ['liba.so.1', 'libc.so.1', 'libd.so.1']);
});

test('what lies in a default directory of the loader is never answered for', async () => {
  const settings = { defaultDirectories: [path.dirname(late)] };
  const place = makePlace(module, { ...content, answers: content.found ?? {}, settings });
  assert.match(await open(place), notFound);
});

const table = (place: Place) => path.join(place.directory, 'sonames');
const settings = (place: Place) => path.join(place.directory, 'settings');
const answers = (place: Place) => path.join(place.directory, 'answers');

const broken: readonly (readonly [string, (place: Place) => void])[] = [
  ['a soname table that is gone', (place) => rmSync(table(place))],
  ['a cut soname table', (place) => truncateSync(table(place), 100)],
  ['an empty soname table', (place) => truncateSync(table(place), 0)],
  ['a longer soname table', (place) => appendFileSync(table(place), 'x')],
  ['a soname table that others may write', (place) => chmodSync(table(place), 0o666)],
  ['a soname table of somebody else', (place) => chownSync(table(place), 65534, 65534)],
  [
    'a soname table of another machine',
    (place) => writeFileSync(table(place), sonameTable(['liblate.so.1'], { machine: 183, catalogue: 7n })),
  ],
  [
    'a link in the place of the soname table',
    (place) => {
      writeFileSync(`${table(place)}2`, readFileSync(table(place)));
      rmSync(table(place));
      symlinkSync(`${table(place)}2`, table(place));
    },
  ],
  ['a directory in the place of the settings', (place) => rmSync(settings(place))],
  ['settings without an end', (place) => truncateSync(settings(place), 60)],
  ['settings with an unknown record', (place) => appendFileSync(settings(place), '?\0.\0')],
  ['settings of somebody else', (place) => chownSync(settings(place), 65534, 65534)],
];

for (const [title, breakIt] of broken)
  test(`${title}: the search goes on`, asRoot, async () => {
    const place = makePlace(module, content);
    assert.equal(await open(place), 'liblate.so.1 opened\n');
    rmSync(answers(place));
    writeFileSync(place.log, '');
    breakIt(place);
    assert.match(await open(place), notFound);
    assert.deepEqual(runsOf(place), []);
  });

test('answers of somebody else, or that are cut, are none', asRoot, async () => {
  const foreign = makePlace(module, { answers: content.found ?? {} });
  chownSync(answers(foreign), 65534, 65534);
  assert.match(await open(foreign), notFound);
  const cut = makePlace(module, { answers: content.found ?? {} });
  truncateSync(answers(cut), 70);
  assert.match(await open(cut), notFound);
});

test('objects from outside the store are noted once; not those of the start, nor those that were answered', async () => {
  const plugin = compileLibrary('plugin.so', 'int plugin(void) { return 1; }\n');
  const place = makePlace(module, { ...content, settings: { storeDir: '/nix/store' } });
  await open(place, ['liblate.so.1', plugin]);
  await open(place, ['liblate.so.1', plugin]);
  assert.deepEqual(readLearned(place.directory), [plugin]);
  assert.equal(readFileSync(path.join(place.directory, 'learned'), 'utf8'), `${plugin}\0`);
  const none = makePlace(module, content);
  await open(none, [plugin]);
  assert.deepEqual(readLearned(none.directory), []);
});

test('what is opened by a relative path is noted by its whole one, once, wherever the program is', async () => {
  const plugin = compileLibrary('plugin.so', 'int plugin(void) { return 1; }\n');
  const [above, directory] = [path.dirname(path.dirname(plugin)), path.dirname(plugin)];
  const place = makePlace(module, { ...content, settings: { storeDir: '/nix/store' } });
  assert.ok(newest);
  const start = [newest.loader, ...loaderWords(newest, place), program, 'open'];
  const openFrom = async (from: string, name: string, own: string[] = start) =>
    assert.equal((await runWords(['env', '-C', from, ...own, name])).stdout, `${name} opened\n`);
  await openFrom(directory, './plugin.so');
  assert.deepEqual(readLearned(place.directory), [plugin]);
  await openFrom(directory, '././plugin.so');
  await openFrom(above, `${path.basename(directory)}/plugin.so`);
  await openFrom('/', `.${plugin}`);
  await openFrom('/', plugin);
  assert.deepEqual(readLearned(place.directory), [plugin]);
  const ours = makePlace(module, { ...content, settings: { storeDir: directory } });
  const own = [newest.loader, ...loaderWords(newest, ours), program, 'open'];
  await openFrom(directory, './plugin.so', own);
  assert.deepEqual(readLearned(ours.directory), []);
});

test('on a terminal it is asked about a plug-in that ld.so refused, once; not about one that was closed', async () => {
  const gone = compileLibrary('libgone.so.1', 'int gone(void) { return 1; }\n');
  const text = 'static int value; int *used = &value;\n'; // something to relocate
  const refused = compileLibrary('refused.so', text, ['-Wl,--no-as-needed', gone]);
  const closed = compileLibrary('closed.so', text);
  assert.ok(newest);
  const place = makePlace(module, { ...content, settings: { storeDir: '/nix/store' } });
  const start = [newest.loader, ...loaderWords(newest, place), program];
  const onTerminal = (...words: string[]) =>
    runWords(['script', '-qec', [...start, ...words].join(' '), '/dev/null']);
  rmSync(gone);
  await onTerminal('open-and-close', '3', closed);
  assert.deepEqual(runsOf(place), []);
  const { stdout } = await onTerminal('open', refused, refused);
  assert.match(stdout, /libgone\.so\.1: cannot open/);
  assert.equal(runsOf(place).length, 1);
  assert.match(runsOf(place)[0] ?? '', new RegExp(`^extend ${refused} ${refused} \\d+$`));
  const near = makePlace(module, { ...content, settings: { storeDir: '/nix/store' } });
  const nearby = [newest.loader, ...loaderWords(newest, near), program, 'open', './refused.so'].join(' ');
  await runWords(['env', '-C', path.dirname(refused), 'script', '-qec', nearby, '/dev/null']);
  assert.match(runsOf(near)[0] ?? '', new RegExp(`^extend ${refused} ${refused} \\d+$`));
  const other = makePlace(module, { ...content, settings: { storeDir: '/nix/store' } });
  await open(other, [refused]);
  assert.deepEqual([runsOf(other), readLearned(other.directory)], [[], [refused]]);
});

test('the list of plug-ins does not grow without end', async () => {
  const plugin = compileLibrary('plugin.so', 'int plugin(void) { return 1; }\n');
  const place = makePlace(module, { ...content, settings: { storeDir: '/nix/store' } });
  const full = `${'x'.repeat(65_535)}\0`;
  writeFileSync(path.join(place.directory, 'learned'), full);
  await open(place, [plugin]);
  assert.equal(readFileSync(path.join(place.directory, 'learned'), 'utf8'), full);
});

test('a limit of file sizes neither ends the program nor cuts the list of plug-ins', async () => {
  const plugin = compileLibrary('plugin.so', 'int plugin(void) { return 1; }\n');
  const other = compileLibrary('second.so', 'int second(void) { return 1; }\n');
  const place = makePlace(module, { ...content, settings: { storeDir: '/nix/store' } });
  assert.ok(newest);
  const start = [newest.loader, ...loaderWords(newest, place), program, 'open'];
  for (const [limit, learned] of [
    [0, []],
    [plugin.length, []],
    [plugin.length + 1, [plugin]],
  ] as const) {
    const { stdout, signal } = await runWords(['prlimit', `--fsize=${limit}`, ...start, plugin, other]);
    assert.deepEqual([stdout, signal], [`${plugin} opened\n${other} opened\n`, null], `${limit}`);
    assert.deepEqual(readLearned(place.directory), learned, `${limit}`);
  }
});
