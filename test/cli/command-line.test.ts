// The command line as users and scripts meet it: words, stdout, stderr, exit status.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { COMMANDS } from '../../src/cli/commands.ts';
import { failureOfParsing } from '../../src/cli/usage-error.ts';
import { MANAGER } from '../built-manager.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { compileProgram, scratchDirectory } from '../store/compiled-library.ts';
import { openPrivateStore } from '../store/private-store.ts';

needTool('nix-store', 'nix-bin');
const scratch = scratchDirectory();
const at = (...names: string[]): string => path.join(scratch, ...names);
const store = openPrivateStore(at('nix'));
mkdirSync(at('home'));
const script = at('script');
writeFileSync(script, '#!/bin/sh\necho hello\n', { mode: 0o755 });
const dynamic = compileProgram(at('dynamic'));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MANAGER, ...words], {
    encoding: 'utf8',
    timeout: 30_000,
    cwd: scratch,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: at('home'),
      ...store.nix.env,
      XDG_CACHE_HOME: at('cache'),
      XDG_STATE_HOME: at('state'),
      ...env,
    },
  });
  return { status, stdout, stderr };
}

/** Two lines on stderr, cause and remedy, and nothing on stdout. */
function failure(outcome: Outcome, status: number, cause: RegExp): void {
  assert.equal(outcome.status, status, outcome.stderr);
  assert.equal(outcome.stdout, '');
  const lines = outcome.stderr.trimEnd().split('\n');
  assert.equal(lines.length, 2, outcome.stderr);
  assert.match(lines[0] ?? '', cause);
  assert.match(lines[0] ?? '', /^nix-(run-)?foreign: /);
  assert.match(lines[1] ?? '', /^ {2}\S/);
}

test('help goes to stdout and names every command', () => {
  const { status, stdout, stderr } = run(['--help']);
  assert.deepEqual([status, stderr], [0, '']);
  for (const name of ['resolve', 'explain', 'choose', 'graph', 'list', 'forget', 'doctor'])
    assert.match(stdout, new RegExp(`^(Programs|Upkeep)? +(\\w+, )?${name}[ ,]`, 'm'));
});

test('every command has help of its own', () => {
  for (const name of ['resolve', 'explain', 'choose', 'graph', 'list', 'forget', 'doctor']) {
    const { status, stdout, stderr } = run([name, '--help']);
    assert.deepEqual([status, stderr], [0, ''], name);
    assert.match(stdout, /--json/, name);
  }
});

test('help of a command in a group is that of its own', () => {
  assert.equal(run(['help', 'shim', 'add']).stdout, run(['shim', 'add', '--help']).stdout);
  assert.match(run(['help', 'shim', 'add']).stdout, /^Usage: nix-foreign shim add /);
  assert.match(run(['help', 'shim']).stdout, /^Usage: nix-foreign shim /);
  for (const words of ['help --help', 'help -h', 'help --json'])
    assert.equal(run(words.split(' ')).stdout, run(['--help']).stdout, words);
  assert.equal(run(['shim', 'help', '--help']).stdout, run(['shim', '--help']).stdout);
  assert.equal(run(['help', 'shim', 'add', '-h']).stdout, run(['shim', 'add', '--help']).stdout);
  assert.match(run(['help', '--version']).stdout, /^nix-foreign \d/);
});

test('the version is that of package.json', () => {
  const { version } = JSON.parse(
    readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8'),
  );
  assert.deepEqual(run(['--version']), { status: 0, stdout: `nix-foreign ${version}\n`, stderr: '' });
});

test('--version behind a command is no question for the version', () => {
  failure(run(['list', '--version']), 125, /unknown option '--version'$/);
  failure(run(['shim', 'list', '-V']), 125, /unknown option '-V'$/);
  failure(run(['patch', at('nothing'), '--try', '--version']), 127, /no such file/);
});

for (const words of [
  [],
  ['no-such-command'],
  ['--no-such-option'],
  ['resolve'],
  ['resolve', '--no-such-option', 'x'],
  ['resolve', 'one', 'two'],
  ['list', 'surplus'],
  ['choose'],
  ['graph', '--format', 'png', '/bin/sh'],
  ['graph', '-o', 'picture.png', '/bin/sh'],
  ['doctor', 'program', 'surplus'],
  ['forget'],
]) {
  test(`a usage error ends with 125: ${words.join(' ') || '(nothing)'}`, () => {
    const outcome = run(words);
    failure(outcome, 125, /^nix-foreign: (?!error|internal)\S/);
  });
}

for (const [words, cause, hint] of [
  [[], 'no command is named', 'see nix-foreign --help'],
  [['nosuch'], "unknown command 'nosuch'", 'see nix-foreign --help'],
  [['help', 'nosuch'], "unknown command 'nosuch'", 'see nix-foreign --help'],
  [['no\nsuch\u001b[31m'], "unknown command 'no?such?[31m'", 'see nix-foreign --help'],
  [['resolv', 'x'], "unknown command 'resolv'", 'did you mean resolve? see nix-foreign --help'],
  [
    ['shim', 'ad'],
    "unknown command 'ad'",
    'did you mean add? name one of: nix-foreign shim add, nix-foreign shim list, nix-foreign shim remove',
  ],
  [
    ['shim'],
    'shim needs a command',
    'name one of: nix-foreign shim add, nix-foreign shim list, nix-foreign shim remove',
  ],
  [
    ['fingerprint', 'verify', '--nosuch=1', 'x'],
    "unknown option '--nosuch=1'",
    'it takes --json; see nix-foreign fingerprint verify --help',
  ],
  [
    ['list', '--jsno'],
    "unknown option '--jsno'",
    'did you mean --json? it takes --json; see nix-foreign list --help',
  ],
  [['--nosuch'], "unknown option '--nosuch'", 'see nix-foreign --help'],
  [
    ['resolve'],
    'resolve: an argument is missing',
    'it is: nix-foreign resolve <program>; see nix-foreign resolve --help',
  ],
  ...(['rehash', 'system', 'strict', 'strategy=nonsense'] as const).map((each) => {
    const [option] = each.split('=');
    return [
      ['resolve', '--dry-run', `--${each}`, 'x'],
      `resolve: --dry-run tells of libraries alone, and --${option} changes nothing of that`,
      'leave one of them out; --dry-run goes with --refresh, --fetch, --no-fetch and --json',
    ] as const;
  }),
  [
    ['choose', 'x', '--pin'],
    'choose: --pin needs a value',
    'it is: nix-foreign choose <program>; see nix-foreign choose --help',
  ],
] as const) {
  test(`a usage error has a cause and a remedy: ${words.join(' ')}: ${cause}`, () => {
    const stderr = `nix-foreign: ${cause}\n  ${hint}\n`;
    assert.deepEqual(run(words), { status: 125, stdout: '', stderr });
  });
}

test('with --json a failure is an object on stdout as well', () => {
  for (const [words, status, code, message] of [
    [['resolve', '--json', at('nothing')], 127, 'not-found', `${at('nothing')}: no such file or directory`],
    [['explain', '--json', scratch], 126, 'directory', `${scratch}: it is a directory`],
    [['graph', '--json', at('a\nb')], 127, 'not-found', `${at('a\nb')}: no such file or directory`],
    [['choose', '--json', script], 125, 'nothing-to-choose', /there is nothing to choose/],
    [['list', '--json', 'surplus'], 125, 'usage', /too many arguments/],
    [['forget', '--json'], 125, 'usage', 'forget needs a program'],
  ] as const) {
    const outcome = run(words);
    const { error, ...rest } = JSON.parse(outcome.stdout);
    assert.deepEqual([outcome.status, error.code, rest], [status, code, {}]);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    failure({ ...outcome, stdout: '' }, status, /^nix-foreign: /);
    assert.ok(outcome.stderr.endsWith(`\n  ${error.hint}\n`), outcome.stderr);
  }
  assert.equal(run(['resolve', '--', '--json']).stdout, '');
});

test('forget says what it forgot before it fails for another', () => {
  const hint = 'see the programs that have one with: nix-foreign list';
  const message = `${at('nosuch')}: no plan is kept for it`;
  const stderr = `nix-foreign: ${message}\n  ${hint}\n`;
  assert.equal(run(['resolve', script]).status, 0);
  assert.deepEqual(run(['forget', script, 'nosuch']), { status: 125, stdout: `forgot ${script}\n`, stderr });
  assert.equal(run(['resolve', script]).status, 0);
  const outcome = run(['forget', '--json', script, 'nosuch']);
  assert.deepEqual([outcome.status, outcome.stderr], [125, stderr]);
  assert.deepEqual(JSON.parse(outcome.stdout), {
    forgotten: [script],
    error: { code: 'unknown-program', message, hint },
  });
});

test('a bare name that is no file here is looked up in PATH', () => {
  mkdirSync(at('tools/script'), { recursive: true });
  for (const [name, text] of [
    ['tool', 'tool'],
    ['both', 'tool'],
    ['folder', 'tool'],
  ] as const)
    writeFileSync(at('tools', name), `#!/bin/sh\necho ${text}\n`, { mode: 0o755 });
  copyFileSync(script, at('both'));
  mkdirSync(at('folder'));
  const env = { PATH: `${at('tools')}:${process.env['PATH']}` };
  const programOf = (...words: string[]) => JSON.parse(run([...words, '--json'], env).stdout).program;
  assert.equal(programOf('resolve', 'tool'), at('tools/tool'));
  assert.equal(programOf('explain', 'tool'), at('tools/tool'));
  assert.equal(programOf('resolve', 'both'), at('both'));
  assert.equal(programOf('resolve', 'folder'), at('tools/folder'));
  assert.match(run(['graph', '--format', 'dot', 'tool'], env).stdout, /digraph/);
  failure(run(['choose', 'tool'], env), 125, /tools\/tool: .*nothing to choose/);
  failure(run(['resolve', 'folder/tool'], env), 127, /^nix-foreign: folder\/tool: /);
  failure(run(['resolve', 'nosuch'], env), 127, /^nix-foreign: nosuch: no such file/);
  run(['forget', '--all']);
});

test('resolve, list, explain and forget say the same, for people and as JSON', () => {
  const resolved = run(['resolve', script]);
  assert.deepEqual([resolved.status, resolved.stderr], [0, '']);
  assert.equal(resolved.stdout.trim().split('\n').length, 1);
  const plan = JSON.parse(run(['resolve', '--json', script]).stdout);
  assert.equal(plan.program, script);
  assert.equal(plan.strategy, 'direct');

  const rows = JSON.parse(run(['list', '--json']).stdout);
  assert.deepEqual(
    rows.map((row: { program: string; state: string }) => [row.program, row.state]),
    [[script, 'ready']],
  );
  assert.match(run(['list']).stdout, new RegExp(`direct +${script}`));

  const explanation = JSON.parse(run(['explain', '--json', script]).stdout);
  assert.equal(explanation.kind, 'script');
  assert.match(run(['explain', script]).stdout, /^strategy +direct$/m);

  writeFileSync(script, '#!/bin/sh\necho changed\n');
  assert.notEqual(JSON.parse(run(['list', '--json']).stdout)[0].state, 'ready');

  assert.deepEqual(JSON.parse(run(['forget', '--json', script]).stdout), [script]);
  assert.deepEqual(JSON.parse(run(['list', '--json']).stdout), []);
  assert.match(run(['list']).stdout, /nix-run-foreign PROGRAM/);
  failure(run(['forget', script]), 125, /no plan is kept/);
});

test('forget --all with nothing to forget is no failure', () => {
  assert.deepEqual(run(['forget', '--all', '--json']), { status: 0, stdout: '[]\n', stderr: '' });
});

test('--all beside a program is refused, and nothing is forgotten', () => {
  assert.equal(run(['resolve', script]).status, 0);
  failure(run(['forget', '--all', script]), 125, /^nix-foreign: forget: --all stands beside/);
  assert.equal(JSON.parse(run(['list', '--json']).stdout).length, 1);
  failure(run(['unpatch', '--all', script]), 125, /^nix-foreign: unpatch: --all stands beside/);
  failure(run(['unpatch', '--all', '--tree', scratch]), 125, /--all stands beside/);
  run(['forget', '--all']);
});

test('a program that is gone can still be forgotten', () => {
  const gone = at('gone');
  copyFileSync(script, gone);
  assert.equal(run(['resolve', gone]).status, 0);
  chmodSync(gone, 0o755);
  spawnSync('rm', [gone]);
  assert.deepEqual(JSON.parse(run(['forget', '--json', './gone']).stdout), [gone]);
});

test('JSON keeps every character of a path', () => {
  const odd = at('odd \u0085\u007f\u001b é');
  writeFileSync(odd, '#!/bin/sh\n', { mode: 0o755 });
  const { stdout } = run(['resolve', '--json', odd]);
  assert.equal(JSON.parse(stdout).program, odd);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be printed
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  run(['forget', '--all']);
});

test('failures have their status, one cause and one remedy', () => {
  failure(run(['resolve', at('nothing')]), 127, /no such file/);
  failure(run(['resolve', scratch]), 126, /directory/);
  failure(run(['explain', '/etc/passwd']), 126, /not executable/);
  failure(run(['resolve', dynamic]), 126, /./);
  failure(run(['resolve', dynamic], { NIX_STORE_DIR: at('script', 'store') }), 125, /cannot read the store/);
});

test('a document that is not there is not found, and a text is no program', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  const secret = Buffer.concat([d, x].map((part) => Buffer.from(part, 'base64url'))).toString('base64');
  writeFileSync(at('key'), `test-1:${secret}`, { mode: 0o600 });
  for (const words of [['verify'], ['import'], ['sign', '--key', at('key')]] as const)
    failure(run(['fingerprint', ...words, at('nope.nix-fingerprint.json')]), 127, /no such file/);
  failure(run(['fingerprint', 'diff', at('nope'), at('nope')]), 127, /no such file/);
  writeFileSync(at('text'), 'some words\n');
  const shown = run(['fingerprint', 'show', at('text')]);
  failure(shown, 125, /neither a fingerprint nor a program/);
  assert.doesNotMatch(shown.stderr, /chmod/);
  copyFileSync('/bin/true', at('true'));
  chmodSync(at('true'), 0o644);
  failure(run(['fingerprint', 'show', at('true')]), 126, /it is not executable$/);
});

test('a directory without work says so, and what is no directory is refused', () => {
  mkdirSync(at('without'));
  for (const [words, said] of [
    [['patch', '--tree'], 'nothing to patch\n'],
    [['patch', '--check', '--tree'], 'there is no program to look at\n'],
    [['unpatch', '--tree'], 'nothing to unpatch\n'],
    [['shim', 'add', '--all'], 'nothing to add\n'],
  ] as const)
    assert.deepEqual(run([...words, at('without')]), { status: 0, stdout: said, stderr: '' });
  assert.deepEqual(run(['unpatch', '--all']), { status: 0, stdout: 'nothing to unpatch\n', stderr: '' });
  for (const command of ['patch', 'unpatch']) {
    failure(run([command, '--tree', script]), 125, /script: it is no directory$/);
    failure(run([command, '--tree', at('nope')]), 127, /nope: no such file or directory$/);
  }
  failure(run(['patch', '--tree', script, '-o', at('copy')]), 125, /it is no directory$/);
});

test('--json tells of each file, also where one cannot be looked at', () => {
  const { status, stdout } = run(['patch', '--check', '--json', at('without'), dynamic]);
  assert.equal(status, 126);
  const rows = JSON.parse(stdout) as { file: string; error?: { code: string } }[];
  assert.deepEqual(
    rows.map(({ file, error }) => [file, error !== undefined]),
    [
      [at('without'), true],
      [dynamic, false],
    ],
  );
});

test('dirs says what it changed', () => {
  const told = (word: string) => ({ status: 0, stdout: `${word} ${at('without')}\n`, stderr: '' });
  assert.deepEqual(run(['dirs', 'add', 'without']), told('added'));
  assert.deepEqual(run(['dirs', 'remove', 'without']), told('removed'));
  for (const action of ['add', 'remove'])
    assert.match(run(['dirs', action, '']).stderr, /an empty name is no directory\n/, action);
});

test('a name with a line end or an escape sequence stays in its line', () => {
  failure(run(['resolve', at('a\nb\u001b[31m')]), 127, /a\?b\?\[31m/);
});

test('asked by the launcher, messages carry its name, and nothing is on stdout', () => {
  const good = run(['resolve', '--from-launcher', '--', script]);
  assert.deepEqual(good, { status: 0, stdout: '', stderr: '' });
  const bad = run(['resolve', '--from-launcher', '--', at('nothing')]);
  failure(bad, 127, /^nix-run-foreign: /);
});

test('a program that is named like an option of ours is a program', () => {
  const odd = at('--refresh');
  copyFileSync(script, odd);
  assert.equal(run(['resolve', '--from-launcher', '--', odd]).status, 0);
  assert.equal(run(['resolve', '--', '--refresh']).status, 0);
});

test('HOME that is relative, missing, behind a file or a loop is as if it were not set', () => {
  writeFileSync(at('file'), '');
  spawnSync('ln', ['-s', 'loop', at('loop')]);
  for (const HOME of ['relative', at('missing'), at('file/home'), at('loop'), at('x'.repeat(300)), '']) {
    const { status, stderr } = run(['list', '--json'], { HOME });
    assert.deepEqual([status, stderr], [0, ''], HOME);
  }
});

test('a full or closed stdout is one line and a status, not a stack', {
  skip: process.platform !== 'linux',
}, () => {
  const full = openSync('/dev/full', 'w');
  try {
    const { status, stderr } = spawnSync(process.execPath, [MANAGER, '--help'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
      env: { PATH: '/usr/bin', HOME: at('home') },
    });
    assert.equal(status, 125, stderr);
    assert.match(stderr, /^nix-foreign: .*no space left/);
    assert.ok(stderr.trimEnd().split('\n').length <= 2, stderr);
  } finally {
    closeSync(full);
  }
});

test('doctor: all is there', () => {
  const object = path.join(store.location.storeDir, `${'0'.repeat(32)}-libc`);
  mkdirSync(object);
  const { status, stdout } = run(['doctor', '--json']);
  rmSync(object, { recursive: true });
  const checks = JSON.parse(stdout) as { subject: string; state: string; remedy?: string }[];
  const lacking = checks.filter(({ state }) => state === 'lack');
  assert.deepEqual(lacking, []);
  assert.equal(status, 0);
  for (const subject of ['nix', 'store', 'directories', 'catalogue', 'x86_64-linux']) {
    assert.ok(
      checks.some((each) => each.subject === subject),
      subject,
    );
  }
});

test('doctor: a store that holds nothing starts nothing, and the first sentence says so', () => {
  mkdirSync(at('empty-store'), { recursive: true });
  const { status, stdout } = run(['doctor'], { NIX_STORE_DIR: at('empty-store') });
  assert.equal(status, 1);
  assert.match(
    stdout,
    /^lack +starts +foreign programs cannot be started here now: \S+empty-store holds nothing/,
  );
  // A distribution's Nix has no channels.
  assert.match(stdout, /nix-env -f channel:nixpkgs-unstable -iA hello$/m);
});

test('doctor: a broken setting keeps all from starting, and is told with its line', () => {
  mkdirSync(at('config/nix-run-foreign'), { recursive: true });
  writeFileSync(at('config/nix-run-foreign/config.toml'), 'sources = 3\n', { mode: 0o600 });
  for (const [env, why] of [
    [{ XDG_CONFIG_HOME: at('config') }, /config\.toml:1: sources: it must be an array/],
    [{ NIX_RUN_FOREIGN_FETCH: 'maybe' }, /NIX_RUN_FOREIGN_FETCH must be ask, always or never/],
  ] as const) {
    const { status, stdout } = run(['doctor', '--json'], env);
    const checks = JSON.parse(stdout) as { subject: string; state: string; detail: string }[];
    const lacking = checks.filter(({ state }) => state === 'lack');
    assert.ok(
      lacking.some(({ subject, detail }) => subject === 'configuration' && why.test(detail)),
      stdout,
    );
    assert.match(lacking[0]?.detail ?? '', /^foreign programs cannot be started here now/);
    assert.equal(status, 1);
  }
});

test('a directory that others can lead elsewhere: config.toml in it is an error, and doctor says what does not count', () => {
  for (const [name, home] of [
    ['XDG_CONFIG_HOME', at('open/c')],
    ['HOME', at('open/home')],
  ] as const) {
    const env: Record<string, string> = { [name]: home, XDG_DATA_HOME: 'relative' };
    const directory = path.join(home, name === 'HOME' ? '.config' : '', 'nix-run-foreign');
    mkdirSync(directory, { recursive: true });
    chmodSync(at('open'), 0o777);
    assert.match(run(['config'], env).stdout, /^strict = false$/m);
    writeFileSync(path.join(directory, 'config.toml'), 'strict = true\n', { mode: 0o600 });
    const { status, stderr } = run(['config'], env);
    assert.equal(status, 125, name);
    assert.match(stderr, /config\.toml: it, or a directory on the way to it, can be replaced by others\n/);
    const checks = JSON.parse(run(['doctor', '--json'], env).stdout) as { subject: string; detail: string }[];
    const told = checks.filter(({ subject }) => subject === 'environment').map(({ detail }) => detail);
    assert.deepEqual(
      told.sort(),
      [
        `${name} does not count: others can change where ${home} leads`,
        'XDG_DATA_HOME does not count: it is no absolute path in UTF-8',
      ].sort(),
    );
    chmodSync(at('open'), 0o755);
    assert.match(run(['config'], env).stdout, /^strict = true$/m);
  }
});

test('config: where a file is broken the keys and their defaults are told, and what is wrong', () => {
  const env = { XDG_CONFIG_HOME: at('config') };
  const { status, stdout, stderr } = run(['config'], env);
  assert.equal(status, 125);
  assert.match(stdout, /^sources = \[\]$/m);
  assert.match(stderr, /config\.toml:1: sources: .*\n {2}.*nix-foreign config\n$/);
  assert.equal(JSON.parse(run(['config', '--json'], env).stdout).error.code, 'configuration');
});

test('doctor: every lack has a remedy, and the status says so', () => {
  const { status, stdout, stderr } = run(['doctor', '--json'], {
    NIX_STORE_DIR: at('none'),
    NIX_STATE_DIR: at('no-state'),
    XDG_CACHE_HOME: '/proc/cache',
  });
  assert.deepEqual([status, stderr], [1, '']);
  const checks = JSON.parse(stdout) as { subject: string; state: string; remedy?: string }[];
  const lacking = checks.filter(({ state }) => state === 'lack');
  const subjects = lacking.map(({ subject }) => subject).sort();
  assert.deepEqual(subjects, ['nix', 'own directories', 'starts', 'store']);
  for (const { remedy } of lacking) assert.ok(remedy && remedy.length > 10);
  assert.ok(!existsSync(at('no-state')), 'Nix made a store');
});

test('a command without options says of an unknown one what it can', () => {
  const row = { usage: 'bare <file>', summary: '', options: [], run: () => {} };
  const error = failureOfParsing({ code: 'commander.unknownOption', exitCode: 1 }, ['bare', '--x'], [row]);
  assert.equal((error as { hint?: unknown }).hint, 'see nix-foreign bare --help');
});

test('each command takes --json, and what is told instead of none is JSON too', () => {
  const without = COMMANDS.filter(({ options }) => !options.some(([flags]) => flags === '--json'));
  assert.deepEqual(
    without.map(({ usage }) => usage),
    [],
  );
  const planned = run(['resolve', '--dry-run', '--json', script]);
  assert.equal(planned.status, 0, planned.stderr);
  assert.deepEqual(JSON.parse(planned.stdout), {
    program: script,
    libraries: [],
    lacking: [],
    fetch: null,
    absent: [],
    error: null,
  });
});

test('ldd --json has a row for each, also for what cannot be listed', () => {
  const { status, stdout } = run(['ldd', '--json', script, at('nosuch')]);
  assert.equal(status, 127);
  const [first, second, ...others] = JSON.parse(stdout);
  assert.deepEqual(first, {
    program: script,
    objects: [],
    complaints: ['not a dynamic executable'],
    status: 1,
  });
  const { error, ...row } = second;
  assert.deepEqual(row, { program: at('nosuch'), objects: [], complaints: [], status: 127 });
  assert.match(error.message, /nosuch: no such file or directory$/);
  assert.deepEqual(others, []);
});

test('options that are meant for the Node of others do not end the command', () => {
  const { status, stderr } = spawnSync(path.resolve(import.meta.dirname, '../../bin/nix-foreign'), ['list'], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...store.nix.env, HOME: at('home'), NODE_OPTIONS: '--require /nowhere.js' },
  });
  assert.deepEqual([status, stderr], [0, '']);
});
