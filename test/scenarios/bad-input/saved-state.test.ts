// What the tool kept is damaged, somebody else's, or something else altogether: a start is a miss, and nothing more.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import type { Outcome } from '../../rig/root.ts';
import { foreign } from '../foreign-files.ts';
import { cacheOf, farmNames, planFiles, rootLinks, stateOf } from '../saved-state.ts';
import { openToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const jq = foreign(rig, 'bookworm', 'jq');
const curl = foreign(rig, 'bookworm', 'curl');
const words = [jq.path, ...jq.args];
const STRANGER = 4711;
const cache = cacheOf(root);
const saved = path.join(root.homeDir, 'kept');

function assertQuiet({ status, stdout, stderr }: Outcome): void {
  assert.deepEqual([status, stdout, stderr], [0, '42\n', '']);
}

assertQuiet(await root.start(words));
const plan = planFiles(root)[0] ?? '';
const link = rootLinks(root)[0] ?? '';
const farm = path.join(cache, 'farms', farmNames(root)[0] ?? '');
await root.start([curl.path, ...curl.args]);
const otherPlan = planFiles(root).find((file) => file !== plan) ?? '';
const otherLink = rootLinks(root).find((file) => file !== link) ?? '';
const catalogue = path.join(
  cache,
  'catalogues',
  readdirSync(path.join(cache, 'catalogues')).find((name) => name.endsWith('.sqlite')) ?? '',
);
for (const name of ['.cache', '.local'])
  cpSync(path.join(root.homeDir, name), path.join(saved, name), copying());

function copying() {
  return { recursive: true, preserveTimestamps: true, verbatimSymlinks: true } as const;
}

function restore(): void {
  for (const name of ['.cache', '.local']) {
    rmSync(path.join(root.homeDir, name), { recursive: true, force: true });
    cpSync(path.join(saved, name), path.join(root.homeDir, name), copying());
  }
}

function replaceBy(file: string, make: () => void): void {
  rmSync(file, { recursive: true, force: true });
  make();
}

const text = readFileSync(plan);
const [firstLink = ''] = readdirSync(farm);

/** Damage after which no hit is possible. */
const misses: Record<string, () => void> = {
  'plan: empty': () => truncateSync(plan),
  'plan: cut in the middle': () => truncateSync(plan, Math.trunc(text.length / 2)),
  'plan: without its end': () => truncateSync(plan, text.length - 2),
  'plan: with something after its end': () => writeFileSync(plan, Buffer.concat([text, Buffer.from('.\0')])),
  'plan: noise': () => writeFileSync(plan, Buffer.alloc(5000, 0xa5)),
  'plan: too large': () => writeFileSync(plan, Buffer.concat([text, Buffer.alloc(2 << 20)])),
  'plan: of another program': () => cpSync(otherPlan, plan),
  'plan: of a later format': () =>
    writeFileSync(plan, text.toString('latin1').replace('plan 2\0', 'plan 3\0')),
  'plan: writable by others': () => chmodSync(plan, 0o666),
  "plan: somebody else's": () => chownSync(plan, STRANGER, STRANGER),
  'plan: a directory': () => replaceBy(plan, () => mkdirSync(plan)),
  'plan: a link to a plan': () => {
    renameSync(plan, `${plan}-elsewhere`);
    symlinkSync(`${plan}-elsewhere`, plan);
  },
  'farm: a link is gone': () => rmSync(path.join(farm, firstLink)),
  'farm: a link leads nowhere': () =>
    replaceBy(path.join(farm, firstLink), () =>
      symlinkSync('/nix/store/nowhere', path.join(farm, firstLink)),
    ),
  'farm: writable by others': () => chmodSync(farm, 0o777),
  'farm: gone': () => rmSync(farm, { recursive: true }),
  'farm: a file': () => replaceBy(farm, () => writeFileSync(farm, '')),
  'root: gone': () => rmSync(link),
  'root: leads nowhere': () => replaceBy(link, () => symlinkSync('/nix/store/nowhere', link)),
};

/** Damage that shows when the program must be planned again. */
const behindAMiss: Record<string, () => void> = {
  'catalogue: noise': () => writeFileSync(catalogue, Buffer.alloc(100_000, 0xa5)),
  'catalogue: cut': () => truncateSync(catalogue, Math.trunc(lstatSync(catalogue).size / 2)),
  'catalogue: holes in the middle': () => {
    const bytes = readFileSync(catalogue);
    writeFileSync(catalogue, bytes.fill(0xff, bytes.length / 4, bytes.length / 2));
  },
  'catalogue: empty': () => truncateSync(catalogue),
  'catalogue: a directory': () => replaceBy(catalogue, () => mkdirSync(catalogue)),
  'catalogue: gone': () => rmSync(path.dirname(catalogue), { recursive: true }),
  'catalogue: its journal is noise': () => writeFileSync(`${catalogue}-wal`, Buffer.alloc(10_000, 0xa5)),
  'fingerprint: noise': () => replaceBy(link, () => writeFileSync(link, Buffer.alloc(1000, 0xa5))),
  'fingerprint: of another program': () => replaceBy(link, () => symlinkSync(readlinkSync(otherLink), link)),
  'fingerprint: a directory': () => replaceBy(link, () => mkdirSync(link)),
  'fingerprint: no object of the store': () => replaceBy(link, () => symlinkSync('/dev/zero', link)),
  'roots: not a directory': () => {
    const roots = path.join(stateOf(root), 'roots');
    replaceBy(roots, () => mkdirSync(roots));
    writeFileSync(path.join(roots, 'unknown'), '');
  },
};

for (const [name, damage] of Object.entries(misses))
  test(name, async () => {
    restore();
    damage();
    assert.equal((await root.startHit(words)).status, 125, 'the launcher took it');
    assertQuiet(await root.start(words));
    assertQuiet(await root.startHit(words));
  });

for (const [name, damage] of Object.entries(behindAMiss))
  test(name, async () => {
    restore();
    rmSync(plan);
    damage();
    assertQuiet(await root.start(name.startsWith('catalogue') ? ['--refresh', ...words] : words));
    assertQuiet(await root.startHit(words));
    assertQuiet(await root.start(['--refresh', ...words]));
  });
