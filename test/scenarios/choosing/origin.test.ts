// Store objects whose libraries find their neighbours by $ORIGIN → what runs is what was chosen, whoever lies beside it.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { type Made, openShop } from '../diamonds/shop.ts';
import { openToolRoot } from '../tool.ts';

const root = await openToolRoot(await ensureRig('full'));
const shop = openShop(root);
const origin = ['-Wl,-rpath,$ORIGIN'];

/** Store objects are searched in the order of their hashes: of four pairs, both orders come. */
const PAIRS = [0, 1, 2, 3];

/** One store object with all the files; the libraries themselves leave the store. */
async function together(name: string, libraries: Readonly<Record<string, Made>>): Promise<string> {
  const directory = path.join(root.homeDir, '..', name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(path.join(directory, 'lib'), { recursive: true });
  for (const [file, { host }] of Object.entries(libraries)) {
    copyFileSync(host, path.join(directory, 'lib', file));
  }
  const { stdout, status, stderr } = await root.runOnHost({ argv: ['nix-store', '--add', directory] });
  assert.equal(status, 0, stderr);
  for (const each of Object.values(libraries)) await shop.forget(each);
  return stdout.trim();
}

const printing = (...names: readonly string[]) =>
  `int printf(const char *, ...); ${names.map((name) => `int ${name}(void);`).join(' ')}
   int main(void) { ${names.map((name) => `printf("%d ", ${name}());`).join(' ')} return 0; }`;

const newBoth = (k: number) => ({
  soname: `liboth${k}.so.1`,
  source: `int oth(void) { return 200; } int extra${k}(void) { return ${k}; }`,
  versions: `O_1 { global: oth; }; O_2 { global: extra${k}; } O_1;`,
  flags: origin,
});

async function expectOutput(program: string, output: string): Promise<void> {
  const { stdout, stderr, status } = await root.start([program]);
  assert.deepEqual([stdout, stderr, status], [output, '', 0]);
  assert.equal((await root.startHit([program])).stdout, output);
}

for (const k of PAIRS) {
  test(`an old library beside a chosen one does not hide the chosen new one: pair ${k}`, async () => {
    const oth = await shop.library(`oth-2.${k}`, newBoth(k));
    const one = await shop.library(`one-1.${k}`, {
      soname: `libone${k}.so.1`,
      source: `int one${k}(void) { return 1; }`,
      flags: origin,
    });
    const program = shop.program(`origin${k}`, printing(`one${k}`, `extra${k}`, 'oth'), [one, oth]);
    const old = await shop.library(`oth-1.${k}`, {
      soname: `liboth${k}.so.1`,
      source: 'int oth(void) { return 100; }',
      versions: 'O_1 { global: oth; };',
      flags: origin,
    });
    await together(`both-${k}`, { [`libone${k}.so.1`]: one, [`liboth${k}.so.1`]: old });
    await expectOutput(program, `1 ${k} 200 `);
  });
}

for (const k of PAIRS) {
  test(`what is pinned runs: pair ${k}`, async () => {
    const oth = await shop.library(`poth-2.${k}`, {
      soname: `libpoth${k}.so.1`,
      source: 'int poth(void) { return 200; }',
      flags: origin,
    });
    const one = await shop.library(`pone-1.${k}`, {
      soname: `libpone${k}.so.1`,
      source: `int pone${k}(void) { return 1; }`,
      flags: origin,
    });
    const program = shop.program(`pinned${k}`, printing(`pone${k}`, 'poth'), [one, oth]);
    const old = await shop.library(`poth-1.${k}`, {
      soname: `libpoth${k}.so.1`,
      source: 'int poth(void) { return 100; }',
      flags: origin,
    });
    const both = await together(`pboth-${k}`, { [`libpone${k}.so.1`]: one, [`libpoth${k}.so.1`]: old });
    for (const [from, value] of [
      [oth.directory, 200],
      [`${both}/lib`, 100],
    ] as const) {
      const pinning = await root.manage(['choose', '--pin', `libpoth${k}.so.1=${from}`, program]);
      assert.equal(pinning.status, 0, pinning.stderr);
      await expectOutput(program, `1 ${value} `);
    }
  });
}
