// How a program is started where nix-ld sits: through the launcher, or as the user wants it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { on32Bit } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { launcher, openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const source =
  '#include <stdio.h>\nextern char **environ;\nint main(void) { for (char **e = environ; *e; e++) puts(*e); }';
const program = path.join(homeInRoot, 'bin/program');

const root = await openToolRoot(rig, { interpreter: 'nix-ld' });
mkdirSync(path.dirname(onHost(root, program)), { recursive: true });
compile(onHost(root, program), source);
const requested = (name: string) => ({ env: { NIX_RUN_FOREIGN_STRATEGY: name } });

interface Explained {
  readonly strategy: string;
  readonly why: string;
  readonly loader: string;
}
const explain = async () =>
  JSON.parse((await root.manage(['explain', '--json', program])).stdout) as Explained;

/** What the program sees of nix-ld's variables, sorted. */
async function variables(settings = {}): Promise<string[]> {
  const { stdout, stderr, status } = await root.start([program], settings);
  assert.deepEqual([status, stderr], [0, '']);
  return stdout
    .split('\n')
    .filter((line) => /^NIX_LD|LIBRARY_PATH/.test(line))
    .sort();
}

test('nix-ld is told to enter the launcher, and nothing else', async () => {
  assert.deepEqual(await variables(), [`NIX_LD_x86_64_linux=${launcher}`]);
  const { strategy, why } = await explain();
  assert.equal(strategy, 'interpreter');
  assert.match(why, /nix-ld sits at .* and enters the launcher/);
});

test('with the manner nix-ld it is told the loader and the libraries, until the plan is made again', async () => {
  assert.equal((await root.manage(['resolve', program], requested('nix-ld'))).status, 0);
  const { strategy, loader } = await explain();
  assert.equal(strategy, 'nix-ld');
  const seen = await variables();
  assert.equal(seen.length, 4);
  assert.equal(seen[0], `NIX_LD=${loader}`);
  assert.deepEqual(await variables(), seen);
  assert.equal((await root.start(['--refresh', program])).status, 0);
  assert.equal((await explain()).strategy, 'interpreter');
});

test('with the manner loader the loader is started', async () => {
  assert.equal((await root.start(['--refresh', program], requested('loader'))).status, 0);
  assert.equal((await explain()).strategy, 'loader');
  assert.deepEqual(await variables(), []);
  assert.equal((await root.manage(['resolve', program], requested('interpreter'))).status, 0);
  assert.equal((await explain()).strategy, 'interpreter');
});

test('a name that no strategy has is refused', async () => {
  const refused = await root.start(['--refresh', program], requested('magic'));
  assertRefused(refused, { status: 125, cause: /NIX_RUN_FOREIGN_STRATEGY: there is no strategy magic/ });
});

test('a 32-bit program beside a 64-bit nix-ld has a way of its own', on32Bit, async () => {
  const other = rig.foreign.find(({ architecture }) => architecture === 'i386');
  assert.ok(other, 'the rig has a 32-bit program');
  for (const start of [root.start, root.startHit]) {
    const { status, stdout, stderr } = await start([other.path, ...other.args]);
    assert.equal(status, 0, stderr);
    assert.match(stdout + stderr, other.expect);
  }
  const explained = await root.manage(['explain', '--json', other.path]);
  assert.equal((JSON.parse(explained.stdout) as { strategy: string }).strategy, 'view');
});
