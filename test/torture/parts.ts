// The parts of the torture, in the order in which they run.
import { crowds } from './crowd.ts';
import { faults, lastingFaults } from './fault-at-call.ts';
import { cReaders } from './fuzz-c.ts';
import { typeScriptReaders } from './fuzz-readers.ts';
import { kills } from './kill-at-call.ts';
import { loads } from './load.ts';
import { loaderJudge } from './loader-judge.ts';
import type { Part } from './results.ts';
import { swaps } from './swapped-directory.ts';

export const PARTS: readonly Part[] = [
  cReaders,
  typeScriptReaders,
  loaderJudge,
  kills,
  faults,
  lastingFaults,
  swaps,
  crowds,
  loads,
];
