// flake.nix with a stand-in for nixpkgs: its outputs, and what the package is made of.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../rig/rig.ts';
import { openRoot } from '../rig/root.ts';
import { blocksOf } from '../scenarios/install/readme.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { instantiate, moduleWords, nix, PROJECT } from './nix-instantiate.ts';

const packageJson = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8'));

/** An expression over `flake`, `self` (its outputs) and the stand-in for one system, `pkgs`. */
function evaluate(expression: string): unknown {
  const text = `
    let
      flake = import ${PROJECT}/flake.nix;
      nixpkgsFor = system: import ${PROJECT}/test/nix/nixpkgs.nix { inherit system; };
      pkgs = nixpkgsFor "x86_64-linux";
      nixpkgs = {
        lib = pkgs.lib;
        legacyPackages = pkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" "riscv64-linux" ] nixpkgsFor;
      };
      self = flake.outputs { inherit self nixpkgs; };
    in ${expression}`;
  return instantiate(['--eval', '--strict', '--json', '-E', text]);
}

test('the flake has packages, programs, checks, an overlay and the modules', () => {
  assert.deepEqual(evaluate('builtins.attrNames flake.inputs'), ['nixpkgs']);
  assert.deepEqual(evaluate('builtins.mapAttrs (_: builtins.attrNames) self'), {
    apps: ['aarch64-linux', 'x86_64-linux'],
    checks: ['aarch64-linux', 'x86_64-linux'],
    homeManagerModules: ['default'],
    homeModules: ['default'],
    nixosModules: ['default'],
    overlays: ['default'],
    packages: ['aarch64-linux', 'x86_64-linux'],
  });
  const name = 'nix-run-foreign-0.1.0';
  for (const system of ['x86_64-linux', 'aarch64-linux']) {
    assert.deepEqual(evaluate(`builtins.mapAttrs (_: each: each.name) self.packages.${system}`), {
      default: name,
      'nix-run-foreign': name,
    });
    const programs = evaluate(
      `builtins.mapAttrs (_: each: each.type + baseNameOf each.program) self.apps.${system}`,
    );
    assert.deepEqual(programs, {
      default: 'appnix-run-foreign',
      'nix-foreign': 'appnix-foreign',
      'nix-run-foreign': 'appnix-run-foreign',
    });
  }
  assert.equal(evaluate('(self.overlays.default pkgs { }).nix-run-foreign.name'), name);
  const modules =
    '(map (each: builtins.isFunction (import each.default)) [ self.nixosModules self.homeModules ])';
  assert.deepEqual(evaluate(modules), [true, true]);
});

test('Nix takes the flake, with the stand-in as its input', () => {
  const directory = scratchDirectory();
  const [own, other] = [path.join(directory, 'flake'), path.join(directory, 'nixpkgs')];
  for (const each of ['flake.nix', 'nix', 'package.json', 'package-lock.json'])
    cpSync(path.join(PROJECT, each), path.join(own, each), { recursive: true });
  cpSync(path.join(PROJECT, 'test/nix'), other, { recursive: true });
  const systems =
    'lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (system: import ./nixpkgs.nix { inherit system; })';
  writeFileSync(
    path.join(other, 'flake.nix'),
    `{ outputs = _: rec { lib = import ./lib.nix; legacyPackages = ${systems}; }; }`,
  );
  const features = ['--extra-experimental-features', 'nix-command flakes'];
  const input = ['--no-write-lock-file', '--override-input', 'nixpkgs', `path:${other}`];
  for (const [output, function_, expected] of [
    ['packages.x86_64-linux.default.name', '(name: name)', 'nix-run-foreign-0.1.0'],
    ['apps.aarch64-linux', 'builtins.attrNames', ['default', 'nix-foreign', 'nix-run-foreign']],
    ['nixosModules', 'builtins.attrNames', ['default']],
  ] as const) {
    const words = ['eval', '--json', ...input, `path:${own}#${output}`, '--apply', function_];
    const text = execFileSync('nix', [...features, ...words], {
      env: nix.env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.deepEqual(JSON.parse(text), expected, output);
  }
});

test("the README's flake takes the module", () => {
  const [flake] = blocksOf('NixOS');
  const made = `((${flake?.text}).outputs {
    nixpkgs.lib.nixosSystem = system: system;
    nix-run-foreign = self;
  }).nixosConfigurations.machine.modules`;
  assert.equal(evaluate(`builtins.head (${made}) == self.nixosModules.default`), true);
});

test('the package says what package.json says', () => {
  const said = evaluate(
    '{ inherit (self.packages.x86_64-linux.default.arguments) pname version meta hardeningDisable; }',
  );
  assert.deepEqual(said, {
    pname: packageJson.name,
    version: packageJson.version,
    hardeningDisable: ['all'],
    meta: {
      description: packageJson.description,
      license: { spdxId: packageJson.license },
      mainProgram: 'nix-run-foreign',
      platforms: ['x86_64-linux', 'aarch64-linux'],
    },
  });
});

test('the sources of the package are all that the build reads, and nothing that it writes', () => {
  const source = 'self.packages.x86_64-linux.default.arguments.src';
  const names = evaluate(`builtins.attrNames (builtins.readDir ${source})`) as string[];
  for (const each of ['package.json', 'package-lock.json', 'bin', 'scripts', 'src', ...packageJson.files]) {
    const [top] = each.split('/');
    if (!/^!?dist$/.test(top ?? '')) assert.ok(names.includes(top), each);
  }
  for (const each of ['.git', 'dist', 'node_modules', 'test', 'nix']) assert.ok(!names.includes(each), each);
  assert.deepEqual(evaluate(`builtins.attrNames (builtins.readDir (${source} + "/bin"))`), [
    'nix-run-foreign.sh',
  ]);
});

test('every npm package is fetched by its hash, from an address that npm has for it', () => {
  const packages = evaluate('self.packages.x86_64-linux.default.arguments.npmDeps.packageLock.packages');
  const rows = Object.entries(packages as Record<string, { resolved?: string; integrity?: string }>);
  assert.ok(rows.length > 100);
  const lacking = rows.filter(([name, each]) => name !== '' && !/^sha512-/.test(each.integrity ?? ''));
  assert.deepEqual(lacking, []);
  const addresses = new Map(rows.map(([name, { resolved }]) => [name, resolved]));
  assert.equal(addresses.get(''), undefined);
  const { version } = JSON.parse(readFileSync(path.join(PROJECT, 'package-lock.json'), 'utf8')).packages[
    'node_modules/@esbuild/linux-x64'
  ];
  assert.match(
    addresses.get('node_modules/@esbuild/linux-x64') ?? '',
    new RegExp(`^https://[a-z.]+/@esbuild/linux-x64/-/linux-x64-${version}\\.tgz$`),
  );
  const nested = rows.find(([name]) => name.lastIndexOf('node_modules/') > 0);
  assert.doesNotMatch(nested?.[1].resolved ?? 'node_modules', /node_modules/);
});

test('every Nix of the rig evaluates the modules alike', async (t) => {
  const rig = await ensureRig('full');
  const root = await openRoot(rig, { binds: [{ from: PROJECT, mode: 'read-only' }] });
  t.after(() => root.close());
  const said =
    '{ programs.nix-run-foreign = { enable = true; binfmt = true; shellHooks = true; settings.strict = true; }; }';
  for (const kind of ['nixos', 'home-manager'] as const) {
    const words = moduleWords(kind, kind === 'nixos' ? said : '{ programs.nix-run-foreign.enable = true; }');
    const expected = instantiate(words);
    for (const { version, bin } of rig.nixVersions) {
      const { status, stdout, stderr } = await root.run({ argv: [`${bin}/nix-instantiate`, ...words] });
      assert.equal(status, 0, `${version}: ${stderr}`);
      assert.deepEqual(JSON.parse(stdout), expected, version);
    }
  }
});
