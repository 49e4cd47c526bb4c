// A planned fetch and how far it is → the lines that the user sees.
import { listText } from '../host/output.ts';
import type { FetchProgress } from '../store/nix-log.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import type { NotFound } from './choose-set.ts';
import { inBinaryUnits } from './fetch-policy.ts';
import type { PlannedFetch } from './plan-fetch.ts';

/** More names than fit on a line are counted. */
const MOST_NAMES = 3;

function listed(names: readonly string[]): string {
  return listText(names, MOST_NAMES);
}

/** `fetching libssl.so.3, libxml2.so.2 (2 packages): 12.3 of 15.6 MiB`. */
export function fetchingText({ chosen, preview }: PlannedFetch, { done, expected }: FetchProgress): string {
  const count = preview.paths.length === 1 ? '1 package' : `${preview.paths.length} packages`;
  const share = expected === 0 ? 0 : Math.min(1, done / expected);
  const far = `${inBinaryUnits(share * preview.download)} of ${inBinaryUnits(preview.download)}`;
  return `fetching ${listed(chosen.map(({ name }) => name))} (${count}): ${far}`;
}

/** `https://cache.nixos.org` → `cache.nixos.org`; a directory stays as it is. */
function hostOf(from: string): string {
  const url = URL.parse(from);
  return url === null || url.host === '' ? from.replace(/^file:\/\//, '') : url.host;
}

/** `fetched openssl-3.5.1, libxml2-2.13.9 (15.6 MiB) from cache.nixos.org`. */
export function fetchedText({ paths, preview }: PlannedFetch, from: string): string {
  const where = from === '' ? '' : ` from ${hostOf(from)}`;
  return `fetched ${listed(paths.map(nameOfStoreObject))} (${inBinaryUnits(preview.download)})${where}`;
}

/** One clause on a name that the index does not have, and what can be done. */
export function absentText({ name, known, otherVersions }: NotFound): {
  readonly why: string;
  readonly remedy: string;
} {
  if (known !== undefined) return { why: `${name} ${known.why}`, remedy: known.remedy };
  if (otherVersions.length > 0) {
    const remedy = 'take a newer index, or choose another version by hand: nix-foreign choose PROGRAM';
    return { why: `the file index has no ${name}, but ${listed(otherVersions)}`, remedy };
  }
  return { why: `the file index has no ${name}`, remedy: 'bring the package by hand, or take a newer index' };
}
