// <link> <store path...> → as JSON: the preview, what fetchPaths answered with its progress, and the preview afterwards.
import { fetchPaths } from '../../../src/store/fetch-paths.ts';
import { findNix, showOnStderr } from '../../../src/store/nix.ts';
import type { FetchProgress } from '../../../src/store/nix-log.ts';
import { previewFetch } from '../../../src/store/preview-fetch.ts';

const [link = '', ...storePaths] = process.argv.slice(2);
const nix = findNix(process.env);
if (nix === undefined) throw new Error('no Nix on PATH');
const progress: FetchProgress[] = [];
const before = await previewFetch(nix, storePaths);
const onProgress = (each: FetchProgress) => progress.push(each);
const fetched = await fetchPaths(nix, storePaths, link, { onProgress, show: showOnStderr });
process.stdout.write(
  JSON.stringify({ before, fetched, progress, after: await previewFetch(nix, storePaths) }),
);
