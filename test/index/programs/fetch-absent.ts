// CATALOGUE INDEX LINK LIMIT NAME... → what is fetched for the names, as JSON; messages on stderr.
// The variable COPY_FROM: a binary cache that is an index, too.
import { newestFirst } from '../../../src/candidates/rank.ts';
import { noCacheAsked } from '../../../src/index/cache-closure.ts';
import { fetchAbsent } from '../../../src/index/fetch-absent.ts';
import { fetchedText, fetchingText } from '../../../src/index/fetch-words.ts';
import { readIndexes } from '../../../src/index/manage-indexes.ts';
import { progressLine, stderrOutput } from '../../../src/index/progress-line.ts';
import { readCache } from '../../../src/index/read-cache.ts';
import { openSideCatalogue } from '../../../src/index/side-catalogue.ts';
import { findNix, showOnStderr } from '../../../src/store/nix.ts';
import { openNixDatabase } from '../../../src/store/nix-database.ts';
import { storeLocation } from '../../../src/store/store-location.ts';

const [file = '', index = '', link = '', limit = '', ...names] = process.argv.slice(2);
const nix = findNix(process.env);
if (nix === undefined) throw new Error('no Nix on PATH');
const place = { file, lock: `${file}.lock`, storeDir: '/nix/store' };
const search = { setting: [index], env: process.env, storeDir: place.storeDir };
await readIndexes(place, search, { progress: () => {}, verify: () => ({ kind: 'accepted' }) });
const { COPY_FROM: address } = process.env;
if (address !== undefined)
  await readCache(place, { address, roots: undefined, progress: () => {}, env: process.env });
const catalogue = openSideCatalogue(place.file, place.storeDir);
if (catalogue === undefined) throw new Error('no catalogue');
const database = openNixDatabase(storeLocation(process.env));
const line = progressLine('tool', stderrOutput());
const result = await fetchAbsent(
  names,
  {
    catalogue,
    target: { system: 'x86_64-linux', triple: 'x86_64-linux-gnu', bits: 64 },
    newestFirst,
    opinion: () => 'none',
    isLocal: (storePath) => database?.isValid(storePath) ?? false,
  },
  {
    nix,
    program: 'tool',
    link,
    policy: { fetch: 'ask', limit: Number(limit), spent: 0 },
    caches: noCacheAsked(),
    onAsking: () => {},
    onProgress: (plan, progress) => line.show(fetchingText(plan, progress)),
    endLine: line.end,
    show: showOnStderr,
  },
);
line.end();
if (result.kind === 'fetched') process.stderr.write(`tool: ${fetchedText(result.plan, result.from)}\n`);
process.stdout.write(JSON.stringify(result));
