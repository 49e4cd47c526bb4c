// A root that holds only /nix, with NixOS' stub or nix-ld at the interpreter path, and a system made of what the module
// yields for the README's own lines; the package is built by Nix.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type Evaluated, instantiate, moduleWords, PROJECT } from '../../nix/nix-instantiate.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, openRoot } from '../../rig/root.ts';
import { copyHome, foreign } from '../foreign-files.ts';
import { openShell, type ShellName, type ShellRoot } from '../hooks/shell-session.ts';
import { putProgram } from '../run-time/ways.ts';
import { npmScript } from './packed.ts';
import { blocksOf } from './readme.ts';
import { INSTALLED_SHELLS, shellsAlone } from './shells.ts';

const rig = await ensureRig('full');
const vendor = foreign(rig, 'bookworm', 'redis-cli');
const [, usual, withStub] = blocksOf('NixOS').map(({ text }) => text);
const program = `${homeInRoot}/opt/vendor/bin/redis-cli`;

async function open(interpreter: 'nix-ld' | 'stub-ld' | `/${string}`): Promise<ShellRoot> {
  const root = { ...(await openRoot(rig, { interpreter, binds: shellsAlone })), rig };
  after(() => root.close());
  copyHome(root, vendor, 'opt/vendor/bin/redis-cli');
  return root;
}

const SYSTEM = '/nix/var/nix/gcroots/system';
const exported = path.join(mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-built-')), 'package');
after(() => rmSync(path.dirname(exported), { recursive: true, force: true }));

async function onHostOf(root: ShellRoot, argv: readonly [string, ...string[]]): Promise<string> {
  const { status, stdout, stderr } = await root.runOnHost({
    argv,
    env: { NIX_REMOTE: 'local' },
    timeoutMs: 300_000,
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** Builds nix/package.nix in the root's own store, pinned as a system is, and writes it down for the next root. */
async function buildPackage(root: ShellRoot): Promise<string> {
  const given = {
    nodejs: path.dirname(path.dirname(rig.node)),
    shell: rig.bash,
    nodeModules: realpathSync(path.join(PROJECT, 'node_modules')),
    npmScript: npmScript(),
  };
  const words = Object.entries(given).flatMap(([name, value]) => ['--argstr', name, value]);
  const file = path.join(PROJECT, 'test/nix/installed.nix');
  const built = await onHostOf(root, ['nix-build', file, '-o', SYSTEM, ...words]);
  await onHostOf(root, [
    'sh',
    '-c',
    'nix-store --export "$0" >"$1" && echo "$0" >"$1.name"',
    built,
    exported,
  ]);
  return built;
}

/** What another root built; it is the same store path. */
async function importPackage(root: ShellRoot): Promise<string> {
  const script = 'p=$(nix-store --import <"$0") && ln -s "$p" "$1" && echo "$p"';
  return await onHostOf(root, ['sh', '-c', script, exported, SYSTEM]);
}

interface System {
  readonly environment: {
    readonly ldso: `/${string}`;
    readonly sessionVariables: Readonly<Record<string, string>>;
    readonly systemPackages: readonly string[];
  };
  readonly programs: Readonly<Record<ShellName, { readonly interactiveShellInit: string }>>;
}

/** What NixOS makes of the README's lines. */
function systemFor(lines: string, built: string): System {
  const itself = `{ type = "derivation"; name = "built"; outPath = "${built}"; }`;
  const said = `{ imports = [ { ${lines} } ]; programs.nix-run-foreign.package = ${itself}; }`;
  return (instantiate(moduleWords('nixos', said)) as Evaluated).config as unknown as System;
}

/** Variables and PATH, then what is for interactive shells; the words are the same for every shell. */
function startupFile({ environment, programs }: System, shell: ShellName): string {
  const variables = Object.entries(environment.sessionVariables);
  const directories = environment.systemPackages.map((each) => `${each}/bin`).join(':');
  return [
    ...variables.map(([name, value]) => `export ${name}="${value}"`),
    `export PATH="$PATH:${directories}"`,
    programs[shell].interactiveShellInit,
  ].join('\n');
}

async function bare(root: ShellRoot, shell: ShellName): Promise<void> {
  const session = await openShell(root, shell, '');
  try {
    // nix-ld that is told of no loader aborts.
    assert.ok([127, 134].includes((await session.run('opt/vendor/bin/redis-cli --version')).status));
    assert.equal((await session.run('nix-run-foreign --version')).status, 127);
  } finally {
    session.close();
  }
}

for (const { interpreter, lines, place } of [
  { interpreter: 'stub-ld', lines: withStub, place: buildPackage },
  { interpreter: 'nix-ld', lines: usual, place: importPackage },
] as const) {
  const root = await open(interpreter);
  let built = '';

  test(`${interpreter}: the package that Nix built runs`, async () => {
    built = await place(root);
    const version = [`${built}/bin/nix-run-foreign`, '--version'] as const;
    assert.match((await root.run({ argv: version, env: { PATH: '' } })).stdout, /^nix-run-foreign \d/);
    const { stdout: help } = await root.run({ argv: [`${built}/bin/nix-foreign`, '--help'] });
    assert.match(help, /^Usage: nix-foreign/);
  });

  for (const shell of INSTALLED_SHELLS) {
    test(`${interpreter}, ${shell}: the vendor program runs by its own name`, async () => {
      await bare(root, shell);
      const session = await openShell(root, shell, startupFile(systemFor(lines ?? '', built), shell));
      try {
        assert.match((await session.run(`${program} --version | cat`)).output, vendor.expect);
        assert.equal((await session.run('export PATH="$HOME/opt/vendor/bin:$PATH"')).status, 0);
        const answer = await session.run('redis-cli --version');
        assert.match(answer.output, vendor.expect);
        assert.equal(answer.status, 0);
        assert.equal((await session.run('redis-cli --no-such-option')).status, 1);
      } finally {
        session.close();
      }
    });
  }

  if (interpreter === 'nix-ld')
    test('enable = true alone: a library that a program opens while it runs, with no prefix', async () => {
      const opens = putProgram(root, 'open-names');
      assert.notEqual((await root.run({ argv: [opens, 'libz.so.1'] })).status, 0);
      const session = await openShell(root, 'bash', startupFile(systemFor(lines ?? '', built), 'bash'));
      try {
        const { status, output } = await session.run(`${opens} libz.so.1`);
        assert.deepEqual([status, output.split('\n')[0]], [0, 'libz.so.1 opened']);
      } finally {
        session.close();
      }
    });

  test(`${interpreter}: what runs is pinned`, async () => {
    // The whole of the root is collected only once: that takes ten seconds.
    if (interpreter === 'stub-ld') assert.equal((await root.run({ argv: ['nix-store', '--gc'] })).status, 0);
    const started = await root.run({ argv: [`${built}/bin/nix-run-foreign`, program, '--version'] });
    assert.match(started.stdout, vendor.expect);
    const roots = await root.run({ argv: ['nix-store', '--gc', '--print-roots'] });
    assert.match(roots.stdout, new RegExp(`${homeInRoot}/\\S+ -> /nix/store/`));
  });
}

test('self: the launcher of the package sits at the interpreter path, and foreign programs just start', async () => {
  const [built = ''] = readFileSync(`${exported}.name`, 'utf8').split('\n');
  const { environment } = systemFor(
    'programs.nix-run-foreign = { enable = true; interpreter = "self"; };',
    built,
  );
  const root = await open(environment.ldso);
  const start = () => root.run({ argv: [program, '--version'], env: { PATH: '' } });
  assert.equal((await start()).status, 127, 'the package is not in this store yet');
  await importPackage(root);
  const { status, stdout, stderr } = await start();
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, vendor.expect);
});
