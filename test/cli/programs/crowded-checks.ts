// A place, a store and as many open files as the limit allows → what the doctor says of its catalogue, as JSON.
import { closeSync, openSync } from 'node:fs';
import { checkCatalogue } from '../../../src/cli/doctor/checks.ts';
import type { Directories } from '../../../src/host/directories.ts';
import { remedyOf } from '../../../src/host/errors.ts';
import type { StoreLocation } from '../../../src/store/store-location.ts';

const [dirs, location] = JSON.parse(process.argv[2] ?? '[]') as [Directories, StoreLocation];
const opened: number[] = [];
try {
  for (;;) opened.push(openSync('/dev/null', 'r'));
} catch {} // EMFILE
const check = checkCatalogue(dirs, location);
for (const each of opened) closeSync(each);
process.stdout.write(JSON.stringify({ ...check, expected: remedyOf('EMFILE') }));
