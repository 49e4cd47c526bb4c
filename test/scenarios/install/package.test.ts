// `npm pack` → exactly what runs; installed by npm for all, for one user and for a project: no network, no other package.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { asRoot, needTool } from '../../launcher/tool-fixture.ts';
import { npmScript, packTool } from './packed.ts';

needTool('ld.lld', 'lld');
const { directory, archive } = packTool();
chmodSync(directory, 0o755);
const SYSTEMS = ['x86_64-linux', 'aarch64-linux', 'i686-linux'];
const MEBIBYTE = 1024 * 1024;

/** Node and the commands that the linked one needs, and nothing that compiles. */
const tools = path.join(directory, 'tools');
mkdirSync(tools);
for (const name of ['readlink', 'uname', 'ln', 'mv', 'rm', 'sh', 'env'])
  symlinkSync(`/usr/bin/${name}`, path.join(tools, name));
symlinkSync(process.execPath, path.join(tools, 'node'));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  words: readonly [string, ...string[]],
  env: Record<string, string> = {},
  more: { readonly uid?: number; readonly cwd?: string } = {},
): Outcome {
  const [file, ...args] = words;
  const { uid, cwd = '/' } = more;
  const { status, stdout, stderr } = spawnSync(file, args, {
    env: { HOME: directory, PATH: tools, npm_config_cache: path.join(directory, 'cache'), ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    cwd,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, stdout, stderr };
}

const isElf = (file: string) => readFileSync(file).subarray(0, 4).toString('latin1') === '\x7fELF';

function npm(words: readonly string[], cwd = '/'): void {
  const offline = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  const env = { PATH: `${tools}:/usr/bin:/bin` };
  const { status, stderr } = run([process.execPath, npmScript(), ...words, ...offline], env, { cwd });
  assert.equal(status, 0, stderr);
}

const script = path.join(directory, 'script');
writeFileSync(script, '#!/bin/sh\necho "started $1"\n', { mode: 0o755 });

/** The first start of a program that is no other's, so that the resolver runs. */
function firstStart(command: string, name: string, env: Record<string, string> = {}): Outcome {
  const program = path.join(directory, name);
  writeFileSync(program, `#!/bin/sh\necho "started $1 ${name}"\n`, { mode: 0o755 });
  return run([command, program, 'it'], { XDG_CACHE_HOME: path.join(directory, 'xdg'), ...env });
}

const started = (name: string): Outcome => ({ status: 0, stdout: `started it ${name}\n`, stderr: '' });

test('the archive holds what runs, what is read, and nothing else; 2 MiB at most', () => {
  const { stdout } = run(['/usr/bin/tar', 'tzf', archive], { PATH: '/usr/bin:/bin' });
  const names = stdout
    .trim()
    .split('\n')
    .map((name) => name.replace(/^package\//, ''));
  const documents =
    /^(?:docs\/[a-z-]+\.md|README\.md|CHANGELOG\.md|LICENSE|src\/\w+\/(?:FORMAT|PLAN)\.md|src\/fingerprint\/fingerprint\.schema\.json)$/;
  const scripts = ['main', 'resolver', 'svg'].flatMap((name) => [
    `dist/${name}.cjs`,
    `dist/${name}.cjs.LEGAL.txt`,
  ]);
  const expected = [
    'package.json',
    'bin/nix-run-foreign.sh',
    ...['nix-foreign.cjs', 'prompts.cjs', 'resolver.compiled', 'sbom.json'].map((name) => `dist/${name}`),
    ...scripts,
    ...['nix-foreign.1', 'nix-run-foreign.1'].map((name) => `dist/man/${name}`),
    ...SYSTEMS.flatMap((system) => [`dist/${system}/nix-run-foreign`, `dist/${system}/nix-foreign-audit.so`]),
    ...['complete', 'hook', 'look', 'off'].flatMap((part) =>
      ['bash', 'fish', 'zsh'].map((shell) => `shell-hooks/${part}.${shell}`),
    ),
    'shell-hooks/change.fish',
  ];
  assert.deepEqual(names.filter((name) => !documents.test(name)).sort(), expected.sort());
  const bytes = statSync(archive).size;
  assert.ok(bytes <= 2 * MEBIBYTE, `${bytes} bytes`);
});

const prefix = path.join(directory, 'prefix');
const own = path.join(prefix, 'lib/node_modules/nix-run-foreign');
const command = path.join(prefix, 'bin/nix-run-foreign');
const manager = path.join(prefix, 'bin/nix-foreign');
const launcher = path.join(
  own,
  'dist',
  `${{ x64: 'x86_64', arm64: 'aarch64', ia32: 'i686' }[process.arch as string]}-linux`,
  'nix-run-foreign',
);

test('npm installs the archive alone', () => {
  npm(['install', '--global', '--prefix', prefix, archive]);
  assert.ok(!existsSync(path.join(own, 'node_modules')));
  assert.equal(readlinkSync(command), '../lib/node_modules/nix-run-foreign/bin/nix-run-foreign.sh');
});

test('that is all: a first start works, and from then on the command is the launcher', () => {
  assert.deepEqual(firstStart(command, 'one'), started('one'));
  assert.equal(readlinkSync(command), path.relative(path.dirname(command), launcher));
  assert.ok(isElf(command));
  assert.equal(readlinkSync(path.join(own, 'dist/node')), realpathSync(process.execPath));
  assert.deepEqual(readdirSync(path.dirname(command)).sort(), ['nix-foreign', 'nix-run-foreign']);
});

test('without any environment it finds its resolver and the Node of the installation', () => {
  const program = path.join(directory, 'bare');
  writeFileSync(program, '#!/bin/sh\necho "bare $1"\n', { mode: 0o755 });
  const env = {
    XDG_CACHE_HOME: path.join(directory, 'xdg'),
    XDG_STATE_HOME: path.join(directory, 'xdg-state'),
  };
  const bare = spawnSync(command, [program, 'it'], { env, encoding: 'utf8', timeout: 60_000 });
  assert.deepEqual([bare.status, bare.stdout, bare.stderr], [0, 'bare it\n', '']);
});

test('doctor and the hooks name the launcher', () => {
  assert.match(
    run([manager, 'doctor']).stdout,
    new RegExp(`^ok +launcher +${launcher}, nix-run-foreign \\d`, 'm'),
  );
  assert.ok(run([manager, 'hook', 'bash']).stdout.includes(`'${launcher}'`));
});

test('--version --json tells what the bundle holds', () => {
  const bill = JSON.parse(run([manager, '--version', '--json']).stdout);
  assert.equal(bill.metadata.component.name, 'nix-run-foreign');
  const names: string[] = bill.components.map(({ name }: { name: string }) => name);
  for (const name of ['commander', 'valibot', 'smol-toml', '@viz-js/viz', 'proper-lockfile'])
    assert.ok(names.includes(name), name);
  for (const name of ['typescript', 'esbuild', '@biomejs/biome', 'node'])
    assert.ok(!names.includes(name), name);
  for (const { version, licenses } of bill.components) {
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.match(licenses[0].expression, /^[A-Za-z0-9.() -]+$/);
  }
});

test('an update by npm takes the place of the link that was replaced', () => {
  npm(['install', '--global', '--prefix', prefix, archive]);
  assert.deepEqual(firstStart(command, 'two'), started('two'));
  assert.ok(isElf(command));
});

test('npm removes what it installed', () => {
  const other = path.join(directory, 'other');
  npm(['install', '--global', '--prefix', other, archive]);
  assert.equal(run([`${other}/bin/nix-run-foreign`, script, 'it']).status, 0);
  npm(['uninstall', '--global', '--prefix', other, 'nix-run-foreign']);
  assert.ok(!existsSync(path.join(other, 'lib/node_modules/nix-run-foreign')));
  assert.ok(!readdirSync(path.join(other, 'bin')).some((name) => existsSync(path.join(other, 'bin', name))));
});

test('as a dependency of a project, by npx and by its link', () => {
  const project = path.join(directory, 'dependent');
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{ "name": "dependent", "private": true }\n');
  npm(['install', archive], project);
  const words = ['exec', '--offline', '--no', '--', 'nix-run-foreign', script, 'it'] as const;
  const env = { PATH: `${tools}:/usr/bin:/bin` };
  const byNpx = run([process.execPath, npmScript(), ...words], env, { cwd: project });
  assert.deepEqual([byNpx.status, byNpx.stdout], [0, 'started it\n'], byNpx.stderr);
  assert.deepEqual(
    firstStart(path.join(project, 'node_modules/.bin/nix-run-foreign'), 'three'),
    started('three'),
  );
  assert.ok(isElf(path.join(project, 'node_modules/.bin/nix-run-foreign')));
});

test('where the link cannot be replaced each start goes through it', asRoot, () => {
  const shared = path.join(directory, 'shared');
  npm(['install', '--global', '--prefix', shared, archive]);
  const theirs = { XDG_CACHE_HOME: path.join(directory, 'theirs') };
  for (const time of [1, 2]) {
    const { status, stdout, stderr } = run([`${shared}/bin/nix-run-foreign`, script, 'it'], theirs, {
      uid: 65_534,
    });
    assert.deepEqual([status, stdout], [0, 'started it\n'], `${time}: ${stderr}`);
  }
  assert.ok(!isElf(path.join(shared, 'bin/nix-run-foreign')));
  assert.ok(!existsSync(path.join(shared, 'lib/node_modules/nix-run-foreign/dist/node')));
});

test("another package manager's shim starts the command's file", () => {
  const shim = path.join(directory, 'shim');
  writeFileSync(shim, `#!/bin/sh\nexec /bin/sh "${own}/bin/nix-run-foreign.sh" "$@"\n`, { mode: 0o755 });
  assert.deepEqual(run([shim, script, 'it']), { status: 0, stdout: 'started it\n', stderr: '' });
  assert.ok(!isElf(shim));
});

test('for another machine one line says that there is no launcher, and one what there is', () => {
  const copy = path.join(directory, 'riscv');
  mkdirSync(copy);
  for (const name of readdirSync(tools))
    if (name !== 'uname') symlinkSync(path.join(tools, name), path.join(copy, name));
  writeFileSync(path.join(copy, 'uname'), '#!/bin/sh\necho riscv64\n', { mode: 0o755 });
  const outcome = run([`${own}/bin/nix-run-foreign.sh`, script], { PATH: copy });
  assert.deepEqual([outcome.status, outcome.stdout], [125, '']);
  const [cause, remedy, ...more] = outcome.stderr.trimEnd().split('\n');
  assert.equal(cause, 'nix-run-foreign: there is no launcher for this machine (riscv64)');
  assert.match(remedy ?? '', /^ {2}there are some for x86_64, aarch64 and i686/);
  assert.deepEqual(more, []);
});

/** A launcher that lies in a package of its own. */
function packageCopy(name: string): string {
  const copy = path.join(directory, name);
  cpSync(own, copy, { recursive: true });
  rmSync(path.join(copy, 'dist/node'), { force: true });
  return copy;
}

test('without Node, and with one that is too old, the first start says so', () => {
  const copy = packageCopy('nodeless');
  const at = path.join(copy, path.relative(own, launcher));
  if (!['/usr/bin/node', '/usr/local/bin/node'].some((each) => existsSync(each))) {
    const none = firstStart(at, 'four', { PATH: '/nowhere' });
    assert.equal(none.status, 125);
    assert.match(
      none.stderr,
      /^nix-run-foreign: there is no Node, which finds.*\n {2}install Node 24 or newer/,
    );
  }
  const bin = path.join(directory, 'old-node');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'node'), '#!/bin/sh\necho "nix-run-foreign: it is $0" >&2\nexit 125\n', {
    mode: 0o755,
  });
  const old = firstStart(at, 'five', { PATH: bin });
  assert.deepEqual([old.status, old.stderr], [125, `nix-run-foreign: it is ${bin}/node\n`]);
});

test('a copy of the launcher outside of its package says what to do', () => {
  const copy = path.join(directory, 'launcher-copy');
  cpSync(launcher, copy);
  const { status, stderr } = firstStart(copy, 'six');
  assert.equal(status, 125);
  assert.match(
    stderr,
    /^nix-run-foreign: this launcher lies outside of its package.*\n {2}make a link to it/,
  );
});
