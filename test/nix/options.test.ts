// The modules for NixOS and home-manager: every option's type and default, and values that are refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS, KEYS } from '../../src/config/settings.ts';
import { REQUESTED_STRATEGIES } from '../../src/resolve/choose-strategy.ts';
import { blocksOf, sectionOf } from '../scenarios/install/readme.ts';
import {
  type Evaluated,
  evaluateModule,
  instantiate,
  type ModuleKind,
  moduleWords,
  type Option,
} from './nix-instantiate.ts';

const SETTINGS = 'docs/settings.md';

const strategies = REQUESTED_STRATEGIES.filter((each) => each !== 'auto');

const EVERYWHERE = {
  enable: ['bool', false],
  package: ['package', 'pkgs.callPackage ./package.nix { }'],
  settings: ['submodule', {}],
  shims: ['bool', true],
  strategy: [`nullOr enum ${JSON.stringify(strategies)}`, null],
  wrappedCommands: ['listOf strMatching', []],
} as const;

const OPTIONS: Readonly<Record<'nixos' | 'home-manager', Record<string, readonly [string, unknown]>>> = {
  nixos: {
    ...EVERYWHERE,
    interpreter: ['nullOr enum ["nix-ld","self"]', 'nix-ld'],
    shellHooks: ['bool', 'config.programs.nix-run-foreign.interpreter == null'],
    binfmt: ['bool', false],
    support32Bit: ['bool', false],
    appImages: ['bool', true],
  },
  'home-manager': {
    ...EVERYWHERE,
    enableBashIntegration: ['bool', true],
    enableZshIntegration: ['bool', true],
    enableFishIntegration: ['bool', true],
    nixLd: ['bool', false],
  },
};

/** The type of a key as docs/settings.md has it → as the module has it. */
const TYPES: Readonly<Record<string, string>> = {
  'array of texts': 'nullOr listOf str',
  '`true`, `false`': 'nullOr bool',
  'number, above 0, up to 300': 'nullOr number between 0 and 300',
  '`"auto"`, `"off"`, array of texts': 'nullOr either enum ["auto","off"] or listOf str',
  '`"ask"`, `"always"`, `"never"`': 'nullOr enum ["ask","always","never"]',
  'number, 0 to 1000000': 'nullOr number between 0 and 1000000',
  'number, 0 to 10000': 'nullOr number between 0 and 10000',
};

const summary = (options: Readonly<Record<string, Option>>) =>
  Object.fromEntries(Object.entries(options).map(([name, each]) => [name, [each.type, each.default]]));

for (const [kind, expected] of Object.entries(OPTIONS)) {
  test(`${kind}: every option, its type and its default`, () => {
    const { options } = evaluateModule(kind as ModuleKind, '');
    assert.deepEqual(summary(options), expected);
    for (const [name, each] of Object.entries(options)) assert.ok(each.described, `${name} is not described`);
  });

  test(`${kind}: settings are the keys of config.toml`, () => {
    const { inner = {} } = evaluateModule(kind as ModuleKind, '').options['settings'] ?? {};
    assert.deepEqual(Object.keys(inner), KEYS);
    const text = sectionOf('config.toml', SETTINGS);
    const seen = new Set<string>();
    for (const [, key = '', type = ''] of text.matchAll(/^\| `([a-z-]+)` \| ([^|]+) \|/gm)) {
      assert.ok(key in DEFAULTS, key);
      assert.deepEqual([inner[key]?.type, inner[key]?.default], [TYPES[type], null], key);
      seen.add(key);
    }
    assert.deepEqual([...seen].sort(), KEYS);
  });
}

const TABLES = {
  nixos: ['Options of the NixOS module', 'NixOS'],
  'home-manager': ['Options of the home-manager module', 'home-manager'],
} as const;

/** The default of each option, by a table whose first cells name one or several. */
function shownDefaults(heading: string): ReadonlyMap<string, string> {
  const rows = [...sectionOf(heading, SETTINGS).matchAll(/^\| (`\w+`.*?) \| (\S.*?) \| [^|]*\|$/gm)];
  return new Map(
    rows.flatMap(([, names = '', value = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, value] as const),
    ),
  );
}

for (const kind of ['nixos', 'home-manager'] as const)
  test(`${kind}: the tables of docs/settings.md and the lines of the README are true`, () => {
    const [table, heading] = TABLES[kind];
    const { options } = evaluateModule(kind, '');
    const shown = shownDefaults(table);
    const named = Object.keys(options).filter((name) => name !== 'enable');
    assert.deepEqual([...shown.keys()].sort(), named.sort());
    for (const [name, { type, default: value }] of Object.entries(options))
      if (name !== 'enable' && type === 'bool' && typeof value === 'boolean')
        assert.equal(shown.get(name), `\`${value}\``, name);
    const { interpreter } = options;
    assert.equal(shown.get('interpreter'), interpreter && `\`"${interpreter.default}"\``);
    const blocks = blocksOf(heading).filter(({ text }) => text.startsWith('programs.'));
    assert.ok(blocks.length > 0);
    for (const { text } of blocks) assert.ok(instantiate(moduleWords(kind, `{ ${text} }`)));
  });

/** Everything a user may get wrong, and the option that the message names. */
const WRONG: readonly (readonly [ModuleKind, said: string, RegExp])[] = [
  ['nixos', 'interpreter = "glibc";', /interpreter is not of type nullOr enum/],
  ['nixos', 'interpreter = true;', /interpreter is not of type/],
  ['nixos', 'support32Bit = 1;', /support32Bit is not of type bool/],
  ['nixos', 'wrappedCommands = [ "a b" ];', /wrappedCommands/],
  ['nixos', 'shellHooks = "bash";', /shellHooks is not of type bool/],
  ['nixos', 'binfmt = 1;', /binfmt is not of type bool/],
  ['nixos', 'appImages = "yes";', /appImages is not of type bool/],
  ['nixos', 'strategy = "auto";', /strategy is not of type nullOr enum/],
  ['nixos', 'strategy = "direct";', /strategy is not of type nullOr enum/],
  ['nixos', 'shims = [ ];', /shims is not of type bool/],
  ['nixos', 'package = "nix-run-foreign";', /package is not of type package/],
  ['nixos', 'settings = [ ];', /settings is not of type submodule/],
  ['nixos', 'settings.sources = "https://example.org";', /settings\.sources is not of type/],
  ['nixos', 'settings.sources = [ 1 ];', /settings\.sources is not of type/],
  ['nixos', 'settings.trusted-fingerprint-keys = "k:b";', /trusted-fingerprint-keys is not of type/],
  ['nixos', 'settings.strict = "true";', /settings\.strict is not of type/],
  ['nixos', 'settings.substitute = 0;', /settings\.substitute is not of type/],
  ['nixos', 'settings.source-timeout = 0;', /settings\.source-timeout is not of type/],
  ['nixos', 'settings.source-timeout = 301;', /settings\.source-timeout is not of type/],
  ['nixos', 'settings.source-timeout = "5";', /settings\.source-timeout is not of type/],
  ['nixos', 'settings.index = "on";', /settings\.index is not of type/],
  ['nixos', 'settings.index = [ 1 ];', /settings\.index is not of type/],
  ['nixos', 'settings.fetch = true;', /settings\.fetch is not of type/],
  ['nixos', 'settings.fetch-limit = -1;', /settings\.fetch-limit is not of type/],
  ['nixos', 'settings.index-age = "60";', /settings\.index-age is not of type/],
  ['nixos', 'settings.source = [ ];', /there is no option \S*settings\.source$/m],
  ['nixos', 'shellHook = true;', /there is no option programs\.nix-run-foreign\.shellHook$/m],
  ['home-manager', 'enableBashIntegration = "yes";', /enableBashIntegration is not of type bool/],
  ['home-manager', 'enableZshIntegration = 1;', /enableZshIntegration is not of type bool/],
  ['home-manager', 'enableFishIntegration = null;', /enableFishIntegration is not of type bool/],
  ['home-manager', 'nixLd = "x";', /nixLd is not of type bool/],
  ['home-manager', 'interpreter = "self";', /there is no option programs\.nix-run-foreign\.interpreter$/m],
];

for (const [kind, said, message] of WRONG) {
  test(`${kind} refuses: ${said}`, () => assert.throws(() => evaluateModule(kind, said), message));
}

test('the modules change nothing unless they are enabled', () => {
  const said =
    '{ programs.nix-run-foreign = { binfmt = true; interpreter = "self"; settings.strict = true; }; }';
  const off = instantiate(moduleWords('nixos', said)) as Evaluated;
  const { environment, programs, systemd, boot } = off.config;
  assert.deepEqual(environment, {
    etc: {},
    extraInit: '',
    ldso: null,
    ldso32: '/nix/store/22222222222222222222222222222222-stub-ld',
    sessionVariables: {},
    systemPackages: [],
  });
  assert.deepEqual([systemd, boot], [{ tmpfiles: { rules: [] } }, { binfmt: { registrations: {} } }]);
  assert.deepEqual(programs?.['nix-ld'], { enable: false });
});
