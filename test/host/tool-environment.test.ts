// What the programs that we start are told: the launcher's list, and no command of the working directory.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runProgram, runProgramNow } from '../../src/host/run-program.ts';
import { toolEnvironment } from '../../src/host/tool-environment.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

/** The names and beginnings of names in the launcher's list. */
function launcherList(): string[] {
  const header = path.resolve(import.meta.dirname, '../../launcher/resolver-environment.h');
  const source = readFileSync(header, 'utf8');
  const list = /for_resolver\[\] = ([^;]*);/.exec(source)?.[1] ?? '';
  return [...list.matchAll(/"([^"]*)"/g)].flatMap(([, part = '']) => part.split('\\0')).filter(Boolean);
}

test('the launcher passes the same names to the resolver', () => {
  const list = launcherList();
  assert.ok(list.length > 25, list.join(' '));
  for (const each of list) {
    const name = each.endsWith('=') ? each.slice(0, -1) : `${each}X`;
    assert.deepEqual(toolEnvironment({ [name]: '1' }), { [name]: '1' }, `${each} is not passed here`);
    if (each.endsWith('='))
      assert.deepEqual(toolEnvironment({ [`${name}X`]: '1' }), {}, `${name}X is passed`);
  }
  const text = readFileSync(path.resolve(import.meta.dirname, '../../src/host/tool-environment.ts'), 'utf8');
  const ours = /PASSED = \[([\s\S]*?)\n\];/.exec(text)?.[1] ?? '';
  assert.deepEqual([...ours.matchAll(/'([^']+)'/g)].map(([, name]) => name).sort(), list.sort());
});

const scratch = scratchDirectory();
const here = path.join(scratch, 'here');
mkdirSync(here);
for (const name of ['sync', 'unsquashfs', 'patchelf']) {
  writeFileSync(path.join(here, name), '#!/bin/sh\necho planted\n');
  chmodSync(path.join(here, name), 0o755);
}

for (const PATH of [
  ':/usr/bin:/bin',
  '.:/usr/bin:/bin',
  './:/usr/bin',
  'here:/usr/bin',
  '',
  '.',
  ':',
  '/usr/bin:',
])
  test(`PATH=${PATH}: no command of the working directory is run`, async () => {
    const before = process.cwd();
    process.chdir(PATH === 'here:/usr/bin' ? scratch : here);
    try {
      for (const name of ['sync', 'unsquashfs', 'patchelf']) {
        const options = { env: { PATH }, timeout: 10_000 };
        const ended = [await runProgram(name, ['--help'], options), runProgramNow(name, ['--help'], options)];
        for (const { stdout } of ended) assert.doesNotMatch(stdout, /planted/, name);
      }
    } finally {
      process.chdir(before);
    }
  });
