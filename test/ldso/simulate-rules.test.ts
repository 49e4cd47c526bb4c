// Each rule of ld.so by itself → real loaders agree with the simulation, and not with one that lacks the rule.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { filesOfMachine } from '../../src/ldso/simulate-start.ts';
import type { Loader } from '../../src/ldso/simulation/request.ts';
import { simulate } from '../../src/ldso/simulation/simulate.ts';
import { answerOf, askLoader } from './ask-loader.ts';
import { growScene, rules } from './one-rule.ts';
import { everyLoader } from './real-loader.ts';

const home = realpathSync(mkdtempSync(join(tmpdir(), 'loader-rules-')));
after(() => rmSync(home, { recursive: true, force: true }));
const loaders = await everyLoader();

/** Compares one rule with one loader; true when the simulation without that rule would have been caught. */
function isNoticed(at: number, loader: Loader, root: string): boolean {
  mkdirSync(root, { recursive: true });
  const write = rules[at] ?? assert.fail();
  const scene = write(root, loader.settings);
  const path = growScene(root, scene);
  const elf = elfFileAt(path) ?? assert.fail();
  const libraryPath = (scene.libraryPath ?? []).map((name) => join(root, name)).join(':');
  const request = { program: { path, realPath: path, elf }, loader, libraryPath, files: filesOfMachine() };
  const asked = askLoader({ loader: loader.path, program: path, libraryPath, cwd: home });
  assert.deepEqual(answerOf(simulate(request)), asked, `${scene.rule}, ${loader.path}`);
  return !isDeepStrictEqual(answerOf(simulate(scene.without(request))), asked);
}

for (const [at, write] of rules.entries()) {
  const settings = loaders[0]?.settings ?? assert.fail();
  test(write('/', settings).rule, (t) => {
    const noticed = loaders.filter((loader, each) => isNoticed(at, loader, join(home, `${at}-${each}`)));
    t.diagnostic(`${loaders.length} loaders agree; without the rule ${noticed.length} would not`);
    assert.ok(noticed.length > 0, 'the scene does not show its rule');
  });
}
