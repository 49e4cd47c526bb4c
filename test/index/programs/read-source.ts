// CATALOGUE LOCK FILE → a line for each piece that was read, then what became of it.
import { writeSync } from 'node:fs';
import { readSource } from '../../../src/index/read-source.ts';

const [file = '', lock = '', index = ''] = process.argv.slice(2);
const place = { file, lock, storeDir: '/nix/store' };
const state = await readSource(place, index, {
  progress: (share) => writeSync(1, `${share}\n`),
  verify: () => ({ kind: 'accepted' }),
});
writeSync(1, `${JSON.stringify(state)}\n`);
