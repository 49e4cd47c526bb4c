// A directory → changes a file there twice in a row, and prints whether its identity told the changes apart.
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { distinctStats, identityOf, identityOfStats } from '../../../src/host/file-identity.ts';

const file = path.join(process.argv[2] ?? '', 'changed');
let serial = 1000;

/** Another content of the same size; the file stays the same. */
function change(): void {
  serial += 1;
  writeFileSync(file, String(serial), { flag: 'r+' });
}

writeFileSync(file, String(serial));
const ROUNDS = 3;
const told = { plain: 0, distinct: 0, rounds: ROUNDS, longest: 0 };
for (let round = 0; round < ROUNDS; round += 1) {
  change();
  const plain = identityOfStats(statSync(file, { bigint: true }));
  change();
  if (identityOf(file) !== plain) told.plain += 1;
  const began = performance.now();
  const distinct = identityOfStats(distinctStats(file));
  told.longest = Math.max(told.longest, performance.now() - began);
  change();
  if (identityOf(file) !== distinct) told.distinct += 1;
}
process.stdout.write(JSON.stringify(told));
