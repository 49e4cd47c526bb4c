// Run where /nix is a root's: a program that has no set → the conflict, its sentences, and whether each reason is needed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectProgram } from '../../../../src/program/inspect-program.ts';
import { contextOf } from '../../../../src/resolve/context.ts';
import { dynamicOf } from '../../../../src/resolve/job.ts';
import { solveProgram } from '../../../../src/resolve/solve-program.ts';
import { explainConflict } from '../../../../src/solver/explain-conflict.ts';
import { solve } from '../../../../src/solver/solve.ts';
import { openStore } from '../../../../src/store/open-catalogue.ts';
import { nameOfStoreObject } from '../../../../src/store/store-location.ts';
import { onlyReasons } from '../../../solver/only-reasons.ts';
import type { Verdict } from '../verdict.ts';

const context = contextOf(process, 'judge');
const program = dynamicOf(inspectProgram(process.argv[2] ?? '', context.host));
if (program === undefined) throw new Error('not a dynamic program');
const directory = mkdtempSync(join(tmpdir(), 'judge-'));
try {
  const catalogue = await openStore(directory, context.location);
  const { problem, outcome } = solveProgram(program, catalogue, new Set());
  if (outcome.kind !== 'conflict') throw new Error(`there is a ${outcome.kind}`);
  const { reasons, minimal } = outcome;
  const verdict: Verdict = {
    reasons,
    minimal,
    sentences: explainConflict(outcome),
    together: solve(onlyReasons(problem, reasons)).kind,
    without: reasons.map((dropped) => {
      const others = reasons.filter((each) => each !== dropped);
      return solve(onlyReasons(problem, others)).kind;
    }),
    objects: [...new Set([...catalogue.objectNames()].map(nameOfStoreObject))],
  };
  catalogue.close();
  process.stdout.write(JSON.stringify(verdict));
} finally {
  rmSync(directory, { recursive: true });
}
