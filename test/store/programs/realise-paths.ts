// <link> <store path...> → what realise answered, as JSON; what Nix says meanwhile goes to stderr.

import { realise } from '../../../src/store/fetch.ts';
import { findNix, showOnStderr } from '../../../src/store/nix.ts';

const [link = '', ...storePaths] = process.argv.slice(2);
const nix = findNix(process.env);
if (nix === undefined) throw new Error('no Nix on PATH');
process.stdout.write(JSON.stringify(await realise(nix, storePaths, link, showOnStderr)));
