// Several of this, started together, make the same directories at the same moments; what any of them is refused is
// printed. Arguments: a directory, how many rounds, how many processes, which of them this one is.
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeDirectories } from '../../../src/host/files.ts';

const [base = '', rounds = '0', processes = '0', name = ''] = process.argv.slice(2);

/** Waits, without a turn of the event loop, until all have come as far. */
function meet(round: number): void {
  writeFileSync(path.join(base, `${round}.${name}`), '');
  const isThere = (other: number) => existsSync(path.join(base, `${round}.${other}`));
  while (!Array.from({ length: Number(processes) }, (_, other) => other).every(isThere));
}

for (let round = 0; round < Number(rounds); round += 1) {
  meet(round);
  try {
    makeDirectories(path.join(base, `tree-${round}/a/b/c/d/e`));
  } catch (error) {
    console.log(String(error));
  }
}
