// A Debian with Nix, Node and npm, no compiler and nothing of ours: the README's section "With npm", line by line.
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { type Bind, homeInRoot, openRoot } from '../../rig/root.ts';
import { copyHome, foreign, onHost } from '../foreign-files.ts';
import { openShell } from '../hooks/shell-session.ts';
import { npmScript, packTool } from './packed.ts';
import { blocksOf, startupLine } from './readme.ts';
import { INSTALLED_SHELLS } from './shells.ts';

const HEADING = 'With npm, on any Linux';
const rig = await ensureRig('full');
const npm = path.resolve(npmScript(), '../..');
const directories: Bind[] = ['bin', 'lib', 'lib64'].map((name) => ({
  from: `/usr/${name}`,
  to: `/${name}`,
  mode: 'read-only',
}));
const isThere = (file: string): boolean => existsSync(file);
/** The compilers of this machine, which that one lacks. */
const compilers = [
  ...new Set(
    ['cc', 'gcc', 'clang', 'tcc']
      .map((name) => `/usr/bin/${name}`)
      .filter(isThere)
      .map((file) => realpathSync(file)),
  ),
];
const binds: Bind[] = [
  { from: '/usr', mode: 'read-only' },
  ...directories,
  ...(npm.startsWith('/usr/') ? [] : [{ from: npm, mode: 'read-only' } as const]),
  { from: '/dev/pts', mode: 'read-write' },
  ...compilers
    .flatMap((file) => [file, file.replace(/^\/usr/, '')])
    .map((to): Bind => ({ from: '/dev/null', to, mode: 'read-only' })),
];
const root = { ...(await openRoot(rig, { binds })), rig };
after(() => root.close());

const vendor = foreign(rig, 'bookworm', 'redis-cli');
copyHome(root, vendor, 'opt/vendor/bin/redis-cli');
const version = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, '../../../package.json'), 'utf8'),
).version;
const [make, install] = blocksOf(HEADING);
/** What the machine's own startup file has: its Node is in ~/bin. */
const machine = 'export PATH="$PATH:/usr/bin:/bin"';

function furnish(): void {
  const at = (name: string) => onHost(root, path.join(homeInRoot, name));
  mkdirSync(at('bin'));
  symlinkSync(rig.node, at('bin/node'));
  writeFileSync(at('bin/npm'), `#!/bin/sh\nexec node ${npmScript()} "$@"\n`);
  chmodSync(at('bin/npm'), 0o755);
}

test('without us the vendor program does not run', async () => {
  furnish();
  const { status, stderr } = await root.run({
    argv: [`${homeInRoot}/opt/vendor/bin/redis-cli`, '--version'],
  });
  assert.equal(status, 127);
  assert.match(stderr, /error while loading shared libraries/);
  const shell = await openShell(root, 'bash', machine);
  try {
    assert.equal((await shell.run('redis-cli --version')).status, 127);
    assert.equal((await shell.run('nix-run-foreign --version')).status, 127);
    for (const compiler of ['cc', 'gcc', 'clang'])
      assert.notEqual((await shell.run(`${compiler} --version`)).status, 0, compiler);
  } finally {
    shell.close();
  }
});

test('the archive is made as the first lines say, and has the name in the next ones', () => {
  assert.equal(
    make?.text.split(/ +#/)[0],
    'npm ci --ignore-scripts && npm run build && npm pack --ignore-scripts',
  );
  assert.ok(make?.text.endsWith(`# nix-run-foreign-${version}.tgz`), make?.text);
  // `npm ci` needs the registry; this project was built already, and is packed the same way.
  const { archive } = packTool();
  assert.equal(path.basename(archive), `nix-run-foreign-${version}.tgz`);
  copyFileSync(archive, onHost(root, path.join(homeInRoot, path.basename(archive))));
});

test('every line of the installation succeeds', async () => {
  const shell = await openShell(root, 'bash', machine);
  try {
    const lines = install?.text.split('\n') ?? [];
    assert.ok(lines.length >= 4);
    for (const line of lines) {
      const { status, output } = await shell.run(line);
      assert.equal(status, 0, `${line}\n${output}`);
    }
    assert.match(
      (await shell.run('nix-run-foreign --version')).output,
      new RegExp(`nix-run-foreign ${version}`),
    );
    const { output } = await shell.run('head -c 4 ~/.local/bin/nix-run-foreign | tail -c 3; echo');
    assert.match(output, /^ELF/);
    assert.match((await shell.run('nix-foreign doctor | grep launcher')).output, /^ok +launcher/);
    assert.match(
      (await shell.run('nix-run-foreign opt/vendor/bin/redis-cli --version')).output,
      vendor.expect,
    );
  } finally {
    shell.close();
  }
});

const pathLine = install?.text.split('\n').find((line) => line.startsWith('export PATH')) ?? '';

for (const shell of INSTALLED_SHELLS) {
  test(`${shell}: the vendor program runs by its own name`, async () => {
    const line = startupLine(HEADING, shell);
    const session = await openShell(root, shell, [machine, pathLine, line].join('\n'));
    try {
      const answer = await session.run('redis-cli --version | cat');
      assert.match(answer.output, vendor.expect);
      assert.equal(answer.status, 0);
      assert.equal((await session.run('redis-cli --no-such-option')).status, 1);
      assert.equal((await session.run('no-such-command')).status, 127);
    } finally {
      session.close();
    }
  });
}
