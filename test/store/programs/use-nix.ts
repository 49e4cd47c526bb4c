// <store path> <link> → what every request to Nix answered, as JSON; run inside a root, with one Nix on PATH.
import { readFileSync } from 'node:fs';
import { startRootAdder } from '../../../src/store/add-and-pin.ts';
import { addRoot, findNix, invalidPaths, nixVersion } from '../../../src/store/nix.ts';
import { openNixDatabase } from '../../../src/store/nix-database.ts';
import { storeLocation } from '../../../src/store/store-location.ts';

const [reference = '', link = ''] = process.argv.slice(2);
const nix = findNix(process.env);
if (nix === undefined) throw new Error('no Nix on PATH');
const content = '"quoted" ${x} $${y} back\\slash\nnew line\rreturn é 日本';
const gone = `/nix/store/${'a'.repeat(32)}-gone`;
const add = (references: readonly string[]) =>
  startRootAdder(nix, `${link}-text`).pin({ name: 'text.json', content, references });
const added = await add([reference]);
const storePath = added.kind === 'pinned' ? added.storePath : '';
const database = openNixDatabase(storeLocation(process.env));
const answer = {
  version: await nixVersion(nix),
  added,
  same: added.kind === 'pinned' && readFileSync(storePath, 'utf8') === content,
  refused: await add([reference, gone]),
  gone,
  rooted: await addRoot(nix, link, storePath),
  goneRoot: await addRoot(nix, `${link}-gone`, gone),
  invalid: [...(await invalidPaths(nix, [storePath, reference, gone]))],
  valid: database?.isValid(storePath),
  narHash: database?.narHashOf(reference),
};
database?.close();
process.stdout.write(JSON.stringify(answer));
