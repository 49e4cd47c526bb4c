// What real programs have that small ones have not, by every way in: nothing at the interpreter path, NixOS' stub, nix-ld that
// is told to enter the launcher, and the launcher itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { ALL } from '../../sample.ts';
import { compile, compileLibrary } from '../compile.ts';
import { openWays } from '../interpreter/ways-in.ts';
import { openToolRoot, type Settings, type ToolRoot } from '../tool.ts';
import {
  absoluteNeed,
  bigPatched,
  copyTree,
  fedoraName,
  libraryOfNewerGlibc,
  muslUser,
  placeOf,
  selfProgram,
  standardBase,
  tooOldBundled,
  updater,
  withoutLinks,
  withoutRunPath,
  zlibUser,
} from './input-programs.ts';

const rig = await ensureRig('full');

/** One way in: how a program is started there, and started again without a resolver. */
interface WayIn {
  readonly name: string;
  readonly root: ToolRoot;
  /** The exit status of what cannot be started: a loader that is entered says 127. */
  readonly refusal: 126 | 127;
  start(program: string, args?: readonly string[], settings?: Settings): Promise<Outcome>;
  startHit(program: string, args?: readonly string[], settings?: Settings): Promise<Outcome>;
}

async function prefixed(interpreter: 'none' | 'stub-ld' | 'nix-ld'): Promise<WayIn> {
  const root = await openToolRoot(rig, { interpreter });
  return {
    name: `${interpreter}, with the prefix`,
    root,
    refusal: 126,
    start: (program, args = [], settings = {}) => root.start([program, ...args], settings),
    startHit: (program, args = [], settings = {}) => root.startHit([program, ...args], settings),
  };
}

const ways: readonly WayIn[] = [
  await prefixed('none'),
  await prefixed('stub-ld'),
  await prefixed('nix-ld'),
  ...(await openWays(rig)).map((root) => ({
    name: root.way,
    root,
    refusal: 127 as const,
    start: root.plain,
    startHit: root.plainHit,
  })),
];

function assertSays({ status, stdout, stderr }: Outcome, text: RegExp): void {
  assert.match(stdout, text, stderr);
  assert.deepEqual([status, stderr], [0, '']);
}

/** Programs that start, and what they say. */
const starting: readonly (readonly [
  what: string,
  make: (root: ToolRoot) => string | Promise<string>,
  text: RegExp,
])[] = [
  ['a string table in two segments', bigPatched, /^started\n$/],
  ['a library under its full version only', withoutLinks, /^mine\n$/],
  [
    'a bundled library that is too old for one of the store',
    (root) => tooOldBundled(root, 'runpath'),
    /^answer 7\n$/,
  ],
  ['a program of another distribution', zlibUser, /^zlib 1\.\d/],
  ['backtrace', (root) => selfProgram(root, 'backtrace'), /^depth known\n$/],
  ['pthread_exit', (root) => selfProgram(root, 'thread'), /^thread ended with 1\n$/],
  ['argv', (root) => selfProgram(root, 'argv'), /^contiguous\n$/],
  ['itself', (root) => selfProgram(root, 'itself'), /^child status 0\n$/],
];

for (const [turn, way] of ways.entries()) {
  const { root } = way;
  let count = turn;
  /** Every second one; by the next way the others. */
  const one = (what: string, body: () => Promise<void>): void => {
    if (ALL || count % 2 === 0) test(`${way.name}: ${what}`, body);
    count += 1;
  };

  for (const [what, make, text] of starting)
    one(what, async () => {
      const program = await make(root);
      assert.doesNotMatch((await root.bare(program)).stdout, way.name === 'launcher' ? /^$/ : text);
      assertSays(await way.start(program), text);
      assertSays(await way.startHit(program), text);
    });

  one('a program that starts a foreign program by its path', async () => {
    const program = selfProgram(root, 'helper');
    // By the loader nobody sees that it will; it is what doctor is for, and the line that it names.
    const { stdout } = await root.manage(['doctor', program]);
    const line = /nix-run-foreign --strategy view (\S+)$/m.exec(stdout)?.[1];
    if (line !== undefined) assert.equal((await root.start(['--strategy', 'view', line])).status, 0);
    assertSays(await way.start(program), /^helper ran\n$/);
    assertSays(await way.startHit(program), /^helper ran\n$/);
  });

  one('a program that updates itself', async () => {
    const [first, second] = [updater(root, 1), updater(root, 2)];
    assertSays(await way.start(first, [second]), /^version 1\n$/);
    assertSays(await way.start(first), /^version 2\n$/);
  });

  one('a library by the name that another distribution gives it', async () => {
    const program = fedoraName(root);
    const { status, stdout, stderr } = await way.start(program);
    assert.deepEqual([status, stdout.slice(0, 6)], [0, 'bz2 1.'], stderr);
    assertSays(await way.startHit(program), /^bz2 1\./);
  });

  one('a LD_LIBRARY_PATH with a library of another glibc', async () => {
    const program = zlibUser(root);
    const settings = { env: { LD_LIBRARY_PATH: `/nowhere:${libraryOfNewerGlibc(root)}` } };
    assertSays(await way.start(program, [], settings), /^zlib 1\.\d/);
    assertSays(await way.startHit(program, [], settings), /^zlib 1\.\d/);
    assert.doesNotMatch((await root.manage(['explain', program], settings)).stdout, /comes first/);
  });

  one('the links of an installer, and an update, count at once', async () => {
    await withoutLinks(root);
    copyTree(root, 'nolinks', 'installed');
    const { at, on } = placeOf(root, 'installed');
    assertSays(await way.start(at('bin/u')), /^mine\n$/);
    compileLibrary(on('new'), 'libmine.so.1', 'const char *mine(void) { return "new"; }');
    renameSync(on('new'), on('lib/libmine.so.1.2.3'));
    assertSays(await way.start(at('bin/u')), /^new\n$/);
    compileLibrary(on('lib/libmine.so.1'), 'libmine.so.1', 'const char *mine(void) { return "linked"; }');
    assertSays(await way.start(at('bin/u')), /^linked\n$/);
  });

  one('a library in ../lib without a run path: the message has the line that helps', async () => {
    const program = withoutRunPath(root);
    const refused = await way.start(program);
    assert.equal(refused.status, way.refusal, refused.stdout);
    const line = /nix-foreign (choose .*)$/m.exec(refused.stderr)?.[1] ?? assert.fail(refused.stderr);
    const library = path.join(path.dirname(program), '../lib/libmine.so.1');
    assert.equal(line, `choose ${program} --add libmine.so.1=${library}`);
    const added = await root.manage(line.split(' '));
    assert.equal(added.status, 0, added.stderr);
    assert.match(added.stdout, new RegExp(`^ {2}add libmine\\.so\\.1=${library}$`, 'm'));
    assertSays(await way.start(program), /^mine\n$/);
    assertSays(await way.startHit(program), /^mine\n$/);
    // It is watched like any library that a program brings.
    const { on } = placeOf(root, 'nb');
    compileLibrary(on('new'), 'libmine.so.1', 'const char *mine(void) { return "new"; }');
    renameSync(on('new'), on('lib/libmine.so.1'));
    assertSays(await way.start(program), /^new\n$/);
    const { stdout } = await root.manage(['explain', program]);
    assert.match(stdout, /add libmine\.so\.1=/);
    assert.equal((await root.manage(['choose', program, '--reset'])).status, 126);
  });

  one('a bundled library that is too old, and comes first by DT_RPATH', async () => {
    const program = await tooOldBundled(root, 'rpath');
    const refused = await way.start(program);
    assert.equal(refused.status, way.refusal, refused.stdout);
    const library = path.join(path.dirname(program), '../lib/liboldrpath.so.1');
    assert.match(refused.stderr, /libuserrpath\.so\.1 needs liboldrpath\.so\.1 \(OLD_2\)/);
    assert.match(refused.stderr, /the program brings its own, \/\S+\/liboldrpath\.so\.1/);
    const moved = /put it aside, [^:]*: mv (\S+) (\S+)$/m.exec(refused.stderr) ?? assert.fail(refused.stderr);
    assert.equal(path.normalize(moved[1] ?? ''), library);
    assert.equal((await root.run({ argv: ['mv', ...moved.slice(1)] })).status, 0);
    assertSays(await way.start(program), /^answer 7\n$/);
  });

  for (const needed of [
    undefined,
    '/usr/lib64/libz.so.1',
    '/usr/lib/vendor/libz.so.1',
    '/opt/vendor/lib/libz.so.1',
  ])
    one(`a library needed by a path where nothing is (${needed ?? 'in the home'})`, async () => {
      const program = absoluteNeed(root, needed);
      const before = await root.bare(program);
      if (way.name !== 'launcher') assert.notEqual(before.status, 0);
      assertSays(await way.start(program), /^zlib 1\.\d/);
      assertSays(await way.startHit(program), /^zlib 1\.\d/);
      const { stdout } = await root.manage(['explain', program]);
      assert.match(stdout, /^because +it needs \/\S+\/libz\.so\.1, where nothing is, and gets the library/m);
      assert.match(stdout, /libz\.so\.1 .*\n.*\/nix\/store\//);
      assert.match(stdout, /^strategy +(view|patched)$/m);
      for (const strategy of ['loader', 'nix-ld', 'patched'])
        assert.match((await root.start(['--strategy', strategy, program])).stdout, /^zlib 1\.\d/, strategy);
      // The plan that is kept now starts a copy, which has the loader.
      for (const when of ['first', 'second']) {
        const listed = await root.manage(['ldd', program]);
        assert.match(listed.stdout, /^\tlibz\.so\.1 => \/\S+\/libz\.so\.1$/m, when);
        assert.equal(listed.status, 0, listed.stderr);
      }
    });

  one('a library that comes to the path where nothing was is the one that is loaded', async () => {
    const { at, on } = placeOf(root, 'came');
    const program = absoluteNeed(root, at('libz.so.1'));
    assertSays(await way.start(program), /^zlib 1\.\d/);
    compile(on('libz.so.1'), 'const char *zlibVersion(void) { return "own"; }', ['-shared', '-fPIC']);
    assertSays(await way.start(program), /^zlib own$/m);
    rmSync(on('libz.so.1'));
    assertSays(await way.start(program), /^zlib 1\.\d/);
  });

  one('a program that needs a library by a path is patched, without a byte more', async () => {
    const program = absoluteNeed(root, '/opt/vendor/lib/libz.so.1');
    const { on } = placeOf(root, 'abs-opt-vendor-lib-libz-so-1');
    const size = statSync(on('abs')).size;
    const { status, stderr } = await root.manage(['patch', '-y', program]);
    assert.equal(status, 0, stderr);
    assert.equal(statSync(on('abs')).size, size);
    assert.match((await root.bare(program)).stdout, /^zlib 1\.\d/);
    const needed = execFileSync('readelf', ['-dW', on('abs')], { encoding: 'utf8' });
    assert.match(needed, /\(NEEDED\) .*\[libz\.so\.1\]/);
    assert.doesNotMatch(needed, /\/opt\/vendor/);
    assert.equal((await root.manage(['unpatch', program])).status, 0);
    assert.match(execFileSync('readelf', ['-dW', on('abs')], { encoding: 'utf8' }), /\/opt\/vendor/);
  });
}

test('PT_INTERP of the Linux Standard Base', async () => {
  for (const { root, name } of ways.slice(0, 3)) {
    const program = standardBase(root);
    const outcome = await root.start([program]);
    assert.equal(outcome.stdout, 'started\n', `${name}: ${outcome.stderr}`);
  }
});

test('a program for musl, and a library that the store has for glibc only', async () => {
  const { root } = ways[0] ?? assert.fail();
  const { status, stderr } = await root.start([muslUser(root)]);
  assert.equal(status, 126);
  assert.match(stderr, /needs libz\.so\.1; the store has it for glibc only, and this program is for musl$/m);
  assert.match(stderr, /-A pkgsMusl\.zlib/);
});

test('a library that nothing names is in the set all the same', async () => {
  const { root } = ways[0] ?? assert.fail();
  const program = standardBase(root);
  const { status, stdout, stderr } = await root.manage(['choose', '--json', program, '--add', 'libz.so.1']);
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).choices.add, { 'libz.so.1': null });
  const shown = await root.manage(['fingerprint', 'show', program]);
  assert.match(shown.stdout, /libz\.so\.1.*pinned/s, shown.stderr);
  for (const [word, why] of [
    ['libc.so.6', /cannot be added: it belongs to the C library/],
    ['a/b', /cannot be added: it is a path/],
    ['libz.so.1=/nowhere', /libz\.so\.1 cannot be/],
    [`libz.so.1=${program}`, /cannot be added: .*cannot dynamically load/],
    ['=x', /what is added is SONAME/],
  ] as const) {
    const refused = await root.manage(['choose', program, '--add', word]);
    assert.equal(refused.status, 125, word);
    assert.match(refused.stderr, why);
  }
});
