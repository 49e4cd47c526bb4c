// Exit statuses, deaths, process ids, standard input, shared offsets, the terminal: the program's own, hit or miss.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { foreign, onHost } from '../foreign-files.ts';
import { planFiles } from '../saved-state.ts';
import { launcher, openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const jq = foreign(rig, 'bookworm', 'jq');
const end = path.join(homeInRoot, 'end');
const report = path.join(homeInRoot, 'report');
const reportSource = path.resolve(import.meta.dirname, '../../launcher/programs/report-state.c');
compile(onHost(root, end), readFileSync(path.join(import.meta.dirname, 'programs/end.c'), 'utf8'));
compile(onHost(root, report), readFileSync(reportSource, 'utf8'), ['-w']);
assert.equal((await root.bare(end, ['exit', '3'])).status, 127);

/** Makes the next start a miss. */
function forgetPlans(): void {
  for (const file of planFiles(root)) rmSync(file);
}

const shell = (script: string, stdin?: string) =>
  root.run({ argv: [rig.bash, '-c', script], ...(stdin === undefined ? {} : { stdin }) });

test('every exit status, on hits', async () => {
  const script = `for i in {0..255}; do ${launcher} ${end} exit $i; [ $? = $i ] || echo "$i: $?"; done; echo done`;
  const { stdout, stderr } = await shell(script);
  assert.deepEqual([stdout, stderr], ['done\n', '']);
});

test('exit statuses that are also our own, on misses', async () => {
  for (const status of [0, 1, 125, 126, 127, 255]) {
    forgetPlans();
    const outcome = await root.start([end, 'exit', String(status)]);
    assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [status, '', '']);
  }
});

for (const signal of ['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGPIPE', 'SIGINT', 'SIGUSR1'] as const)
  test(`death by ${signal}`, async () => {
    forgetPlans();
    for (const when of ['miss', 'hit']) {
      const outcome = await root.start([end, 'signal', String(constants.signals[signal])]);
      assert.deepEqual([outcome.status, outcome.signal, outcome.stderr], [null, signal, ''], when);
    }
  });

test("the launcher's process id and parent", async () => {
  forgetPlans();
  for (const when of ['miss', 'hit']) {
    const { stdout } = await shell(`${launcher} ${report} ~/out & echo "pid $!
ppid $$"; wait`);
    assert.ok(readFileSync(onHost(root, `${homeInRoot}/out`), 'utf8').startsWith(stdout), when);
  }
});

test('standard input is left to the program', async () => {
  forgetPlans();
  for (const when of ['miss', 'hit']) {
    const { stdout, stderr } = await root.start([jq.path, '.a'], { stdin: '{"a": "mine"}' });
    assert.deepEqual([stdout, stderr], ['"mine"\n', ''], when);
  }
});

test('offsets of inherited descriptors are shared', async () => {
  writeFileSync(path.join(root.homeDir, 'text'), 'one two three four\n');
  forgetPlans();
  const { stdout, stderr } = await shell(
    `exec 5< ~/text; for i in 1 2; do ${launcher} ${end} read 4; echo; done; read -u 5 rest; echo "$rest"`,
  );
  assert.deepEqual([stdout, stderr], ['one \ntwo \nthree four\n', '']);
});

test('the end of a pipe', async () => {
  const { stdout, stderr } = await shell(`${launcher} ${end} exit 7 | cat; echo "\${PIPESTATUS[0]}"`);
  assert.deepEqual([stdout, stderr], ['7\n', '']);
});

test('the terminal stays in control, in the foreground', () => {
  forgetPlans();
  for (const when of ['miss', 'hit']) {
    const { words } = root.wordsOf({ argv: [launcher, report, `${homeInRoot}/out`] });
    const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    // enter-root wants a status descriptor.
    const { stdout } = spawnSync('script', ['-qec', `${quoted} 3> /dev/null`, '/dev/null'], {
      encoding: 'utf8',
    });
    const seen = readFileSync(onHost(root, `${homeInRoot}/out`), 'utf8');
    assert.match(seen, /^terminal yes foreground 1$/m, when + stdout);
    assert.match(seen, /^fd 0 \/dev\/(pts\/\d+|console)$/m);
  }
});
