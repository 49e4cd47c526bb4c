// Names that ld.so finds nowhere → files that the audit module answers, in every state that a process can be in.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { asRoot, needTool } from '../launcher/tool-fixture.ts';
import {
  buildModule,
  compileLibrary,
  compileProgram,
  loaderWords,
  makePlace,
  type PlaceContent,
  rigGlibcs,
  runsOf,
  runWords,
  startBy,
} from './audit-fixture.ts';

const glibcs = rigGlibcs();
const [oldest, newest] = [glibcs[0], glibcs.at(-1)];
assert.ok(oldest && newest);
const module = await buildModule('nix-foreign-audit.so');
const program = compileProgram('open-late', oldest);
const meanwhile = compileProgram('open-meanwhile', oldest);
const late = compileLibrary('liblate.so.1', 'int answer(void) { return 42; }\n');
const other = compileLibrary('libother.so.1', 'int answer(void) { return 43; }\n');
const needingProgram = compileProgram('open-late', oldest, ['-Wl,--no-as-needed', other]);
const needing = compileLibrary('libneeding.so.1', 'int needing(void) { return 1; }\n', [
  '-Wl,--no-as-needed',
  late,
]);
const broken = compileLibrary('libbroken.so.1', 'int broken(void) { return 1; }\n', [
  '-Wl,--no-as-needed',
  compileLibrary('libgone.so.1', 'int gone(void) { return 1; }\n'),
]);

const origin = compileLibrary('o/liborigin.so.1', 'int origin(void) { return 1; }\n', [
  '-Wl,--no-as-needed',
  '-Wl,--enable-new-dtags,-rpath,$ORIGIN',
  compileLibrary('o/libneighbour.so.1', 'int neighbour(void) { return 1; }\n'),
]);
const far = compileLibrary(`${'far/'.repeat(40)}libfar.so.1`, 'int answer(void) { return 44; }\n');
const farBroken = compileLibrary(
  `${'far/'.repeat(40)}libfarbroken.so.1`,
  'int broken(void) { return 1; }\n',
  ['-Wl,--no-as-needed', compileLibrary('libgone.so.1', 'int gone(void) { return 1; }\n')],
);

const content: PlaceContent = {
  names: ['liblate.so.1', 'libother.so.1', 'libneeding.so.1', 'libbroken.so.1', 'libempty.so.1'],
  found: {
    'liblate.so.1': late,
    'libother.so.1': other,
    'libneeding.so.1': needing,
    'libbroken.so.1': broken,
  },
};

/** What the program prints, and nothing on stderr. */
async function lines(glibc: (typeof glibcs)[number], place: ReturnType<typeof makePlace>, words: string[]) {
  const { status, signal, stdout, stderr } = await startBy(glibc, place, [program, ...words]);
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' });
  return stdout.trimEnd().split('\n');
}

const opened = 'liblate.so.1 opened';
const byPath = ['/usr/lib', '/lib64', '/usr/lib/x86_64-linux-gnu'].map((each) => `${each}/liblate.so.1`);
const odd = ['/opt/liblate.so.1', '/usr/lib/other/liblate.so.1', '/usr/lib/libfalse.so.1', '/usr/lib/'];

for (const glibc of glibcs) {
  const title = `glibc ${glibc.version}`;

  test(`${title}: a path of another distribution, where nothing is; any other is as before`, async () => {
    const bare = await startBy(glibc, undefined, [program, 'open', ...byPath, ...odd]);
    assert.doesNotMatch(bare.stdout, / opened$/m);
    const said = bare.stdout.trimEnd().split('\n').slice(byPath.length);
    const expected = [...byPath.map((each) => `${each} opened`), ...said];
    assert.deepEqual(await lines(glibc, makePlace(module, content), ['open', ...byPath, ...odd]), expected);
  });

  test(`${title}: without the module it is not found, with it it is; a false name is as before`, async () => {
    const bare = await startBy(glibc, undefined, [program, 'open', 'liblate.so.1', 'libfalse.so.1']);
    assert.match(bare.stdout, /^liblate\.so\.1 .*cannot open shared object file/);
    const place = makePlace(module, content);
    const isFalse = bare.stdout.trimEnd().split('\n')[1];
    const found = await lines(glibc, place, ['open', 'liblate.so.1', 'libfalse.so.1', 'liblate.so.1']);
    assert.deepEqual(found, [opened, isFalse, opened]);
    assert.equal(runsOf(place).length, 1);
    assert.match(runsOf(place)[0] ?? '', /^extend liblate\.so\.1 .*\d+$/);
    // The answer stays: the next process asks nobody.
    assert.deepEqual(await lines(glibc, place, ['open', 'liblate.so.1']), [opened]);
    assert.equal(runsOf(place).length, 1);
  });

  // The oldest of the rig has no default directory that is there, and so asks for no second name (audit/NOTES.md).
  test(
    `${title}: a false name before`,
    glibc === oldest ? { skip: 'no default directory' } : {},
    async () => {
      const found = await lines(glibc, makePlace(module, content), ['open', 'libfalse.so.1', 'liblate.so.1']);
      assert.match(found[0] ?? '', /cannot open shared object file/);
      assert.equal(found[1], opened);
    },
  );

  test(`${title}: what an answered library needs is asked for too, and by whom`, async () => {
    const place = makePlace(module, content);
    assert.deepEqual(await lines(glibc, place, ['open', 'libneeding.so.1']), ['libneeding.so.1 opened']);
    const one = makePlace(module, { ...content, answers: { 'libneeding.so.1': needing } });
    assert.deepEqual(await lines(glibc, one, ['open', 'libneeding.so.1']), ['libneeding.so.1 opened']);
    assert.match(runsOf(one)[0] ?? '', new RegExp(`^extend liblate\\.so\\.1 ${needing} \\d+$`));
  });

  test(`${title}: an answered library whose own need cannot be had fails as any other, more than once`, async () => {
    const place = makePlace(module, content);
    const found = await lines(glibc, place, ['open', 'libbroken.so.1', 'libbroken.so.1', 'liblate.so.1']);
    assert.match(found[0] ?? '', /^libbroken\.so\.1 libgone\.so\.1: cannot open shared object file/);
    assert.deepEqual(found.slice(1), [found[0], opened]);
  });

  test(`${title}: an answered library has its file's name, and may be closed and opened again`, async () => {
    const place = makePlace(module, { ...content, answers: content.found ?? {} });
    const names = await lines(glibc, place, ['show-names', 'liblate.so.1']);
    assert.deepEqual(names, [opened, `link map ${late}`, `dladdr ${late}`]);
    const [nanoseconds] = await lines(glibc, place, ['open-and-close', '1000', 'liblate.so.1']);
    assert.match(nanoseconds ?? '', /^\d+$/);
    assert.deepEqual(runsOf(place), []);
  });

  test(`${title}: an answered library finds its neighbours by $ORIGIN`, async () => {
    const answers = { 'liborigin.so.1': origin };
    const found = await lines(glibc, makePlace(module, { answers }), ['open', 'liborigin.so.1']);
    assert.deepEqual(found, ['liborigin.so.1 opened']);
  });

  test(`${title}: a longer path than what was searched is its name too`, async () => {
    const place = makePlace(module, { answers: { 'libfar.so.1': far } });
    const names = await lines(glibc, place, ['show-names', 'libfar.so.1']);
    assert.deepEqual(names, ['libfar.so.1 opened', `link map ${far}`, `dladdr ${far}`]);
    const [nanoseconds] = await lines(glibc, place, ['open-and-close', '1000', 'libfar.so.1']);
    assert.match(nanoseconds ?? '', /^\d+$/);
  });

  test(`${title}: a longer path whose own need cannot be had fails as any other, more than once`, async () => {
    const place = makePlace(module, { ...content, answers: { 'libfarbroken.so.1': farBroken } });
    const names = ['libfarbroken.so.1', 'libfarbroken.so.1', 'liblate.so.1'];
    const found = await lines(glibc, place, ['open', ...names]);
    assert.match(found[0] ?? '', /^libfarbroken\.so\.1 libgone\.so\.1: cannot open shared object file/);
    assert.deepEqual(found.slice(1), [found[0], opened]);
  });

  test(`${title}: what the program itself needs is asked for before it begins`, async () => {
    const bare = await startBy(glibc, undefined, [needingProgram, 'open']);
    assert.match(bare.stderr, /libother\.so\.1: cannot open shared object file/);
    const place = makePlace(module, content);
    const { status, stdout, stderr } = await startBy(glibc, place, [needingProgram, 'open', 'liblate.so.1']);
    assert.deepEqual([status, stdout, stderr], [0, `${opened}\n`, '']);
    assert.equal(runsOf(place).length, 1);
  });

  for (const mode of [
    'in-child',
    'small-thread',
    'children-ignored',
    'no-new-privileges',
    'directory-deleted',
    'in-handler',
  ]) {
    test(`${title}: ${mode}`, async () => {
      assert.deepEqual(await lines(glibc, makePlace(module, content), [mode, 'liblate.so.1']), [opened]);
    });
  }

  test(`${title}: from many threads at once, and in the child of a process whose thread waits`, async () => {
    const place = makePlace(module, content);
    assert.deepEqual(await lines(glibc, place, ['threads', 'liblate.so.1']), Array(8).fill(opened));
    assert.equal(runsOf(place).length, 1);
    const slow = makePlace(module, { ...content, script: 'sleep 2' });
    const found = await lines(glibc, slow, ['in-child-of-busy', 'liblate.so.1', 'libother.so.1']);
    assert.deepEqual(found, ['libother.so.1 opened', opened]);
  });

  test(`${title}: while it waits, a pipe that another thread closes has its end`, async () => {
    const script = 'touch "$0.began"; sleep 2; touch "$0.ended"';
    const place = makePlace(module, { ...content, script });
    const files = ['began', 'ended'].map((each) => `${place.directory}/resolver.${each}`);
    const words = [meanwhile, 'close-pipe', 'liblate.so.1', ...files];
    const { stdout, stderr } = await startBy(glibc, place, words);
    assert.deepEqual([stdout, stderr], [`end during the search\n${opened}\n`, '']);
  });

  test(`${title}: a handler of SIGCHLD and waitpid(-1) see nothing`, async () => {
    const found = await lines(glibc, makePlace(module, content), ['with-child-handler', 'liblate.so.1']);
    assert.deepEqual(found, [
      opened,
      'waitpid has no child',
      'handler was not called',
      'SIGCHLD is not pending',
    ]);
  });

  test(`${title}: the signal mask is the program's before and after, and none in the resolver`, async () => {
    const place = makePlace(module, { ...content, script: 'grep SigBlk /proc/self/status >> "$0.signals"' });
    assert.deepEqual(await lines(glibc, place, ['all-blocked', 'liblate.so.1']), [
      opened,
      'SIGTERM is blocked',
    ]);
    assert.match(readFileSync(`${place.directory}/resolver.signals`, 'utf8'), /^SigBlk:\t0{16}\n$/);
    const again = makePlace(module, content);
    const found = await lines(glibc, again, ['none-blocked', 'liblate.so.1']);
    assert.deepEqual(found, [opened, 'SIGTERM is not blocked']);
  });

  test(`${title}: with its standard descriptors closed`, async () => {
    const place = makePlace(module, content);
    const found = await lines(glibc, place, ['descriptors-closed', 'liblate.so.1']);
    assert.deepEqual(found, [opened, 'descriptor 0 is closed']);
  });

  test(
    `${title}: a filter that kills for execve is not provoked, no more processes are no harm`,
    asRoot,
    async () => {
      const place = makePlace(module, content);
      const filtered = await lines(glibc, place, ['no-execve', 'liblate.so.1']);
      assert.match(filtered[0] ?? '', /cannot open shared object file/);
      const crowded = await lines(glibc, place, ['no-processes', 'liblate.so.1']);
      assert.match(crowded[0] ?? '', /cannot open shared object file/);
      assert.deepEqual(runsOf(place), []);
      const known = makePlace(module, { ...content, answers: content.found ?? {} });
      assert.deepEqual(await lines(glibc, known, ['no-execve', 'liblate.so.1']), [opened]);
    },
  );

  test(
    `${title}: where the next child is the first of a pid namespace, that stays for the program`,
    asRoot,
    async () => {
      const place = makePlace(module, content);
      for (const mode of ['new-pid-namespace', 'new-pid-namespace-of-thread']) {
        const [late = '', child] = await lines(glibc, place, [mode, 'liblate.so.1']);
        assert.match(late, /cannot open shared object file/);
        assert.equal(child, 'child 1');
      }
      assert.deepEqual(runsOf(place), []);
    },
  );

  test(`${title}: 10,000 names that no store has start no resolver`, async () => {
    const place = makePlace(module, content);
    const [found = ''] = await lines(glibc, place, ['failing-probes', '10000']);
    assert.match(found, /^0 \d+$/);
    assert.deepEqual(runsOf(place), []);
  });
}

test('a process that forks while another thread reads a new soname table has a child that reads no old one', async () => {
  needTool('strace', 'strace');
  const place = makePlace(module, content);
  const [table, next] = ['sonames', 'next-sonames'].map((each) => `${place.directory}/${each}`);
  assert.ok(table && next);
  copyFileSync(table, next);
  const slow = [
    'strace',
    '-f',
    '-o',
    '/dev/null',
    '-e',
    'trace=munmap',
    '-e',
    'inject=munmap:delay_exit=300000',
  ];
  const start = [newest.loader, ...loaderWords(newest, place), meanwhile];
  const words = ['fork-at-change', 'libfalse.so.1', table, next, 'libfalse.so.2'];
  const { status, stdout, stderr } = await runWords([...slow, ...start, ...words]);
  assert.deepEqual([status, stdout, stderr], [0, 'child 0\nlibfalse.so.1 not opened\n', '']);
});

test('a program that is answered 300 libraries, as one that looks through a directory of plug-ins', async () => {
  const names = Array.from({ length: 300 }, (_, index) => `libmany${index}.so.1`);
  const files = names.map((name) => path.join(path.dirname(late), name));
  for (const file of files) copyFileSync(late, file);
  const answers = Object.fromEntries(names.map((name, index) => [name, files[index] ?? '']));
  const found = await lines(newest, makePlace(module, { answers }), ['open', ...names]);
  assert.deepEqual(
    found,
    names.map((name) => `${name} opened`),
  );
});

test('answers count for a program that has loaded a plug-in before, with names that no table has', async () => {
  const settings = { storeDir: '/nix/store' };
  const place = makePlace(module, { answers: { 'liblate.so.1': late }, settings });
  const { stdout } = await startBy(newest, place, [program, 'open', other, 'liblate.so.1']);
  assert.equal(stdout, `${other} opened\n${opened}\n`);
});
