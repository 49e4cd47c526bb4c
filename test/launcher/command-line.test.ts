// The launcher's own options, and that nothing from PROGRAM on is taken for one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, openWorkshop, putScript, resolving, run, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';

const workshop = await openWorkshop();
const { version } = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../package.json'), 'utf8'),
) as { version: string };

test('--help goes to standard output and fits one screen', async () => {
  const { code, stdout, stderr } = await run(workshop, ['--help']);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /^Usage: nix-run-foreign /);
  const lines = stdout.trimEnd().split('\n');
  assert.ok(lines.length <= 24 && lines.every((line) => line.length <= 80), stdout);
  for (const option of ['--explain', '--rehash', '--refresh', '--version'])
    assert.ok(stdout.includes(option));
});

test('-h is --help', async () => {
  assert.deepEqual(await run(workshop, ['-h']), await run(workshop, ['--help']));
});

test('--version prints the version of package.json', async () => {
  const { code, stdout } = await run(workshop, ['--version']);
  assert.deepEqual([code, stdout], [0, `nix-run-foreign ${version}\n`]);
});

test('--version to a full device fails', async () => {
  const command = `'${workshop.launcher}' --version > /dev/full`;
  assert.equal((await runCommand(workshop, ['sh', '-c', command])).code, 125);
});

for (const args of [
  ['--hlep', 'true'],
  ['-x', 'true'],
  ['--explain=yes', 'true'],
  ['--refresh', '--no', 'true'],
])
  test(`${args.join(' ')} is refused`, async () => {
    const { code, stdout, stderr } = await run(workshop, args);
    assert.deepEqual([code, stdout], [125, '']);
    assert.match(stderr, /^nix-run-foreign: -\S+: unknown option\n {2}see nix-run-foreign --help\n$/);
  });

for (const args of [[], ['--'], ['--refresh'], ['--explain', '--']])
  test(`no program in [${args.join(' ')}]`, async () => {
    const { code, stderr } = await run(workshop, args);
    assert.equal(code, 125);
    assert.match(stderr, /^nix-run-foreign: no program is named\n {2}\S/);
  });

const echo = putScript(workshop.directory, 'echo-arguments', 'printf "<%s>" "$@"');

for (const [args, printed] of [
  [['--', echo, '--', '--help'], '<--><--help>'],
  [[echo, '--help', '--version', '--', '-x'], '<--help><--version><--><-x>'],
  [[echo, '--refresh', ''], '<--refresh><>'],
] as const)
  test(`arguments of the program are its own: ${printed}`, async () => {
    putPlan(workshop.place, echo, planText(echo));
    const { code, stdout, stderr } = await run(workshop, args);
    assert.deepEqual([code, stdout, stderr], [0, printed, '']);
  });

for (const [options, mode] of [
  [['--rehash'], '--rehash'],
  [['--refresh'], '--refresh'],
  [['--refresh', '--rehash'], '--refresh'],
  [['--strategy', 'patched'], '--rehash --strategy patched'],
  [['--refresh', '--strategy', 'auto'], '--refresh --strategy auto'],
] as const)
  test(`${options.join(' ')} runs the resolver also on a hit`, async () => {
    const script = putScript(
      workshop.directory,
      'modes',
      `printf '%s ' "$@" >&2; ${resolving(workshop, echo)}`,
    );
    putPlan(workshop.place, echo, planText(echo));
    const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: script };
    const { code, stdout, stderr } = await run(workshop, [...options, echo, 'a'], { env });
    assert.deepEqual([code, stdout], [0, '<a>']);
    assert.equal(stderr, `resolve --from-launcher ${mode} -- ${echo} `);
  });

test('--strategy wants a name', async () => {
  const { code, stderr } = await run(workshop, ['--strategy']);
  assert.equal(code, 125);
  assert.match(stderr, /^nix-run-foreign: --strategy: it wants a name\n/);
});

test('--explain becomes nix-foreign explain', async () => {
  const script = putScript(workshop.directory, 'explainer', `printf '%s ' "$@"; cat; exit 3`);
  const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: script };
  const command = `echo input | '${workshop.launcher}' --explain '${echo}' a b; echo $?`;
  const { stdout } = await runCommand(workshop, ['sh', '-c', command], { env });
  assert.equal(stdout, `explain -- ${echo} input\n3\n`);
});

const report = compile(workshop, 'report-state');
const output = path.join(workshop.directory, 'report');

test('--argv0 NAME: what the program is told, and nothing else', async () => {
  putPlan(workshop.place, report, planText(report));
  for (const [words, argv0] of [
    [['--argv0', 'other', report, output], 'other'],
    [['--argv0', '', '--', report, output], ''],
    [[`--shim=${report}`, '/home/me/shims/report', output], report],
    [['--argv0', 'unheard', `--shim=${report}`, 'shim', output], report],
  ] as const) {
    const { code, stderr } = await run(workshop, [...words]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(readFileSync(output, 'utf8'), new RegExp(`^argv 0 ${argv0}$`, 'm'));
  }
});

for (const words of [['--argv0'], ['--argv0', 'name'], ['--shim=/bin/true'], ['--shim=', 'x'], ['--shim']])
  test(`refused: ${words.join(' ')}`, async () => {
    const { code, stdout, stderr } = await run(workshop, words);
    assert.deepEqual([code, stdout], [125, '']);
    assert.match(stderr, /: (it wants a name|no program is named|--shim: unknown option)/);
  });
