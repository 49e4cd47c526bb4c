// <Nix' directory> <link> <milliseconds> <request> → its answer as JSON, asked that long after Nix could be started.
import { setTimeout as pause } from 'node:timers/promises';
import { startRootAdder } from '../../../src/store/add-and-pin.ts';
import { addRoot } from '../../../src/store/nix.ts';
import { dumpFacts } from '../../../src/store/path-info.ts';

const [bin = '', link = '', milliseconds = '', request = ''] = process.argv.slice(2);
const nix = { bin, env: { PATH: '/usr/bin:/bin' } };
const requests: Record<string, () => Promise<unknown>> = {
  pin: async () => {
    const rootAdder = startRootAdder(nix, link);
    await pause(Number(milliseconds));
    return await rootAdder.pin({ name: 'text.json', content: 'text', references: [] });
  },
  root: () => addRoot(nix, link, '/nix/store/a'),
  dump: () => dumpFacts(nix, []),
};
process.stdout.write(JSON.stringify(await requests[request]?.()));
