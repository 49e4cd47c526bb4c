// <store URL> <link> <store path> → a text that refers to the path, copied there with it: what came of it, as JSON.

import { startRootAdder } from '../../../src/store/add-and-pin.ts';
import { copyClosure } from '../../../src/store/fetch.ts';
import { findNix, showOnStderr } from '../../../src/store/nix.ts';

const [url = '', link = '', reference = ''] = process.argv.slice(2);
const nix = findNix(process.env);
if (nix === undefined) throw new Error('no Nix on PATH');
const pinned = await startRootAdder(nix, link).pin({
  name: 'set.json',
  content: '{}\n',
  references: [reference],
});
const storePath = pinned.kind === 'pinned' ? pinned.storePath : '';
const copied = await copyClosure(nix, [storePath], url, showOnStderr);
process.stdout.write(JSON.stringify({ storePath, copied }));
