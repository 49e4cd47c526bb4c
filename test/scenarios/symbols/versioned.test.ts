// Symbols of a version that both builds define, as with libcurl's CURL_OPENSSL_4: the build that has the symbol is found.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openShop } from '../diamonds/shop.ts';
import { glibc, returns } from '../diamonds/sources.ts';
import { assertRefused } from '../expect-failure.ts';
import { onHost } from '../foreign-files.ts';
import { openToolRoot } from '../tool.ts';
import { callsOnDemand, NOW, twoBuilds } from './programs.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shop = openShop(root);

/** One version for every symbol of the library: its soname. */
const ONE_VERSION = ['-Wl,--default-symver'];

/** What the loader says with a library, which defines the version. */
async function startWith(library: string, program: string) {
  const loader = `${glibc(shop, '41').directory}/ld-linux-x86-64.so.2`;
  return root.run({ argv: [loader, '--library-path', library, program] });
}

test('the build that defines the symbol is taken, not the newest with its version', async () => {
  const { old, recent } = await twoBuilds(shop, 'node', ONE_VERSION);
  const program = shop.program('node', callsOnDemand, [old], NOW);
  assert.match(
    (await startWith(recent.directory, program)).stderr,
    /symbol lookup error: .* undefined symbol: gone, version libnode\.so\.1/,
  );
  const outcome = await root.start([program]);
  assert.equal(outcome.stderr, '');
  assert.equal(outcome.stdout, '1\n');
  const why = await root.manage(['explain', program, '--why', 'libnode.so.1']);
  assert.match(why.stdout, /lacks gone@libnode\.so\.1, which program needs/);
});

test('where no build has it the start is refused, and the library is named', async () => {
  const { old } = await twoBuilds(shop, 'void', ONE_VERSION);
  const program = shop.program('void', callsOnDemand, [old], NOW);
  await shop.forget(old);
  assertRefused(await root.start([program]), {
    status: 126,
    cause:
      /program needs the symbol gone@libvoid\.so\.1; no library that could be loaded defines it; libvoid\.so\.1 from void-2\.0 does not$/,
  });
});

test('a build beside the program that has it is offered, with what else is to be added', async () => {
  const { old } = await twoBuilds(shop, 'beside', ONE_VERSION);
  const extra = await shop.library('extra', { soname: 'libextra.so.1', source: returns('extra', 4) });
  const source = callsOnDemand
    .replace('int main', 'int extra(void); int main')
    .replace('kept())', 'kept() + extra())');
  const program = shop.program('beside', source, [old, extra], NOW);
  const own = ['libbeside.so.1', 'libextra.so.1'].map((name) => path.join(path.dirname(program), name));
  for (const [at, { directory }] of [old, extra].entries()) {
    const file = own[at] ?? assert.fail();
    const inStore = path.relative('/nix', path.join(directory, path.basename(file)));
    copyFileSync(path.join(root.nixDir, inStore), onHost(root, file));
  }
  await shop.forget(old);
  await shop.forget(extra);
  const add = own.map((file) => `--add ${path.basename(file)}=${file}`);
  const first = await root.start([program]);
  assert.ok(
    first.stderr.includes(
      `it lies beside the program, take it with: nix-foreign choose ${program} ${add[1]}\n`,
    ),
  );
  const words = ['choose', program, ...(add[1] ?? '').split(' ')];
  const { status, stderr } = await root.manage(words);
  assert.equal(status, 126);
  const line = `a build that has it lies beside the program, take it with: nix-foreign choose ${program} ${add[1]} ${add[0]}\n`;
  assert.ok(stderr.includes(line), stderr);
  assert.equal((await root.manage([...words, ...(add[0] ?? '').split(' ')])).status, 0);
  assert.equal((await root.start([program])).stdout, '5\n');
});
