// Programs of npm and of Debian that start themselves and others of their package: by one prefix, each child starts.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { treePackage } from '../../rig/npm/tree-packages.ts';
import { ensureRig } from '../../rig/rig.ts';
import type { Bind } from '../../rig/root.ts';
import { homeInRoot } from '../../rig/root.ts';
import { foreign } from '../foreign-files.ts';
import type { ToolRoot } from '../tool.ts';
import { cases, giveHome, openViewRoot, putScript } from './view-root.ts';

const rig = await ensureRig('full');
const modules = path.resolve(import.meta.dirname, '../../../node_modules');
const version = readdirSync('/usr/lib').find(
  (name) => /^python3\.\d+$/.test(name) && existsSync(`/usr/bin/${name}`),
);
assert.ok(version, 'Debian has a Python');

/** As a system has it: everybody may make semaphores there. */
const shared = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-shm-'));
after(() => rmSync(shared, { recursive: true, force: true }));
chmodSync(shared, 0o1777);

const bind = (from: string, to: string): Bind => ({ from, to, mode: 'read-only' });
const binds: readonly Bind[] = [
  bind(await treePackage('sass'), '/opt/sass'),
  bind(await treePackage('deno'), '/opt/deno'),
  bind(await treePackage('bun'), '/opt/bun'),
  bind(path.join(modules, 'node'), '/opt/node'),
  bind(path.join(modules, '@biomejs/cli-linux-x64'), '/opt/biome'),
  bind(path.join('/usr/bin', version), '/opt/python/bin/python3'),
  bind(path.join('/usr/lib', version), path.join('/opt/python/lib', version)),
  { from: shared, to: '/dev/shm', mode: 'read-write' },
];

const FORKS = `
const { exec, fork, spawnSync } = require('node:child_process');
if (process.argv[2] === 'child') process.send('forked ' + process.execPath);
else {
  console.log('spawned', String(spawnSync(process.execPath, ['-p', '6*7'], { env: {} }).stdout).trim());
  exec('/opt/node/bin/node -p 1+1', (error, out) => {
    console.log('by a shell', error?.code ?? out.trim());
    fork(__filename, ['child']).on('message', (text) => console.log(text)).on('exit', (code) => console.log(code));
  });
}`;

const DENO = `
const { success, stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "console.log(6*7)"] }).output();
console.log(Deno.execPath(), success, new TextDecoder().decode(stdout).trim());`;

const PYTHON = `
import ctypes.util, multiprocessing, subprocess, sys
if __name__ == '__main__':
    print(sys.executable)
    print(subprocess.run([sys.executable, '-c', 'print(6*7)'], capture_output=True, text=True).stdout.strip())
    multiprocessing.set_start_method('spawn')
    with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, -2, 3]))
    print(ctypes.util.find_library('z'))
    print(ctypes.CDLL('libsqlite3.so.0')._name)`;

/** What a build tool does: the program comes while it runs, and is started at once. */
const DOWNLOADS = `
import { spawnSync } from 'node:child_process';
import { chmodSync, createReadStream, createWriteStream } from 'node:fs';
import { createServer, get } from 'node:http';
import { pipeline } from 'node:stream/promises';
const server = createServer((_, answer) => createReadStream('/opt/biome/biome').pipe(answer)).listen(0, '127.0.0.1', () =>
  get({ host: '127.0.0.1', port: server.address().port }, async (answer) => {
    await pipeline(answer, createWriteStream('/home/tester/fetched', { mode: 0o755 }));
    server.close();
    const { stdout, error } = spawnSync('/home/tester/fetched', ['--version'], { encoding: 'utf8' });
    console.log(error?.code ?? stdout.trim());
  }));`;

const BUILT = `console.log('built', Bun.spawnSync([process.argv[2] ?? '', '-p', '6*7']).stdout.toString().trim());`;

const TIMEOUT = 120_000;

async function started(root: ToolRoot, words: readonly string[], stdin?: string): Promise<string> {
  const [first = '', ...rest] = words;
  assert.notEqual((await root.bare(first, rest)).status, 0, 'bare it starts nothing');
  const { stdout, stderr, status } = await root.start(words, {
    timeoutMs: TIMEOUT,
    ...(stdin === undefined ? {} : { stdin }),
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

for (const { interpreter, uid } of cases) {
  const root = await openViewRoot(rig, { interpreter, uid, binds });
  const named = `interpreter ${interpreter}, user ${uid}`;
  const home = (file: string, text: string) => putScript(root, path.join(homeInRoot, file), text);
  const forks = home('forks.cjs', FORKS);
  const deno = home('deno.ts', DENO);
  const python = home('python.py', PYTHON);
  const helper = home('helper', '#!/usr/bin/python3\nimport sys\nprint(6*7, sys.executable)\n');
  const downloads = home('downloads.mjs', DOWNLOADS);
  const built = home('built.ts', BUILT);
  mkdirSync(path.join(root.homeDir, 'src'));
  home('src/a.js', 'const a = 1;\n');
  giveHome(root, uid);

  test(`${named}: sass, whose script starts a Dart beside it`, async () => {
    const css = await started(root, ['/opt/sass/dart-sass/sass', '--stdin'], 'a { b { c: d } }');
    assert.equal(css, 'a b {\n  c: d;\n}\n');
  });

  test(`${named}: node's execPath without an environment, exec, fork`, async () => {
    const node = '/opt/node/bin/node';
    const loader = await root.start(['--strategy', 'loader', node, '-p', 'process.execPath']);
    assert.match(loader.stdout, /ld-linux/);
    await root.manage(['resolve', '--strategy', 'auto', node]);
    assert.equal(await started(root, [node, forks]), `spawned 42\nby a shell 2\nforked ${node}\n0\n`);
  });

  test(`${named}: those that a library tells their path, Debian's node and nvim`, async () => {
    const node = foreign(rig, 'bullseye', 'nodejs').path;
    const text =
      'require("child_process").spawnSync(process.execPath, ["-p", "6*7"]).stdout.toString().trim()';
    assert.equal(await started(root, [node, '-p', text]), '42\n');
    const nvim = foreign(rig, 'trixie', 'nvim').path;
    const echo = '+echo v:progpath matchstr(system([v:progpath, "--version"]), "^NVIM")';
    const { stdout, stderr } = await root.start([nvim, '--headless', '-u', 'NONE', echo, '+q'], {
      timeoutMs: TIMEOUT,
    });
    assert.ok(`${stdout}${stderr}`.includes(`${nvim} NVIM`), `${stdout}${stderr}`);
  });

  test(`${named}: deno's execPath`, async () => {
    assert.equal(await started(root, ['/opt/deno/deno', 'run', '-A', deno]), '/opt/deno/deno true 42\n');
  });

  test(`${named}: Python's sys.executable, spawn, find_library; its virtual environment`, async () => {
    const program = '/opt/python/bin/python3';
    const said = `${program}\n42\n[1, 2, 3]\nlibz.so.1\nlibsqlite3.so.0\n`;
    assert.equal(await started(root, [program, python]), said);
    const venv = path.join(homeInRoot, 'venv');
    await started(root, [program, '-m', 'venv', '--without-pip', venv]);
    const text = `. ${venv}/bin/activate && python ${python}`;
    // The tree's first program is bash, which has no zlib; Python asks ldconfig, and that looks who asks.
    assert.equal(
      (await root.start([rig.bash, '-c', text])).stdout,
      said.replace(program, `${venv}/bin/python`),
    );
    assert.equal(
      await started(root, [`${venv}/bin/python`, '-c', 'import sys; print(sys.prefix)']),
      `${venv}\n`,
    );
  });

  test(`${named}: a helper that begins with /usr/bin/python3, which PATH has elsewhere`, async () => {
    const env = { PATH: `/opt/python/bin:/nix/var/nix/profiles/default/bin` };
    assert.notEqual((await root.bare(helper, [], { env })).status, 0);
    const { stdout, stderr } = await root.start(['--refresh', helper], { env, timeoutMs: TIMEOUT });
    assert.equal(stdout, '42 /opt/python/bin/python3\n', stderr);
  });

  test(`${named}: biome's server, which it starts of itself`, async () => {
    const biome = '/opt/biome/biome';
    assert.match(await started(root, [biome, 'start']), /server was successfully started/);
    // The server ends with the root's processes; one tree keeps it, and asks it.
    const text = `cd ${homeInRoot}/src && ${biome} start >/dev/null && ${biome} format --use-server a.js`;
    const { stdout, stderr } = await root.start([rig.bash, '-c', text], { timeoutMs: TIMEOUT });
    assert.match(stdout, /Checked 1 file/, stderr);
  });

  test(`${named}: a build tool starts what it has just downloaded`, async () => {
    assert.match(await started(root, ['/opt/node/bin/node', downloads]), /^Version: \d/);
  });

  test(`${named}: what bun compiles names the interpreter of the machine, and starts programs itself`, async () => {
    const file = path.join(homeInRoot, 'built');
    await started(root, ['/opt/bun/bin/bun', 'build', '--compile', built, '--outfile', file]);
    const { stdout } = await root.runOnHost({
      argv: ['readelf', '-lW', path.join(root.homeDir, 'built')],
    });
    assert.match(stdout, /interpreter: \/lib64\/ld-linux-x86-64\.so\.2\]/);
    assert.equal(await started(root, [file, '/opt/node/bin/node']), 'built 42\n');
    rmSync(path.join(root.homeDir, 'built'));
  });
}
