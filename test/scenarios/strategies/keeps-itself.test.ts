// A program that reads and starts /proc/self/exe, where there is no nix-ld: bare it fails, by each strategy it is itself.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { sampled } from '../../sample.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { planFiles } from '../saved-state.ts';
import { launcher, openToolRoot } from '../tool.ts';
import { putSelf, putStatic, reportOf } from './self.ts';

const rig = await ensureRig('full');

/** A view is taken by itself; the others are asked for. */
const ways = [
  { strategy: 'view', wanted: 'auto', interpreter: 'stub-ld' },
  { strategy: 'namespace', wanted: 'namespace', interpreter: 'stub-ld' },
  { strategy: 'patched', wanted: 'patched', interpreter: 'none' },
] as const;

for (const [turn, { strategy, wanted, interpreter }] of ways.entries()) {
  for (const uid of sampled([0, 1234], 2, turn)) {
    const root = await openToolRoot(rig, { interpreter, uid, daemon: uid === 0 ? 'none' : 'running' });
    const program = putSelf(root, 'self', 'with payload');
    const named = `${strategy}, user ${uid}`;
    const isOwn = (exe: string | undefined) =>
      strategy !== 'patched'
        ? assert.equal(exe, program)
        : assert.match(
            exe ?? '',
            /^\/home\/tester\/\.cache\/nix-run-foreign\/v1\/copies\/[0-9a-f]{32}\/bin\/self$/,
          );

    test(`${named}: bare it does not start, and by the loader it is not itself`, async () => {
      assert.equal((await root.bare(program, ['report'])).status, 127);
      const seen = reportOf(await root.start(['--strategy', 'loader', program, 'report']));
      assert.match(seen['exe'] ?? '', /ld-linux/);
      assert.equal(seen['payload'], 'none');
      assert.notEqual((await root.start([program, 'again'])).status, 0);
      const back = await root.manage(['resolve', '--strategy', wanted, program]);
      assert.match(back.stdout, new RegExp(`strategy ${strategy}\\n$`));
    });

    test(`${named}: /proc/self/exe, argv[0], its name, the payload`, async () => {
      const seen = reportOf(await root.startHit([program, 'report']));
      isOwn(seen['exe']);
      assert.deepEqual(
        [seen['argv0'], seen['comm'], seen['payload'], seen['zlib'], seen['user']],
        [program, 'self', 'hello', '1', String(uid)],
      );
      const viaPath = await root.start(['self', 'report'], { env: { PATH: path.dirname(program) } });
      assert.equal(reportOf(viaPath)['argv0'], 'self');
      const relative = await root.start(['./self', 'report'], { cwd: path.dirname(program) });
      assert.equal(reportOf(relative)['argv0'], './self');
    });

    test(`${named}: it starts itself again, with an empty environment`, async () => {
      const seen = reportOf(await root.startHit([program, 'again']));
      isOwn(seen['exe']);
      assert.deepEqual([seen['argv0'], seen['payload']], ['again', 'hello']);
    });

    test(`${named}: with an empty environment from the beginning`, async () => {
      const bare = { HOME: undefined, USER: undefined, PATH: undefined };
      const seen = reportOf(await root.startHit([program, 'report'], { env: bare }));
      isOwn(seen['exe']);
      assert.equal(seen['library-path'], 'unset');
    });

    test(`${named}: LD_LIBRARY_PATH is the user's, in the program and in its children`, async () => {
      const env = { LD_LIBRARY_PATH: '/nowhere/at/all' };
      assert.equal(
        reportOf(await root.start([program, 'report'], { env }))['library-path'],
        '/nowhere/at/all',
      );
      const again = await root.start([program, 'child', launcher, program, 'report'], { env });
      assert.equal(reportOf(again)['library-path'], '/nowhere/at/all');
    });

    test(`${named}: children with a prefix are themselves too; without one not as a copy`, async () => {
      const prefixed = await root.start([program, 'child', launcher, program, 'report']);
      const seen = reportOf(prefixed);
      isOwn(seen['exe']);
      assert.equal(seen['child'], '0');
      const other = putSelf(root, 'other', 'plain');
      const plain = await root.start([program, 'child', other, 'report']);
      if (strategy === 'patched') assert.match(plain.stdout, /^child 30\n$/);
      else assert.equal(reportOf(plain)['exe'], other);
    });

    test(`${named}: its exit status is its own`, async () => {
      assert.equal((await root.start([program, 'exit', '23'])).status, 23);
    });

    test(`${named}: explain says how and why`, async () => {
      const { stdout } = await root.manage(['explain', program]);
      assert.match(stdout, new RegExp(`^strategy {2}${strategy}$`, 'm'));
      assert.match(
        stdout,
        wanted === 'auto'
          ? /^because {3}it reads \/proc\/self\/exe \(something is appended to it\): /m
          : /^because {3}it was asked for: /m,
      );
    });

    test(`${named}: list has one row for it, and forget leaves nothing`, async () => {
      const rows = JSON.parse((await root.manage(['list', '--json'])).stdout) as {
        program: string;
        strategy: string;
      }[];
      assert.deepEqual(
        rows.filter((row) => row.program.includes('self')).map((row) => [row.program, row.strategy]),
        [[program, strategy]],
      );
      const plans = planFiles(root).length;
      await root.manage(['forget', program]);
      assert.equal(planFiles(root).length, plans - (strategy === 'patched' ? 2 : 1));
      // By the loader, root started a copy of that.
      for (const each of ['copies', 'views']) {
        const kept = onHost(root, `${homeInRoot}/.cache/nix-run-foreign/v1/${each}`);
        const left = await root.runOnHost({ argv: ['find', kept, '-mindepth', '1'] });
        assert.equal(left.stdout, '', each);
      }
    });
  }
}

const updating = await openToolRoot(rig, { interpreter: 'none' });
test('the copy of an earlier content goes when the new content is planned', async () => {
  const program = putSelf(updating, 'self', 'with payload');
  const words = ['--strategy', 'patched', program, 'report'];
  const exe = async () => reportOf(await updating.start(words))['exe'] ?? '';
  const before = await exe();
  assert.ok(existsSync(onHost(updating, before)));
  appendFileSync(onHost(updating, program), ' again');
  const now = await exe();
  assert.notEqual(now, before);
  const [, copies = ''] = /^(.*)\/[0-9a-f]{32}\//.exec(now) ?? [];
  assert.deepEqual(readdirSync(onHost(updating, copies)), [path.basename(now.slice(0, copies.length + 33))]);
  assert.equal(planFiles(updating).length, 2, 'of the program and of its copy');
  assert.equal((await updating.startHit([program, 'report'])).status, 0);
});

test('the original is never touched', async () => {
  const root = await openToolRoot(rig);
  const program = putSelf(root, 'self', 'with payload');
  const before = readFileSync(onHost(root, program));
  assert.equal((await root.start([program, 'exit', '0'])).status, 0);
  assert.deepEqual(readFileSync(onHost(root, program)), before);
});

for (const interpreter of ['none', 'stub-ld', 'nix-ld'] as const)
  test(`an AppImage that needs libraries starts, interpreter: ${interpreter}`, async () => {
    const root = await openToolRoot(rig, { interpreter });
    const program = putSelf(root, 'image', 'with payload');
    const bytes = readFileSync(onHost(root, program));
    bytes.set([0x41, 0x49, 2], 8);
    writeFileSync(onHost(root, program), bytes);
    assert.notEqual((await root.bare(program, ['report'])).status, 0);
    const seen = reportOf(await root.start([program, 'report']));
    assert.deepEqual([seen['payload'], seen['argv0']], ['hello', program]);
    // nix-ld needs its variables, which an empty environment does not have.
    if (interpreter !== 'nix-ld')
      assert.equal(reportOf(await root.startHit([program, 'again']))['payload'], 'hello');
    assert.match((await root.manage(['explain', program])).stdout, /libz\.so\.1/);
    const { stdout } = await root.runOnHost({
      argv: ['ls', '-A', onHost(root, `${homeInRoot}/.cache/nix-run-foreign/v1/farms`)],
    });
    assert.match(stdout, /^[0-9a-f]{32}\n$/, 'nothing is left of what the loader was asked about');
  });

test('where namespaces are forbidden meanwhile, a copy is made instead, and the start succeeds', async () => {
  const root = await openToolRoot(rig, { interpreter: 'stub-ld', uid: 1234, daemon: 'running' });
  const program = putSelf(root, 'self', 'with payload');
  const forbid = putStatic(root, 'without-namespaces');
  assert.equal(reportOf(await root.start([program, 'report']))['exe'], program);
  const settings = { env: { NIX_RUN_FOREIGN_DEBUG: '1' } };
  const outcome = await root.run({ argv: [forbid, launcher, program, 'report'], ...settings });
  assert.match(reportOf(outcome)['exe'] ?? '', /\/copies\//);
  assert.match(outcome.stderr, /strategy patched: .*a copy that names the launcher/);
  assert.equal(reportOf(await root.run({ argv: [forbid, launcher, program, 'again'] }))['payload'], 'hello');
});

test('where only mounts are forbidden meanwhile, it is said, and the remedy finds a copy', async () => {
  const root = await openToolRoot(rig, { interpreter: 'stub-ld', uid: 1234, daemon: 'running' });
  const program = putSelf(root, 'self', 'with payload');
  const forbid = path.join(homeInRoot, 'bin/without-mounts');
  const source = path.resolve(import.meta.dirname, '../../launcher/programs/without-mounts.c');
  compile(onHost(root, forbid), readFileSync(source, 'utf8'), ['-static', '-w']);
  assert.equal(reportOf(await root.start([program, 'report']))['exe'], program);
  const refused = await root.run({ argv: [forbid, launcher, program, 'report'] });
  assert.deepEqual([refused.status, refused.stdout], [126, '']);
  assert.match(refused.stderr, /in a namespace of its own: permission denied\n {2}\S.* --refresh \S+\n$/);
  const again = await root.run({ argv: [forbid, launcher, '--refresh', program, 'report'] });
  assert.match(reportOf(again)['exe'] ?? '', /\/copies\//);
});
