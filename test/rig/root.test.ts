// A root: what is in it, what a command in it gets and gives back, what lasts between commands.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { ensureRig, type Rig } from './rig.ts';
import { homeInRoot, openRoot, type Root, type RootOptions, runInRoot, withNix } from './root.ts';

let rig: Rig;

before(async () => {
  rig = await ensureRig('small');
});

async function inRoot<T>(options: RootOptions, use: (root: Root) => Promise<T>): Promise<T> {
  const root = await openRoot(rig, options);
  try {
    return await use(root);
  } finally {
    await root.close();
  }
}

const bash = (script: string) => ['bash', '-c', script] as const;

test('holds only what a NixOS-like place holds', async () => {
  const { stdout } = await runInRoot(rig, {
    argv: bash('cd / && echo *; echo /etc/* /lib64 /bin/sh; ls /nix'),
  });
  const above = rig.dir.split('/')[1] ?? '';
  const top = [...new Set(['dev', 'etc', 'home', 'nix', 'proc', 'tmp', above])].sort();
  const [found, etc, nix] = stdout.split('\n');
  assert.deepEqual(found?.split(' ').sort(), top);
  assert.equal(etc, '/etc/group /etc/nix /etc/passwd /lib64 /bin/sh');
  assert.equal(nix, 'store');
  assert.equal((await runInRoot(rig, { argv: ['/bin/sh'] })).status, 127);
  assert.equal(
    (await runInRoot(rig, { argv: bash('test -e /lib64 || test -e /usr || test -e /bin') })).status,
    1,
  );
});

test('gives arguments, environment, stdin and directory; takes output and status', async () => {
  const outcome = await runInRoot(rig, {
    argv: ['bash', '-c', 'pwd; echo "$1" "$X" "$HOME" "[$USER]"; cat; echo no >&2; exit 7', 'sh', 'a b'],
    env: { X: 'x', USER: undefined },
    stdin: 'from stdin',
    cwd: '/tmp',
  });
  assert.equal(outcome.stdout, `/tmp\na b x ${homeInRoot} []\nfrom stdin`);
  assert.equal(outcome.stderr, 'no\n');
  assert.equal(outcome.status, 7);
  assert.equal(outcome.signal, null);
});

test('tells a signal from a status', async () => {
  const killed = await runInRoot(rig, { argv: bash('kill -SEGV $$') });
  assert.deepEqual([killed.status, killed.signal], [null, 'SIGSEGV']);
  const exited = await runInRoot(rig, { argv: bash('exit 139') });
  assert.deepEqual([exited.status, exited.signal], [139, null]);
});

test('ends a command that takes too long', async () => {
  const outcome = await runInRoot(rig, { argv: bash('sleep 1000'), timeoutMs: 300 });
  assert.ok(outcome.timedOut);
  assert.notEqual(outcome.status, 0);
});

test('a path of the host below /tmp, such as a checkout, is seen there by every user', async () => {
  const above = mkdtempSync(join(tmpdir(), 'nix-run-foreign-checkout-'));
  try {
    chmodSync(above, 0o755);
    const checkout = join(above, 'deep/project');
    mkdirSync(checkout, { recursive: true, mode: 0o755 });
    writeFileSync(join(checkout, 'file'), 'seen');
    const binds = [{ from: checkout, mode: 'read-only' }] as const;
    const outcome = await runInRoot(rig, { uid: 1000, binds, argv: bash(`cat ${checkout}/file`) });
    assert.deepEqual([outcome.stdout, outcome.stderr], ['seen', '']);
  } finally {
    rmSync(above, { recursive: true, force: true });
  }
});

test('keeps home, /tmp and the store between commands, and forgets them at the end', async () => {
  const homeDir = await inRoot({}, async (root) => {
    await root.run({ argv: bash('echo kept > ~/file; echo kept > /tmp/file; echo kept > /nix/file') });
    const again = await root.run({ argv: bash('cat ~/file /tmp/file /nix/file') });
    assert.equal(again.stdout, 'kept\nkept\nkept\n');
    assert.equal(readFileSync(join(root.homeDir, 'file'), 'utf8'), 'kept\n');
    assert.equal(readFileSync(join(root.nixDir, 'file'), 'utf8'), 'kept\n');
    return root.homeDir;
  });
  assert.ok(!existsSync(homeDir));
  assert.ok(!existsSync(join(rig.nixDir, 'file')));
});

test('runs several commands at the same time', async () => {
  await inRoot({}, async (root) => {
    // Each waits for the other, so one after the other would never end.
    const [one, two] = await Promise.all([
      root.run({ argv: bash('mkfifo ~/a 2>/dev/null; echo one > ~/a') }),
      root.run({ argv: bash('mkfifo ~/a 2>/dev/null; cat ~/a') }),
    ]);
    assert.equal(one.status, 0);
    assert.equal(two.stdout, 'one\n');
  });
});

test('another user owns the home and cannot write the store', async () => {
  await inRoot({ uid: 1234 }, async (root) => {
    const { stdout } = await root.run({
      argv: bash('id -u; touch ~/own && stat -c %u ~/own; touch /nix/own'),
    });
    assert.equal(stdout, '1234\n1234\n');
    const nix = await root.run({ argv: ['nix-store', '--add', '/etc/passwd'] });
    assert.notEqual(nix.status, 0);
  });
});

test('with a daemon another user adds to the store, and a root in the home keeps it', async () => {
  await inRoot({ uid: 1234, daemon: 'running' }, async (root) => {
    const script = `kept=$(nix-store --add /etc/passwd) && lost=$(nix-store --add /etc/group) &&
      nix-store --realise --add-root ~/link $kept && nix-store --gc >/dev/null 2>&1; ls $kept; ls $lost`;
    const { stdout, stderr } = await root.run({ argv: bash(script) });
    assert.match(stdout, /^\/home\/tester\/link\n\/nix\/store\/[a-z0-9]{32}-passwd\n$/);
    assert.match(stderr, /cannot access '\/nix\/store\/[a-z0-9]{32}-group'/);
  });
});

test('binds are visible where they are asked for', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nix-run-foreign-bind-'));
  try {
    chmodSync(directory, 0o755);
    writeFileSync(join(directory, 'file'), 'bound');
    const binds = [
      { from: directory, mode: 'read-write' },
      { from: join(directory, 'file'), to: '/opt/a/b', mode: 'read-only' },
    ] as const;
    await inRoot({ binds, uid: 1234 }, async (root) => {
      const { stdout } = await root.run({ argv: bash(`cat ${directory}/file /opt/a/b; echo x > /opt/a/b`) });
      assert.equal(stdout, 'boundbound');
    });
    assert.equal(readFileSync(join(directory, 'file'), 'utf8'), 'bound');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('what is read-only cannot be written, the rest can', async () => {
  const touch = (path: string) => `touch ${path}/x 2>/dev/null; echo $?`;
  const script = ['~', '/nix', '/tmp'].map(touch).join('; ');
  const outcome = await runInRoot(rig, { readOnly: ['home', 'nix'], argv: bash(script) });
  assert.equal(outcome.stdout, '1\n1\n0\n');
});

test('a process that the test holds itself gets its descriptors, and on the host its signals', async () => {
  const program = import.meta.filename;
  await inRoot({}, async (root) => {
    const inside = root.wordsOf({ argv: bash('cat <&3') });
    const [file = '', ...args] = inside.words;
    const third = openSync(program, 'r');
    const held = spawnSync(file, args, {
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', third],
      encoding: 'utf8',
      timeout: 10_000,
    });
    closeSync(third);
    assert.equal(held.stdout, readFileSync(program, 'utf8'));
    const host = root.wordsOnHost({ argv: ['sh', '-c', 'echo ready; exec sleep 1000'] });
    const [enter = '', ...rest] = host.words;
    const env = { PATH: host.env['PATH'] };
    const sleeping = spawn(enter, rest, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    await once(sleeping.stdout, 'data');
    sleeping.kill('SIGINT');
    assert.deepEqual(await once(sleeping, 'exit'), [null, 'SIGINT']);
  });
});

test('a host command has no descriptor but the first three', async () => {
  const { stdout } = await withNix(rig, {
    argv: ['sh', '-c', 'for n in 3 4 5; do test -e /proc/$$/fd/$n && echo $n; done; true'],
  });
  assert.equal(stdout, '');
});

test('a host command sees the store of the root, and keeps its signals', async () => {
  const listed = await withNix(rig, { argv: ['sh', '-c', `test -x ${rig.node} && test -x /usr/bin/env`] });
  assert.equal(listed.status, 0);
  const killed = await withNix(rig, { argv: ['sh', '-c', 'kill -TERM $$'] });
  assert.deepEqual([killed.status, killed.signal], [null, 'SIGTERM']);
});

test('the interpreter is a link into the store, as on NixOS, and survives the collector', async () => {
  const script = 'nix-store --gc >/dev/null 2>&1; readlink /lib64/ld-linux-x86-64.so.2; test -x /lib64/*';
  for (const [interpreter, path] of [
    ['nix-ld', /^\/nix\/store\/[a-z0-9]{32}-nix-ld-2\.0\.6\/libexec\/nix-ld\n$/],
    ['stub-ld', /^\/nix\/store\/[a-z0-9]{32}-stub-ld-[^/]*\n$/],
  ] as const) {
    const outcome = await runInRoot(rig, { interpreter, argv: bash(script) });
    assert.match(outcome.stdout, path);
    assert.equal(outcome.status, 0);
  }
});

test('a foreign program meets stub-ld, and runs under nix-ld', async () => {
  const [program] = rig.foreign;
  assert.ok(program);
  const argv = [program.path, ...program.args] as const;
  const env = { NIX_LD: program.loader, NIX_LD_LIBRARY_PATH: program.libraryDirectories.join(':') };
  const stub = await runInRoot(rig, { interpreter: 'stub-ld', argv, env });
  assert.equal(stub.status, 127);
  assert.match(stub.stderr, /^Could not start dynamically linked executable: .*\nNixOS cannot run/);
  const real = await runInRoot(rig, { interpreter: 'nix-ld', argv, env });
  assert.match(real.stdout, program.expect);
  assert.equal(real.status, 0);
});
