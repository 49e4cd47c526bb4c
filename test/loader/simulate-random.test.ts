// Random trees of libraries → simulation and real loaders agree on what is loaded, on the status and on every word.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { filesOfMachine } from '../../src/launch/loader-files.ts';
import { simulate } from '../../src/loader/simulate.ts';
import { elfFileAt } from '../../src/store/read-elf-file.ts';
import { ensureRig } from '../rig/rig.ts';
import { answerOf, askLoader, endless } from './ask-loader.ts';
import { growTree, type Mood } from './random-tree.ts';
import { glibcLoader } from './real-loader.ts';

const home = mkdtempSync(join(tmpdir(), 'loader-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

const rig = await ensureRig('full');
const inRig = (path: string) => join(rig.nixDir, path.slice('/nix'.length));
const loaders = [
  '/lib64/ld-linux-x86-64.so.2',
  ...new Set(
    rig.foreign.filter(({ architecture }) => architecture === 'amd64').map((each) => inRig(each.loader)),
  ),
].map(glibcLoader);

const seeds = Number(process.env['LOADER_SEEDS'] ?? 120);
const first = Number(process.env['LOADER_FIRST'] ?? 1);

function check(seed: number, mood: Mood): string {
  const root = join(home, `${mood}-${seed}`);
  mkdirSync(root);
  const { program: real, link, libraryPath, preload, story } = growTree(root, seed, mood);
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
  const trace = simulate({ program, loader, libraryPath, preload, files, onMissing });
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
  assert.deepEqual(answer, asked, `${where}\n${story.join('\n')}\n`);
  rmSync(root, { recursive: true });
  return asked.status === 0 ? 'loads' : 'fails';
}

for (const mood of ['sound', 'rough'] as const) {
  test(`${mood} trees of libraries, ${loaders.length} loaders`, (t) => {
    const ends = new Map<string, number>();
    for (let seed = first; seed < first + seeds; seed += 1) {
      const end = check(seed, mood);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    t.diagnostic(`${seeds} trees: ${[...ends].map(([end, count]) => `${count} ${end}`).join(', ')}`);
  });
}
