// A random tree of libraries → what the simulation says of its program, and what the real loader says.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { filesOfMachine } from '../../src/ldso/simulate-start.ts';
import type { Loader } from '../../src/ldso/simulation/request.ts';
import { simulate } from '../../src/ldso/simulation/simulate.ts';
import { type Answer, answerOf, askLoader, endless } from './ask-loader.ts';
import { withoutRunPaths } from './one-rule.ts';
import { growTree, type Mood } from './random-tree.ts';

export interface JudgedTree {
  readonly simulated: Answer;
  /** By a simulation that knows nothing of run paths. */
  readonly blind: Answer;
  readonly real: Answer;
  /** How to have it again, and what was written. */
  readonly where: string;
}

/** Grows the tree of a seed below `home`, and takes it away again. */
export function judgeTree(home: string, seed: number, mood: Mood, loaders: readonly Loader[]): JudgedTree {
  const root = path.join(home, `${mood}-${seed}`);
  mkdirSync(root);
  const { program: realPath, link, libraryPath, preload, report } = growTree(root, seed, mood);
  const loader = loaders[seed % loaders.length] as Loader;
  const program = seed % 7 === 0 ? link : realPath;
  const elf = elfFileAt(realPath);
  if (elf === undefined) throw new Error(`${realPath} is no ELF file`);
  const onMissing = seed % 3 === 0 ? 'note' : 'stop';
  const files = { ...filesOfMachine(), workingDirectory: root };
  const saved = process.cwd();
  process.chdir(root);
  const request = {
    program: { path: program, realPath, elf },
    loader,
    libraryPath,
    preload,
    files,
    onMissing,
  } as const;
  const simulated = answerOf(simulate(request));
  const blind = answerOf(simulate(withoutRunPaths(request)));
  process.chdir(saved);
  // Nothing tells an endless start from a slow one, so the other way round it is only tried for a moment.
  const patience = simulated === endless ? 300 : 20_000;
  const asked = {
    patience,
    loader: loader.path,
    program,
    libraryPath,
    preload,
    onMissing,
    cwd: root,
  } as const;
  const real = askLoader(asked);
  rmSync(root, { recursive: true });
  const where = `seed ${seed}, ${mood}, ${loader.path} ${program}\nlibrary path ${libraryPath}, preload ${preload}`;
  return { simulated, blind, real, where: `${where}\n${report.join('\n')}\n` };
}
