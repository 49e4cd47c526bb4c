// The modules for NixOS and home-manager: every option's type and default, and values that are refused.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { DEFAULTS, KEYS } from '../../src/config/settings.ts';
import { blocksOf, sectionOf } from '../scenarios/install/readme.ts';
import {
  type Evaluated,
  evaluateModule,
  instantiate,
  type ModuleKind,
  moduleWords,
  type Option,
  PROJECT,
} from './nix-instantiate.ts';

const EVERYWHERE = {
  enable: ['bool', false],
  package: ['package', 'pkgs.callPackage ./package.nix { }'],
  settings: ['submodule', {}],
  shims: ['bool', true],
} as const;

const OPTIONS: Readonly<Record<'nixos' | 'home-manager', Record<string, readonly [string, unknown]>>> = {
  nixos: {
    ...EVERYWHERE,
    interpreter: ['nullOr enum ["nix-ld","self"]', 'nix-ld'],
    shellHooks: ['bool', 'config.programs.nix-run-foreign.interpreter == null'],
    binfmt: ['bool', false],
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

/** The type of a key as CONFIG.md has it → as the module has it. */
const TYPES: Readonly<Record<string, string>> = {
  'array of texts': 'nullOr listOf str',
  '`true`, `false`': 'nullOr bool',
  'number, above 0, up to 300': 'nullOr number between 0 and 300',
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
    const text = readFileSync(path.join(PROJECT, 'src/config/CONFIG.md'), 'utf8');
    for (const [, key = '', type = ''] of text.matchAll(/^\| `([a-z-]+)` \| ([^|]+) \|/gm)) {
      assert.ok(key in DEFAULTS, key);
      assert.deepEqual([inner[key]?.type, inner[key]?.default], [TYPES[type], null], key);
    }
  });
}

test("the README's tables and lines are true", () => {
  const { options } = evaluateModule('nixos', '');
  const rows = [...sectionOf('NixOS').matchAll(/^\| `(\w+)` \| (\S.*?) \| [^|]*\|$/gm)];
  const known = new Map(rows.map(([, name = '', value = '']) => [name, value]));
  for (const [name, { type, default: value }] of Object.entries(options)) {
    if (name === 'enable') continue;
    const shown = known.get(name);
    assert.ok(shown !== undefined, `the README has no row for ${name}`);
    if (type === 'bool' && typeof value === 'boolean') assert.equal(shown, `\`${value}\``, name);
  }
  assert.equal(known.get('interpreter'), `\`"${options['interpreter']?.default}"\``);
  for (const kind of ['NixOS', 'home-manager'] as const) {
    const blocks = blocksOf(kind).filter(({ text }) => text.startsWith('programs.'));
    assert.ok(blocks.length > 0);
    for (const { text } of blocks)
      assert.ok(instantiate(moduleWords(kind === 'NixOS' ? 'nixos' : kind, `{ ${text} }`)));
  }
});

/** Everything a user may get wrong, and the option that the message names. */
const WRONG: readonly (readonly [ModuleKind, said: string, RegExp])[] = [
  ['nixos', 'interpreter = "glibc";', /interpreter is not of type nullOr enum/],
  ['nixos', 'interpreter = true;', /interpreter is not of type/],
  ['nixos', 'shellHooks = "bash";', /shellHooks is not of type bool/],
  ['nixos', 'binfmt = 1;', /binfmt is not of type bool/],
  ['nixos', 'appImages = "yes";', /appImages is not of type bool/],
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
    sessionVariables: {},
    systemPackages: [],
  });
  assert.deepEqual([systemd, boot], [{ tmpfiles: { rules: [] } }, { binfmt: { registrations: {} } }]);
  assert.deepEqual(programs?.['nix-ld'], { enable: false });
});
