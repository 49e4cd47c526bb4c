// Store paths that somebody names and that are not there → fetched and held by links, or why not.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { removeLeftovers, temporaryName } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { ForeignError } from '../host/errors.ts';
import { notice, reportPrefix } from '../host/output.ts';
import { shellWord } from '../host/shell-words.ts';
import { refusalOf } from '../index/fetch-absent.ts';
import { inBinaryUnits, policyBy } from '../index/fetch-policy.ts';
import { progressLine, stderrOutput } from '../index/progress-line.ts';
import { isHarmless } from '../store/fetch.ts';
import { fetchPaths } from '../store/fetch-paths.ts';
import { type Nix, showOnStderr } from '../store/nix.ts';
import { type FetchPreview, previewFetch } from '../store/preview-fetch.ts';
import { nameOfStoreObject, storeObjectOf } from '../store/store-location.ts';
import type { Context } from './context.ts';
import { fetchSettings } from './fetch-absent-libraries.ts';

function absentObjects(files: readonly string[], storeDir: string): string[] {
  const objects = files.flatMap((file) => storeObjectOf(storeDir, path.resolve(file)) ?? []);
  return [...new Set(objects)].filter((each) => isHarmless(each) && !existsSync(each)).sort();
}

function failure(program: string, why: string, hint: string): ForeignError {
  return new ForeignError(`${program}: ${why}`, { code: 'bad-pin', hint, exitCode: 125 });
}

/** Nix may hold valid what a collector took, which comes at the second try (store/fetch.ts, `undone`). */
const MOST_TRIES = 3;

const NAME_ANOTHER = 'name what is in the store, or a cache that has it: substituters in nix.conf';

/** @throws ForeignError where they cannot be had. */
async function previewOf(nix: Nix, objects: readonly string[], program: string): Promise<FetchPreview> {
  const previewed = await previewFetch(nix, objects);
  if (previewed.kind === 'failed') throw failure(program, previewed.why, NAME_ANOTHER);
  const { preview, unreachable } = previewed;
  const [first] = preview.unknown;
  if (first === undefined) return preview;
  throw failure(
    program,
    unreachable ?? `${first} is not in the store, and no substituter has it`,
    NAME_ANOTHER,
  );
}

/** Undefined where it is to be done once more. */
async function fetchInto(
  nix: Nix,
  objects: readonly string[],
  { program, state, download }: { program: string; state: string; download: number },
): Promise<readonly string[] | undefined> {
  const fetching = path.join(state, 'fetching');
  removeLeftovers(fetching);
  const directory = temporaryName(path.join(fetching, 'named'));
  const line = progressLine(reportPrefix(), stderrOutput());
  const names = objects.map(nameOfStoreObject).join(', ');
  const realised = await fetchPaths(nix, objects, path.join(directory, 'link'), {
    onProgress: ({ done, expected }) => {
      const far = inBinaryUnits(expected === 0 ? 0 : Math.min(1, done / expected) * download);
      line.show(`${program}: fetching ${names}: ${far} of ${inBinaryUnits(download)}`);
    },
    show: showOnStderr,
  }).finally(line.end);
  if (realised.kind === 'undone') return undefined;
  if (realised.kind !== 'realised') throw failure(program, realised.why, NAME_ANOTHER);
  notice(`${program}: fetched ${names} (${inBinaryUnits(download)})`);
  return [...realised.links, directory];
}

/**
 * Fetches the store objects of files that are named and not there, by the settings for what an index names. Returns
 * links that hold them, to be released (store/fetch.ts, releaseLinks).
 * @throws ForeignError `bad-pin` where they cannot be had, `configuration`.
 */
export async function fetchNamed(
  files: readonly string[],
  program: string,
  context: Context,
  { state }: Pick<Directories, 'state'>,
): Promise<readonly string[]> {
  const { nix, location } = context;
  const objects = absentObjects(files, location.storeDir);
  if (objects.length === 0 || nix === undefined) return [];
  const settings = await fetchSettings({ context });
  // `choose` has no word for it, and what is in the store is not fetched.
  const allow = `nix-store --realise ${objects.map(shellWord).join(' ')}`;
  let spent = 0;
  for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
    const policy = { ...policyBy(settings, spent), allow };
    const preview = await previewOf(nix, objects, program);
    const asking = { program, policy, endLine: () => {} }; // nothing is shown yet
    const refusal = refusalOf(preview, asking, location.storeDir);
    if (refusal !== undefined) throw failure(program, refusal.why, refusal.remedy);
    const links = await fetchInto(nix, objects, { program, state, download: preview.download });
    if (links !== undefined) return links;
    spent += preview.download;
  }
  throw failure(program, `a collector takes ${objects.join(', ')} as it comes`, NAME_ANOTHER);
}
