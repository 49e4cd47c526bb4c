// <store URL> <link> <store path> → a text that refers to the path, copied there with it: what came of it, as JSON.
import { copyClosure } from '../../../src/store/copy-closure.ts';
import { findNix } from '../../../src/store/nix-commands.ts';
import { startPinningText } from '../../../src/store/pinned-text.ts';
import { showOnStderr } from '../../../src/store/watched-nix.ts';

const [url = '', link = '', reference = ''] = process.argv.slice(2);
const nix = findNix(process.env);
if (nix === undefined) throw new Error('no Nix on PATH');
const pinned = await startPinningText(nix, link).pin({
  name: 'set.json',
  content: '{}\n',
  references: [reference],
});
const storePath = pinned.kind === 'pinned' ? pinned.storePath : '';
const copied = await copyClosure(nix, [storePath], url, showOnStderr);
process.stdout.write(JSON.stringify({ storePath, copied }));
