// A miss: how the resolver is called, and what its ending makes of the launcher's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { openWorkshop, putScript, resolving, run, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { asRoot, needTool } from './tool-fixture.ts';

const workshop = await openWorkshop();
const program = putScript(workshop.directory, 'program', 'echo "started $*"; exit 7');
const link = path.join(workshop.directory, 'link');
symlinkSync('program', link);
beforeEach(() => rmSync(workshop.cache, { recursive: true, force: true }));

/** The environment in which a script with this body is the resolver. */
function withResolver(body: string): { env: Record<string, string> } {
  const script = putScript(workshop.directory, 'resolver', body);
  return { env: { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: script } };
}

test('a miss resolves the real path, then starts the program; the next start is a hit', async () => {
  const called = path.join(workshop.directory, 'called');
  const options = withResolver(`printf '%s\\n' "$@" >> '${called}'; ${resolving(workshop, program)}`);
  for (let times = 0; times < 2; times++) {
    const { code, stdout, stderr } = await run(workshop, [link, 'x', 'y'], options);
    assert.deepEqual([code, stdout, stderr], [7, 'started x y\n', '']);
  }
  assert.equal(readFileSync(called, 'utf8'), `resolve\n--from-launcher\n--found\n${link}\n--\n${program}\n`);
});

test('a program with file capabilities is named as one, whatever the options', asRoot, async () => {
  const capable = putScript(workshop.directory, 'capable', 'exit 0');
  // A vfs_cap_data of revision 2 with CAP_NET_RAW permitted and effective (linux/capability.h).
  const value = '0x0100000200200000000000000000000000000000';
  needTool('setfattr', 'attr');
  execFileSync('setfattr', ['-n', 'security.capability', '-v', value, capable]);
  const options = withResolver('echo "$*" >&2; exit 126');
  const { stderr } = await run(workshop, ['--refresh', capable], options);
  assert.equal(stderr, `resolve --from-launcher --refresh --with-capabilities -- ${capable}\n`);
});

for (const chosen of [undefined, ''])
  test(`the resolver of the build runs, with NIX_RUN_FOREIGN_RESOLVER ${chosen ?? 'unset'}`, async () => {
    const { NIX_RUN_FOREIGN_RESOLVER: _, ...environment } = workshop.environment;
    const body = `echo "$0 $*" >&2; ${resolving(workshop, program)}`;
    writeFileSync(path.join(workshop.directory, 'built-in-resolver'), body);
    const env = chosen === undefined ? environment : { ...environment, NIX_RUN_FOREIGN_RESOLVER: chosen };
    const { code, stderr } = await run(workshop, [program], { env });
    assert.equal(code, 7);
    const script = path.join(workshop.directory, 'built-in-resolver');
    assert.equal(stderr, `${script} resolve --from-launcher -- ${program}\n`);
  });

for (const status of [125, 126, 127])
  test(`exit status ${status} of the resolver is passed on, and only its message is printed`, async () => {
    const { code, stdout, stderr } = await run(
      workshop,
      [program],
      withResolver(`echo out; echo cause >&2; exit ${status}`),
    );
    assert.deepEqual([code, stdout, stderr], [status, '', 'cause\n']);
  });

for (const [ending, cause] of [
  ['exit 1', 'the resolver failed with exit status 1'],
  ['exit 255', 'the resolver failed with exit status 255'],
  ['kill -SEGV $$', 'the resolver was ended by signal 11'],
  ['kill -TERM $$', 'the resolver was ended by signal 15'],
  [':', `${program}: resolved, but its plan cannot be used: there is no directory of plans`],
] as const)
  test(`the resolver ends by: ${ending}`, async () => {
    const { code, stderr } = await run(workshop, [program], withResolver(ending));
    assert.equal(code, 125);
    assert.match(stderr, /^nix-run-foreign: [^\n]+\n {2}\S[^\n]+\n$/);
    assert.equal(stderr.split('\n')[0], `nix-run-foreign: ${cause}`);
  });

test('a plan that is not valid after resolving is named', async () => {
  const body = `chmod -R a+w '${workshop.place}'`;
  putPlan(workshop.place, program, 'nonsense');
  const { code, stderr } = await run(workshop, [program], withResolver(body));
  assert.equal(code, 125);
  assert.match(stderr, /its plan cannot be used: the directory of plans is not only ours to write\n/);
});

for (const [name, resolver, cause] of [
  ['relative', 'bin/resolver', 'NIX_RUN_FOREIGN_RESOLVER is not an absolute path'],
  ['missing', '/nowhere/resolver', '/nowhere/resolver: the resolver cannot be started: no such file'],
  ['not executable', '/etc/passwd', '/etc/passwd: the resolver cannot be started: permission denied'],
] as const)
  test(`a resolver that is ${name}`, async () => {
    const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: resolver };
    for (const args of [[program], ['--explain', program]]) {
      const { code, stdout, stderr } = await run(workshop, args, { env });
      assert.deepEqual([code, stdout], [125, '']);
      assert.ok(stderr.startsWith(`nix-run-foreign: ${cause}`), stderr);
      assert.match(stderr, /^[^\n]+\n {2}\S[^\n]+\n$/);
    }
  });

test('a resolver for which there is no process left', asRoot, async () => {
  const user = [
    'setpriv',
    '--reuid=4321',
    '--regid=4321',
    '--clear-groups',
    'prlimit',
    '--nproc=1:1',
  ] as const;
  const { env } = withResolver('exit 0');
  const { code, stderr } = await runCommand(workshop, [...user, workshop.launcher, program], { env });
  assert.equal(code, 125);
  assert.equal(
    stderr,
    `nix-run-foreign: ${env['NIX_RUN_FOREIGN_RESOLVER']}: the resolver cannot be started: too many processes\n` +
      '  raise the limit: ulimit -S -u hard, or pids.max of its cgroup\n',
  );
});

test('a resolver that dies of SIGINT takes the launcher with it', async () => {
  const { code, signal } = await run(workshop, [program], withResolver('kill -INT $$'));
  assert.deepEqual([code, signal], [null, 'SIGINT']);
});

test('a program that is changed while it is resolved is not started by an old plan', async () => {
  const stale = putScript(workshop.directory, 'stale', 'echo old');
  const body = `${resolving(workshop, stale)}; echo 'echo new' >> '${stale}'`;
  const { code, stdout, stderr } = await run(workshop, [stale], withResolver(body));
  assert.deepEqual([code, stdout], [125, '']);
  assert.match(stderr, /the program has changed since/);
});

test('a program that vanishes while it is resolved is not found', async () => {
  const brief = putScript(workshop.directory, 'brief', 'echo old');
  const { code, stderr } = await run(workshop, [brief], withResolver(`rm '${brief}'`));
  assert.equal(code, 127);
  assert.match(stderr, /no such file/);
});

test('the debug log says why each place has no plan', async () => {
  const options = withResolver('exit 125');
  const env = { ...options.env, NIX_RUN_FOREIGN_DEBUG: '1' };
  const { stderr } = await run(workshop, [program], { env });
  assert.match(stderr, /^(nix-run-foreign: debug: there is no .+\n){2}$/);
  mkdirSync(workshop.cache);
  putPlan(workshop.place, program, planText(program, ['f/nowhere']));
  const { stderr: second } = await run(workshop, [program], { env });
  assert.match(second, /^nix-run-foreign: debug: a file of the plan is gone: \/nowhere\n/);
  const quiet = await run(workshop, [program], { env: { ...env, NIX_RUN_FOREIGN_DEBUG: '0' } });
  assert.equal(quiet.stderr, '');
});

test('the way by which the program was found is passed on where it is not the real path', async () => {
  const link = path.join(workshop.directory, 'link-to-it');
  symlinkSync(program, link);
  const tell = putScript(workshop.directory, 'tell', 'echo "$@" >&2; exit 127');
  const { stderr } = await run(workshop, ['--refresh', link], {
    env: { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: tell },
  });
  assert.equal(stderr, `resolve --from-launcher --refresh --found ${link} -- ${program}\n`);
});

test('a plan that does not hold when it is looked at is made once more, and not a third time', async () => {
  const called = path.join(workshop.directory, 'called-twice');
  const brief = path.join(workshop.directory, 'a-library');
  const twice = (second: string) =>
    withResolver(`
if [ -e '${called}' ]; then ${second}; fi
echo x >> '${called}'
touch '${brief}'
${resolving(workshop, program, [`f${brief}`])}
[ "$(wc -l < '${called}')" -gt 1 ] || rm '${brief}'`);
  const { code, stdout } = await run(workshop, [program], twice(':'));
  assert.deepEqual([code, stdout], [7, 'started \n']);
  assert.equal(readFileSync(called, 'utf8'), 'x\nx\n');
  rmSync(workshop.cache, { recursive: true });
  const never = withResolver(`echo x >> '${called}'; ${resolving(workshop, program, ['f/nowhere'])}`);
  const lost = await run(workshop, [program], never);
  assert.equal(lost.code, 125);
  assert.match(lost.stderr, /its plan cannot be used: a file of the plan is gone/);
  assert.equal(readFileSync(called, 'utf8'), 'x\nx\nx\nx\n');
});
