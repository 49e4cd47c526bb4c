// Programs of npm: fetched once, real dynamic ELF files of another Linux, at paths that a root can show.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { readDynamic } from '../store/readelf.ts';
import { checkIntegrity } from './fetch.ts';
import { ensureNpmPrograms } from './programs.ts';
import { wantedNpmPrograms } from './selection.ts';

test('every one is a dynamic program for the usual loader, below a directory that is bound', async () => {
  const { programs, binds } = await ensureNpmPrograms();
  assert.ok(programs.length >= 8);
  const facts = await readDynamic([...new Set(programs.map(({ path }) => path))]);
  for (const { name, path } of programs) {
    assert.equal(facts.get(path)?.interpreter, '/lib64/ld-linux-x86-64.so.2', name);
    assert.ok((facts.get(path)?.needed.length ?? 0) >= 3, name);
    assert.ok(
      binds.some(({ from }) => path.startsWith(`${from}/`)),
      name,
    );
  }
  for (const { from } of binds) assert.ok(existsSync(from), from);
});

test('another content than the pinned one is refused', () => {
  const [{ package: pinned } = assert.fail()] = wantedNpmPrograms;
  assert.throws(() => checkIntegrity(Buffer.from('another'), pinned), /npm fetched another @dprint/);
});
