// `npm pack`, `npm install --global` in a bare prefix, `nix-foreign setup`: no network, no other package.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { buildLauncher } from '../../../scripts/build-launcher.ts';
import { asRoot } from '../../launcher/tool-fixture.ts';
import { npmScript, packTool } from './packed.ts';

const { directory, archive } = packTool();
const prefix = path.join(directory, 'prefix');
const own = path.join(prefix, 'lib/node_modules/nix-run-foreign');
const launcher = path.join(own, 'bin/nix-run-foreign');
const replaced = `${launcher}.mjs`;
const manager = path.join(prefix, 'bin/nix-foreign');

/** Node beside the tool's own commands, and what compiles. */
const tools = path.join(directory, 'tools');
mkdirSync(tools);
symlinkSync(process.execPath, path.join(tools, 'node'));
const PATH = `${prefix}/bin:${tools}:/usr/bin:/bin`;

function run(words: readonly [string, ...string[]], env: Record<string, string> = {}, uid?: number) {
  const [file, ...args] = words;
  const { status, stdout, stderr } = spawnSync(file, args, {
    env: { HOME: directory, PATH, npm_config_cache: path.join(directory, 'cache'), ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    cwd: '/',
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}

function setUp(words: readonly string[] = [], env?: Record<string, string>, uid?: number) {
  return run([manager, 'setup', ...words], env, uid);
}

/** Cause and remedy on stderr, and status 125. */
function refused(outcome: ReturnType<typeof run>, cause: RegExp, remedy: RegExp): void {
  assert.deepEqual([outcome.status, outcome.stdout], [125, '']);
  const [first = '', second = '', ...more] = outcome.stderr.trimEnd().split('\n');
  assert.deepEqual(more, []);
  assert.match(first, cause);
  assert.match(second, remedy);
}

const isElf = (file: string) => readFileSync(file).subarray(0, 4).toString('latin1') === '\x7fELF';

test('npm installs the archive alone, with everything that setup and the hooks need', () => {
  const words = ['install', '--global', '--prefix', prefix, '--offline', '--no-audit', archive];
  const { status, stderr, stdout } = run([process.execPath, npmScript(), ...words]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^added 1 package/m);
  assert.ok(!existsSync(path.join(own, 'node_modules')));
  for (const each of ['dist/main.compiled', 'launcher/main.c', 'shell-hooks/hook.bash'])
    assert.ok(existsSync(path.join(own, each)), each);
});

test('until then the command goes through Node, and doctor names what to type', () => {
  assert.ok(!isElf(path.join(prefix, 'bin/nix-run-foreign')));
  assert.match(run([`${prefix}/bin/nix-run-foreign`, '--version']).stdout, /^nix-run-foreign \d/);
  const { stdout } = run([manager, 'doctor', '--json']);
  const checks = JSON.parse(stdout) as { subject: string; state: string; remedy?: string }[];
  const found = checks.find(({ subject }) => subject === 'launcher');
  assert.equal(found?.state, 'lack');
  assert.match(found?.remedy ?? '', /: nix-foreign setup/);
});

test('until then the hook starts programs through Node, then by the launcher', () => {
  const { status, stdout, stderr } = run([manager, 'hook', 'bash']);
  assert.deepEqual([status, stderr], [0, '']);
  assert.ok(stdout.includes(`'${replaced}'`));
});

test('without a compiler it says so, and what to install and type', () => {
  refused(
    setUp(['--cc', 'no-such-compiler']),
    /there is no C compiler no-such-compiler/,
    /then again: nix-foreign setup/,
  );
  refused(setUp([], { PATH: `${prefix}/bin:${tools}` }), /there is no C compiler cc;/, /apt-get install gcc/);
  refused(setUp([], { CC: 'chosen-by-CC' }), /no C compiler chosen-by-CC/, /nix-foreign setup/);
  assert.ok(!existsSync(launcher));
});

test('what a compiler refuses or spoils is not taken', () => {
  refused(setUp(['--cc', 'false']), /false did not compile the launcher: it ends with 1/, /--cc clang/);
  const spoiler = path.join(tools, 'spoiler');
  writeFileSync(
    spoiler,
    '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\nprintf "#!/bin/sh\\nexit 3\\n" > "$2"; chmod +x "$2"\n',
  );
  chmodSync(spoiler, 0o755);
  refused(setUp(['--cc', spoiler]), /what \S*spoiler made does not run: it ends with 3/, /nix-foreign setup/);
  assert.deepEqual(readdirSync(path.dirname(launcher)), ['nix-run-foreign.mjs']);
});

test('it compiles, tries, and takes the place of the command', () => {
  const { status, stdout, stderr } = setUp();
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^compiled \S+\/bin\/nix-run-foreign with cc, and it runs: nix-run-foreign \d/);
  assert.ok(isElf(launcher) && isElf(path.join(prefix, 'bin/nix-run-foreign')));
  assert.equal(statSync(launcher).ino, statSync(replaced).ino);
  // Without Node on PATH.
  const { stdout: version } = run([`${prefix}/bin/nix-run-foreign`, '--version'], { PATH: '' });
  assert.match(version, /^nix-run-foreign \d/);
  assert.deepEqual(readdirSync(path.dirname(launcher)).length, 2, 'something temporary is left');
  assert.ok(run([manager, 'hook', 'bash']).stdout.includes(`'${launcher}'`));
  const doctor = run([manager, 'doctor']).stdout;
  assert.match(doctor, /^ok +launcher/m);
});

test('the launcher that is there starts the resolver of its own package', () => {
  const script = path.join(directory, 'script');
  writeFileSync(script, '#!/bin/sh\necho "started $1"\n', { mode: 0o755 });
  const env = { XDG_CACHE_HOME: path.join(directory, 'xdg-cache'), PATH: '/usr/bin:/bin' };
  const { status, stdout, stderr } = run([`${prefix}/bin/nix-run-foreign`, script, 'it'], env);
  assert.deepEqual([status, stdout, stderr], [0, 'started it\n', '']);
});

test('a second time nothing is compiled, with --force it is', () => {
  const { ino } = statSync(launcher);
  const again = setUp([], { CC: 'no-such-compiler' });
  assert.deepEqual([again.status, again.stderr], [0, '']);
  assert.match(again.stdout, /is there already: nix-run-foreign \d/);
  assert.equal(statSync(launcher).ino, ino);
  const forced = setUp(['--force', '--json']);
  const answer = JSON.parse(forced.stdout);
  assert.deepEqual(
    [answer.state, answer.launcher, answer.replaced, answer.remedy],
    ['compiled', launcher, true, null],
  );
  assert.equal(statSync(launcher).ino, statSync(replaced).ino);
  refused(setUp(['--force', '--cc', 'no-such-compiler']), /no C compiler/, /nix-foreign setup/);
  assert.ok(isElf(launcher) && isElf(replaced), 'a failure takes nothing away');
});

test('a launcher that names another Node is compiled anew', async () => {
  const script = path.join(own, 'dist/nix-foreign.cjs');
  await buildLauncher({ output: launcher, node: '/gone/node', script });
  assert.match(setUp().stdout, /^compiled /);
  assert.ok(readFileSync(launcher).includes(`${process.execPath}\0`));
  assert.equal(statSync(launcher).ino, statSync(replaced).ino);
});

test('where the package cannot be written it says who can', asRoot, () => {
  for (const each of [directory, prefix]) chmodSync(each, 0o755);
  refused(
    setUp(['--force'], {}, 65_534),
    /cannot write \S+\/bin: permission denied/,
    /sudo nix-foreign setup/,
  );
  assert.equal(setUp([], {}, 65_534).status, 0, 'there is nothing to write');
});

test("another package manager's shim, which starts Node with the file, stays; the line that replaces it is named", () => {
  const copy = path.join(directory, 'copy');
  cpSync(own, copy, { recursive: true });
  const bin = path.join(directory, 'pnpm-bin');
  mkdirSync(bin);
  copyFileSync(
    path.join(directory, 'project/bin/nix-run-foreign.mjs'),
    path.join(copy, 'bin/nix-run-foreign.mjs'),
  );
  rmSync(path.join(copy, 'bin/nix-run-foreign'));
  const shim = path.join(bin, 'nix-run-foreign');
  writeFileSync(shim, `#!/bin/sh\nexec node "${copy}/bin/nix-run-foreign.mjs" "$@"\n`, { mode: 0o755 });
  const { status, stdout } = run([process.execPath, `${copy}/dist/nix-foreign.cjs`, 'setup'], {
    PATH: `${bin}:${tools}:/usr/bin:/bin`,
  });
  assert.equal(status, 0);
  assert.ok(!isElf(path.join(copy, 'bin/nix-run-foreign.mjs')));
  const line = stdout.split('\n').find((each) => each.includes('ln -sf')) ?? '';
  assert.equal(line, `${shim} goes through Node: ln -sf ${copy}/bin/nix-run-foreign ${shim}`);
  assert.equal(run(['/bin/sh', '-c', line.replace(/^.*?: /, '')]).status, 0);
  assert.match(run([shim, '--version'], { PATH: '' }).stdout, /^nix-run-foreign \d/);
});

test("a checkout's source is left alone", () => {
  const checkout = path.join(directory, 'project');
  const { status } = run([process.execPath, `${checkout}/dist/nix-foreign.cjs`, 'setup', '--force'], {
    PATH: `${checkout}/bin:${tools}:/usr/bin:/bin`,
  });
  assert.equal(status, 0);
  assert.ok(isElf(path.join(checkout, 'bin/nix-run-foreign')));
  assert.ok(!isElf(path.join(checkout, 'bin/nix-run-foreign.mjs')));
});
