// The rig's cache: one build for many callers, a name that follows the definition, leftovers removed.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { buildOnce, definitionHash, rigCacheDirectory } from './rig-cache.ts';

const original = process.env['XDG_CACHE_HOME'];
let cache: string;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'nix-run-foreign-rig-cache-'));
  process.env['XDG_CACHE_HOME'] = cache;
});
afterEach(() => {
  if (original === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = original;
  rmSync(cache, { recursive: true });
});

/** Builds a directory with a marker as the rig does. */
function builder(name: string, counted: { builds: number }) {
  const directory = join(rigCacheDirectory(), name);
  const build = async () => {
    counted.builds += 1;
    const arriving = mkdtempSync(`${directory}.building-`);
    writeFileSync(join(arriving, 'rig.json'), '{}');
    renameSync(arriving, directory);
  };
  return { directory, marker: join(directory, 'rig.json'), build };
}

test('many callers, one build', async () => {
  const counted = { builds: 0 };
  const { marker, build } = builder('small-1', counted);
  await Promise.all([1, 2, 3].map(() => buildOnce(marker, build)));
  assert.equal(counted.builds, 1);
  assert.ok(existsSync(marker));
});

test('a failed build is tried again, and holds nobody up', async () => {
  const { marker, build } = builder('small-1', { builds: 0 });
  const fail = async () => {
    throw new Error('no mirror');
  };
  await assert.rejects(buildOnce(marker, fail), /no mirror/);
  assert.ok(!existsSync(marker));
  await buildOnce(marker, build);
  assert.ok(existsSync(marker));
});

test('removes what a killed build left and rigs that nobody uses, keeps those in use', async () => {
  const old = builder('full-old', { builds: 0 });
  const used = builder('full-used', { builds: 0 });
  await old.build();
  await used.build();
  utimesSync(old.marker, new Date(0), new Date(0));
  mkdirSync(join(rigCacheDirectory(), 'full-x.building-abc'));
  const { marker, build } = builder('small-1', { builds: 0 });
  await buildOnce(marker, build);
  assert.ok(!existsSync(old.directory));
  assert.ok(existsSync(used.directory));
  assert.ok(!existsSync(join(rigCacheDirectory(), 'full-x.building-abc')));
});

test('using a rig marks it as used', async () => {
  const rig = builder('full-1', { builds: 0 });
  await rig.build();
  utimesSync(rig.marker, new Date(0), new Date(0));
  await buildOnce(rig.marker, rig.build);
  const other = builder('small-1', { builds: 0 });
  await buildOnce(other.marker, other.build);
  assert.ok(existsSync(rig.marker));
});

test('the name follows the definition', () => {
  assert.equal(definitionHash(['small']), definitionHash(['small']));
  assert.notEqual(definitionHash(['small']), definitionHash(['full']));
  assert.match(definitionHash([]), /^[0-9a-f]{12}$/);
});
