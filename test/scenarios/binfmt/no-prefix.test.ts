// With the rules registered, foreign programs and AppImages start by their path; without them they do not.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { putSelf, reportOf } from '../strategies/self.ts';
import { launcher, openToolRoot, type ToolRoot } from '../tool.ts';
import { onOwnBinfmt, openOwnInstance } from './own-instance.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const { manager, session } = openOwnInstance(root);
const install = `${manager} binfmt install > /dev/null || exit 99`;
const curl = foreign(rig, 'bookworm', 'curl');
const plain = putSelf(root, 'plain', 'plain');
const packed = putSelf(root, 'packed', 'with payload');
const composed = putSelf(root, 'composed', 'composed');

test(
  'without the rules nothing foreign starts; with them it does; removed, it does not',
  onOwnBinfmt,
  async () => {
    const line = `${plain} report; echo "status $?"`;
    const script = [line, install, line, `${manager} binfmt remove`, line].join('; ');
    const { stdout } = await session(script);
    const [before, during, after] = stdout.split(/status \d+\n/);
    assert.equal(before, '');
    assert.match(during ?? '', /^exe /);
    assert.match(after ?? '', /^(removed [^\n]*\n)+$/);
    assert.deepEqual(
      [...stdout.matchAll(/status (\d+)/g)].map(([, status]) => status),
      ['127', '0', '127'],
    );
  },
);

test('a real program, first start and second', onOwnBinfmt, async () => {
  const { status, stdout, stderr } = await session(
    `${install}; ${curl.path} --version; ${curl.path} --version`,
  );
  assert.equal(status, 0, stderr);
  assert.equal(stdout.match(new RegExp(curl.expect, 'gm'))?.length, 2);
});

test('argv[0], arguments, exit status and LD_LIBRARY_PATH are kept', onOwnBinfmt, async () => {
  const script = `${install}; (exec -a other ${plain} report); cd ${path.dirname(plain)}; ./plain exit 23; echo "status $?"`;
  const outcome = await session(script, { env: { LD_LIBRARY_PATH: '/nowhere' } });
  const seen = reportOf(outcome);
  assert.deepEqual([seen['argv0'], seen['library-path'], seen['status']], ['other', '/nowhere', '23']);
});

test('children and wiped environments come to the same', onOwnBinfmt, async () => {
  const child = reportOf(await session(`${install}; ${plain} child ${plain} report`));
  assert.deepEqual([child['zlib'], child['child']], ['1', '0']);
  const wiped = reportOf(await session(`${install}; exec -c ${plain} report`));
  assert.equal(wiped['zlib'], '1');
});

test(
  '/proc/self/exe is the loader, but a copy for a program that is known to read it',
  onOwnBinfmt,
  async () => {
    assert.match(reportOf(await session(`${install}; ${composed} report`))['exe'] ?? '', /ld-linux/);
    assert.match(reportOf(await session(`${install}; ${plain} report`))['exe'] ?? '', /\/copies\/.*\/plain$/);
    const seen = reportOf(await session(`${install}; ${packed} report`));
    assert.match(seen['exe'] ?? '', /\/copies\/[0-9a-f]{32}\/bin\/packed$/);
    assert.deepEqual([seen['payload'], seen['comm']], ['hello', 'packed']);
    assert.equal(reportOf(await session(`${install}; ${packed} again`))['payload'], 'hello');
  },
);

test('a plan that would start the program itself is made again, once', onOwnBinfmt, async () => {
  const other = await openToolRoot(rig, { interpreter: 'stub-ld' });
  const instance = openOwnInstance(other);
  const program = putSelf(other, 'packed', 'with payload');
  assert.equal(reportOf(await other.start([program, 'report']))['exe'], program);
  const env = { NIX_RUN_FOREIGN_DEBUG: '1' };
  const script = `${instance.manager} binfmt install > /dev/null; ${program} report`;
  const first = await instance.session(script, { env });
  assert.match(reportOf(first)['exe'] ?? '', /\/copies\//);
  assert.match(first.stderr, /its plan would start the program itself/);
  const second = await instance.session(script, { env });
  assert.doesNotMatch(second.stderr, /its plan would start the program itself/);
  // The prefix takes the same plan, and does not come back to itself either.
  assert.match(
    reportOf(
      await instance.session(`${instance.manager} binfmt install > /dev/null; ${launcher} ${program} report`),
    )['exe'] ?? '',
    /\/copies\//,
  );
  const refreshed = await instance.session(
    `${instance.manager} binfmt install > /dev/null; ${launcher} --refresh ${program} report`,
  );
  assert.match(reportOf(refreshed)['exe'] ?? '', /\/copies\//);
});

/** One that starts in a view, where the root has no interpreter. */
function putScript(tool: ToolRoot, line: string): string {
  const script = path.join(homeInRoot, 'script');
  writeFileSync(onHost(tool, script), `#!${rig.bash}\n${line}\n`, { mode: 0o755 });
  return script;
}

const hitsOnly = 'export NIX_RUN_FOREIGN_RESOLVER=/nowhere/nix-foreign';

test('behind the prefix too it is looked for once, whatever would call for a view', onOwnBinfmt, async () => {
  for (const interpreter of ['none', 'stub-ld'] as const) {
    const other = await openToolRoot(rig, { interpreter });
    const instance = openOwnInstance(other);
    const installed = `${instance.manager} binfmt install > /dev/null || exit 99`;
    const program = putSelf(other, 'packed', 'with payload');
    const start = `${launcher} ${program} report || exit 98`;
    const seen = await instance.session(
      `${installed}; ${start}; ${hitsOnly}; ${start}; ${start}; ${program} report`,
    );
    assert.equal(seen.status, 0, seen.stderr);
    assert.equal(seen.stdout.match(/^exe .*\/copies\/.*\/packed$/gm)?.length, 4, seen.stdout);
  }
});

test('a plan notices that the rules came, and that they went', onOwnBinfmt, async () => {
  const other = await openToolRoot(rig, { interpreter: 'none' });
  const instance = openOwnInstance(other);
  const program = putSelf(other, 'packed', 'with payload');
  const start = `${launcher} ${program} report || exit 98`;
  const rules = (verb: string) => `${instance.manager} binfmt ${verb} > /dev/null || exit 99`;
  const script = [start, rules('install'), start, `(${hitsOnly}; ${start}; ${program} report)`];
  const seen = await instance.session([...script, rules('remove'), start, hitsOnly, start].join('; '));
  assert.equal(seen.status, 0, seen.stderr);
  const copied = [...seen.stdout.matchAll(/^exe (.*)$/gm)].map(([, exe]) => exe?.includes('/copies/'));
  assert.deepEqual(copied, [false, true, true, true, false, false]);
});

test('a child in a view, and the same program behind the prefix: one plan', onOwnBinfmt, async () => {
  const other = await openToolRoot(rig, { interpreter: 'none' });
  const instance = openOwnInstance(other);
  const program = putSelf(other, 'composed', 'composed');
  const script = putScript(other, `${program} report`);
  const both = `${launcher} ${script} || exit 97; ${launcher} ${program} report || exit 98`;
  const install = `${instance.manager} binfmt install > /dev/null || exit 99`;
  const seen = await instance.session(`${install}; ${both}; ${hitsOnly}; ${both}`);
  assert.equal(seen.status, 0, seen.stderr);
  assert.equal(seen.stdout.match(/^exe .*ld-linux/gm)?.length, 4, seen.stdout);
});

test('a plan of before the rules that starts the loader is followed in a view too', onOwnBinfmt, async () => {
  const other = await openToolRoot(rig, { interpreter: 'none' });
  const instance = openOwnInstance(other);
  const program = putSelf(other, 'composed', 'composed');
  const script = putScript(other, `${program} report`);
  const before = `${launcher} --strategy loader ${program} report || exit 98; ${launcher} ${script} || exit 97`;
  const after = `${launcher} ${script} || exit 96; ${launcher} ${program} report || exit 95`;
  const rules = `${instance.manager} binfmt install > /dev/null || exit 99`;
  const seen = await instance.session(`${before}; ${rules}; ${hitsOnly}; ${after}`);
  assert.equal(seen.status, 0, seen.stderr);
  const loaders = [...seen.stdout.matchAll(/^exe (.*)$/gm)].map(([, exe]) => exe?.includes('ld-linux'));
  assert.deepEqual(loaders, [true, false, true, true]);
});

test('a static AppImage', onOwnBinfmt, async () => {
  const image = path.join(homeInRoot, 'bin/image');
  const source = readFileSync(path.join(import.meta.dirname, 'programs/image.c'), 'utf8');
  compile(onHost(root, image), source, ['-static']);
  const bytes = readFileSync(onHost(root, image));
  bytes.set([0x41, 0x49, 2], 8);
  writeFileSync(onHost(root, image), bytes);
  appendFileSync(onHost(root, image), 'squash');
  const { status, stdout, stderr } = await session(`${install}; ${image} 7 b; echo "status $?"`);
  assert.deepEqual([status, stderr], [0, '']);
  assert.equal(stdout, `payload squash\nargv0 ${image}\narguments 2\nstatus 7\n`);
});

test(
  'what cannot be started is refused in our words, and does not come back for ever',
  onOwnBinfmt,
  async () => {
    const broken = path.join(homeInRoot, 'bin/broken');
    compile(
      onHost(root, broken),
      'int nothing_has_this(void); int main(void) { return nothing_has_this(); }',
      ['-Wl,--unresolved-symbols=ignore-all', '-Wl,--no-as-needed', '-l:libz.so.1'],
    );
    const bytes = readFileSync(onHost(root, broken));
    const at = bytes.indexOf('libz.so.1\0');
    bytes.write('libq.so.9', at);
    writeFileSync(onHost(root, broken), bytes);
    const { stdout, stderr } = await session(`${install}; ${broken}; echo "status $?"`);
    assert.equal(stdout, 'status 126\n');
    assert.match(stderr, /^nix-run-foreign: .*libq\.so\.9/);
  },
);
