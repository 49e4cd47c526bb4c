// <link=store path,...> <store path...> → the weights of the links as roots, and the facts of the paths, as JSON.
import { findNix } from '../../../src/store/nix.ts';
import { closureFacts, pathFacts } from '../../../src/store/path-info.ts';
import { weighRoots } from '../../../src/store/sizes.ts';
import { storeLocation } from '../../../src/store/store-location.ts';

const [typedName = '', ...storePaths] = process.argv.slice(2);
const nix = findNix(process.env);
if (nix === undefined) throw new Error('no Nix on PATH');
const location = storeLocation(process.env);
const ours = typedName.split(',').map((each) => {
  const [link = '', storePath = ''] = each.split('=');
  return { link, storePath };
});
const { byLink, closure, ours: onlyOurs } = await weighRoots(location, nix, ours);
const facts = await pathFacts(location, nix, storePaths);
const closures = await closureFacts(location, nix, [...facts.keys()]);
const nothing = await closureFacts(location, nix, storePaths);
process.stdout.write(
  JSON.stringify({
    byLink: [...byLink],
    closure,
    ours: onlyOurs,
    facts: [...facts],
    closures: [...closures.keys()],
    nothing: nothing.size,
  }),
);
