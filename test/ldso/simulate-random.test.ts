// Random trees of libraries → simulation and real loaders agree on what is loaded, on the status and on every word.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { filesOfMachine } from '../../src/ldso/simulate-start.ts';
import { simulate } from '../../src/ldso/simulation/simulate.ts';
import { answerOf, askLoader, endless } from './ask-loader.ts';
import { withoutRunPaths } from './one-rule.ts';
import { growTree, type Mood } from './random-tree.ts';
import { everyLoader } from './real-loader.ts';

const home = mkdtempSync(join(tmpdir(), 'loader-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

const loaders = await everyLoader();

const seeds = Number(process.env['LOADER_SEEDS'] ?? 120);
const first = Number(process.env['LOADER_FIRST'] ?? 1);

/** Trees for which a simulation without run paths would have been caught. */
let noticed = 0;

function check(seed: number, mood: Mood): string {
  const root = join(home, `${mood}-${seed}`);
  mkdirSync(root);
  const { program: real, link, libraryPath, preload, report } = growTree(root, seed, mood);
  const loader = loaders[seed % loaders.length];
  assert.ok(loader);
  const path = seed % 7 === 0 ? link : real;
  const elf = elfFileAt(real);
  assert.ok(elf);
  const onMissing = seed % 3 === 0 ? 'note' : 'stop';
  const files = { ...filesOfMachine(), workingDirectory: root };
  const saved = process.cwd();
  process.chdir(root);
  const program = { path, realPath: real, elf };
  const request = { program, loader, libraryPath, preload, files, onMissing } as const;
  const trace = simulate(request);
  const blind = answerOf(simulate(withoutRunPaths(request)));
  process.chdir(saved);
  const answer = answerOf(trace);
  // Nothing tells an endless start from a slow one, so the other way round it is only tried for a moment.
  const patience = answer === endless ? 300 : 20_000;
  const asked = askLoader({
    patience,
    loader: loader.path,
    program: path,
    libraryPath,
    preload,
    onMissing,
    cwd: root,
  });
  const where = `seed ${seed}, ${mood}, ${loader.path} ${path}\nlibrary path ${libraryPath}, preload ${preload}`;
  assert.deepEqual(answer, asked, `${where}\n${report.join('\n')}\n`);
  rmSync(root, { recursive: true });
  if (!isDeepStrictEqual(blind, asked)) noticed += 1;
  return asked.status === 0 ? 'load everything' : 'do not';
}

for (const mood of ['sound', 'rough'] as const) {
  test(`${mood} trees of libraries, ${loaders.length} loaders`, (t) => {
    const ends = new Map<string, number>();
    for (let seed = first; seed < first + seeds; seed += 1) {
      const end = check(seed, mood);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    const kinds = [...ends].map(([end, count]) => `${count} ${end}`).join(', ');
    t.diagnostic(`${seeds} of ${seeds} trees have the same list, status and words (${kinds})`);
    t.diagnostic(`without run paths the simulation would have been caught ${noticed} times so far`);
    assert.ok(seeds < 100 || (ends.size === 2 && noticed > 20), 'these trees judge too little');
  });
}
