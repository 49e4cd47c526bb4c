// <link> <store path...> → what realise answered, as JSON; what Nix says meanwhile goes to stderr.
import { findNix } from '../../../src/store/nix-commands.ts';
import { realise } from '../../../src/store/realise.ts';
import { showOnStderr } from '../../../src/store/watched-nix.ts';

const [link = '', ...storePaths] = process.argv.slice(2);
const nix = findNix(process.env);
if (nix === undefined) throw new Error('no Nix on PATH');
process.stdout.write(JSON.stringify(await realise(nix, storePaths, link, showOnStderr)));
