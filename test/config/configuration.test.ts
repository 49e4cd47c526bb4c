// Real files and a process → which value counts, where it comes from, and what a missing file costs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type ConfigFile, configurationFiles, readConfiguration } from '../../src/config/load-config.ts';
import { DEFAULTS, KEYS, MEANINGS, VARIABLES } from '../../src/config/settings.ts';
import { ForeignError } from '../../src/host/errors.ts';
import { sectionOf } from '../scenarios/install/readme.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-configuration-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const uid = process.getuid?.() ?? 0;
const user = { uid, storeDir: '/nix/store' };

let count = 0;
function file(text: string, mode = 0o600): ConfigFile {
  count += 1;
  const name = path.join(scratch, `${count}.toml`);
  writeFileSync(name, text);
  chmodSync(name, mode);
  return { file: name, writer: user };
}

const nowhere: ConfigFile = { file: path.join(scratch, 'none/config.toml'), writer: user };

async function failure(files: readonly ConfigFile[], env = {}): Promise<string> {
  try {
    await readConfiguration(files, env);
  } catch (error) {
    assert.ok(error instanceof ForeignError, String(error));
    assert.deepEqual([error.code, error.exitCode], ['configuration', 125]);
    assert.notEqual(error.hint, '');
    return error.message;
  }
  return assert.fail('nothing was refused');
}

test('every key has a meaning', () => {
  assert.deepEqual(Object.keys(MEANINGS).sort(), [...KEYS]);
});

test('without files the defaults count', async () => {
  const { settings, origins, warnings } = await readConfiguration([nowhere], {});
  assert.deepEqual(settings, DEFAULTS);
  assert.deepEqual(new Set(Object.values(origins).map(({ kind }) => kind)), new Set(['default']));
  assert.deepEqual(warnings, []);
});

test('the environment is before the user, the user before the system, key by key', async () => {
  const system = file('strict = true\nsource-timeout = 9\nsources = ["/srv/fingerprints"]\n');
  const user = file('source-timeout = 2.5\nsubstitute = false\n');
  const env = { NIX_RUN_FOREIGN_SUBSTITUTE: '1', NIX_RUN_FOREIGN_STRICT: '' };
  const { settings, origins } = await readConfiguration([system, user], env);
  assert.deepEqual(settings, {
    sources: ['/srv/fingerprints'],
    'trusted-fingerprint-keys': [],
    strict: true,
    'source-timeout': 2.5,
    'driver-directories': DEFAULTS['driver-directories'],
    substitute: true,
    index: 'auto',
    fetch: 'ask',
    'fetch-limit': 100,
    'index-age': 60,
  });
  assert.deepEqual(origins, {
    sources: { kind: 'file', file: system.file },
    'trusted-fingerprint-keys': { kind: 'default' },
    strict: { kind: 'file', file: system.file },
    'source-timeout': { kind: 'file', file: user.file },
    'driver-directories': { kind: 'default' },
    substitute: { kind: 'environment', variable: 'NIX_RUN_FOREIGN_SUBSTITUTE' },
    index: { kind: 'default' },
    fetch: { kind: 'default' },
    'fetch-limit': { kind: 'default' },
    'index-age': { kind: 'default' },
  });
});

test('an unknown key is named with its line and the keys that there are', async () => {
  const written = file('# mine\nsource = ["/a"]\nstrcit = true\nzebra = 1\n[trusted]\nx = 1\n');
  const { settings, warnings } = await readConfiguration([written], {});
  assert.deepEqual(settings, DEFAULTS);
  assert.deepEqual(warnings, [
    `${written.file}:2: there is no key "source"; the keys are ${KEYS.join(', ')}`,
    `${written.file}:3: there is no key "strcit"; the keys are ${KEYS.join(', ')}`,
    `${written.file}:4: there is no key "zebra"; the keys are ${KEYS.join(', ')}`,
    `${written.file}:5: there is no key "trusted"; the keys are ${KEYS.join(', ')}`,
  ]);
});

test('a file that is no TOML is refused with its line', async () => {
  for (const [text, line] of [
    ['strict = true\nsources = [\n', 2],
    ['strict = yes\n', 1],
    ['strict = true\nstrict = false\n', 2],
    ['\n\n= 3\n', 3],
  ] as const) {
    const written = file(text);
    const message = await failure([written]);
    assert.match(message, new RegExp(`^${written.file}:[0-9]+: this is no TOML: [^\n]+$`), text);
    const found = Number(message.slice(written.file.length + 1).split(':')[0]);
    assert.ok(Math.abs(found - line) <= 1, message);
  }
});

test('a wrong value is refused with its line and what it must be', async () => {
  for (const [value, why] of [
    ['strict = "true"', 'strict: it must be true or false'],
    ['substitute = 1', 'substitute: it must be true or false'],
    ['source-timeout = 0', 'source-timeout: it must be a number of seconds above 0 and up to 300'],
    ['source-timeout = nan', 'source-timeout: it must be a number of seconds above 0 and up to 300'],
    ['source-timeout = "5"', 'source-timeout: it must be a number of seconds above 0 and up to 300'],
    ['index = "on"', 'index: it must be "auto", "off", or an array of absolute files and directories'],
    ['index = ["files"]', 'index: it must be "auto", "off", or an array of absolute files and directories'],
    ['fetch = true', 'fetch: it must be "ask", "always" or "never"'],
    ['fetch-limit = -1', 'fetch-limit: it must be a number of MiB from 0 to 1000000'],
    ['index-age = "60"', 'index-age: it must be a number of days from 0 to 10000'],
    ['sources = "/a"', 'sources: it must be an array of texts, e.g. ["..."]'],
    ['sources = ["relative"]', 'sources: "relative" is neither an absolute directory nor an http(s) URL'],
    [
      'sources = ["ftp://host/x"]',
      'sources: "ftp://host/x" is neither an absolute directory nor an http(s) URL',
    ],
    [
      'trusted-fingerprint-keys = ["name:c2hvcnQ="]',
      'trusted-fingerprint-keys: no public key of the form name:base64: the key name has 5 bytes, and a public key has 32',
    ],
  ] as const) {
    const written = file(`# one\n\n${value}\n`);
    assert.equal(await failure([written]), `${written.file}:3: ${why}`);
  }
});

test('a key that no signature check would take is refused, and is not printed', async () => {
  const secret = Buffer.alloc(64, 9).toString('base64');
  // The last digit of 32 bytes has two bits that mean nothing.
  const twice = `${Buffer.alloc(32).toString('base64').slice(0, -2)}B=`;
  for (const [key, why] of [
    [`mine:${secret}`, 'the key mine is a secret key; only the public one belongs here'],
    [`mine:${twice}`, 'the key mine is not in base 64'],
    [secret, 'it has no name and colon in front of the key'],
    [`m\u00fcne:${Buffer.alloc(32).toString('base64')}`, 'its name is not of printable ASCII without blanks'],
  ] as const) {
    const message = await failure([file(`trusted-fingerprint-keys = ["${key}"]\n`)]);
    assert.ok(
      message.endsWith(`:1: trusted-fingerprint-keys: no public key of the form name:base64: ${why}`),
    );
    assert.ok(!message.includes(secret.slice(0, 20)), message);
  }
});

test('what is right is accepted', async () => {
  const key = `cache-1:${Buffer.alloc(32, 7).toString('base64')}`;
  const sources = ['/srv/a b', 'https://user:word@host.example:8443/x', 'http://[::1]/y'];
  const text = `trusted-fingerprint-keys = ["${key}"]\nsources = ${JSON.stringify(sources)}\n`;
  const { settings, warnings } = await readConfiguration([file(text)], {});
  assert.deepEqual(settings['trusted-fingerprint-keys'], [key]);
  assert.deepEqual(settings.sources, sources);
  assert.deepEqual(warnings, []);
});

test('a file that others can write, or that is none, is never passed over', async () => {
  for (const mode of [0o620, 0o602]) assert.match(await failure([file('', mode)]), /: others can write it$/);
  const directory = { ...nowhere, file: scratch };
  assert.match(await failure([directory]), /: it is no file$/);
  const fifo = path.join(scratch, 'fifo');
  execFileSync('mkfifo', ['-m', '600', fifo]);
  assert.match(await failure([{ ...nowhere, file: fifo }]), /: it is no file$/);
  assert.match(await failure([file(`# ${'x'.repeat(1 << 20)}\n`)]), /: it is larger than 1 MiB$/);
  const latin = file('');
  writeFileSync(latin.file, Buffer.from([0x23, 0xe9, 0x0a]));
  assert.match(await failure([latin]), /: it is not UTF-8$/);
  const circle = path.join(scratch, 'circle');
  symlinkSync(circle, circle);
  assert.match(await failure([{ ...nowhere, file: circle }]), /: too many levels of symbolic links$/);
});

test('a file that others can replace is refused, whoever wrote what they put there', async () => {
  const directory = path.join(scratch, 'open-to-others');
  mkdirSync(directory);
  const name = path.join(directory, 'config.toml');
  symlinkSync(file('strict = true\n').file, name);
  const linked = { ...nowhere, file: name };
  assert.equal((await readConfiguration([linked], {})).settings.strict, true);
  chmodSync(directory, 0o777);
  assert.match(await failure([linked]), /: it, or a directory on the way to it, can be replaced by others$/);
});

test("what is closed to the user in somebody else's directory was never the user's", {
  skip: uid !== 0 && 'needs root',
}, async () => {
  const closed = path.join(scratch, 'closed');
  mkdirSync(closed);
  writeFileSync(path.join(closed, 'config.toml'), 'strict = true\n');
  chmodSync(closed, 0o700);
  chmodSync(scratch, 0o755);
  const theirs = { file: path.join(closed, 'config.toml'), writer: { ...user, uid: 4321 } };
  process.seteuid?.(4321);
  try {
    assert.match(await failure([theirs]), /: permission denied$/);
    const { settings } = await readConfiguration([{ ...theirs, isOthers: true }], {});
    assert.equal(settings.strict, false);
  } finally {
    process.seteuid?.(0);
  }
});

test("somebody else's file is refused, root's and the system's are not", {
  skip: uid !== 0 && 'needs root',
}, async () => {
  const other = file('strict = true\n');
  chownSync(other.file, 1234, 1234);
  assert.match(await failure([other]), /: it belongs to somebody else$/);
  const theirs = path.join(scratch, 'theirs');
  mkdirSync(theirs);
  chownSync(theirs, 1234, 1234);
  const moved = { ...other, file: path.join(theirs, 'config.toml') };
  renameSync(other.file, moved.file);
  assert.match(await failure([moved]), /, or a directory on the way to it, can be replaced by others$/);
  renameSync(moved.file, other.file);
  const asSystem = await readConfiguration([{ ...other, writer: 'root' }], {});
  assert.equal(asSystem.settings.strict, true);
  const ofRoot = await readConfiguration(
    [{ file: file('strict = true\n').file, writer: { ...user, uid: 99 } }],
    {},
  );
  assert.equal(ofRoot.settings.strict, true);
});

test('a variable with a wrong value is refused', async () => {
  assert.equal(await failure([], { NIX_RUN_FOREIGN_STRICT: 'yes' }), 'NIX_RUN_FOREIGN_STRICT must be 0 or 1');
  for (const text of ['-1', '0', '1e3', '301', 'Infinity', '5s']) {
    const message = await failure([], { NIX_RUN_FOREIGN_SOURCE_TIMEOUT: text });
    assert.equal(message, 'NIX_RUN_FOREIGN_SOURCE_TIMEOUT must be a number of seconds above 0 and up to 300');
  }
});

test('variables of the file index, and what they must be', async () => {
  const env = {
    NIX_RUN_FOREIGN_INDEX: '/srv/a:/srv/b',
    NIX_RUN_FOREIGN_FETCH: 'never',
    NIX_RUN_FOREIGN_FETCH_LIMIT: '0',
    NIX_RUN_FOREIGN_INDEX_AGE: '7',
  };
  const { settings } = await readConfiguration([], env);
  assert.deepEqual(
    [settings.index, settings.fetch, settings['fetch-limit'], settings['index-age']],
    [['/srv/a', '/srv/b'], 'never', 0, 7],
  );
  for (const [variable, text, what] of [
    ['INDEX', 'files', 'auto, off, or absolute paths with colons between them'],
    ['FETCH', 'yes', 'ask, always or never'],
    ['FETCH_LIMIT', '100M', 'a number of MiB from 0 to 1000000'],
    ['INDEX_AGE', '-1', 'a number of days from 0 to 10000'],
  ] as const) {
    const name = `NIX_RUN_FOREIGN_${variable}`;
    assert.equal(await failure([], { [name]: text }), `${name} must be ${what}`);
  }
});

test("the user's file is in the config directory, after the system's", async () => {
  const module = JSON.stringify(path.resolve(import.meta.dirname, '../../src/config/load-config.ts'));
  const script = `const { configurationFiles } = await import(${module});
    console.log(JSON.stringify(await configurationFiles({ uid: 7, storeDir: '/nix/store' })));`;
  const env = { XDG_CONFIG_HOME: path.join(scratch, 'config'), HOME: scratch };
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env,
    encoding: 'utf8',
  });
  assert.deepEqual(JSON.parse(text), [
    { file: '/etc/nix-run-foreign/config.toml', writer: 'root' },
    {
      file: path.join(scratch, 'config/nix-run-foreign/config.toml'),
      writer: { uid: 7, storeDir: '/nix/store' },
    },
  ]);
  assert.equal((await configurationFiles({ uid: 7, storeDir: '/nix/store' })).length, 2);
});

test('missing files load neither the parser nor the checks', () => {
  const module = JSON.stringify(path.resolve(import.meta.dirname, '../../src/config/load-config.ts'));
  const config = path.join(scratch, 'present');
  mkdirSync(config);
  writeFileSync(path.join(config, 'config.toml'), 'strict = true\n', { mode: 0o600 });
  const script = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { readConfiguration } = await import(${module});
    await readConfiguration([{ file: process.argv[1] + '/config.toml', writer: { uid: ${uid}, storeDir: '/nix/store' } }], {});
    console.log(loaded.filter((url) => /smol-toml|valibot/.test(url)).length);`;
  const loads = (directory: string): number =>
    Number(
      execFileSync(process.execPath, ['--input-type=module', '-e', script, directory], { encoding: 'utf8' }),
    );
  assert.equal(loads(path.join(scratch, 'absent')), 0);
  assert.ok(loads(config) > 0);
});

test('docs/settings.md tells every key with its default and its variable', () => {
  const rows = sectionOf('config.toml', 'docs/settings.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| /, '')));
  assert.deepEqual(
    rows.map(([key, , value, variable]) => [key, value, variable?.split(' ')[0]]).sort(),
    KEYS.map((key) => [
      `\`${key}\``,
      `\`${JSON.stringify(DEFAULTS[key])}\``,
      VARIABLES[key] === undefined ? '-' : `\`${VARIABLES[key]}\``,
    ]).sort(),
  );
});

test('each setting has one meaning: in the page on settings, and in the modules', () => {
  const rows = sectionOf('config.toml', 'docs/settings.md').matchAll(
    /^\| `([a-z-]+)` \|(?:[^|]*\|){3} (.*) \|$/gm,
  );
  const shown = [...rows].map(([, key, text = '']) => [key, text.replace(/`|\[|\]\([^)]*\)/g, '')]);
  assert.deepEqual(Object.fromEntries(shown), MEANINGS);
  const modules = readFileSync('nix/settings.nix', 'utf8');
  const described = modules.matchAll(/^ {2}([a-z-]+) =\s+key[\s\S]*?''\n([\s\S]*?)''/gm);
  const sentences = [...described].map(([, key, text = '']) => {
    const [sentence = ''] = text.replace(/\s+/g, ' ').trim().split('. ');
    return [key, sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '')];
  });
  const wanted = Object.entries(MEANINGS).map(([key, text]) => [
    key,
    text.charAt(0).toLowerCase() + text.slice(1),
  ]);
  assert.deepEqual(Object.fromEntries(sentences), Object.fromEntries(wanted));
});
