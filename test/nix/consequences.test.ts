// What the modules make of a system, held against what the tool itself says and reads.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { binfmtRules } from '../../scripts/write-binfmt-rules.ts';
import { configurationFiles, readConfiguration } from '../../src/config/load-config.ts';
import { DEFAULTS } from '../../src/config/settings.ts';
import { machineOfSystem, machinesRunBy } from '../../src/elf/machine.ts';
import { dataDirectory, systemDirectories } from '../../src/host/directories.ts';
import { registration, rulesFor } from '../../src/integrations/binfmt/binfmt-rules.ts';
import { SHELLS } from '../../src/integrations/hooks/hook-text.ts';
import { blocksOf } from '../scenarios/install/readme.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { evaluateModule, instantiate, type ModuleKind, PROJECT } from './nix-instantiate.ts';

const scratch = scratchDirectory();
const PACKAGE = '/nix/store/00000000000000000000000000000000-nix-run-foreign-0.1.0';
const LAUNCHER = `${PACKAGE}/bin/nix-run-foreign`;

/** A value far inside. */
function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce((inner, key) => (inner as Record<string, unknown>)[key], value);
}

/** A part of what nix/vm-test.nix hands to runNixOSTest, or what a function makes of that. */
function evaluateVirtualMachine(part: string, system = 'x86_64-linux', of = ''): unknown {
  const pkgs = `import ${PROJECT}/test/nix/nixpkgs.nix { system = "${system}"; }`;
  const made = `${of} ((${pkgs}).callPackage ${PROJECT}/nix/vm-test.nix { }).${part}`;
  return instantiate(['--eval', '--strict', '--json', '--expr', made]);
}

/** The option under this name, as the module has set it. */
function outcome(kind: ModuleKind, said: string, option: string, system?: string): unknown {
  return at(evaluateModule(kind, said, system).config, ...option.split('.'));
}

/** The line of docs/shells.md for a shell's own file, with the package's command. */
function documentedLine(shell: string): string | undefined {
  const page = readFileSync(path.join(PROJECT, 'docs/shells.md'), 'utf8');
  const line = page.match(new RegExp(`^(?:eval "\\$\\()?nix-foreign hook ${shell}[^#\\n]*`, 'm'))?.[0];
  return line?.trim().replace('nix-foreign', `${PACKAGE}/bin/nix-foreign`);
}

test('shell hooks are the lines of docs/shells.md, for every shell that has a hook', () => {
  for (const shell of SHELLS) {
    const line = documentedLine(shell);
    assert.match(line ?? '', new RegExp(`hook ${shell}`), 'docs/shells.md has no line for it');
    const nixos = outcome('nixos', 'shellHooks = true;', `programs.${shell}.interactiveShellInit`);
    assert.equal(nixos, line, shell);
  }
  const home = evaluateModule('home-manager', '').config;
  assert.equal(at(home, 'programs', 'bash', 'initExtra'), documentedLine('bash'));
  assert.equal(at(home, 'programs', 'zsh', 'initContent'), documentedLine('zsh'));
  const older = evaluateModule('home-manager-24', '').config;
  assert.equal(at(older, 'programs', 'zsh', 'initExtra'), documentedLine('zsh'));
});

test('a strategy is a variable of the session, beside that of nix-ld', () => {
  const both = outcome('nixos', 'strategy = "view";', 'environment.sessionVariables');
  assert.deepEqual(both, { NIX_LD_x86_64_linux: LAUNCHER, NIX_RUN_FOREIGN_STRATEGY: 'view' });
  const home = outcome('home-manager', 'strategy = "view";', 'home.sessionVariables');
  assert.deepEqual(home, { NIX_RUN_FOREIGN_STRATEGY: 'view' });
});

test('commands of Nix are wrapped by the hook', () => {
  const said = 'shellHooks = true; wrappedCommands = [ "python3" "node" ];';
  const line = `eval "$(${PACKAGE}/bin/nix-foreign hook bash --wrap python3,node)"`;
  assert.equal(outcome('nixos', said, 'programs.bash.interactiveShellInit'), line);
  const home = evaluateModule('home-manager', 'wrappedCommands = [ "node" ];').config;
  assert.match(
    String(at(home, 'programs', 'fish', 'interactiveShellInit')),
    / hook fish --wrap node \| source$/,
  );
});

test('32-bit programs get the launcher of their own, by nix-ld or at their interpreter path', () => {
  const file = `${PACKAGE}/lib/node_modules/nix-run-foreign/dist/i686-linux/nix-run-foreign`;
  const variable = 'environment.sessionVariables.NIX_LD_i686_linux';
  assert.equal(outcome('nixos', 'support32Bit = true;', variable), file);
  assert.equal(outcome('nixos', 'support32Bit = true; interpreter = "self";', 'environment.ldso32'), file);
  const stub = '/nix/store/22222222222222222222222222222222-stub-ld';
  for (const said of ['', 'interpreter = "self";', 'support32Bit = true; interpreter = null;'])
    assert.equal(outcome('nixos', said, 'environment.ldso32'), stub, said);
  assert.equal(outcome('nixos', 'support32Bit = true;', 'environment.ldso32'), file);
  const own = 'support32Bit = true; }; environment.ldso32 = "/own"; programs.nix-ld = {';
  assert.equal(outcome('nixos', own, 'environment.ldso32'), '/own');
});

test('the virtual machine has one node for each interpreter, and starts the program in all', () => {
  const node = (name: string) => evaluateVirtualMachine(`nodes.${name}.programs.nix-run-foreign.interpreter`);
  assert.deepEqual(['usual', 'itself', 'prefix'].map(node), ['nix-ld', 'self', null]);
  const script = String(evaluateVirtualMachine('testScript'));
  assert.match(script, /program = "\/nix\/store\/0{32}-foreign-program\/bin\/foreign-program"/);
  const [, opened = ''] = /\{program\} lib(\w+)\.so/.exec(script) ?? [];
  const brought = 'nodes.usual.system.extraDependencies';
  assert.deepEqual(evaluateVirtualMachine(brought, undefined, 'map (each: each.name)'), ['zlib', opened]);
  const linked = String(
    evaluateVirtualMachine('nodes.usual.environment.systemPackages', undefined, 'map (each: each.text)'),
  );
  assert.match(linked, / -lz$/m);
  assert.ok(!linked.includes(opened), 'what is loaded already is not searched for');
  for (const system of ['x86_64-linux', 'aarch64-linux']) {
    const packages = 'nodes.usual.environment.systemPackages';
    const text = String(evaluateVirtualMachine(packages, system, 'map (each: each.text)'));
    assert.ok(text.includes(` --set-interpreter ${machineOfSystem(system)?.interpreter} `), text);
  }
});

test('a hook comes after what the user has, and only where it is wanted', () => {
  const init = 'programs.bash.interactiveShellInit';
  assert.equal(outcome('nixos', '', init), '');
  assert.equal(outcome('nixos', 'interpreter = null;', init), documentedLine('bash'));
  assert.equal(outcome('nixos', 'interpreter = null; shellHooks = false;', init), '');
  const said =
    '}; programs.bash.interactiveShellInit = "mine"; programs.nix-run-foreign.shellHooks = true; x = {';
  const both = evaluateModule('nixos', said.replace('x = {', 'programs.nix-ld = {')).config;
  assert.equal(at(both, 'programs', 'bash', 'interactiveShellInit'), `mine\n${documentedLine('bash')}`);
  for (const shell of ['Bash', 'Zsh', 'Fish']) {
    const { programs } = evaluateModule('home-manager', `enable${shell}Integration = false;`).config;
    const text = JSON.stringify(at(programs, shell.toLowerCase()));
    assert.doesNotMatch(text, /nix-foreign/, shell);
  }
});

test('nix-ld is turned on and told to enter the launcher, by the variable of the machine', () => {
  for (const system of ['x86_64-linux', 'aarch64-linux']) {
    const { programs, environment } = evaluateModule('nixos', '', system).config;
    const variable = `NIX_LD_${machineOfSystem(system)?.nixLdSuffix}`;
    assert.deepEqual(at(programs, 'nix-ld'), { enable: true });
    assert.deepEqual(at(environment, 'sessionVariables'), { [variable]: LAUNCHER });
    assert.equal(at(environment, 'ldso'), null);
    const home = outcome('home-manager', 'nixLd = true;', 'home.sessionVariables', system);
    assert.deepEqual(home, { [variable]: LAUNCHER });
  }
  assert.deepEqual(outcome('home-manager', '', 'home.sessionVariables'), {});
});

test('the launcher itself sits at the interpreter path, and not beside nix-ld', () => {
  const { environment, programs, assertions } = evaluateModule('nixos', 'interpreter = "self";').config;
  assert.equal(at(environment, 'ldso'), LAUNCHER);
  assert.deepEqual(at(environment, 'sessionVariables'), {});
  assert.deepEqual(at(programs, 'nix-ld'), { enable: false });
  assert.deepEqual(
    (assertions as unknown as { assertion: boolean }[]).map(({ assertion }) => assertion),
    [true],
  );
  const both = evaluateModule('nixos', 'interpreter = "self"; }; programs.nix-ld = { enable = true;').config;
  const [failed] = both['assertions'] as unknown as { assertion: boolean; message: string }[];
  assert.equal(failed?.assertion, false);
  assert.match(failed?.message ?? '', /turn nix-ld\noff/);
});

interface Registration {
  readonly recognitionType: string;
  readonly offset: number;
  readonly magicOrExtension: string;
  readonly mask: string;
  readonly interpreter: string;
  readonly preserveArgvZero: boolean;
  readonly openBinary: boolean;
  readonly matchCredentials: boolean;
  readonly fixBinary: boolean;
  readonly wrapInterpreterInShell: boolean;
}

/** As nixpkgs writes a line for binfmt.d(5) (nixos/modules/system/boot/binfmt.nix, makeBinfmtLine), but for the link. */
function lineOf(name: string, each: Registration): string {
  assert.equal(each.recognitionType, 'magic');
  assert.equal(each.wrapInterpreterInShell, false);
  const flags = [
    each.preserveArgvZero ? 'P' : '',
    each.openBinary && !each.fixBinary ? 'O' : '',
    each.matchCredentials ? 'C' : '',
    each.fixBinary ? 'F' : '',
  ].join('');
  return `:${name}:M:${each.offset}:${each.magicOrExtension}:${each.mask}:${each.interpreter}:${flags}`;
}

test('binfmt rules are those of nix-foreign binfmt print', () => {
  assert.deepEqual(outcome('nixos', '', 'boot.binfmt.registrations'), {});
  const text = readFileSync(path.join(PROJECT, 'nix/binfmt-rules.json'), 'utf8');
  assert.equal(text, binfmtRules(), 'write it anew: node_modules/.bin/node scripts/write-binfmt-rules.ts');
  for (const [system, arch] of [
    ['x86_64-linux', 'x64'],
    ['aarch64-linux', 'arm64'],
  ] as const) {
    const registered = outcome('nixos', 'binfmt = true;', 'boot.binfmt.registrations', system);
    const lines = Object.entries(registered as Record<string, Registration>).map((each) => lineOf(...each));
    const rules = rulesFor(machinesRunBy(arch));
    assert.ok(rules.length >= 4);
    assert.deepEqual(lines.sort(), rules.map((rule) => registration(rule, LAUNCHER, 'PF')).sort());
  }
});

test("the system's place is made as the tool trusts it", () => {
  const rules = outcome('nixos', '', 'systemd.tmpfiles.rules') as string[];
  const made = rules.map((rule) => /^d (\S+) 0755 root root -$/.exec(rule)?.[1] ?? `not understood: ${rule}`);
  const { cache, state, plans, farms, roots, fingerprints } = systemDirectories();
  const wanted = [cache, state, plans, farms, roots, fingerprints, path.dirname(cache), path.dirname(state)];
  assert.deepEqual(made.toSorted(), wanted.toSorted());
  assert.deepEqual(
    made.map(path.dirname).filter((each) => each !== '/var/lib' && !made.includes(each)),
    [],
  );
});

test('config.toml lies where the tool looks, and says to it what was said to the module', async () => {
  const said = `settings = { sources = [ "/srv/\\"quoted\\"" "https://example.org/a" ]; strict = true; source-timeout = 2.5; index = [ "/srv/index" ]; fetch = "always"; fetch-limit = 500; };`;
  const [system, user] = await configurationFiles({ uid: 0, storeDir: '/nix/store' });
  const nixos = outcome('nixos', said, 'environment.etc') as Record<string, { source: string }>;
  const home = outcome('home-manager', said, 'xdg.configFile') as Record<string, { source: string }>;
  assert.deepEqual(
    Object.keys(nixos).map((name) => `/etc/${name}`),
    [system?.file],
  );
  const [name = 'none'] = Object.keys(home);
  assert.ok(user?.file.endsWith(`/${name}`) && name.startsWith('nix-run-foreign/'), name);
  for (const { source } of [...Object.values(nixos), ...Object.values(home)]) {
    const file = path.join(scratch, 'config.toml');
    writeFileSync(file, source, { mode: 0o444 });
    const { settings, warnings } = await readConfiguration([{ file, writer: 'root' }], {});
    assert.deepEqual(warnings, []);
    assert.deepEqual(settings, {
      ...DEFAULTS,
      sources: ['/srv/"quoted"', 'https://example.org/a'],
      strict: true,
      'source-timeout': 2.5,
      index: ['/srv/index'],
      fetch: 'always',
      'fetch-limit': 500,
    });
  }
  assert.deepEqual(outcome('nixos', '', 'environment.etc'), {});
  assert.deepEqual(outcome('home-manager', '', 'xdg.configFile'), {});
});

test('shims are on PATH where shim add puts them', async () => {
  const home = { HOME: process.env['HOME'] ?? '' };
  const printed = (env: Record<string, string>) =>
    execFileSync('sh', ['-c', `${outcome('nixos', '', 'environment.extraInit')}printf %s "$PATH"`], {
      env: { ...env, PATH: '/bin' },
      encoding: 'utf8',
    });
  const { XDG_DATA_HOME: data = `${home.HOME}/.local/share` } = process.env;
  assert.equal(printed({ ...home, XDG_DATA_HOME: data }), `${await dataDirectory()}/shims:/bin`);
  assert.equal(printed(home), `${home.HOME}/.local/share/nix-run-foreign/shims:/bin`);
  assert.equal(outcome('nixos', 'shims = false;', 'environment.extraInit'), '');
  assert.equal(
    outcome('home-manager', '', 'home.sessionVariablesExtra'),
    'export PATH="/home/tester/.local/share/nix-run-foreign/shims:$PATH"\n',
  );
  assert.equal(outcome('home-manager', 'shims = false;', 'home.sessionVariablesExtra'), '');
});

test('the package is installed, with what unpacks AppImages', () => {
  const packages = ['environment', 'systemPackages'];
  const names = (said: string, release = '26.05') => {
    const { config } = evaluateModule('nixos', said, undefined, ['--argstr', 'release', release]);
    return (at(config, ...packages) as string[]).map((each) => each.slice(44));
  };
  assert.deepEqual(names(''), ['nix-run-foreign-0.1.0', 'squashfs']);
  assert.deepEqual(names('', '25.11'), ['nix-run-foreign-0.1.0', 'squashfs'], 'by its old name');
  assert.deepEqual(names('appImages = false;'), ['nix-run-foreign-0.1.0']);
  assert.deepEqual(outcome('home-manager', '', 'home.packages'), [PACKAGE]);
});

test('a nixpkgs without nodejs_24 serves where the package comes from elsewhere', () => {
  const [line] = blocksOf('With an older nixpkgs', 'docs/settings.md');
  const own = '{ type = "derivation"; name = "own"; outPath = "/nix/store/own"; }';
  const flake = `{ packages.x86_64-linux.default = ${own}; }`;
  for (const [kind, option] of [
    ['nixos', 'environment.systemPackages'],
    ['home-manager-24', 'home.packages'],
  ] as const) {
    const release = ['--argstr', 'release', '24.11'];
    assert.throws(() => evaluateModule(kind, '', undefined, release), /nodejs_24/);
    const said = `} // (let nix-run-foreign = ${flake}; in (${line?.text}).programs.nix-run-foreign) // {`;
    const { config } = evaluateModule(kind, said, undefined, release);
    assert.equal((at(config, ...option.split('.')) as string[])[0], '/nix/store/own', kind);
  }
});

test('the index of nix-index-database is the one that is asked, where its overlay is', () => {
  const index = '/nix/store/11111111111111111111111111111111-index-x86_64-linux';
  const file = ['environment', 'etc', 'nix-run-foreign/config.toml', 'source'];
  const configOf = (said: string) =>
    at(evaluateModule('nixos', said, undefined, ['--arg', 'withIndex', 'true']).config, ...file);
  assert.match(String(configOf('')), new RegExp(`${index}`));
  assert.doesNotMatch(String(configOf('settings.index = "off";')), new RegExp(`${index}`));
  const home = evaluateModule('home-manager', '', undefined, ['--arg', 'withIndex', 'true']).config;
  assert.match(JSON.stringify(home), new RegExp(index));
});
