// Compiled random trees → the simulation lists what real loaders list, and says which function each call reaches.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { filesOfMachine } from '../../src/ldso/simulate-start.ts';
import { simulate } from '../../src/ldso/simulation/simulate.ts';
import type { LoadTrace } from '../../src/ldso/simulation/trace.ts';
import { ALL } from '../sample.ts';
import { answerOf, askLoader } from './ask-loader.ts';
import { type CompiledTree, growCompiledTree } from './compiled-tree.ts';
import { expectedWords, type Words } from './expected-words.ts';
import { withoutRunPaths } from './one-rule.ts';
import { everyLoader } from './real-loader.ts';

const home = mkdtempSync(join(tmpdir(), 'loader-compiled-'));
after(() => rmSync(home, { recursive: true, force: true }));

const loaders = await everyLoader();
const seeds = Number(process.env['LOADER_COMPILED'] ?? (ALL ? 30 : 12));
const first = Number(process.env['LOADER_FIRST'] ?? 1);

function run(loader: string, { program, libraryPath }: CompiledTree): Words {
  const path = libraryPath === '' ? [] : ['--library-path', libraryPath];
  const { status, stdout } = spawnSync(loader, ['--inhibit-cache', ...path, program], {
    env: {},
    cwd: home,
    encoding: 'latin1',
    timeout: 20_000,
  });
  return { status: status ?? -1, stdout };
}

/** What shows that the trees judge something. */
const seen = { whole: 0, cutOff: 0, refused: 0, noticed: 0, elsewhere: 0 };

/** The program's own symbols bind elsewhere if objects are searched from the last to the first. */
function backwards(tree: CompiledTree, trace: LoadTrace): Words {
  return expectedWords(tree, { ...trace, objects: trace.objects.toReversed() });
}

function check(seed: number): void {
  const root = join(home, `tree-${seed}`);
  mkdirSync(root);
  const tree = growCompiledTree(root, seed);
  const { program, libraryPath, report } = tree;
  const loader = loaders[seed % loaders.length];
  const elf = elfFileAt(program);
  assert.ok(loader && elf);
  const files = { ...filesOfMachine(), workingDirectory: home };
  const request = {
    program: { path: program, realPath: program, elf },
    loader,
    libraryPath,
    preload: [],
    files,
    onMissing: 'stop',
  } as const;
  const trace = simulate(request);
  const where = `seed ${seed}, ${loader.path}, library path ${libraryPath}\n${report.join('\n')}\n`;
  const question = { loader: loader.path, program, libraryPath, onMissing: 'stop', cwd: home } as const;
  assert.deepEqual(answerOf(trace), askLoader({ ...question, preload: [] }), where);
  const expected = expectedWords(tree, trace);
  assert.deepEqual(expected, run(loader.path, tree), where);
  if (trace.status !== 0) seen.refused += 1;
  else if (expected.status === 0) seen.whole += 1;
  else seen.cutOff += 1;
  const blind = expectedWords(tree, simulate(withoutRunPaths(request)));
  if (blind.stdout !== expected.stdout) seen.noticed += 1;
  if (backwards(tree, trace).stdout !== expected.stdout) seen.elsewhere += 1;
  rmSync(root, { recursive: true });
}

test(`compiled trees of libraries, ${loaders.length} loaders`, (t) => {
  for (let seed = first; seed < first + seeds; seed += 1) check(seed);
  const { whole, cutOff, refused, noticed, elsewhere } = seen;
  t.diagnostic(`${seeds} of ${seeds} trees: the same list, and the same calls to the same files`);
  t.diagnostic(`${whole} run to their end, ${cutOff} end at a call of nobody's, ${refused} are refused`);
  t.diagnostic(
    `caught would have been: no run paths ${noticed} times, another order of symbols ${elsewhere} times`,
  );
  assert.ok(seeds < 30 || Math.min(whole, refused, noticed, elsewhere) > 2, 'these trees judge too little');
});
